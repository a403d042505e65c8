/** What `%inspect_rnn` shows, as JSON; `rnn_magics/inspection/views/payload.py` writes it. */

import {
  agreeing,
  Captioned,
  captioned,
  Check,
  Context,
  context,
  ContractError,
  count,
  listOf,
  number,
  numberOrNull,
  oneOf,
  optional,
  orNull,
  record,
  requireAllBelow,
  requireBelow,
  requireFew,
  requireLength,
  requirePlaces,
  requireShape,
  requireSpan,
  text
} from './check';
import { Ablate, ablate, Diff, diff, Patch, patch, Probe, probe } from './interventions';
import { Matrix, matrix } from './matrix';
import { PackedModel, packedModel } from './model';

const VERSION = 1;

export type { Captioned, Context } from './check';
export type { Ablate, Diff, Patch, Probe } from './interventions';

export interface Alternative {
  token: string;
  p: number | null;
}

export interface Hidden extends Captioned {
  view: 'hidden';
  tokens: string[];
  parts: string[];
  /** Of each part, (layers, tokens, units). */
  states: Matrix[];
  layer: number;
  orders: Map<string, number[]>;
  order: string;
  units: number[];
}

export interface Gates extends Captioned {
  view: 'gates';
  tokens: string[];
  cell: string;
  layer: number;
  names: string[];
  values: Matrix[];
  bounded: boolean[];
  low: (Matrix | null)[];
  high: (Matrix | null)[];
}

export interface Surprise extends Captioned {
  view: 'surprise';
  tokens: string[];
  bits: (number | null)[];
  entropy: (number | null)[];
  alternatives: Alternative[][];
  next: Alternative[];
  perplexity: number | null;
}

export interface Gradient extends Captioned {
  view: 'gradient';
  tokens: string[];
  layer: number;
  step: number;
  target: string;
  log_p: number | null;
  norms: (number | null)[];
  lags: (number | null)[];
}

export interface Match extends Captioned {
  view: 'match';
  tokens: string[];
  layer: number;
  span: number[];
  units: number[];
  /** The states of the text, (tokens, units of the layer). */
  values: Matrix;
  matches: (Context & { similarity: number | null })[];
  searched: number;
}

export interface Units extends Captioned {
  view: 'units';
  layer: number;
  unit: number;
  highest: (Context & { values: (number | null)[] })[];
  lowest: (Context & { values: (number | null)[] })[];
  order: number[];
  selectivity: (number | null)[];
  tokens: string[];
  /** Whether its token moves a unit up; empty in a notebook of an earlier version. */
  above: boolean[];
  searched: number;
}

export interface Batches extends Captioned {
  view: 'batches';
  batching: string;
  num_tokens: number;
  num_steps: number;
  num_batches: number;
  offset: number;
  left_over: number;
  starts: number[][];
  /** The beginnings of the first windows, by minibatch and row: X, and one token more. */
  windows: string[][][];
  arrows: number[][];
}

/** A model that runs in the page, and the text that it reads first. */
export interface Play extends Captioned {
  view: 'play';
  text: string;
  model: PackedModel;
  /** Tokens to write after the text. */
  length: number;
  temperature: number;
  seed: number;
}

export type Inspection =
  | Hidden
  | Gates
  | Surprise
  | Gradient
  | Match
  | Units
  | Batches
  | Play
  | Patch
  | Ablate
  | Probe
  | Diff;

/** The most minibatches side by side. */
const MOST_WINDOWS = 8;

const flag: Check<boolean> = (value, path) => {
  if (typeof value !== 'boolean') {
    throw new ContractError(path, 'true or false', value);
  }
  return value;
};

const orders: Check<Map<string, number[]>> = (value, path) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ContractError(path, 'an object', value);
  }
  const given = Object.entries(value);
  return new Map(given.map(([name, units]) => [name, listOf(count)(units, `${path}.${name}`)]));
};

const alternatives = listOf(record<Alternative>({ token: text, p: numberOrNull }));
const numbersOrNull = listOf(numberOrNull);
const drives = listOf(record<Units['highest'][number]>({ ...context, values: numbersOrNull }));

const SHAPES: { [V in Inspection['view']]: Check<Extract<Inspection, { view: V }>> } = {
  hidden: agreeing(
    record<Hidden>({
      view: oneOf('hidden'),
      ...captioned,
      tokens: listOf(text),
      parts: listOf(text),
      states: listOf(matrix),
      layer: count,
      orders,
      order: text,
      units: listOf(count)
    }),
    ({ tokens, parts, states, layer, orders, units }, path) => {
      requireLength(states, parts.length, `${path}.states`);
      const [layers = 0, , width = 0] = states[0]?.shape ?? [];
      for (const { shape } of states) {
        requireShape(shape, [layers, tokens.length, width], `${path}.states`);
      }
      requireBelow(layer, layers, `${path}.layer`);
      for (const listed of [units, ...orders.values()]) {
        requireAllBelow(listed, width, `${path}.units`);
      }
    }
  ),
  gates: agreeing(
    record<Gates>({
      view: oneOf('gates'),
      ...captioned,
      tokens: listOf(text),
      cell: text,
      layer: count,
      names: listOf(text),
      values: listOf(matrix),
      bounded: listOf(flag),
      low: listOf(orNull(matrix)),
      high: listOf(orNull(matrix))
    }),
    ({ tokens, names, values, bounded, low, high }, path) => {
      for (const list of [values, bounded, low, high]) {
        requireLength(list, names.length, `${path}.names`);
      }
      values.forEach(({ shape }, gate) => {
        const width = shape[1] ?? 0;
        requireShape(shape, [tokens.length, width], `${path}.values[${gate}]`);
        for (const share of [low[gate], high[gate]]) {
          requireShape(share?.shape ?? [width], [width], `${path}.low[${gate}]`);
        }
      });
    }
  ),
  surprise: agreeing(
    record<Surprise>({
      view: oneOf('surprise'),
      ...captioned,
      tokens: listOf(text),
      bits: numbersOrNull,
      entropy: numbersOrNull,
      alternatives: listOf(alternatives),
      next: alternatives,
      perplexity: numberOrNull
    }),
    ({ tokens, bits, entropy, alternatives }, path) => {
      for (const list of [bits, entropy, alternatives]) {
        requireLength(list, tokens.length, `${path}.tokens`);
      }
    }
  ),
  gradient: agreeing(
    record<Gradient>({
      view: oneOf('gradient'),
      ...captioned,
      tokens: listOf(text),
      layer: count,
      step: count,
      target: text,
      log_p: numberOrNull,
      norms: numbersOrNull,
      lags: numbersOrNull
    }),
    ({ tokens, step, norms }, path) => {
      requireBelow(step, tokens.length, `${path}.step`);
      requireLength(norms, step + 1, `${path}.norms`);
    }
  ),
  match: agreeing(
    record<Match>({
      view: oneOf('match'),
      ...captioned,
      tokens: listOf(text),
      layer: count,
      span: listOf(count, 2),
      units: listOf(count),
      values: matrix,
      matches: listOf(record<Match['matches'][number]>({ ...context, similarity: numberOrNull })),
      searched: count
    }),
    ({ tokens, span, units, values, matches }, path) => {
      requireSpan(span, tokens, `${path}.span`);
      const width = values.shape[1] ?? 0;
      requireShape(values.shape, [tokens.length, width], `${path}.values`);
      requireAllBelow(units, width, `${path}.units`);
      requirePlaces(matches, `${path}.matches`);
    }
  ),
  units: agreeing(
    record<Units>({
      view: oneOf('units'),
      ...captioned,
      layer: count,
      unit: count,
      highest: drives,
      lowest: drives,
      order: listOf(count),
      selectivity: numbersOrNull,
      tokens: listOf(text),
      above: optional(listOf(flag), []),
      searched: count
    }),
    ({ highest, lowest, order, selectivity, tokens }, path) => {
      requireLength(selectivity, tokens.length, `${path}.selectivity`);
      requireAllBelow(order, tokens.length, `${path}.order`);
      requirePlaces([...highest, ...lowest], `${path}.highest`);
      for (const drive of [...highest, ...lowest]) {
        requireLength(drive.values, drive.tokens.length, `${path}.highest`);
      }
    }
  ),
  batches: agreeing(
    record<Batches>({
      view: oneOf('batches'),
      ...captioned,
      batching: text,
      num_tokens: count,
      num_steps: count,
      num_batches: count,
      offset: count,
      left_over: count,
      starts: listOf(listOf(count)),
      windows: optional(listOf(listOf(listOf(text)), MOST_WINDOWS), []),
      arrows: listOf(listOf(count, 4))
    }),
    ({ starts, windows, arrows }, path) => {
      requireFew(starts, `${path}.starts`);
      requireFew(windows.flat(), `${path}.windows`);
      for (const [from = 0, row = 0, to = 0, next = 0] of arrows) {
        requireBelow(row, starts[from]?.length ?? 0, `${path}.arrows`);
        requireBelow(next, starts[to]?.length ?? 0, `${path}.arrows`);
      }
    }
  ),
  play: record<Play>({
    view: oneOf('play'),
    ...captioned,
    text,
    model: packedModel,
    length: count,
    temperature: number,
    seed: count
  }),
  patch: patch,
  ablate: ablate,
  probe: probe,
  diff: diff
};

/** Every view that is drawn. */
export const VIEWS = Object.keys(SHAPES) as Inspection['view'][];

const head = record<{ view: Inspection['view']; version: number }>({
  view: oneOf(...VIEWS),
  version: number
});

/** Check what a view is to draw; that of a later version is refused. */
export const inspection: Check<Inspection> = (value, path) => {
  const { view, version } = head(value, path);
  if (version !== VERSION) {
    throw new ContractError(`${path}.version`, `version ${VERSION}`, value);
  }
  return SHAPES[view](value, path);
};
