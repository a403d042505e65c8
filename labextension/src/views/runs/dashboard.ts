/** The dashboard of a training: curves, numbers, a sample, and the buttons that steer it. */

import { ENDINGS } from '../../contract/endings';
import { RunData } from '../../contract/run';
import { element, shown } from '../page/dom';
import { chart } from '../plots/chart';
import { say } from '../text/say';
import { Against, normChart, perplexity, perplexityChart } from './curves';

export type Command =
  | { type: 'pause' }
  | { type: 'resume' }
  | { type: 'stop' }
  | { type: 'steer'; lr?: number; clip?: number | null };

export interface Dashboard {
  update(run: RunData): void;
  /** Say something about the last command: that it waits, or why it was refused. */
  say(message: string): void;
  dispose(): void;
}

/** Draw a run into `host`; `send` takes what the reader asks of it. */
export function dashboard(
  host: HTMLElement,
  first: RunData,
  send: (command: Command) => void
): Dashboard {
  let run = first;
  let against: Against = 'steps';
  host.classList.add('rnn-view', 'rnn-dashboard');
  const head = element('div', 'rnn-head');
  const progress = element('progress');
  progress.setAttribute('aria-label', say('share of the training that is over'));
  const status = element('div', 'rnn-status');
  const told = element('div', 'rnn-told');
  told.setAttribute('role', 'status');
  const notes = element('ul', 'rnn-notes');
  const sample = element('pre', 'rnn-sample');
  sample.setAttribute('aria-label', say('what the model wrote last'));
  const charts = element('div', 'rnn-charts');
  const left = charts.appendChild(element('div'));
  const right = charts.appendChild(element('div'));
  const controls = steering(send, () => run);
  const axis = choice(say('against'), ['steps', 'seconds'], chosen => {
    against = chosen;
    draw();
  });
  controls.bar.append(axis);
  host.append(head, progress, status, controls.bar, told, charts, sample, notes);
  const perplexities = chart(left, perplexityChart([run], against));
  const norms = chart(right, normChart([run], against));

  const draw = (): void => {
    perplexities.update(perplexityChart([run], against));
    norms.update(normChart([run], against));
    head.textContent = say('%1: %2, on %3', run.name, run.architecture, run.place);
    status.textContent = statusLine(run);
    progress.value = run.phase === 'ended' ? 1 : (run.now?.done ?? 0);
    sample.textContent = run.sample;
    sample.hidden = run.sample === '';
    notes.replaceChildren(...run.notes.map(note => element('li', '', note)));
    controls.update();
  };
  draw();
  return {
    update: next => {
      run = next;
      draw();
    },
    say: message => {
      told.textContent = message;
    },
    dispose: () => {
      perplexities.dispose();
      norms.dispose();
      host.replaceChildren();
    }
  };
}

/** Return one line with the numbers of a run as it stands. */
export function statusLine(run: RunData): string {
  const { now, epochs, phase } = run;
  const last = epochs.at(-1);
  const parts = [phase === 'ended' ? say('ended: %1', reasonText(run.reason)) : phaseText(phase)];
  if (now !== null && phase !== 'ended') {
    parts.push(
      say('epoch %1/%2', now.epoch, run.num_epochs),
      say('step %1/%2', now.step, now.num_steps)
    );
  }
  const training = phase === 'ended' ? last?.train_nats : (now?.train_nats ?? last?.train_nats);
  parts.push(say('perplexity %1', shown(perplexity(training))));
  if (last?.valid_nats !== null && last !== undefined) {
    parts.push(say('held out %1', shown(perplexity(last.valid_nats))));
  }
  if (last !== undefined) {
    parts.push(say('%1 of the steps clipped', `${Math.round(100 * last.clipped)}%`));
  }
  if (now !== null) {
    parts.push(say('%1 tokens/s', Math.round(now.tokens_per_second ?? 0).toLocaleString('en')));
    if (phase !== 'ended') {
      parts.push(`lr ${shown(now.lr)}`, say('%1 left', duration(now.eta)));
    }
  }
  return parts.join(' · ');
}

/** Return what a run is at, in the language of the page. */
function phaseText(phase: RunData['phase']): string {
  switch (phase) {
    case 'starting':
      return say('starting');
    case 'compiling':
      return say('compiling the cell');
    case 'training':
      return say('training');
    case 'scoring':
      return say('scoring held-out text');
    case 'paused':
      return say('paused');
    case 'ended':
      return say('ended');
  }
}

/** Return why a run ended, in the language of the page. */
function reasonText(reason: RunData['reason']): string {
  return reason === null ? '?' : say(ENDINGS[reason].words);
}

function axisText(against: Against): string {
  return against === 'steps' ? say('steps') : say('seconds');
}

/** Return seconds as minutes:seconds, or hours:minutes:seconds. */
export function duration(seconds: number | null): string {
  if (seconds === null) {
    return '–';
  }
  const whole = Math.round(seconds);
  const two = (value: number): string => String(value).padStart(2, '0');
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** Return buttons and fields that send commands, and a function that makes them fit the run. */
function steering(
  send: (command: Command) => void,
  current: () => RunData
): { bar: HTMLElement; update: () => void } {
  const bar = element('div', 'rnn-controls');
  bar.setAttribute('role', 'toolbar');
  bar.setAttribute('aria-label', say('steer the training'));
  const pause = button(say('Pause'), () => {
    send({ type: current().phase === 'paused' ? 'resume' : 'pause' });
  });
  const stop = button(say('Stop'), () => {
    send({ type: 'stop' });
  });
  const rate = field('lr', say('the largest learning rate'), value => {
    if (value !== null) {
      send({ type: 'steer', lr: value });
    }
  });
  const clip = field('clip', say('bound on the gradient norm; empty for none'), value => {
    send({ type: 'steer', clip: value });
  });
  bar.append(pause, stop, rate.label, clip.label);
  return {
    bar,
    update: () => {
      const run = current();
      const over = run.phase === 'ended';
      pause.textContent = run.phase === 'paused' ? say('Resume') : say('Pause');
      for (const control of [pause, stop, rate.input, clip.input]) {
        control.disabled = over;
      }
      rate.show(run.lr);
      clip.show(run.clip);
    }
  };
}

function button(label: string, pressed: () => void): HTMLButtonElement {
  const made = element('button', 'rnn-button', label);
  made.type = 'button';
  made.addEventListener('click', pressed);
  return made;
}

/** Return a number field that tells its value on Enter, and null where it is empty. */
function field(
  name: string,
  help: string,
  entered: (value: number | null) => void
): { label: HTMLLabelElement; input: HTMLInputElement; show: (value: number | null) => void } {
  const label = element('label', 'rnn-field', `${name} `);
  const input = label.appendChild(element('input'));
  input.inputMode = 'decimal';
  input.size = 8;
  input.title = say('%1; Enter sets it', help);
  input.addEventListener('keydown', event => {
    event.stopPropagation(); // a notebook takes letters for commands
    const value = input.value.trim() === '' ? null : Number(input.value);
    if (event.key === 'Enter' && (value === null || Number.isFinite(value))) {
      entered(value);
      input.blur();
    }
  });
  const show = (value: number | null): void => {
    if (document.activeElement !== input) {
      input.value = value === null ? '' : shown(value);
    }
  };
  return { label, input, show };
}

function choice<T extends Against>(
  name: string,
  values: readonly T[],
  chosen: (value: T) => void
): HTMLLabelElement {
  const label = element('label', 'rnn-field', `${name} `);
  const select = label.appendChild(element('select'));
  select.append(...values.map(value => element('option', '', axisText(value))));
  select.addEventListener('change', () => {
    const value = values[select.selectedIndex];
    if (value !== undefined) {
      chosen(value);
    }
  });
  return label;
}
