/** Pieces that several views of a model are made of. */

import { Matrix } from '../../contract/inspection';
import { askForCell } from '../page/asks';
import { element, shown } from '../page/dom';
import { colour, css, ink, ScaleName, share } from '../design/scales';
import type { MagicLine } from '../text/line';
import { say } from '../text/say';
import { visible } from '../text/visible';

/** Return one row of a matrix [rows, columns], or of the given plane of [planes, rows, columns]. */
export function rowOf({ shape, values }: Matrix, row: number, plane = 0): Float32Array {
  const columns = shape.at(-1) ?? 0;
  const rows = shape.at(-2) ?? 1;
  const start = (plane * rows + row) * columns;
  return values.subarray(start, start + columns);
}

/** Return a labelled choice among names. */
export function choice(
  name: string,
  names: readonly string[],
  first: string,
  chosen: (name: string) => void
): HTMLLabelElement {
  const label = element('label', 'rnn-field', `${name} `);
  const select = label.appendChild(element('select'));
  select.append(...names.map(value => element('option', '', value)));
  select.value = first;
  select.addEventListener('change', () => {
    chosen(select.value);
  });
  return label;
}

/** Return a labelled whole number between bounds. */
export function count(
  name: string,
  [low, high]: [number, number],
  first: number,
  chosen: (value: number) => void
): HTMLLabelElement {
  const label = element('label', 'rnn-field', `${name} `);
  const input = label.appendChild(element('input'));
  input.type = 'number';
  [input.min, input.max, input.value] = [String(low), String(high), String(first)];
  input.addEventListener('change', () => {
    const value = Math.min(high, Math.max(low, Math.round(Number(input.value)) || low));
    input.value = String(value);
    chosen(value);
  });
  input.addEventListener('keydown', event => {
    event.stopPropagation(); // a notebook takes letters for commands
  });
  return label;
}

/** Return a heading, and a place for what stands under it. */
export function titled(host: HTMLElement, title: string): HTMLElement {
  host.append(element('div', 'rnn-head', title));
  return host.appendChild(element('div'));
}

/** Return a place of a text: what is meant stands out, and each token may have a value. */
export function excerpt(
  tokens: string[],
  [first = 0, last = 0]: number[],
  values: (number | null)[] = [],
  scale: ScaleName = 'diverging'
): HTMLElement {
  const line = element('span', 'rnn-text');
  tokens.forEach((token, at) => {
    const made = element(at >= first && at < last ? 'mark' : 'span', '', visible(token));
    const value = values[at] ?? null;
    if (value !== null) {
      const back = colour(scale, share(value, -1, 1));
      made.style.backgroundColor = css(back);
      made.style.color = ink(back);
      made.title = shown(value);
    }
    line.append(made);
  });
  return line;
}

/**
 * Return a button that puts a magic line into the notebook, and the line to be copied; where no
 * line can say it, what is in the way.
 */
export function lineButton(label: string, line: MagicLine | null): HTMLElement {
  const box = element('div', 'rnn-controls');
  if (line === null) {
    box.append(element('span', 'rnn-told', say('There is no line: a name or text has a line end or a hidden character.')));
    return box;
  }
  const button = element('button', 'rnn-button', label);
  button.type = 'button';
  button.addEventListener('click', () => {
    askForCell(button, line);
  });
  box.append(button, element('code', '', line));
  return box;
}
