/** The held-out scores of a trial as a line as high as a word, on the scale of all trials. */

import type { SweepData, Trial } from '../../contract/sweep';

const SVG = 'http://www.w3.org/2000/svg';
export const WIDTH = 112;
export const HEIGHT = 22;
const MARGIN = 3;

export interface Scale {
  /** The lowest score of all, and one that few are above: one outlier flattens no line. */
  low: number;
  high: number;
  /** The most tokens that any trial has read. */
  tokens: number;
}

/** Return the scale on which the trials of a sweep are drawn, with the best n-gram. */
export function scaleOf({ trials, ladder }: SweepData): Scale {
  const finite = (values: (number | null | undefined)[]): number[] =>
    values.filter((value): value is number => value !== null && value !== undefined);
  const all = finite(trials.flatMap(({ scores }) => scores.map(([, nats]) => nats)));
  const firsts = finite(trials.map(({ scores }) => scores[0]?.[1])).sort((a, b) => a - b);
  const level = finite([ladder?.nats]);
  return {
    low: Math.min(...all, ...level),
    high: Math.max(firsts[Math.floor(firsts.length / 2)] ?? 0, ...level),
    tokens: Math.max(1, ...trials.flatMap(({ scores }) => scores.map(([tokens]) => tokens)))
  };
}

/** Return where a score stands, from the top; below the scale or above it, at its edge. */
export function heightOf(nats: number, { low, high }: Scale): number {
  const share = high > low ? (nats - low) / (high - low) : 0.5;
  return MARGIN + (1 - Math.min(Math.max(share, 0), 1)) * (HEIGHT - 2 * MARGIN);
}

/** Draw the scores of a trial into `svg`, in place of what it has. */
export function curve(svg: SVGSVGElement, { scores }: Trial, scale: Scale, level: number | null): void {
  const points = scores.flatMap(([tokens, nats]) =>
    nats === null
      ? []
      : [[MARGIN + (tokens / scale.tokens) * (WIDTH - 2 * MARGIN), heightOf(nats, scale)] as const]
  );
  const drawn: SVGElement[] = [];
  if (level !== null && points.length > 0) {
    const y = text(heightOf(level, scale));
    drawn.push(shape('line', 'rnn-level', { x1: '0', x2: String(WIDTH), y1: y, y2: y }));
  }
  if (points.length > 0) {
    const path = points.map(point => point.map(text).join()).join(' ');
    const [x = 0, y = 0] = points.at(-1) ?? [];
    drawn.push(
      shape('polyline', 'rnn-line', { points: path }),
      shape('circle', 'rnn-dot', { cx: text(x), cy: text(y), r: '2' })
    );
  }
  svg.replaceChildren(...drawn);
}

/** Return an empty picture of the size of a curve. */
export function emptyCurve(): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute('width', String(WIDTH));
  svg.setAttribute('height', String(HEIGHT));
  svg.setAttribute('class', 'rnn-trial-curve');
  svg.setAttribute('aria-hidden', 'true');
  return svg;
}

/** Return a part of a picture. */
export function shape<K extends keyof SVGElementTagNameMap>(
  name: K,
  className: string,
  attributes: Record<string, string>
): SVGElementTagNameMap[K] {
  const made = document.createElementNS(SVG, name);
  made.setAttribute('class', className);
  for (const [key, value] of Object.entries(attributes)) {
    made.setAttribute(key, value);
  }
  return made;
}

/** Return a length as it is written in a picture. */
export function text(value: number): string {
  return String(Math.round(value * 10) / 10);
}
