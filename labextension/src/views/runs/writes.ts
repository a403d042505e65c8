/** What the model writes: now, and after each epoch that was kept. */

import type { RunData } from '../../contract/run';
import { element } from '../page/dom';
import { say } from '../text/say';

export interface Writes {
  node: HTMLElement;
  update(run: RunData): void;
}

/** Return a text with a slider over the epochs; at its end, the newest is shown as it comes. */
export function writes(first: RunData): Writes {
  let run = first;
  let chosen: number | null = null; // an epoch that the reader went back to
  const node = element('section', 'rnn-writes');
  const head = element('div', 'rnn-writes-head');
  const label = element('label', 'rnn-field', say('What it writes'));
  const slider = label.appendChild(element('input'));
  const at = element('span', 'rnn-writes-at');
  const text = element('div', 'rnn-sample');
  slider.type = 'range';
  [slider.min, slider.step] = ['0', '1'];
  at.setAttribute('aria-hidden', 'true'); // the slider itself says it
  text.setAttribute('role', 'note');
  text.setAttribute('aria-label', say('what the model wrote last'));
  head.append(label, at);
  node.append(head, text);

  const draw = (): void => {
    const { samples, sample, now } = run;
    const isLive = run.phase !== 'ended' && sample !== '';
    const last = samples.length - 1 + (isLive ? 1 : 0);
    const found = samples.findIndex(({ epoch }) => epoch === chosen);
    const place = found < 0 ? Math.max(0, last) : found;
    const shown = samples[place];
    slider.max = String(Math.max(0, last));
    slider.value = String(place);
    slider.disabled = last < 1;
    const where =
      shown !== undefined
        ? say('after epoch %1', shown.epoch)
        : isLive
          ? say('now, in epoch %1', now?.epoch ?? 1)
          : '';
    at.textContent = where;
    slider.setAttribute('aria-valuetext', where);
    const written = shown?.text ?? sample;
    text.textContent = written === '' ? say('Nothing is written yet.') : written;
    node.hidden = run.phase === 'ended' && written === '';
  };
  slider.addEventListener('input', () => {
    const place = Number(slider.value);
    chosen = place === Number(slider.max) ? null : (run.samples[place]?.epoch ?? null);
    draw();
  });
  slider.addEventListener('keydown', event => {
    event.stopPropagation(); // a notebook would go to another cell
  });
  draw();
  return {
    node,
    update: next => {
      run = next;
      draw();
    }
  };
}
