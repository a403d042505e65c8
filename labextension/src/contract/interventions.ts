/** What a changed state does, and what two runs make of one text. */

import {
  agreeing,
  Captioned,
  captioned,
  Check,
  Context,
  context,
  count,
  listOf,
  numberOrNull,
  oneOf,
  record,
  requireBelow,
  requireLength,
  requirePlaces,
  requireShape,
  text
} from './check';
import { Matrix, matrix } from './matrix';

/** A text read, and continued, without and with a state that was changed. */
export interface Patch extends Captioned {
  view: 'patch';
  tokens: string[];
  bits: (number | null)[];
  changed_bits: (number | null)[];
  /** In nats, from the place of the change on. */
  felt: (number | null)[];
  written: string[];
  changed_written: string[];
}

/** What units are worth, or groups of them, those that are worth most first. */
export interface Ablate extends Captioned {
  view: 'ablate';
  /** Of a text that was typed; none where the text of a corpus was read. */
  tokens: string[];
  part: 'held-out' | 'training' | 'text';
  kind: 'unit' | 'units' | 'layer';
  nats: number | null;
  num_tokens: number;
  groups: string[];
  /** The groups in all. */
  of: number;
  worth: (number | null)[];
  /** Of each interval. */
  half: (number | null)[];
  /** At each token of a text but the first, (groups, tokens - 1). */
  lost: Matrix;
}

/** What a linear function of the state explains of a target. */
export interface Probe extends Captioned {
  view: 'probe';
  layer: number;
  target: string;
  num_tokens: number;
  r2: number | null;
  control: number | null;
  units: number[];
  single: (number | null)[];
  weights: (number | null)[];
}

/** A stretch of a text on which one run is better. */
export interface Passage extends Context {
  gain: number | null;
  /** For each token, the bits of the first run less those of the second. */
  values: (number | null)[];
}

/** The surprise of two runs, token by token. */
export interface Diff extends Captioned {
  view: 'diff';
  tokens: string[];
  runs: string[];
  bits: (number | null)[];
  other_bits: (number | null)[];
  part: 'held-out' | 'training';
  searched: number;
  /** Those on which the first run is better, and the second. */
  passages: Passage[][];
}

const numbersOrNull = listOf(numberOrNull);

export const patch: Check<Patch> = agreeing(
  record<Patch>({
    view: oneOf('patch'),
    ...captioned,
    tokens: listOf(text),
    bits: numbersOrNull,
    changed_bits: numbersOrNull,
    felt: numbersOrNull,
    written: listOf(text),
    changed_written: listOf(text)
  }),
  ({ tokens, bits, changed_bits, felt }, path) => {
    for (const list of [bits, changed_bits]) {
      requireLength(list, tokens.length, `${path}.tokens`);
    }
    requireBelow(felt.length, tokens.length + 1, `${path}.felt`);
  }
);

export const ablate: Check<Ablate> = agreeing(
  record<Ablate>({
    view: oneOf('ablate'),
    ...captioned,
    tokens: listOf(text),
    part: oneOf('held-out', 'training', 'text'),
    kind: oneOf('unit', 'units', 'layer'),
    nats: numberOrNull,
    num_tokens: count,
    groups: listOf(text),
    of: count,
    worth: numbersOrNull,
    half: numbersOrNull,
    lost: matrix
  }),
  ({ tokens, groups, worth, half, lost, num_tokens }, path) => {
    for (const list of [worth, half]) {
      requireLength(list, groups.length, `${path}.groups`);
    }
    const rows = tokens.length === 0 ? 0 : groups.length;
    requireShape(lost.shape, [rows, num_tokens], `${path}.lost`);
    if (rows > 0) {
      requireLength(tokens, num_tokens + 1, `${path}.tokens`);
    }
  }
);

export const probe: Check<Probe> = agreeing(
  record<Probe>({
    view: oneOf('probe'),
    ...captioned,
    layer: count,
    target: text,
    num_tokens: count,
    r2: numberOrNull,
    control: numberOrNull,
    units: listOf(count),
    single: numbersOrNull,
    weights: numbersOrNull
  }),
  ({ units, single, weights }, path) => {
    for (const list of [single, weights]) {
      requireLength(list, units.length, `${path}.units`);
    }
  }
);

export const diff: Check<Diff> = agreeing(
  record<Diff>({
    view: oneOf('diff'),
    ...captioned,
    tokens: listOf(text),
    runs: listOf(text, 2),
    bits: numbersOrNull,
    other_bits: numbersOrNull,
    part: oneOf('held-out', 'training'),
    searched: count,
    passages: listOf(listOf(record<Passage>({ ...context, gain: numberOrNull, values: numbersOrNull })), 2)
  }),
  ({ tokens, runs, bits, other_bits, passages }, path) => {
    requireLength(runs, 2, `${path}.runs`);
    requireLength(passages, 2, `${path}.passages`);
    for (const list of [bits, other_bits]) {
      requireLength(list, tokens.length, `${path}.tokens`);
    }
    requirePlaces(passages.flat(), `${path}.passages`);
    for (const { tokens, values } of passages.flat()) {
      requireLength(values, tokens.length, `${path}.passages`);
    }
  }
);
