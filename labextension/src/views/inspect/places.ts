/** Views that are lists of places in the corpus: similar states, and what drives a unit. */

import type { HeatmapData } from '../../contract/plots';
import { Match, Units } from '../../contract/inspection';
import { captioned } from '../page/captioned';
import { element, shown } from '../page/dom';
import { heatmap } from '../plots/heatmap';
import { scaleBar } from '../plots/legend';
import { magicLine } from '../text/line';
import { table } from '../plots/table';
import { heading } from '../text/visible';
import { About, bound, redrawn, View } from '../look/about';
import { excerpt, lineButton, rowOf, titled } from '../look/parts';
import { finder, places } from './search';
import { say } from '../text/say';

const RANKED = 12;

/** The places whose states are most like those of a span; another span is chosen in the map. */
export function match(host: HTMLElement, first: Match, about: About<Match>): View<Match> {
  let data = first;
  const words = host.appendChild(element('div'));
  const tell = captioned(words);
  const map = element('div');
  const below = element('div');
  host.append(map, below);
  const values = (frame: Match): number[][] =>
    frame.units.map(unit => frame.tokens.map((_, token) => rowOf(frame.values, token)[unit] ?? 0));
  const most = bound(about.frames.flatMap(frame => values(frame).flat()));
  const matrix = (): HeatmapData => ({
    title: say('the units compared, layer %1', data.layer),
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
    tell(data);
    const list = places(data.matches);
    given.replaceWith(list);
    given = list;
  };
  draw();
  const view = heatmap(map, matrix(), {
    measure: say('value'),
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
  const high = bound([...data.highest, ...data.lowest].flatMap(({ values }) => values.map(value => value ?? 0)));
  captioned(host)(data);
  host.append(scaleBar({ scale: 'diverging', low: -high, high, measure: say('unit %1', data.unit) }));
  for (const [name, drives] of [
    [say('Highest'), data.highest],
    [say('Lowest'), data.lowest]
  ] as const) {
    const place = titled(host, name);
    place.append(
      ...drives.map(({ tokens, focus, values, start }) =>
        line(
          say('%1 at %2', shown(values[focus[0] ?? 0]), start + (focus[0] ?? 0)),
          excerpt(tokens, focus, values, high)
        )
      )
    );
  }
  const ranking = titled(host, say('Units that respond most selectively'));
  const best = data.order.slice(0, RANKED);
  ranking.append(
    table(
      [say('unit'), say('selectivity'), ''],
      best.map(unit => [String(unit), shown(data.selectivity[unit]), moved(data, unit)])
    ),
    lineButton(say('Look at the first'), magicLine`%inspect_rnn units --unit ${best[0] ?? 0}`)
  );
});

/** Return which token moves a unit farthest from its mean, and where to. */
function moved({ above, tokens }: Units, unit: number): string {
  const token = heading(tokens[unit] ?? '');
  if (above[unit] === undefined) {
    return say('most after %1', token);
  }
  return above[unit] ? say('high after %1', token) : say('low after %1', token);
}

function line(label: string, text: HTMLElement[]): HTMLElement {
  const made = element('div', 'rnn-place');
  made.append(element('span', 'rnn-where', label), ...text);
  return made;
}
