/** The table of a sweep: a row for each trial; those that are planned have theirs already. */

import type { SweepData, Trial } from '../../contract/sweep';
import { element } from '../page/dom';
import { grouped, percent } from '../runs/words';
import { say } from '../text/say';
import { curve, emptyCurve, scaleOf } from './curve';

/** So many empty rows at most keep the height of the table while it fills. */
const MOST_WAITING = 40;

export interface Trials {
  node: HTMLElement;
  update(data: SweepData): void;
  /** Let the row of a trial stand out. */
  light(number: number | null): void;
}

interface Row {
  node: HTMLTableRowElement;
  draw(trial: Trial | undefined, data: SweepData, scale: ReturnType<typeof scaleOf>): void;
}

/** Return the table; `pointed` takes the number of the trial under the pointer. */
export function trials(first: SweepData, pointed: (number: number | null) => void): Trials {
  const made = element('table', 'rnn-table rnn-trials');
  made.setAttribute('role', 'table');
  made.createCaption().textContent = say('trials of %1', first.name);
  made.caption?.classList.add('rnn-hidden');
  const names = [
    say('trial'),
    ...first.options.map(({ name }) => name),
    say('scores'),
    first.score,
    say('tokens'),
    say('state')
  ];
  const head = made.createTHead().insertRow();
  head.setAttribute('role', 'row');
  head.append(
    ...names.map((name, at) => {
      const cell = element('th', '', name);
      cell.toggleAttribute('data-number', at === names.length - 3 || at === names.length - 2);
      cell.setAttribute('role', 'columnheader');
      return cell;
    })
  );
  const body = made.createTBody();
  const rows = new Map<number, Row>();
  const rowOf = (number: number): Row => {
    const known = rows.get(number);
    if (known !== undefined) {
      return known;
    }
    const fresh = row(number, names);
    rows.set(number, fresh);
    body.append(fresh.node);
    fresh.node.addEventListener('pointerenter', () => {
      pointed(number);
    });
    fresh.node.addEventListener('pointerleave', () => {
      pointed(null);
    });
    return fresh;
  };
  const update = (data: SweepData): void => {
    const scale = scaleOf(data);
    const planned = data.phase === 'ended' ? 0 : Math.min(data.planned ?? 0, MOST_WAITING);
    const numbers = data.trials.map(({ number }) => number);
    for (let number = data.number; number < planned; number += 1) {
      numbers.push(number);
    }
    const gone = [...rows.keys()].filter(number => !numbers.includes(number));
    for (const number of gone) {
      rows.get(number)?.node.remove();
      rows.delete(number);
    }
    const known = new Map(data.trials.map(trial => [trial.number, trial]));
    for (const number of numbers) {
      rowOf(number).draw(known.get(number), data, scale);
    }
  };
  update(first);
  return {
    node: made,
    update,
    light: number => {
      for (const [own, { node }] of rows) {
        node.toggleAttribute('data-lit', own === number);
      }
    }
  };
}

function row(number: number, names: string[]): Row {
  const node = element('tr');
  node.setAttribute('role', 'row');
  const first = element('th', '', String(number));
  first.setAttribute('role', 'rowheader');
  first.dataset['name'] = names[0];
  node.append(first);
  const cells = names.slice(1).map(name => {
    const cell = element('td');
    cell.setAttribute('role', 'cell');
    cell.dataset['name'] = name;
    node.append(cell);
    return cell;
  });
  const picture = emptyCurve();
  const [spark, score, tokens, state] = cells.slice(-4);
  cells.slice(0, -4).forEach(cell => {
    cell.dataset['part'] = 'option';
  });
  spark?.append(picture);
  if (state !== undefined && tokens !== undefined) {
    [state.dataset['part'], tokens.dataset['part']] = ['state', 'tokens'];
  }
  score?.toggleAttribute('data-number', true);
  tokens?.toggleAttribute('data-number', true);
  const chip = element('span', 'rnn-trial-state');
  state?.append(chip);
  return {
    node,
    draw: (trial, data, scale) => {
      const isBest = trial !== undefined && trial.number === data.best;
      node.dataset['look'] = isBest ? 'best' : (trial?.kind ?? 'planned');
      cells.slice(0, -4).forEach((cell, at) => {
        put(cell, trial?.values[at] ?? '');
      });
      if (trial === undefined) {
        return;
      }
      curve(picture, trial, scale, data.ladder?.nats ?? null);
      put(score, trial.told);
      put(tokens, grouped(trial.tokens));
      put(chip, isBest ? say('%1, best', trial.state) : stateOf(trial));
      chip.style.setProperty('--rnn-done', percent(trial.done ?? 0));
      chip.toggleAttribute('data-done', trial.done !== null);
    }
  };
}

function stateOf({ kind, state, done }: Trial): string {
  return kind === 'running' && done !== null ? percent(done) : state;
}

/** Change a text only where it is another, so that what a reader has selected stays. */
function put(cell: HTMLElement | undefined, text: string): void {
  if (cell !== undefined && cell.textContent !== text) {
    cell.textContent = text;
    cell.title = text;
  }
}
