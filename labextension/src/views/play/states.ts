/** The state after each token, and the one unit at one place that a reader changes. */

import type { HeatmapData } from '../../contract/plots';
import type { PackedModel } from '../../contract/model';
import { CELLS } from '../../model/cells';
import type { Change, Step } from '../../model/walk';
import { element, shown as written } from '../page/dom';
import { choice, count, slider } from '../page/fields';
import { heatmap, HeatmapView } from '../plots/heatmap';
import { say } from '../text/say';
import { heading } from '../text/visible';
import { isSame } from './changes';

const NUM_UNITS = 24;
/** The most tokens side by side; more would be narrower than can be pointed at. */
const COLUMNS = 120;

export interface StatesEvents {
  tokenAt: (place: number) => string;
  /** A unit is set to a value. */
  changed: (change: Change) => void;
  changes: () => readonly Change[];
}

export interface StatesView {
  node: HTMLElement;
  /** Show the states of these steps. */
  show(steps: readonly Step[]): void;
  /** Go to a place of the text. */
  pick(place: number): void;
  dispose(): void;
}

export function statesView(model: PackedModel, events: StatesEvents): StatesView {
  const { parts, gates } = CELLS[model.cell];
  const node = element('div', 'rnn-states');
  const controls = element('div', 'rnn-controls');
  const map = element('div');
  const editor = element('div', 'rnn-controls rnn-editor');
  const where = element('span', 'rnn-told');
  let steps: readonly Step[] = [];
  let layer = model.num_layers - 1;
  let part = parts[0] ?? 'h';
  let most = Math.min(NUM_UNITS, model.num_hiddens);
  let order: number[] = [];
  let chosen: { unit: number; place: number } | null = null;
  let isHeld = true;
  let view: HeatmapView | null = null;

  const isGate = (): boolean => gates.includes(part) && part !== 'candidate';
  const values = (place: number): Float32Array =>
    steps[place]?.layers[layer]?.get(part) ?? new Float32Array(model.num_hiddens);
  const bound = (): number => {
    if (part !== 'c') {
      return 1;
    }
    const all = steps.flatMap((_, place) => [...values(place)]);
    return Math.max(1, Math.ceil(all.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)));
  };
  const low = (): number => (isGate() ? 0 : -bound());
  const columns = (): number => Math.min(steps.length, COLUMNS);
  const matrix = (): HeatmapData => {
    const rows = order.slice(0, most);
    const places = Array.from({ length: columns() }, (_, place) => values(place));
    return {
      title: say('%1 of layer %2', part, layer),
      scale: isGate() ? 'sequential' : 'diverging',
      low: low(),
      high: bound(),
      columns: places.map((_, place) => heading(events.tokenAt(place))),
      rows: rows.map(String),
      values: rows.map(unit => places.map(column => column[unit] ?? 0))
    };
  };
  const arrange = (): void => {
    order = byVariance(Array.from({ length: columns() }, (_, place) => values(place)), model.num_hiddens);
  };
  const change = (value: number): void => {
    if (chosen !== null) {
      const { unit, place: from } = chosen;
      events.changed({ layer, part, unit, value, from, until: isHeld ? null : from + 1 });
    }
  };
  const value = slider(say('value'), [-1, 1], 0, change);
  const held = choice(say('held'), [say('from here on'), say('here only')], say('from here on'), name => {
    isHeld = name === say('from here on');
    const made = own();
    if (made !== undefined) {
      change(made.value);
    }
  });
  const own = (): Change | undefined => {
    if (chosen === null) {
      return undefined;
    }
    const like = { layer, part, unit: chosen.unit, from: chosen.place, value: 0, until: null };
    return events.changes().find(other => isSame(other, like));
  };
  const edit = (): void => {
    const isReady = chosen !== null && chosen.place < steps.length;
    for (const field of editor.querySelectorAll<HTMLInputElement | HTMLSelectElement>('input,select')) {
      field.disabled = !isReady;
    }
    if (chosen === null || !isReady) {
      where.textContent = say('Choose a cell: click it, or walk to it with the arrow keys and press Enter.');
      return;
    }
    const { unit, place } = chosen;
    const now = values(place)[unit] ?? 0;
    value.set(now, low(), bound());
    const token = heading(events.tokenAt(place));
    where.textContent = say('unit %1 of %2 at %3 (place %4): %5', unit, part, token, place, written(now));
  };
  const draw = (): void => {
    const data = matrix();
    if (steps.length === 0) {
      view?.dispose();
      view = null;
    } else if (view === null) {
      view = heatmap(map, data, {
        onPick: ({ row, column }) => {
          const unit = order[row];
          chosen = unit === undefined ? null : { unit, place: column };
          edit();
        },
        pinned: () => (chosen === null ? -1 : order.indexOf(chosen.unit)),
        measure: say('value')
      });
    } else {
      view.update(data);
    }
    edit();
  };
  const anew = (): void => {
    chosen = null;
    arrange();
    draw();
  };
  const layers = Array.from({ length: model.num_layers }, (_, at) => String(at));
  controls.append(
    choice(say('layer'), layers, String(layer), name => {
      layer = Number(name);
      anew();
    }),
    choice(say('state or gate'), [...parts, ...gates], part, name => {
      part = name;
      anew();
    }),
    count(say('units'), [1, model.num_hiddens], most, number => {
      most = number;
      draw();
    })
  );
  editor.append(value.label, held, where);
  node.append(element('div', 'rnn-part', say('The state after each token')), controls, map, editor);
  let read = '';
  return {
    node,
    show: next => {
      steps = next;
      // The order stays while units are changed, so that a row does not run away under the hand.
      const text = events.changes().length > 0 ? read : steps.map(({ token }) => token).join();
      if (text !== read || order.length === 0) {
        read = text;
        arrange();
      }
      draw();
    },
    pick: place => {
      const unit = chosen?.unit ?? order[0];
      chosen = unit === undefined ? null : { unit, place };
      edit();
    },
    dispose: () => {
      view?.dispose();
    }
  };
}

/** Return all units, those that vary most over the columns first. */
export function byVariance(columns: readonly Float32Array[], units: number): number[] {
  const variance = Array.from({ length: units }, (_, unit) => {
    const all = columns.map(column => column[unit] ?? 0);
    const mean = all.reduce((sum, value) => sum + value, 0) / Math.max(1, all.length);
    return all.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  });
  return variance.map((_, unit) => unit).sort((one, other) => (variance[other] ?? 0) - (variance[one] ?? 0) || one - other);
}
