/** What the colours of a scale mean, as a bar with its bounds. */

import { colour, css, ScaleName } from '../design/scales';
import { element, shown } from '../page/dom';

const STEPS = 16;

export interface Scale {
  scale: ScaleName;
  low: number;
  high: number;
  /** What is measured, with its unit. */
  measure: string;
}

/** Return a bar of colours and what ends it stands for. */
export function scaleBar({ scale, low, high, measure }: Scale): HTMLElement {
  const bar = element('span', 'rnn-scale-bar');
  const stops = Array.from({ length: STEPS + 1 }, (_, at) => css(colour(scale, at / STEPS)));
  bar.style.background = `linear-gradient(to right, ${stops.join(', ')})`;
  const box = element('div', 'rnn-scale');
  box.append(
    element('span', '', measure),
    element('span', 'rnn-scale-end', shown(low)),
    bar,
    element('span', 'rnn-scale-end', shown(high))
  );
  return box;
}
