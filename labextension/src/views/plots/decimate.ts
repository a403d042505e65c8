/**
 * Return the rows to keep so that each bucket keeps the least and the greatest value of each line.
 *
 * Spikes stay: they are what a training curve is read for. The first and the last row stay too.
 */
export function decimate(lines: (number | null)[][], length: number, limit: number): number[] {
  const all = Array.from({ length }, (_, index) => index);
  const buckets = Math.floor((limit - 2) / Math.max(1, 2 * lines.length));
  if (length <= limit || buckets < 1) {
    return all;
  }
  const kept = new Set([0, length - 1]);
  for (let bucket = 0; bucket < buckets; bucket++) {
    const start = Math.floor((bucket * length) / buckets);
    const end = Math.floor(((bucket + 1) * length) / buckets);
    for (const line of lines) {
      keepExtremes(line, start, end, kept);
    }
  }
  return [...kept].sort((a, b) => a - b);
}

function keepExtremes(
  line: (number | null)[],
  start: number,
  end: number,
  kept: Set<number>
): void {
  let low = -1;
  let high = -1;
  for (let row = start; row < end; row++) {
    const value = line[row] ?? null;
    if (value === null) {
      continue;
    }
    if (low < 0 || value < (line[low] ?? Infinity)) {
      low = row;
    }
    if (high < 0 || value > (line[high] ?? -Infinity)) {
      high = row;
    }
  }
  if (low >= 0) {
    kept.add(low).add(high);
  }
}
