/** Names with a bar each, and how far its interval reaches: a table, so it can be read as one. */

import { element, shown } from '../page/dom';

export interface Bar {
  name: string;
  value: number;
  /** Half of its interval; 0 for none. */
  half?: number;
  /** What is told behind the number. */
  told?: string;
  /** Whether it is what the others are measured by. */
  isLevel?: boolean;
}

/** Return a table of bars from zero, all on one scale. */
export function bars(title: string, head: string[], rows: readonly Bar[]): HTMLTableElement {
  const ends = rows.flatMap(({ value, half = 0 }) => [value - half, value + half]);
  const low = ends.reduce((least, end) => Math.min(least, end), 0);
  const high = ends.reduce((most, end) => Math.max(most, end), 0) || 1;
  const share = (value: number): number => (100 * (value - low)) / (high - low);
  const made = element('table', 'rnn-table rnn-bars');
  made.setAttribute('aria-label', title);
  const top = made.createTHead().insertRow();
  for (const column of head) {
    const cell = element('th', '', column);
    cell.scope = 'col';
    top.append(cell);
  }
  const body = made.createTBody();
  for (const { name, value, half = 0, told = '', isLevel = false } of rows) {
    const row = body.insertRow();
    const label = element('th', '', name);
    label.scope = 'row';
    const number = element('td', '', shown(value));
    const track = element('div', isLevel ? 'rnn-bar rnn-level' : 'rnn-bar');
    track.append(span('rnn-bar-value', share(Math.min(0, value)), share(Math.max(0, value))));
    if (half > 0) {
      track.append(span('rnn-bar-interval', share(value - half), share(value + half)));
    }
    const drawn = element('td');
    drawn.setAttribute('aria-hidden', 'true'); // the numbers say it
    drawn.append(track);
    row.append(label, number, element('td', '', told), drawn);
  }
  return made;
}

function span(name: string, from: number, to: number): HTMLElement {
  const made = element('span', name);
  made.style.left = `${from}%`;
  made.style.width = `${to - from}%`;
  return made;
}
