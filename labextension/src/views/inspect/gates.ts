import { HeatmapData } from '../../contract/plots';
import type { Gates } from '../../contract/inspection';
import type { Matrix } from '../../contract/matrix';
import { captioned } from '../page/captioned';
import { element } from '../page/dom';
import { choice } from '../page/fields';
import { heatmap } from '../plots/heatmap';
import { heading } from '../text/visible';
import { About, bound, View } from '../look/about';
import { rowOf } from '../look/parts';
import { table } from '../plots/table';
import { say } from '../text/say';

/** What a cell computes on its way to the new state, one gate at a time. */
export function gates(host: HTMLElement, first: Gates, about: About<Gates>): View<Gates> {
  let data = first;
  let gate = 0;
  const tell = captioned(host);
  const controls = element('div', 'rnn-controls');
  const map = element('div');
  const shares = element('div');
  host.append(controls, map, shares);
  const matrix = (): HeatmapData => {
    const values = data.values[gate];
    const [, units = 0] = values?.shape ?? [];
    const rows = Array.from({ length: units }, (_, unit) => unit);
    const columns = data.tokens.map((_, token) =>
      values === undefined ? new Float32Array() : rowOf(values, token)
    );
    const cells = rows.map(unit => columns.map(column => column[unit] ?? 0));
    const bounded = data.bounded[gate] ?? false;
    const most = Math.max(...about.frames.map(frame => bound(frame.values[gate]?.values ?? [])));
    return {
      title: say('%1 of a %2, layer %3', data.names[gate] ?? '', data.cell, data.layer),
      scale: bounded ? 'sequential' : 'diverging',
      low: bounded ? 0 : -most,
      high: bounded ? 1 : most,
      columns: data.tokens.map(heading),
      rows: rows.map(String),
      values: cells
    };
  };
  tell(data);
  const view = heatmap(map, matrix(), { measure: say('value') });
  controls.append(
    choice(say('gate'), data.names, data.names[0] ?? '', name => {
      gate = data.names.indexOf(name);
      view.update(matrix());
    })
  );
  shares.append(saturation(data));
  return {
    update: next => {
      data = next;
      tell(data);
      view.update(matrix());
      shares.replaceChildren(saturation(data));
    },
    dispose: () => {
      view.dispose();
    }
  };
}

function saturation(data: Gates): HTMLElement {
  const share = (matrix: Matrix | null | undefined): string => {
    const values = Array.from(matrix?.values ?? []);
    const sum = values.reduce((a, b) => a + b, 0);
    return values.length ? `${Math.round((100 * sum) / values.length)}%` : '–';
  };
  const rows = data.names.flatMap((name, at) =>
    data.low[at] ? [[name, share(data.low[at]), share(data.high[at])]] : []
  );
  return table([say('gate'), say('below %1', 0.1), say('above %1', 0.9)], rows);
}
