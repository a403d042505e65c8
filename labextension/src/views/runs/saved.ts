/** Runs of a saved notebook: the card of one, or several side by side. */

import { saved } from '../../contract/saved';
import { guarded } from '../page/guarded';
import { Card, card } from './card';
import { comparison } from './comparison';

export interface SavedView {
  /** Show other data in the same place, if it is of one run, as the first was. */
  update(payload: unknown): boolean;
  end(): void;
}

/** Draw what a notebook keeps, or `words` instead. */
export function drawSaved(host: HTMLElement, payload: unknown, words: string): SavedView {
  let only: Card | null = null;
  host.replaceChildren();
  const end = guarded(host, words, () => {
    const data = saved(payload, 'run');
    host.classList.add('rnn-saved');
    if (data.view === 'compare') {
      return comparison(host, data);
    }
    only = card(host, data, null);
    return () => only?.dispose();
  });
  return {
    update: next => {
      try {
        const data = saved(next, 'run');
        if (only === null || data.view === 'compare') {
          return false;
        }
        only.update(data);
        return true;
      } catch {
        return false; // it is drawn anew, and says what is wrong
      }
    },
    end
  };
}
