/** Labels of a chart, moved where they would lie on each other or on a line. */

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

export type Spot = readonly [x: number, y: number];

export interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** Return the box that the fewest pieces of lines go through; the first of several. */
export function freest(boxes: readonly Box[], lines: readonly (readonly Spot[])[]): Box {
  const pieces = lines.flatMap(line => line.slice(1).map((to, at) => [line[at] ?? to, to] as const));
  const hits = boxes.map(box => pieces.filter(([from, to]) => crosses(box, from, to)).length);
  return boxes[hits.indexOf(Math.min(...hits))] ?? { left: 0, right: 0, top: 0, bottom: 0 };
}

/** Tell whether a straight piece goes through a box. */
function crosses({ left, right, top, bottom }: Box, [x0, y0]: Spot, [x1, y1]: Spot): boolean {
  let [enters, leaves] = [0, 1];
  for (const [from, to, low, high] of [
    [x0, x1, left, right],
    [y0, y1, top, bottom]
  ] as const) {
    if (from === to) {
      if (from < low || from > high) {
        return false;
      }
    } else {
      const ends = [(low - from) / (to - from), (high - from) / (to - from)];
      enters = Math.max(enters, Math.min(...ends));
      leaves = Math.min(leaves, Math.max(...ends));
    }
  }
  return enters <= leaves;
}
