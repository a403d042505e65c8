import { element } from '../page/dom';

/** Return a table whose cells are all text. */
export function table(head: string[], rows: string[][]): HTMLTableElement {
  const made = element('table', 'rnn-table');
  const top = made.createTHead().insertRow();
  top.append(...head.map(name => element('th', '', name)));
  const body = made.createTBody();
  for (const cells of rows) {
    body.insertRow().append(...cells.map(cell => element('td', '', cell)));
  }
  return made;
}
