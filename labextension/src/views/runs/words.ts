/** What is said of a run in words and short numbers, in the language of the page. */

import { ENDINGS } from '../../contract/endings';
import type { Level, RunData } from '../../contract/run';
import { shown } from '../page/dom';
import { say } from '../text/say';

export type News = 'live' | 'wait' | 'good' | 'bad' | 'neutral';

/** Return what a run is at, or how it ended. */
export function stateText({ phase, reason }: RunData): string {
  switch (phase) {
    case 'starting':
      return say('starting');
    case 'measuring':
      return say('measuring threads');
    case 'compiling':
      return say('compiling');
    case 'training':
      return say('training');
    case 'scoring':
      return say('scoring held-out text');
    case 'paused':
      return say('paused');
    case 'ended':
      return reason === null ? say('ended') : say(ENDINGS[reason].words);
  }
}

/** Return whether that is good news. */
export function stateNews({ phase, reason }: RunData): News {
  if (phase === 'ended') {
    return reason === null ? 'neutral' : ENDINGS[reason].news;
  }
  return phase === 'training' || phase === 'scoring' ? 'live' : 'wait';
}

/**
 * Return the share of the training that is over. One that ended as planned is over, though its last
 * step was not told; another stays where it was.
 */
export function doneShare({ phase, reason, now, done }: RunData): number {
  const isOver = phase === 'ended' && (reason === null || ENDINGS[reason].news === 'good');
  return isOver ? 1 : (now?.done ?? done ?? (phase === 'ended' ? 1 : 0));
}

/** Return what stands in the place of the curves while there are none. */
export function waitsText(run: RunData): string {
  const asked = say('What will the held-out perplexity be at the end? Move the line there.');
  return run.may_predict ? `${waiting(run)} ${asked}` : waiting(run);
}

function waiting({ phase }: RunData): string {
  switch (phase) {
    case 'measuring':
      return say('Measuring which number of threads is the fastest for this model.');
    case 'compiling':
      return say('Compiling the cell for this CPU, once. It takes about 15 seconds.');
    case 'ended':
      return say('It ended before its first step.');
    default:
      return say('Its first steps are being taken.');
  }
}

/** Return where a training stands: epoch and step. */
export function atText({ now, num_epochs, epochs, phase }: RunData): string {
  if (phase === 'ended') {
    const last = epochs.at(-1)?.epoch ?? epochs.length;
    return last === num_epochs && last > 1 ? say('%1 epochs', last) : say('epoch %1/%2', last, num_epochs);
  }
  return now === null
    ? ''
    : `${say('epoch %1/%2', now.epoch, num_epochs)} · ${say('step %1/%2', now.step, now.num_steps)}`;
}

/** Return one line with the numbers of a run as it stands. */
export function statusLine(run: RunData): string {
  const { now, phase } = run;
  const state = stateText(run);
  const parts = [phase === 'ended' ? say('ended: %1', run.reason === null ? '?' : state) : state];
  if (now !== null && phase !== 'ended') {
    parts.push(atText(run));
  }
  const { training, heldOut } = reached(run);
  parts.push(say('perplexity %1', shown(training)));
  if (heldOut !== null) {
    parts.push(say('held out %1', shown(heldOut)));
  }
  const clipped = clippedText(run);
  if (clipped !== '' && run.clipping !== null) {
    parts.push(clipped);
  }
  if (now !== null) {
    parts.push(say('%1 tokens/s', grouped(now.tokens_per_second)));
    if (phase !== 'ended') {
      parts.push(`lr ${shown(now.lr)}`, say('%1 left', duration(now.eta)));
    }
  }
  return parts.join(' · ');
}

/** Return the perplexities that a run has reached, and after which epoch the held-out text had it. */
export function reached(run: RunData): {
  training: number | null;
  heldOut: number | null;
  epoch: number | null;
  bitsPerByte: number | null;
} {
  const { now, epochs, phase, weights } = run;
  if (weights !== null) {
    const own = epochs.find(epoch => epochOf(run, epoch) === weights.epoch) ?? epochs.at(-1);
    return {
      training: perplexity(own?.train_nats),
      heldOut: perplexity(weights.nats),
      epoch: weights.epoch,
      bitsPerByte: bitsPerByte(run, weights.nats)
    };
  }
  const last = epochs.at(-1);
  const training = phase === 'ended' ? last?.train_nats : (now?.train_nats ?? last?.train_nats);
  const scored = epochs.findLast(({ valid_nats }) => valid_nats !== null);
  return {
    training: perplexity(training),
    heldOut: perplexity(scored?.valid_nats),
    epoch: scored === undefined ? null : epochOf(run, scored),
    bitsPerByte: bitsPerByte(run, scored?.valid_nats)
  };
}

/** Return what a byte of the held-out text costs where a token costs so many nats. */
export function bitsPerByte({ size }: RunData, nats: number | null | undefined): number | null {
  if (size === null || size.bytes === 0 || nats === null || nats === undefined) {
    return null;
  }
  return ((nats * size.tokens) / Math.LN2 + size.lost_bits) / size.bytes;
}

/** Return the number of an epoch; older notebooks keep only its place. */
export function epochOf({ epochs }: RunData, epoch: RunData['epochs'][number]): number {
  return epoch.epoch ?? epochs.indexOf(epoch) + 1;
}

/** Return e to the power of a mean loss; null where that is beyond all floats. */
export function perplexity(nats: number | null | undefined): number | null {
  const value = nats === null || nats === undefined ? NaN : Math.exp(nats);
  return Number.isFinite(value) ? value : null;
}

/** Return how many of the steps were clipped. */
export function clippedText({ clipping, clip, epochs }: RunData): string {
  if (clipping !== null && clipping.steps > 0) {
    const { clipped, steps } = clipping;
    const share = percent(clipped / steps);
    return say('%1 of %2 steps clipped (%3)', grouped(clipped), grouped(steps), share);
  }
  const last = epochs.at(-1);
  if (clip === null || last === undefined) {
    return clip === null ? say('no clip') : '';
  }
  return say('%1 of the steps clipped', percent(last.clipped));
}

/** Return the name of a level of the ladder. */
export function levelName({ name, order, best }: Level): string {
  if (order === null) {
    return name;
  }
  const plain = [say('uniform'), say('unigram'), say('bigram')][order] ?? say('%1-gram', order);
  return best ? say('best, %1', plain) : plain;
}

/** Return a share as a percentage that is 0 only where nothing is. */
export function percent(share: number): string {
  const hundredth = 100 * share;
  if (share > 0 && hundredth < 0.1) {
    return '<0.1%';
  }
  return `${hundredth < 10 && share > 0 ? Number(hundredth.toFixed(1)) : Math.round(hundredth)}%`;
}

/** Return a whole number with its thousands set apart. */
export function grouped(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : Math.round(value).toLocaleString('en');
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
