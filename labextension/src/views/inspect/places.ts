/** Views that are lists of places in the corpus: similar states, and what drives a unit. */

import { Match, Units } from '../../contract/inspection';
import { element, shown } from '../dom';
import { heading, visible } from '../visible';
import { excerpt, lineButton, table, titled } from './parts';

const RANKED = 12;

/** The places whose states are most like those of a span of the text. */
export function match(host: HTMLElement, data: Match): () => void {
  const [first = 0, last = 0] = data.span;
  const span = data.tokens.slice(first, last).map(visible).join('');
  const place = titled(
    host,
    `like “${span}”: ${data.units.length} units of layer ${data.layer}, ` +
      `${data.searched.toLocaleString('en')} tokens searched`
  );
  place.append(
    ...data.matches.map(({ tokens, focus, similarity, start }) =>
      line(`${shown(similarity)} at ${start}`, excerpt(tokens, focus))
    )
  );
  return () => undefined;
}

/** The places that drive a unit highest and lowest, and the units that respond most selectively. */
export function units(host: HTMLElement, data: Units): () => void {
  for (const [name, drives] of [
    ['highest', data.highest],
    ['lowest', data.lowest]
  ] as const) {
    const place = titled(host, `unit ${data.unit} of layer ${data.layer}, ${name}`);
    place.append(
      ...drives.map(({ tokens, focus, values, start }) =>
        line(`${shown(values[focus[0] ?? 0])} at ${start}`, excerpt(tokens, focus, values))
      )
    );
  }
  const ranking = titled(host, 'units that respond most selectively');
  const best = data.order.slice(0, RANKED);
  ranking.append(
    table(
      ['unit', 'selectivity', 'most for'],
      best.map(unit => [
        String(unit),
        shown(data.selectivity[unit]),
        heading(data.tokens[unit] ?? '')
      ])
    ),
    lineButton('Look at the first', `%inspect_rnn units --unit ${best[0] ?? 0}`)
  );
  return () => undefined;
}

function line(label: string, text: HTMLElement): HTMLElement {
  const made = element('div', 'rnn-place');
  made.append(element('span', 'rnn-where', label), text);
  return made;
}
