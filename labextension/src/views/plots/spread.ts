/** Labels at the edge of a chart, moved apart where they would lie on each other. */

/**
 * Return places for labels that want to stand at `wanted`, in any order: at least `gap` apart,
 * between `low` and `high` as far as they fit, and moved as little as may be.
 */
export function spread(wanted: readonly number[], gap: number, low: number, high: number): number[] {
  const order = wanted.map((_, index) => index).sort((a, b) => (wanted[a] ?? 0) - (wanted[b] ?? 0));
  // Labels that touch form a block, which stands in the middle of what its labels want.
  const blocks: { first: number; size: number; sum: number }[] = [];
  order.forEach((index, place) => {
    blocks.push({ first: place, size: 1, sum: wanted[index] ?? 0 });
    for (;;) {
      const [before, last] = blocks.slice(-2);
      if (before === undefined || last === undefined || top(last) >= bottom(before)) {
        return;
      }
      blocks.splice(-2, 2, {
        first: before.first,
        size: before.size + last.size,
        sum: before.sum + last.sum - before.size * last.size * gap
      });
    }
  });
  function top({ size, sum }: { size: number; sum: number }): number {
    const extent = (size - 1) * gap;
    return Math.max(low, Math.min(high - extent, sum / size));
  }
  function bottom(block: { size: number; sum: number }): number {
    return top(block) + block.size * gap;
  }
  const places = new Array<number>(wanted.length).fill(0);
  for (const block of blocks) {
    for (let at = 0; at < block.size; at++) {
      places[order[block.first + at] ?? 0] = top(block) + at * gap;
    }
  }
  return places;
}
