/** A curve as high as two lines of text: the loss, and the held-out loss as dots of the same hue. */

import type { Curve } from '../../contract/runs';
import { hue } from '../design/colours';

const SVG = 'http://www.w3.org/2000/svg';
export const WIDTH = 240;
export const HEIGHT = 44;
const MARGIN = 3;
/** A curve that moves less than this, in nats, is drawn flat: its noise is nothing to see. */
const LEAST_RANGE = 0.5;

export type Point = [x: number, y: number];

/** Return where the points stand; losses in nats, so perplexity is on a log axis. */
export function placed({ loss, valid }: Curve): { line: Point[]; dots: Point[] } {
  const line: Point[] = loss.map(([end = 0, mean = 0]) => [end, mean]);
  const dots: Point[] = valid.map(([step = 0, nats = 0]) => [step, nats]);
  let [last, low, high] = [1, Infinity, -Infinity];
  for (const [step, nats] of [...line, ...dots]) {
    [last, low, high] = [Math.max(last, step), Math.min(low, nats), Math.max(high, nats)];
  }
  const range = Math.max(high - low, LEAST_RANGE);
  const place = ([step, nats]: Point): Point => [
    MARGIN + (step / last) * (WIDTH - 2 * MARGIN),
    MARGIN + ((high - nats) / range) * (HEIGHT - 2 * MARGIN)
  ];
  return { line: line.map(place), dots: dots.map(place) };
}

/** Draw a curve into `svg` in place of what it has. */
export function spark(svg: SVGSVGElement, curve: Curve): void {
  const { line, dots } = placed(curve);
  const path = document.createElementNS(SVG, 'polyline');
  path.setAttribute('points', line.map(point => point.map(rounded).join()).join(' '));
  path.setAttribute('fill', 'none');
  path.style.stroke = hue(0);
  path.setAttribute('stroke-width', '1.5');
  const circles = dots.map(([x, y]) => {
    const circle = document.createElementNS(SVG, 'circle');
    circle.setAttribute('cx', rounded(x));
    circle.setAttribute('cy', rounded(y));
    circle.setAttribute('r', '2');
    circle.style.fill = hue(0);
    return circle;
  });
  svg.replaceChildren(path, ...circles);
}

/** Return an empty picture with a label for those who do not see it. */
export function sparkline(): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute('class', 'rnn-spark');
  svg.setAttribute('role', 'img');
  return svg;
}

function rounded(value: number): string {
  return String(Math.round(value * 10) / 10);
}
