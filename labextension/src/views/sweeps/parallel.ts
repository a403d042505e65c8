/** Parallel coordinates: each trial a line over its options and its score, the best on top. */

import type { Option, SweepData, Tick, Trial } from '../../contract/sweep';
import { shown } from '../page/dom';
import { percent } from '../runs/words';
import { say } from '../text/say';
import { shape, text } from './curve';

const HEIGHT = 232;
const TOP = 44;
const BOTTOM = 14;
/** What a name or a value may take, in pixels of a letter. */
const LETTER = 6.6;
/** Beside the first axis, and beside the last, whose values stand there. */
const LEFT = 34;
const RIGHT = 46;
const LEAST_WIDTH = 240;

export interface Parallel {
  node: HTMLElement;
  update(data: SweepData): void;
  /** Let the line of a trial stand out. */
  light(number: number | null): void;
  dispose(): void;
}

/** Return the picture; `pointed` takes the number of the trial under the pointer. */
export function parallel(first: SweepData, pointed: (number: number | null) => void): Parallel {
  let data = first;
  let lit: number | null = null;
  let drawn = -1;
  const node = document.createElement('div');
  node.className = 'rnn-parallel';
  const svg = shape('svg', '', { role: 'img', height: String(HEIGHT) });
  node.append(svg);
  const light = (): void => {
    for (const line of svg.querySelectorAll<SVGElement>('[data-trial]')) {
      line.toggleAttribute('data-lit', line.dataset['trial'] === String(lit));
    }
  };
  const draw = (): void => {
    drawn = Math.max(node.clientWidth, LEAST_WIDTH);
    svg.setAttribute('viewBox', `0 0 ${drawn} ${HEIGHT}`);
    svg.setAttribute('width', String(drawn));
    svg.setAttribute('aria-label', summary(data));
    svg.replaceChildren(...picture(data, drawn));
    light();
  };
  svg.addEventListener('pointerover', event => {
    const number = event.target instanceof SVGElement ? event.target.dataset['trial'] : undefined;
    pointed(number === undefined ? null : Number(number));
  });
  svg.addEventListener('pointerleave', () => {
    pointed(null);
  });
  const resized = new ResizeObserver(() => {
    if (Math.max(node.clientWidth, LEAST_WIDTH) !== drawn) {
      draw();
    }
  });
  resized.observe(node);
  draw();
  return {
    node,
    update: next => {
      data = next;
      draw();
    },
    light: number => {
      lit = number;
      light();
    },
    dispose: () => {
      resized.disconnect();
    }
  };
}

/** Return the score axis: its ends, and where a score stands from 0 to 1. */
export function scoreAxis({ trials, ladder, in_bytes }: SweepData): {
  ticks: Tick[];
  place: (nats: number) => number;
} {
  const scores = trials.flatMap(({ nats }) => (nats === null ? [] : [nats]));
  const all = ladder === null || scores.length === 0 ? scores : [...scores, ladder.nats];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const place = (nats: number): number => (high > low ? (nats - low) / (high - low) : 0.5);
  const written = (nats: number): string => shown(in_bytes ? nats : Math.exp(nats));
  const ends = high > low ? [low, high] : [low];
  return { ticks: scores.length === 0 ? [] : ends.map(nats => [place(nats), written(nats)]), place };
}

function picture(data: SweepData, width: number): SVGElement[] {
  const { options, ladder } = data;
  const score = scoreAxis(data);
  const room = (width - LEFT - RIGHT) / Math.max(options.length, 1);
  const x = (at: number): number => LEFT + at * room;
  const y = (place: number): number => TOP + (1 - place) * (HEIGHT - TOP - BOTTOM);
  const parts = order(data).map(trial => line(trial, data, score.place, x, y));
  options.forEach((option, at) => {
    parts.push(...axis(x(at), room, option.name, option.ticks, y, shareOf(option)));
  });
  const last = x(options.length);
  parts.push(...axis(last, room, data.score, score.ticks, y, '', true));
  if (ladder !== null && score.ticks.length > 0) {
    const level = text(y(score.place(ladder.nats)));
    parts.push(
      shape('line', 'rnn-level', { x1: text(last - RIGHT), x2: text(last), y1: level, y2: level })
    );
  }
  return parts;
}

/** Return the trials in the order in which they are drawn: the better one over the others. */
function order({ trials, best }: SweepData): Trial[] {
  const rank = (trial: Trial): number =>
    trial.number === best ? -Infinity : (trial.nats ?? Infinity) + (trial.kind === 'behind' ? 1e6 : 0);
  return [...trials].sort((a, b) => rank(b) - rank(a));
}

function line(
  trial: Trial,
  { best }: SweepData,
  place: (nats: number) => number,
  x: (at: number) => number,
  y: (place: number) => number
): SVGElement {
  const heights = trial.nats === null ? trial.places : [...trial.places, place(trial.nats)];
  const points = heights.map((height, at) => `${text(x(at))},${text(y(height))}`).join(' ');
  const look = trial.number === best ? 'best' : trial.kind;
  const group = shape('g', 'rnn-trial-line', { 'data-look': look });
  const name = shape('title', '', {});
  name.textContent = say('trial %1: %2', trial.number, trial.told === '' ? trial.state : trial.told);
  // A wider line that is not seen takes the pointer.
  for (const part of ['rnn-line', 'rnn-near']) {
    const drawn = shape('polyline', part, { points });
    drawn.dataset['trial'] = String(trial.number);
    group.append(drawn);
  }
  group.append(name);
  return group;
}

function axis(
  x: number,
  room: number,
  name: string,
  ticks: Tick[],
  y: (place: number) => number,
  under: string,
  isLast = false
): SVGElement[] {
  // Names stand in two heights' room, cut where the next axis begins.
  const anchor = isLast ? 'end' : x <= LEFT ? 'start' : 'middle';
  const at = isLast ? x + RIGHT : x <= LEFT ? 0 : x;
  const letters = Math.max(3, Math.floor((room * (anchor === 'middle' ? 0.95 : 0.7)) / LETTER));
  const title = words('rnn-axis-name', cut(name, letters), at, TOP - 26, anchor);
  const told = words('rnn-axis-share', under, at, TOP - 11, anchor);
  const full = shape('title', '', {});
  full.textContent = name;
  title.append(full);
  const rule = shape('line', 'rnn-axis', { x1: text(x), x2: text(x), y1: text(y(1)), y2: text(y(0)) });
  const wide = Math.max(3, Math.floor((room - 12) / LETTER));
  const marks = ticks.map(([place, value]) =>
    isLast
      ? words('rnn-axis-tick', cut(value, 6), x + 5, y(place) + 4, 'start')
      : words('rnn-axis-tick', cut(value, wide), x + 5, y(place) + 4, 'start')
  );
  return [rule, title, told, ...marks];
}

function words(className: string, content: string, x: number, y: number, anchor: string): SVGTextElement {
  const made = shape('text', className, { x: text(x), y: text(y), 'text-anchor': anchor });
  made.textContent = content;
  return made;
}

function cut(value: string, letters: number): string {
  return value.length > letters ? `${value.slice(0, Math.max(1, letters - 1))}…` : value;
}

function shareOf({ share }: Option): string {
  return share === null ? '' : say('decides %1', percent(share));
}

/** Return in words what the picture shows. */
function summary({ trials, options, verdict }: SweepData): string {
  const names = options.map(({ name }) => name).join(', ');
  return say('%1 trials as lines over %2; %3', trials.length, names, verdict);
}
