/** What a reader changes while a run trains: buttons that end or pause it, two fields. */

import type { RunData } from '../../contract/run';
import { element, shown } from '../page/dom';
import { say } from '../text/say';

export type Command =
  | { type: 'pause' }
  | { type: 'resume' }
  | { type: 'stop' }
  | { type: 'steer'; lr?: number; clip?: number | null }
  | { type: 'predict'; perplexity: number };

export interface Steering {
  /** Pause and Stop. */
  buttons: HTMLElement[];
  /** The learning rate and the clip, with what they are now. */
  fields: HTMLElement[];
  update(run: RunData): void;
  /** Show what became of the last value that was entered. */
  answered(isRefused: boolean): void;
}

/** Return the controls; `send` takes commands, `refuse` says why a value was not sent. */
export function steering(
  first: RunData,
  send: (command: Command) => void,
  refuse: (why: string) => void
): Steering {
  let run = first;
  let last: Field | null = null;
  const pause = button(say('Pause'), () => {
    send({ type: run.phase === 'paused' ? 'resume' : 'pause' });
  });
  const stop = button(say('Stop'), () => {
    send({ type: 'stop' });
  });
  const entered = (made: () => Field, value: number | null, text: string): void => {
    last = made();
    if (value !== null && !Number.isFinite(value)) {
      refuse(say('%1 is not a number', text));
    } else if (last === clip) {
      send({ type: 'steer', clip: value });
    } else if (value === null) {
      refuse(say('a learning rate is needed'));
    } else {
      send({ type: 'steer', lr: value });
    }
  };
  const rate: Field = field(say('peak lr'), say('the largest learning rate'), (value, text) => {
    entered(() => rate, value, text);
  });
  const clip: Field = field(say('clip'), say('bound on the gradient norm; empty for none'), (value, text) => {
    entered(() => clip, value, text);
  });
  const now = element('span', 'rnn-field rnn-now');
  const update = (next: RunData): void => {
    run = next;
    const over = run.phase === 'ended';
    pause.textContent = run.phase === 'paused' ? say('Resume') : say('Pause');
    for (const control of [pause, stop, rate.input, clip.input]) {
      control.disabled = over;
    }
    rate.show(run.lr);
    clip.show(run.clip);
    now.textContent = run.now === null ? '' : say('now %1', shown(run.now.lr));
  };
  update(first);
  return {
    buttons: [pause, stop],
    fields: [rate.label, now, clip.label],
    update,
    answered: isRefused => {
      last?.settle(isRefused);
      last = null;
    }
  };
}

export function button(label: string, pressed: () => void): HTMLButtonElement {
  const made = element('button', 'rnn-button', label);
  made.type = 'button';
  made.addEventListener('click', pressed);
  return made;
}

interface Field {
  label: HTMLLabelElement;
  input: HTMLInputElement;
  /** Show the value of the run, unless the reader types or waits for an answer. */
  show(value: number | null): void;
  /** An answer has come: go back to the value of the run, and mark a refusal. */
  settle(isRefused: boolean): void;
}

/** Return a number field that tells its value on Enter, and null where it is empty. */
function field(
  name: string,
  help: string,
  entered: (value: number | null, text: string) => void
): Field {
  const label = element('label', 'rnn-field', name);
  const input = label.appendChild(element('input'));
  let known: number | null = null;
  let waits = false;
  const write = (): void => {
    input.value = known === null ? '' : shown(known);
  };
  input.inputMode = 'decimal';
  input.title = say('%1; Enter sets it', help);
  input.addEventListener('input', () => {
    mark(false);
  });
  input.addEventListener('blur', () => {
    if (!waits) {
      write();
    }
  });
  input.addEventListener('keydown', event => {
    event.stopPropagation(); // a notebook takes letters for commands
    if (event.key === 'Enter') {
      const text = input.value.trim();
      waits = true;
      entered(text === '' ? null : Number(text), text);
      input.blur();
    }
  });
  const mark = (isRefused: boolean): void => {
    input.classList.toggle('rnn-refused', isRefused);
    input.setAttribute('aria-invalid', String(isRefused));
  };
  return {
    label,
    input,
    show: value => {
      known = value;
      if (!waits && document.activeElement !== input) {
        write();
      }
    },
    settle: isRefused => {
      waits = false;
      mark(isRefused);
      write();
    }
  };
}
