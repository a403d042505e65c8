/** Axes that fit what is drawn: no empty decade, and numbers that people would write. */

import type { Drawing } from './drawing';

export type Range = [low: number, high: number];

/** The share of the axis that stays free above and below. */
const AIR = 0.06;
/** Of a range of equal values, as a share of the value. */
const LEAST = 0.05;

/** Return the bounds of a log axis. */
export function fittedLog(low: number, high: number): Range {
  const [from, to] = [Math.log(low), Math.log(high)];
  const air = Math.max((to - from) * AIR, LEAST);
  return [Math.exp(from - air), Math.exp(to + air)];
}

/** Return the bounds of a linear axis. */
export function fittedLinear(low: number, high: number): Range {
  const air = (high - low) * AIR || Math.abs(high) * LEAST || 1;
  return [low - air, high + air];
}

/** Return about `wanted` places on a linear axis: multiples of 1, 2 or 5 times a power of ten. */
export function linearTicks([low, high]: Range, wanted: number): number[] {
  const rough = (high - low) / Math.max(1, wanted);
  if (!Number.isFinite(rough) || rough <= 0) {
    return [low];
  }
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find(factor => factor * power >= rough) ?? 10);
  const first = Math.ceil(low / step);
  const count = Math.min(50, Math.floor(high / step + 1e-9) - first + 1);
  return Array.from({ length: Math.max(0, count) }, (_, at) => rounded((first + at) * step));
}

/**
 * Return about `wanted` places on a log axis. Within less than a decade they are those of a linear
 * axis; over many decades, powers of ten.
 */
export function logTicks([low, high]: Range, wanted: number): number[] {
  const decades = Math.log10(high / low);
  if (decades < 0.75) {
    return linearTicks([low, high], wanted);
  }
  const all = (factors: number[]): number[] => {
    const first = Math.floor(Math.log10(low));
    const powers = Array.from({ length: Math.ceil(decades) + 2 }, (_, at) => first + at);
    return powers
      .flatMap(power => factors.map(factor => rounded(factor * 10 ** power)))
      .filter(value => value >= low && value <= high);
  };
  const fine = [[1, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]].map(all);
  const fits = fine.find(places => places.length <= wanted + 2) ?? [];
  const powers = fine.at(-1) ?? [];
  const stride = Math.ceil(powers.length / (wanted + 2)) || 1;
  return fits.length >= 2 ? fits : powers.filter((_, at) => at % stride === 0);
}

/** Return another part of the x axis; null where that is all of it. */
export function moved([low, high]: Range, move: number, grow: number, x: number[]): Range | null {
  const [first, last] = [x[0] ?? 0, x.at(-1) ?? 1];
  const middle = (low + high) / 2 + move * (high - low);
  const half = ((high - low) / 2) * grow;
  const range: Range = [Math.max(first, middle - half), Math.min(last, middle + half)];
  const isAll = range[0] <= first && range[1] >= last;
  return isAll || range[1] <= range[0] ? null : range;
}

/**
 * Return the bounds of the y axis: all that is drawn, and the levels that should be seen. One that
 * would leave a decade empty is named at the edge instead.
 */
export function fitted(
  low: number | null,
  high: number | null,
  { references, scale }: Pick<Drawing, 'references' | 'scale'>,
  isZoomed: boolean
): Range {
  const isNear = (value: number): boolean =>
    scale !== 'log' || low === null || high === null || (value > low / 10 && value < high * 10);
  const wanted = isZoomed
    ? []
    : references.flatMap(({ far, value }) => (!far && isNear(value) ? [value] : []));
  const all = [low, high, ...wanted].filter(
    (value): value is number => value !== null && Number.isFinite(value) && (scale !== 'log' || value > 0)
  );
  const bounds: Range = all.length > 0 ? [Math.min(...all), Math.max(...all)] : [1, 10];
  return scale === 'log' ? fittedLog(...bounds) : fittedLinear(...bounds);
}

/** Return a number without what floating point adds to it. */
function rounded(value: number): number {
  return Number(value.toPrecision(12));
}
