/** The heading of a step of the control panel: it opens and folds the step, and comes into view. */

import { say } from '../text/say';
import { element } from './dom';

export interface Step {
  number: number;
  title: string;
  /** What it has made so far; empty if nothing. */
  said: string;
  isDone: boolean;
  isOpen: boolean;
}

export interface StepView {
  update: (step: Step) => void;
  /** Bring the step into view, and the focus to it if its reader has been in the panel. */
  bring: () => void;
}

/** Draw the heading of a step into `host`; `toggle` opens or folds it. */
export function step(host: HTMLElement, first: Step, toggle: () => void): StepView {
  const button = element('button', 'rnn-step');
  const [mark, title] = [element('span', 'rnn-step-mark'), element('span', 'rnn-head')];
  const [done, said] = [element('span', 'rnn-hidden'), element('span', 'rnn-told')];
  button.type = 'button';
  button.append(mark, title, done, said);
  button.addEventListener('click', toggle);
  host.classList.add('rnn-view');
  host.append(button);
  const update = ({ number, title: name, said: words, isDone, isOpen }: Step): void => {
    mark.textContent = isDone ? '✓' : String(number);
    mark.ariaHidden = String(isDone);
    button.dataset.done = String(isDone);
    button.setAttribute('aria-expanded', String(isOpen));
    title.textContent = name;
    done.textContent = isDone ? say('done') : '';
    said.textContent = words;
    said.title = words;
  };
  update(first);
  return {
    update,
    bring: () => {
      requestAnimationFrame(() => {
        bring(button);
      });
    }
  };
}

function bring(button: HTMLElement): void {
  const focused = document.activeElement;
  if (focused === null || focused === document.body || focused.closest('.rnn-lab') !== null) {
    button.focus({ preventScroll: true });
  }
  // Its end first, so that where not all of it fits, its beginning is what is seen.
  for (const part of [button.closest('.rnn-lab-step'), button]) {
    part?.scrollIntoView({ block: 'nearest' });
  }
}
