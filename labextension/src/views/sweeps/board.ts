/**
 * A sweep: its state, four numbers, its trials as lines over their options and as rows of a table.
 *
 * The same while it runs and in a saved notebook.
 */

import type { SweepData } from '../../contract/sweep';
import { element, shown } from '../page/dom';
import { button } from '../runs/steering';
import { duration } from '../runs/words';
import { say } from '../text/say';
import { parallel } from './parallel';
import { trials } from './trials';

export type Command = { type: 'pause' } | { type: 'resume' } | { type: 'stop' };

export interface Board {
  update(data: SweepData): void;
  /** Say something about the last command: that it waits, or why it was refused. */
  say(message: string, isRefused?: boolean): void;
  dispose: () => void;
}

interface Part {
  node: HTMLElement;
  update(data: SweepData): void;
}

/** Draw a sweep into `host`; with `send`, a reader can hold and end it. */
export function board(
  host: HTMLElement,
  first: SweepData,
  send: ((command: Command) => void) | null
): Board {
  host.classList.add('rnn-view', 'rnn-run-card', 'rnn-sweep');
  host.setAttribute('role', 'group');
  host.setAttribute('aria-label', first.name);
  const told = element('div', 'rnn-told rnn-card-told');
  told.setAttribute('role', 'status');
  const verdict = element('div', 'rnn-verdict');
  const light = (number: number | null): void => {
    lines.light(number);
    rows.light(number);
  };
  const lines = parallel(first, light);
  const rows = trials(first, light);
  const parts: Part[] = [
    head(send),
    numbers(),
    {
      node: verdict,
      update: data => {
        verdict.textContent = data.verdict;
      }
    },
    { node: told, update: () => undefined },
    lines,
    rows,
    closing()
  ];
  host.append(...parts.map(({ node }) => node));
  const update = (data: SweepData): void => {
    for (const part of parts) {
      part.update(data);
    }
  };
  const forgetWidth = fitting(host, rows.node, lines.node);
  update(first);
  return {
    update,
    say: (message, isRefused = false) => {
      told.textContent = message;
      told.title = message;
      told.classList.toggle('rnn-refused', isRefused);
    },
    dispose: () => {
      forgetWidth();
      lines.dispose();
      host.replaceChildren();
    }
  };
}

/** The name, the state, how much is done, and the buttons. */
function head(send: ((command: Command) => void) | null): Part {
  let isPaused = false;
  const node = element('div');
  const line = element('div', 'rnn-card-head');
  const name = element('div', 'rnn-head');
  const chip = element('span', 'rnn-chip');
  const at = element('span', 'rnn-card-at');
  const space = element('div', 'rnn-card-model');
  const bar = element('progress', 'rnn-card-progress');
  bar.setAttribute('aria-label', say('share of the sweep that is over'));
  const pause = button(say('Pause'), () => {
    send?.({ type: isPaused ? 'resume' : 'pause' });
  });
  const stop = button(say('Stop'), () => {
    send?.({ type: 'stop' });
  });
  line.append(name, chip, at, ...(send === null ? [] : [pause, stop]));
  node.append(line, space, bar);
  return {
    node,
    update: data => {
      isPaused = data.phase === 'paused';
      name.textContent = name.title = data.name;
      chip.textContent = phaseText(data);
      chip.dataset['news'] = bar.dataset['news'] = NEWS[data.phase];
      at.textContent = atText(data);
      space.textContent = data.options.map(({ name, values }) => `${name} ${values}`).join(' · ');
      space.title = space.textContent;
      bar.value = data.share;
      pause.textContent = isPaused ? say('Resume') : say('Pause');
      pause.disabled = stop.disabled = isOver(data);
    }
  };
}

const NEWS = { running: 'live', paused: 'wait', open: 'neutral', ended: 'good' } as const;

function isOver({ phase }: SweepData): boolean {
  return phase === 'open' || phase === 'ended';
}

function phaseText({ phase }: SweepData): string {
  switch (phase) {
    case 'running':
      return say('searching');
    case 'paused':
      return say('paused');
    case 'open':
      return say('stopped');
    case 'ended':
      return say('ended');
  }
}

function atText(data: SweepData): string {
  const { trials, number, planned } = data;
  if (isOver(data)) {
    return say('trials: %1', number);
  }
  const running = trials.filter(({ kind }) => kind === 'running').map(trial => trial.number);
  if (running.length === 0) {
    return '';
  }
  const numbers = running.join(', ');
  return planned === null ? say('trial %1', numbers) : say('trial %1 of %2', numbers, planned);
}

/** Four numbers that are read from across the room. */
function numbers(): Part {
  const node = element('div', 'rnn-numbers');
  const places = Array.from({ length: 4 }, () => {
    const box = element('div', 'rnn-number');
    const [name, value] = [element('div', 'rnn-number-name'), element('div', 'rnn-number-value')];
    box.append(name, value);
    node.append(box);
    return { box, name, value };
  });
  return {
    node,
    update: data => {
      figures(data).forEach(([name, value], place) => {
        const at = places[place];
        if (at !== undefined) {
          [at.name.textContent, at.value.textContent] = [name, value];
          at.box.title = say('%1: %2', name, value);
        }
      });
    }
  };
}

function figures(data: SweepData): [name: string, value: string][] {
  const { trials, best, ladder, planned } = data;
  const winner = trials.find(({ number }) => number === best);
  const over = trials.filter(({ kind }) => kind === 'done' || kind === 'behind').length;
  const behind = trials.filter(({ kind }) => kind === 'behind').length;
  return [
    [say('best %1', data.score), winner === undefined ? '–' : winner.told],
    ladder === null
      ? [say('best n-gram'), '–']
      : [say('best n-gram: %1-gram', ladder.order), shown(Math.exp(ladder.nats))],
    [
      behind === 0 ? say('trials ended') : say('trials ended, %1 of them early', behind),
      planned === null ? String(over) : `${over}/${Math.max(planned, over)}`
    ],
    isOver(data)
      ? [say('time taken'), duration(data.seconds)]
      : [say('time left'), duration(data.seconds_left)]
  ];
}

/** What to know of the result, and the line to type. */
function closing(): Part {
  const node = element('div', 'rnn-sweep-closing');
  const notes = element('ul', 'rnn-notes');
  const type = element('div', 'rnn-told', say('to train it again, type'));
  const lines = element('pre', 'rnn-words');
  node.append(notes, type, lines);
  return {
    node,
    update: data => {
      notes.replaceChildren(...data.notes.map(note => element('li', '', note)));
      type.hidden = lines.hidden = data.lines.length === 0;
      lines.textContent = data.lines.join('\n');
    }
  };
}

/** Where the table is wider than its place, each trial becomes a block of named values. */
function fitting(host: HTMLElement, table: HTMLElement, place: HTMLElement): () => void {
  let known = -1;
  const fit = (): void => {
    if (host.clientWidth !== known) {
      known = host.clientWidth;
      host.classList.remove('rnn-stacked');
      host.classList.toggle('rnn-stacked', table.offsetWidth > place.clientWidth + 1);
    }
  };
  const resized = new ResizeObserver(fit);
  resized.observe(host);
  return () => {
    resized.disconnect();
  };
}
