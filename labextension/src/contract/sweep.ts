/** A sweep as JSON; `rnn_magics/notebook/live/sweeps/payload.py` writes it. */

import {
  Check,
  ContractError,
  count,
  listOf,
  number,
  numberOrNull,
  oneOf,
  orNull,
  record,
  requireLength,
  text
} from './check';

const VERSION = 1;
/** More rows and columns than these are not drawn; Python writes fewer. */
const MOST_TRIALS = 400;
const MOST_OPTIONS = 40;
const MOST_SCORES = 100;
const MOST_TICKS = 10;

/** A height on an axis from 0 to 1, and the value there. */
export type Tick = [place: number, value: string];

export interface Option {
  name: string;
  /** All its values, as they were typed. */
  values: string;
  /** How much it decides, from 0 to 1; null before the end, or where nobody knows. */
  share: number | null;
  ticks: Tick[];
}

export type Kind = 'running' | 'waiting' | 'done' | 'behind';

export interface Trial {
  number: number;
  kind: Kind;
  /** What became of it, in words. */
  state: string;
  /** The share of its training that is done; null unless it is trained. */
  done: number | null;
  /** For each option its value, and the height of that on its axis. */
  values: string[];
  places: number[];
  /** Held-out scores: after how many tokens, and in nats; null where that is not finite. */
  scores: [tokens: number, nats: number | null][];
  /** What it is judged by, in nats; and as the table has it. */
  nats: number | null;
  told: string;
  tokens: number;
}

/** The best n-gram. */
export interface Rung {
  order: number;
  nats: number;
}

export interface SweepData {
  view: 'sweep';
  version: number;
  name: string;
  phase: 'running' | 'paused' | 'open' | 'ended';
  verdict: string;
  /** What trials are judged by, in words. */
  score: string;
  /** Whether that is nats per byte; else it is a perplexity. */
  in_bytes: boolean;
  options: Option[];
  trials: Trial[];
  /** How many there are, of which `trials` has the last ones and the best. */
  number: number;
  best: number | null;
  planned: number | null;
  ladder: Rung | null;
  share: number;
  seconds: number;
  seconds_left: number | null;
  notes: string[];
  lines: string[];
}

const yes = (value: unknown): boolean => value === true;

/** A pair of something checked, and something else checked. */
function pair<A, B>(first: Check<A>, second: Check<B>): Check<[A, B]> {
  return (value, path) => {
    const [one, other] = listOf((entry: unknown) => entry, 2)(value, path);
    return [first(one, `${path}[0]`), second(other, `${path}[1]`)];
  };
}

const shape = record<SweepData>({
  view: oneOf('sweep'),
  version: number,
  name: text,
  phase: oneOf('running', 'paused', 'open', 'ended'),
  verdict: text,
  score: text,
  in_bytes: yes,
  options: listOf(
    record<Option>({
      name: text,
      values: text,
      share: numberOrNull,
      ticks: listOf(pair(number, text), MOST_TICKS)
    }),
    MOST_OPTIONS
  ),
  trials: listOf(
    record<Trial>({
      number: count,
      kind: oneOf('running', 'waiting', 'done', 'behind'),
      state: text,
      done: numberOrNull,
      values: listOf(text, MOST_OPTIONS),
      places: listOf(number, MOST_OPTIONS),
      scores: listOf(pair(number, numberOrNull), MOST_SCORES),
      nats: numberOrNull,
      told: text,
      tokens: count
    }),
    MOST_TRIALS
  ),
  number: count,
  best: orNull(count),
  planned: orNull(count),
  ladder: orNull(record<Rung>({ order: count, nats: number })),
  share: number,
  seconds: number,
  seconds_left: numberOrNull,
  notes: listOf(text),
  lines: listOf(text)
});

export const sweepData: Check<SweepData> = (value, path) => {
  const data = shape(value, path);
  if (data.version !== VERSION) {
    throw new ContractError(`${path}.version`, `version ${VERSION}`, value);
  }
  data.trials.forEach(({ values, places }, at) => {
    requireLength(values, data.options.length, `${path}.trials[${at}].values`);
    requireLength(places, data.options.length, `${path}.trials[${at}].places`);
  });
  return data;
};
