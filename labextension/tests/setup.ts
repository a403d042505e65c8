/** What jsdom lacks: elements have no size there, so none changes. */

class NoSizes implements ResizeObserver {
  disconnect(): void {
    // nothing was observed
  }
  observe(): void {
    // elements keep their size
  }
  unobserve(): void {
    // nothing was observed
  }
}

globalThis.ResizeObserver = NoSizes;
