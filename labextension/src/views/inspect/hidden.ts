import { Hidden } from '../../contract/inspection';
import { HeatmapData } from '../../contract/heatmap';
import { colouredText } from '../text';
import { element, shown } from '../dom';
import { heatmap } from '../heatmap';
import { heading, quoted, visible } from '../visible';
import { choice, count, lineButton, rowOf } from './parts';

/** Tokens by units: sort them, read them, colour the text by one, look for similar places. */
export function hidden(host: HTMLElement, data: Hidden): () => void {
  const [layers = 1, , units = 0] = data.states[0]?.shape ?? [];
  let part = 0;
  let layer = data.layer;
  let order = data.order;
  let most = data.units.length;
  let unit = data.units[0] ?? 0;
  const controls = element('div', 'rnn-controls');
  const map = element('div', 'rnn-scroll');
  const chosen = element('div');
  const words = element('div');
  const found = element('div');
  host.append(controls, map, chosen, words, found);

  const shownUnits = (): number[] => {
    const all = order === data.order ? data.units : (data.orders.get(order) ?? data.units);
    return all.slice(0, most);
  };
  const value = (token: number, at: number): number => {
    const states = data.states[part];
    return states === undefined ? 0 : (rowOf(states, token, layer)[at] ?? 0);
  };
  const matrix = (): HeatmapData => {
    const rows = shownUnits();
    const values = rows.map(row => data.tokens.map((_, token) => value(token, row)));
    const bound = values.flat().reduce((a, b) => Math.max(a, Math.abs(b)), 0) || 1;
    return {
      title: `state ${data.parts[part] ?? ''} of layer ${layer}`,
      scale: 'diverging',
      low: -bound,
      high: bound,
      columns: data.tokens.map(heading),
      rows: rows.map(String),
      values
    };
  };
  const view = heatmap(map, matrix(), {
    onPick: ({ row }) => {
      unit = shownUnits()[row] ?? unit;
      colourText();
    },
    onSpan: (first, last) => {
      const run = data.run === '' ? '' : ` --run ${quoted(data.run)}`;
      const line = `%inspect_rnn match ${quoted(data.text)} --span ${first}:${last}${run}`;
      const span = data.tokens.slice(first, last).map(visible).join('');
      found.replaceChildren(
        element('div', '', `tokens ${first} to ${last - 1}: ${span}`),
        ...(data.text === '' ? [] : [lineButton('Find similar places', line)])
      );
    }
  });
  const colourText = (): void => {
    const values = data.tokens.map((_, token) => value(token, unit));
    const bound = values.reduce((a, b) => Math.max(a, Math.abs(b)), 0) || 1;
    chosen.textContent = `unit ${unit}, from ${shown(-bound)} (blue) to ${shown(bound)} (red):`;
    colouredText(
      words,
      {
        label: `the text coloured by unit ${unit}`,
        scale: 'diverging',
        low: -bound,
        high: bound,
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
    choice('layer', numbers, String(layer), name => {
      layer = Number(name);
      again();
    }),
    choice('state', data.parts, data.parts[0] ?? '', name => {
      part = data.parts.indexOf(name);
      again();
    }),
    choice('order', [...data.orders.keys()], order, name => {
      order = name;
      again();
    }),
    count('units', [1, units], most, number => {
      most = number;
      again();
    })
  );
  colourText();
  return () => {
    view.dispose();
  };
}
