/** Return a new element; its text is set as text, never read as markup. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className = '',
  content = ''
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = content;
  return made;
}

/** Return a number as it is read aloud and shown: four significant digits. */
export function shown(value: number | null | undefined): string {
  if (value === null || value === undefined) {
    return '–';
  }
  const small = value !== 0 && Math.abs(value) < 1e-4;
  return small ? value.toExponential(2) : String(Number(value.toPrecision(4)));
}

/** Return a number that is watched: four significant digits, those of zero too. */
export function steady(value: number | null | undefined): string {
  const isPlain = value !== null && value !== undefined && Math.abs(value) >= 1e-3 && Math.abs(value) < 1e4;
  return isPlain ? value.toPrecision(4) : shown(value);
}

/** Return a function that runs `draw` once in the next frame, however often it is called. */
export function onceAFrame(draw: () => void): { ask: () => void; cancel: () => void } {
  let frame = 0;
  return {
    ask: () => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        draw();
      });
    },
    cancel: () => {
      cancelAnimationFrame(frame);
      frame = 0;
    }
  };
}
