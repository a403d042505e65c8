/** A curve without its noise. */

/**
 * Return the moving mean of values: each is the mean of the `window` values around it.
 *
 * At the beginning, where a curve is steep, the window shrinks on both sides, so that the line does
 * not lag behind; at the end it is cut off. What is missing stays so.
 */
export function smooth(values: readonly (number | null)[], window: number): (number | null)[] {
  const sums = [0];
  const counts = [0];
  for (const [at, value] of values.entries()) {
    sums.push((sums[at] ?? 0) + (value ?? 0));
    counts.push((counts[at] ?? 0) + (value === null ? 0 : 1));
  }
  const between = (list: number[], from: number, to: number): number => (list[to] ?? 0) - (list[from] ?? 0);
  return values.map((value, at) => {
    const half = Math.min(Math.floor(window / 2), at);
    const [from, to] = [at - half, Math.min(values.length, at + half + 1)];
    return value === null ? null : between(sums, from, to) / between(counts, from, to);
  });
}
