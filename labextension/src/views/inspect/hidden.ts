import { HeatmapData } from '../../contract/plots';
import { Hidden } from '../../contract/inspection';
import { captioned } from '../page/captioned';
import { element, shown } from '../page/dom';
import { choice, count } from '../page/fields';
import { colouredText } from '../plots/coloured_text';
import { heatmap } from '../plots/heatmap';
import { heading, visible } from '../text/visible';
import { About, bound, View } from '../look/about';
import { rowOf } from '../look/parts';
import { finder } from './search';
import { say } from '../text/say';

/** Tokens by units: sort them, read them, colour the text by one, look for similar places. */
export function hidden(host: HTMLElement, first: Hidden, about: About<Hidden>): View<Hidden> {
  const [layers = 1, , units = 0] = first.states[0]?.shape ?? [];
  // Rows stay where they are from epoch to epoch: they are sorted as in the last.
  const sorted = about.frames.at(-1) ?? first;
  let data = first;
  let part = 0;
  let layer = data.layer;
  let order = data.order;
  let most = data.units.length;
  let unit = sorted.orders.get('variance')?.[0] ?? sorted.units[0] ?? 0;
  const tell = captioned(host);
  const controls = element('div', 'rnn-controls');
  const map = element('div');
  const places = element('div');
  const chosen = element('div', 'rnn-part');
  const words = element('div');
  host.append(controls, map, places, chosen, words);

  const shownUnits = (): number[] => (sorted.orders.get(order) ?? sorted.units).slice(0, most);
  const value = (frame: Hidden, token: number, at: number): number => {
    const states = frame.states[part];
    return states === undefined ? 0 : (rowOf(states, token, layer)[at] ?? 0);
  };
  const of = (frame: Hidden, row: number): number[] =>
    frame.tokens.map((_, token) => value(frame, token, row));
  const bounds = new Map<string, number>(); // so that a slider moves at once
  const boundOf = (rows: number[]): number => {
    const key = [part, layer, ...rows].join();
    const known = bounds.get(key) ?? bound(about.frames.flatMap(frame => rows.flatMap(row => of(frame, row))));
    bounds.set(key, known);
    return known;
  };
  const matrix = (): HeatmapData => {
    const rows = shownUnits();
    const most = boundOf(rows);
    return {
      title: say('state %1 of layer %2', data.parts[part] ?? '', layer),
      scale: 'diverging',
      low: -most,
      high: most,
      columns: data.tokens.map(heading),
      rows: rows.map(String),
      values: rows.map(row => of(data, row))
    };
  };
  const search = finder(places, about, () => data.tokens);
  const view = heatmap(map, matrix(), {
    onPick: ({ row }) => {
      unit = shownUnits()[row] ?? unit;
      colourText();
    },
    pinned: () => shownUnits().indexOf(unit),
    measure: say('value'),
    ...(about.origin.text === ''
      ? {}
      : {
          onSpan: (first: number, last: number) => {
            search.find(first, last, layer);
          }
        })
  });
  const colourText = (): void => {
    const values = of(data, unit);
    const most = boundOf([unit]);
    const ends = [shown(-most), shown(most)] as const;
    chosen.textContent = say('The text, coloured by unit %1, from %2 to %3', unit, ...ends);
    colouredText(
      words,
      {
        label: say('the text coloured by unit %1', unit),
        measure: say('unit %1', unit),
        scale: 'diverging',
        low: -most,
        high: most,
        tokens: data.tokens.map(visible),
        values
      },
      { tooltip: token => `${heading(data.tokens[token] ?? '')}: ${shown(values[token])}` }
    );
  };
  const again = (): void => {
    view.update(matrix());
    colourText();
  };
  const numbers = Array.from({ length: layers }, (_, at) => String(at));
  controls.append(
    choice(say('layer'), numbers, String(layer), name => {
      layer = Number(name);
      again();
    }),
    choice(say('state'), data.parts, data.parts[0] ?? '', name => {
      part = data.parts.indexOf(name);
      again();
    }),
    choice(say('order'), [...sorted.orders.keys()], order, name => {
      order = name;
      again();
    }),
    count(say('units'), [1, units], most, number => {
      most = number;
      again();
    })
  );
  tell(data);
  colourText();
  return {
    update: next => {
      data = next;
      tell(data);
      again();
      search.again();
    },
    dispose: () => {
      search.dispose();
      view.dispose();
    }
  };
}
