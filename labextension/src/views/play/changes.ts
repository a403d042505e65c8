/** The units that a reader has changed: a list, each with a button that lets it go. */

import type { Change } from '../../model/walk';
import { element, shown } from '../page/dom';
import { button } from '../runs/steering';
import { say } from '../text/say';

/** Return the changes with one more; it replaces that of the same unit from the same place on. */
export function withChange(changes: readonly Change[], change: Change): Change[] {
  return [...changes.filter(other => !isSame(other, change)), change];
}

/** Tell whether two changes are of one unit, from one place on. */
export function isSame(one: Change, other: Change): boolean {
  return (['layer', 'part', 'unit', 'from'] as const).every(key => one[key] === other[key]);
}

/** Return the changes as they are after an edit of the text: those behind its end are gone. */
export function within(changes: readonly Change[], tokens: number): Change[] {
  return changes.filter(({ from }) => from < tokens);
}

/** Return what a change does, in words. */
export function changeText({ layer, part, unit, value, from, until }: Change, token: string): string {
  const set = say('unit %1 of %2, layer %3: %4', unit, part, layer, shown(value));
  return until === null ? say('%1 from %2 (place %3) on', set, token, from) : say('%1 at %2 (place %3)', set, token, from);
}

/** List the changes; `release` takes those that remain. */
export function listChanges(
  host: HTMLElement,
  changes: readonly Change[],
  tokenAt: (place: number) => string,
  release: (left: Change[]) => void
): void {
  const items = changes.map(change => {
    const item = element('li', '', `${changeText(change, tokenAt(change.from))} `);
    item.append(
      button(say('Release'), () => {
        release(changes.filter(other => other !== change));
      })
    );
    return item;
  });
  const list = element('ul', 'rnn-changes');
  list.append(...items);
  const all = button(say('Release all'), () => {
    release([]);
  });
  host.replaceChildren(...(items.length > 0 ? [list, all] : [element('div', 'rnn-told', say('No unit is changed.'))]));
}
