/** Pieces that several views of a model are made of. */

import type { Matrix } from '../../contract/matrix';
import { askForCell } from '../page/asks';
import { element, shown } from '../page/dom';
import { colour, css, ink, share } from '../design/scales';
import type { MagicLine } from '../text/line';
import { say } from '../text/say';
import { isSpaced, visible } from '../text/visible';

/** Return one row of a matrix [rows, columns], or of the given plane of [planes, rows, columns]. */
export function rowOf({ shape, values }: Matrix, row: number, plane = 0): Float32Array {
  const columns = shape.at(-1) ?? 0;
  const rows = shape.at(-2) ?? 1;
  const start = (plane * rows + row) * columns;
  return values.subarray(start, start + columns);
}

/** Return a heading, and a place for what stands under it. */
export function titled(host: HTMLElement, title: string): HTMLElement {
  host.append(element('div', 'rnn-part', title));
  return host.appendChild(element('div'));
}

/**
 * Return a place of a text in two pieces: what stands before, and from what is meant on. So what is
 * meant begins in one column, however wide letters are. Each token may have a value up to a bound.
 */
export function excerpt(
  tokens: string[],
  [first = 0, last = 0]: number[],
  values: (number | null)[] = [],
  bound = 1
): [HTMLElement, HTMLElement] {
  const gap = isSpaced(tokens) ? ' rnn-spaced' : '';
  const before = element('span', `rnn-text rnn-before${gap}`);
  const on = element('span', `rnn-text rnn-on${gap}`);
  const line = before.appendChild(element('span')); // cut where it begins, not where it ends
  tokens.forEach((token, at) => {
    const made = element(at >= first && at < last ? 'mark' : 'span', '', visible(token));
    const value = values[at] ?? null;
    if (value !== null) {
      const back = colour('diverging', share(value, -bound, bound));
      made.style.backgroundColor = css(back);
      made.style.color = ink(back);
      made.title = shown(value);
    }
    (at < first ? line : on).append(made);
  });
  return [before, on];
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
