/** What stands around every view: whatever goes wrong inside, the page and the words stay. */

import { say } from '../text/say';
import { element } from './dom';

/**
 * Draw into `host`, and return what ends the view. Where that fails, for whatever reason, say so
 * and show `words`, the plain form of the same.
 */
export function guarded(host: HTMLElement, words: string, draw: () => () => void): () => void {
  try {
    const end = draw();
    return () => {
      quietly(end);
    };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const lines = [say('This view cannot be drawn: %1', why), words].filter(line => line !== '');
    host.classList.add('rnn-view');
    host.replaceChildren(...lines.map(line => element('pre', 'rnn-words', line)));
    return () => undefined;
  }
}

/** A view that cannot be ended must not keep the next one from being drawn. */
function quietly(end: () => void): void {
  try {
    end();
  } catch {
    // what is left of it goes with its elements
  }
}
