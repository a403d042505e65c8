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

/** Where a line runs, from one spot to the next. */
export type Line = readonly Spot[];

export interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** How far a name may stand from its point, in its own heights, the nearest first. */
const DISTANCES = [0.75, 1.75, 3, 4.5, 6];

/**
 * Return where the name of a point stands: beside it where no line runs, as near as may be, else
 * above the area.
 *
 * @param point the point that is named
 * @param size how wide and high the name is
 * @param area what is drawn on; there is room for a name above it
 * @param lines what must stay free of it
 */
export function nameOf([x, y]: Spot, size: readonly [wide: number, high: number], area: Box, lines: readonly Line[]): Box {
  const [wide, high] = size;
  const at = (left: number, top: number): Box => ({ left, right: left + wide, top, bottom: top + high });
  const lefts = [x - wide / 2, x - wide, x].map(left => inside(left, wide, area));
  const boxes = DISTANCES.flatMap(far => {
    const tops = [y - (far + 1) * high, y + far * high];
    return tops.flatMap(top => lefts.map(left => at(left, top)));
  });
  const fits = boxes.filter(({ top, bottom }) => top >= area.top && bottom <= area.bottom);
  const above = at(inside(x - wide / 2, wide, area), area.top - high);
  return fits.find(box => isFree(box, lines)) ?? above;
}

/** Return where something so wide begins that would like to begin at `left`, within an area. */
function inside(left: number, wide: number, area: Box): number {
  return Math.max(area.left, Math.min(left, area.right - wide));
}

/** Tell whether no line runs through a box. */
export function isFree(box: Box, lines: readonly Line[]): boolean {
  return lines.every(line => line.slice(1).every((to, at) => !crosses(box, line[at] ?? to, to)));
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
