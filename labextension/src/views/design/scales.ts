/**
 * Colour scales, with one meaning each in every view, saved or live, and in every picture:
 * `rnn_magics/plotting/style.py` has the same stops.
 */

import { contrast, Rgb } from './contrast';

/** From pale to dark blue: the darker, the more. */
const SEQUENTIAL: Rgb[] = [
  [255, 247, 251],
  [208, 209, 230],
  [116, 169, 207],
  [5, 112, 176],
  [2, 56, 88]
];

/** Blue below zero, white at zero, red above. */
const DIVERGING: Rgb[] = [
  [5, 48, 97],
  [103, 169, 207],
  [247, 247, 247],
  [239, 138, 98],
  [103, 0, 31]
];

export type ScaleName = 'sequential' | 'diverging';

const STOPS: Record<ScaleName, Rgb[]> = { sequential: SEQUENTIAL, diverging: DIVERGING };

/** Return the colour at `share` (0 to 1, clamped) of a scale. */
export function colour(name: ScaleName, share: number): Rgb {
  const stops = STOPS[name];
  const place = Math.min(1, Math.max(0, share)) * (stops.length - 1);
  const left = Math.min(Math.floor(place), stops.length - 2);
  const from = stops[left] ?? [0, 0, 0];
  const to = stops[left + 1] ?? from;
  const mix = (a: number, b: number): number => Math.round(a + (b - a) * (place - left));
  return [mix(from[0], to[0]), mix(from[1], to[1]), mix(from[2], to[2])];
}

/** Return where a value stands between the bounds; bounds that meet put it in the middle. */
export function share(value: number, low: number, high: number): number {
  return high > low ? (value - low) / (high - low) : 0.5;
}

/** Return black or white, whichever reads better on a colour. */
export function ink(ground: Rgb): '#000' | '#fff' {
  return contrast(ground, [0, 0, 0]) >= contrast(ground, [255, 255, 255]) ? '#000' : '#fff';
}

/** A line that is seen on any colour of either scale: what is drawn first is wider. */
export const RIM = [
  ['#fff', 4],
  ['#000', 2]
] as const;

export function css([red, green, blue]: Rgb): string {
  return `rgb(${red} ${green} ${blue})`;
}
