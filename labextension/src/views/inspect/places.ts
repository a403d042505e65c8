/** Views that are lists of places in the corpus: similar states, and what drives a unit. */

import type { HeatmapData } from '../../contract/heatmap';
import { Match, Units } from '../../contract/inspection';
import { element, shown } from '../page/dom';
import { heatmap } from '../plots/heatmap';
import { magicLine } from '../text/line';
import { table } from '../plots/table';
import { heading, visible } from '../text/visible';
import { About, bound, redrawn, View } from './about';
import { excerpt, lineButton, rowOf, titled } from './parts';
import { finder, places, units as counted } from './search';

const RANKED = 12;

/** The places whose states are most like those of a span; another span is chosen in the map. */
export function match(host: HTMLElement, first: Match, about: About<Match>): View<Match> {
  let data = first;
  const words = element('div', 'rnn-head');
  const map = element('div');
  const below = element('div');
  host.append(words, map, below);
  const values = (frame: Match): number[][] =>
    frame.units.map(unit => frame.tokens.map((_, token) => rowOf(frame.values, token)[unit] ?? 0));
  const most = bound(about.frames.flatMap(frame => values(frame).flat()));
  const matrix = (): HeatmapData => ({
    title: `the units compared, layer ${data.layer}`,
    scale: 'diverging',
    low: -most,
    high: most,
    columns: data.tokens.map(heading),
    rows: data.units.map(String),
    values: values(data)
  });
  const search = finder(below, about, () => data.tokens);
  let given: HTMLElement = below.appendChild(element('div'));
  const draw = (): void => {
    const [from = 0, to = 0] = data.span;
    words.textContent =
      `like “${data.tokens.slice(from, to).map(visible).join('')}”: ${counted(data.units.length)}` +
      ` of layer ${data.layer}, ${data.searched.toLocaleString('en')} tokens searched`;
    const list = places(data.matches);
    given.replaceWith(list);
    given = list;
  };
  draw();
  const view = heatmap(map, matrix(), {
    span: [first.span[0] ?? 0, first.span[1] ?? 0],
    ...(about.origin.text === ''
      ? {}
      : {
          onSpan: (from: number, to: number) => {
            words.hidden = given.hidden = true; // of another span
            search.find(from, to, data.layer);
          }
        })
  });
  return {
    update: next => {
      data = next;
      const hidden = given.hidden;
      draw();
      given.hidden = hidden;
      view.update(matrix());
      search.again();
    },
    dispose: () => {
      search.dispose();
      view.dispose();
    }
  };
}

/** The places that drive a unit highest and lowest, and the units that respond most selectively. */
export const units = redrawn<Units>((host, data) => {
  for (const [name, drives] of [
    ['highest', data.highest],
    ['lowest', data.lowest]
  ] as const) {
    const place = titled(host, `unit ${data.unit} of layer ${data.layer}, ${name}`);
    place.append(
      ...drives.map(({ tokens, focus, values, start }) =>
        line(
          `${shown(values[focus[0] ?? 0])} at ${start + (focus[0] ?? 0)}`,
          excerpt(tokens, focus, values)
        )
      )
    );
  }
  const ranking = titled(host, 'units that respond most selectively');
  const best = data.order.slice(0, RANKED);
  ranking.append(
    table(
      ['unit', 'selectivity', 'most for'],
      best.map(unit => [
        String(unit),
        shown(data.selectivity[unit]),
        heading(data.tokens[unit] ?? '')
      ])
    ),
    lineButton('Look at the first', magicLine`%inspect_rnn units --unit ${best[0] ?? 0}`)
  );
});

function line(label: string, text: HTMLElement): HTMLElement {
  const made = element('div', 'rnn-place');
  made.append(element('span', 'rnn-where', label), text);
  return made;
}
