/** What lines and colours mean: the line above a chart, and the bar of a scale of colours. */

import { hue, shape } from '../design/colours';
import { element, shown, steady } from '../page/dom';
import type { Drawing } from './drawing';
import { colour, css, ScaleName } from '../design/scales';

export interface Legend {
  node: HTMLElement;
  /** Name the lines anew. */
  name(data: Drawing): void;
  /** Tell values; their places are wide enough for any, so nothing moves. */
  tell(values: (number | null)[], at: string): void;
}

export function legend(): Legend {
  const node = element('div', 'rnn-legend');
  node.setAttribute('aria-hidden', 'true'); // the label of the chart says it
  let values: HTMLElement[] = [];
  const at = element('span', 'rnn-legend-at');
  return {
    node,
    name: ({ title, series }) => {
      const lines = series.flatMap(({ label, hue: place, dashed, faint }, index) => {
        if (faint) {
          return [];
        }
        const line = element('span', 'rnn-legend-line', label);
        line.style.setProperty('--rnn-line', hue(place ?? index));
        line.dataset['shape'] = shape(place ?? index);
        line.toggleAttribute('data-dashed', dashed ?? false);
        line.append(element('span', 'rnn-legend-value'));
        return [line];
      });
      values = lines.map(line => line.lastElementChild as HTMLElement);
      node.replaceChildren(element('span', 'rnn-legend-title', title), ...lines, at);
    },
    tell: (told, place) => {
      values.forEach((value, index) => {
        value.textContent = steady(told[index]);
      });
      at.textContent = place;
    }
  };
}

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
