/** A run as JSON; `rnn_magics/reports/run_payload.py` and `notebook/page/telemetry.py` write it. */

import {
  Check,
  ContractError,
  count,
  listOf,
  number,
  numberOrNull,
  oneOf,
  optional,
  orNull,
  record,
  requireLength,
  text
} from './check';
import { Ending, ending } from './endings';

const VERSION = 1;

export interface Epoch {
  /** Counted from 1; null in notebooks of before. */
  epoch: number | null;
  /** Steps and training seconds since the beginning of the run. */
  step: number;
  seconds: number;
  train_nats: number | null;
  valid_nats: number | null;
  grad_norm: number | null;
  grad_norm_max: number | null;
  /** The share of steps whose gradient was clipped. */
  clipped: number;
}

/** The present epoch of a run that trains. */
export interface Now {
  epoch: number;
  step: number;
  num_steps: number;
  total_steps: number;
  train_nats: number | null;
  grad_norm: number | null;
  lr: number;
  seconds: number;
  tokens: number;
  tokens_per_second: number | null;
  /** The share of the training that is over, from 0 to 1. */
  done: number;
  /** About how many seconds are left. */
  eta: number;
}

export interface Steering {
  step: number;
  lr: number;
  clip: number | null;
}

/** A baseline: what counting n-grams reaches on the same held-out text. */
export interface Level {
  name: string;
  nats: number;
  /** The length of its n-grams, 0 for uniform guessing; null in notebooks of before. */
  order: number | null;
  /** Whether none of the others is better. */
  best: boolean;
}

/** What the model wrote after an epoch. */
export interface Sample {
  epoch: number;
  text: string;
}

/** How many of the steps so far were clipped. */
export interface Clipping {
  clipped: number;
  steps: number;
}

/** How long the predicted held-out text is, and how many bits spell what tokens leave out of it. */
export interface Size {
  tokens: number;
  bytes: number;
  lost_bits: number;
}

/** A held-out score between two epoch ends. */
export interface Score {
  step: number;
  epoch: number;
  nats: number | null;
}

/** The weights that a run has, where these are its best and not those of the last step. */
export interface Weights extends Score {
  words: string;
}

/** The part of the text by which nothing was chosen; null nats until it is scored. */
export interface Test {
  nats: number | null;
}

/** Rows (end, mean, lowest, highest): what the steps up to `end` had. */
export type Rows = number[][];

export interface Series {
  loss: Rows;
  grad_norm: Rows;
}

export type Phase = (typeof PHASES)[number];

export interface RunData {
  view: 'run';
  version: number;
  name: string;
  architecture: string;
  place: string;
  engine: string;
  vocab_size: number;
  /** Why it ended; null while it trains. */
  reason: Ending | null;
  message: string;
  notes: string[];
  num_epochs: number;
  lr: number;
  clip: number | null;
  epochs: Epoch[];
  steered: Steering[];
  ladder: Level[];
  /** Whether the levels of the ladder are of the same tokens, read the same way. */
  comparable: boolean;
  /** null for a run without a clip, and in a notebook of before. */
  clipping: Clipping | null;
  /** Over all epochs; null before the first. */
  tokens_per_second: number | null;
  /** How many tokens a step is trained on; null in a notebook of before. */
  tokens_per_step: number | null;
  /** The predicted held-out text; null where its tokens are characters, or it is not known. */
  size: Size | null;
  /** The logarithm of the perplexity that somebody predicted; null if nobody did. */
  predicted_nats: number | null;
  /** Whether a prediction still comes before the first score. */
  may_predict: boolean;
  /** Empty in a notebook of before. */
  between: Score[];
  weights: Weights | null;
  test: Test | null;
  /** The share of the training that was over when it ended; null where that is not known. */
  done: number | null;
  phase: Phase;
  now: Now | null;
  /** What the model wrote last. */
  sample: string;
  /** What it wrote after its epochs, the last at the end. */
  samples: Sample[];
  series: Series;
}

export const PHASES = ['starting', 'measuring', 'compiling', 'training', 'scoring', 'paused', 'ended'] as const;

/** More than ten times what a run keeps; times are looked up among the epochs, row by row. */
const MOST_ROWS = 10_000;
const MOST_EPOCHS = 2_560;
const MOST_SAMPLES = 1_000;

const row: Check<number[]> = (value, path) => {
  const numbers = listOf(number, 4)(value, path);
  requireLength(numbers, 4, path);
  return numbers;
};

const shape = record<RunData>({
  view: oneOf('run'),
  version: number,
  name: text,
  architecture: text,
  place: text,
  engine: text,
  vocab_size: number,
  reason: orNull(ending),
  message: text,
  notes: listOf(text),
  num_epochs: number,
  lr: number,
  clip: numberOrNull,
  epochs: listOf(
    record<Epoch>({
      epoch: optional(numberOrNull, null),
      step: number,
      seconds: number,
      train_nats: numberOrNull,
      valid_nats: numberOrNull,
      grad_norm: numberOrNull,
      grad_norm_max: numberOrNull,
      clipped: number
    }),
    MOST_EPOCHS
  ),
  steered: listOf(record<Steering>({ step: number, lr: number, clip: numberOrNull })),
  ladder: listOf(
    record<Level>({
      name: text,
      nats: number,
      order: optional(orNull(count), null),
      best: optional((value: unknown) => value === true, false)
    })
  ),
  comparable: optional((value: unknown) => value === true, true),
  clipping: optional(orNull(record<Clipping>({ clipped: count, steps: count })), null),
  tokens_per_second: optional(numberOrNull, null),
  tokens_per_step: optional(numberOrNull, null),
  size: optional(orNull(record<Size>({ tokens: count, bytes: count, lost_bits: number })), null),
  predicted_nats: optional(numberOrNull, null),
  may_predict: optional((value: unknown) => value === true, false),
  between: optional(listOf(record<Score>({ step: number, epoch: count, nats: numberOrNull }), MOST_EPOCHS), []),
  weights: optional(
    orNull(record<Weights>({ step: number, epoch: count, nats: numberOrNull, words: text })),
    null
  ),
  test: optional(orNull(record<Test>({ nats: numberOrNull })), null),
  done: optional(numberOrNull, null),
  phase: optional(oneOf(...PHASES), 'ended'),
  now: optional(
    orNull(
      record<Now>({
        epoch: number,
        step: number,
        num_steps: number,
        total_steps: number,
        train_nats: numberOrNull,
        grad_norm: numberOrNull,
        lr: number,
        seconds: number,
        tokens: number,
        tokens_per_second: numberOrNull,
        done: number,
        eta: number
      })
    ),
    null
  ),
  sample: optional(text, ''),
  samples: optional(listOf(record<Sample>({ epoch: count, text }), MOST_SAMPLES), []),
  series: optional(record<Series>({ loss: listOf(row, MOST_ROWS), grad_norm: listOf(row, MOST_ROWS) }), {
    loss: [],
    grad_norm: []
  })
});

/** Check a run; one of a later version is refused, since its fields may mean something else. */
export const runData: Check<RunData> = (value, path) => {
  const data = shape(value, path);
  if (data.version !== VERSION) {
    throw new ContractError(`${path}.version`, `version ${VERSION}`, value);
  }
  return data;
};

/** Return rows that came as float32 bytes, four numbers each. */
export function rowsOf(bytes: DataView): Rows {
  const rows: Rows = [];
  for (let at = 0; at + 16 <= bytes.byteLength; at += 16) {
    rows.push([0, 4, 8, 12].map(offset => bytes.getFloat32(at + offset, true)));
  }
  return rows;
}
