/** What a saved notebook keeps: the card of a run, several side by side, or the trials of a sweep. */

import { Saved, saved } from '../../contract/saved';
import { guarded } from '../page/guarded';
import { card } from '../runs/card';
import { comparison } from '../runs/comparison';
import { board } from '../sweeps/board';

export interface SavedView {
  /** Show other data in the same place, if it is of one run, as the first was. */
  update(payload: unknown): boolean;
  end(): void;
}

/** Draw what a notebook keeps, or `words` instead. */
export function drawSaved(host: HTMLElement, payload: unknown, words: string): SavedView {
  let follow: ((data: Saved) => boolean) | null = null;
  host.replaceChildren();
  const end = guarded(host, words, () => {
    const data = saved(payload, 'run');
    host.classList.add('rnn-saved');
    if (data.view === 'compare') {
      return comparison(host, data);
    }
    if (data.view === 'sweep') {
      return board(host, data, null).dispose;
    }
    const only = card(host, data, null);
    follow = next => {
      if (next.view === 'run') {
        only.update(next);
      }
      return next.view === 'run';
    };
    return () => {
      only.dispose();
    };
  });
  return {
    update: next => {
      try {
        return follow?.(saved(next, 'run')) ?? false;
      } catch {
        return false; // it is drawn anew, and says what is wrong
      }
    },
    end
  };
}
