/** What `%inspect_rnn` shows, as JSON; `rnn_magics/inspection/views/payload.py` writes it. */

import {
  Check,
  ContractError,
  listOf,
  number,
  numberOrNull,
  oneOf,
  optional,
  orNull,
  record,
  text
} from './check';

const VERSION = 1;

/** Row-major numbers; a matrix has the shape [rows, columns]. */
export interface Matrix {
  shape: number[];
  values: Float32Array;
}

export interface Alternative {
  token: string;
  p: number | null;
}

export interface Hidden {
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

export interface Gates {
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

export interface Surprise {
  view: 'surprise';
  tokens: string[];
  bits: (number | null)[];
  entropy: (number | null)[];
  alternatives: Alternative[][];
  next: Alternative[];
  perplexity: number | null;
}

export interface Gradient {
  view: 'gradient';
  tokens: string[];
  layer: number;
  step: number;
  target: string;
  log_p: number | null;
  norms: (number | null)[];
  lags: (number | null)[];
}

export interface Context {
  start: number;
  tokens: string[];
  focus: number[];
}

export interface Match {
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

export interface Units {
  view: 'units';
  layer: number;
  unit: number;
  highest: (Context & { values: (number | null)[] })[];
  lowest: (Context & { values: (number | null)[] })[];
  order: number[];
  selectivity: (number | null)[];
  tokens: string[];
  searched: number;
}

export interface Batches {
  view: 'batches';
  batching: string;
  num_tokens: number;
  num_steps: number;
  num_batches: number;
  offset: number;
  left_over: number;
  starts: number[][];
  arrows: number[][];
}

export type Inspection = Hidden | Gates | Surprise | Gradient | Match | Units | Batches;

const flag: Check<boolean> = (value, path) => {
  if (typeof value !== 'boolean') {
    throw new ContractError(path, 'true or false', value);
  }
  return value;
};

const BYTES = { float32: 4, int16: 2, int8: 1 };

/** Return packed numbers, least byte first; integers are multiples of a scale. */
export const matrix: Check<Matrix> = (value, path) => {
  const { shape, dtype, scale, base64 } = packed(value, path);
  const bytes = Uint8Array.from(atob(base64), character => character.charCodeAt(0));
  const count = shape.reduce((product, size) => product * size, 1);
  if (bytes.length !== BYTES[dtype] * count) {
    throw new ContractError(path, `${count} numbers of ${BYTES[dtype]} bytes`, value);
  }
  const view = new DataView(bytes.buffer);
  const at = {
    float32: (i: number) => view.getFloat32(4 * i, true),
    int16: (i: number) => scale * view.getInt16(2 * i, true),
    int8: (i: number) => scale * view.getInt8(i)
  }[dtype];
  return { shape, values: Float32Array.from({ length: count }, (_, i) => at(i)) };
};

const packed = record<{ shape: number[]; dtype: keyof typeof BYTES; scale: number; base64: string }>({
  shape: listOf(number),
  dtype: oneOf('float32', 'int16', 'int8'),
  scale: optional(number, 1),
  base64: text
});

const orders: Check<Map<string, number[]>> = (value, path) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ContractError(path, 'an object', value);
  }
  const given = Object.entries(value);
  return new Map(given.map(([name, units]) => [name, listOf(number)(units, `${path}.${name}`)]));
};

const alternatives = listOf(record<Alternative>({ token: text, p: numberOrNull }));
const context = { start: number, tokens: listOf(text), focus: listOf(number) };
const numbersOrNull = listOf(numberOrNull);
const drives = listOf(record<Units['highest'][number]>({ ...context, values: numbersOrNull }));

const SHAPES: { [V in Inspection['view']]: Check<Extract<Inspection, { view: V }>> } = {
  hidden: record<Hidden>({
    view: oneOf('hidden'),
    tokens: listOf(text),
    parts: listOf(text),
    states: listOf(matrix),
    layer: number,
    orders,
    order: text,
    units: listOf(number)
  }),
  gates: record<Gates>({
    view: oneOf('gates'),
    tokens: listOf(text),
    cell: text,
    layer: number,
    names: listOf(text),
    values: listOf(matrix),
    bounded: listOf(flag),
    low: listOf(orNull(matrix)),
    high: listOf(orNull(matrix))
  }),
  surprise: record<Surprise>({
    view: oneOf('surprise'),
    tokens: listOf(text),
    bits: numbersOrNull,
    entropy: numbersOrNull,
    alternatives: listOf(alternatives),
    next: alternatives,
    perplexity: numberOrNull
  }),
  gradient: record<Gradient>({
    view: oneOf('gradient'),
    tokens: listOf(text),
    layer: number,
    step: number,
    target: text,
    log_p: numberOrNull,
    norms: numbersOrNull,
    lags: numbersOrNull
  }),
  match: record<Match>({
    view: oneOf('match'),
    tokens: listOf(text),
    layer: number,
    span: listOf(number),
    units: listOf(number),
    values: matrix,
    matches: listOf(record<Match['matches'][number]>({ ...context, similarity: numberOrNull })),
    searched: number
  }),
  units: record<Units>({
    view: oneOf('units'),
    layer: number,
    unit: number,
    highest: drives,
    lowest: drives,
    order: listOf(number),
    selectivity: numbersOrNull,
    tokens: listOf(text),
    searched: number
  }),
  batches: record<Batches>({
    view: oneOf('batches'),
    batching: text,
    num_tokens: number,
    num_steps: number,
    num_batches: number,
    offset: number,
    left_over: number,
    starts: listOf(listOf(number)),
    arrows: listOf(listOf(number))
  })
};

const head = record<{ view: Inspection['view']; version: number }>({
  view: oneOf('hidden', 'gates', 'surprise', 'gradient', 'match', 'units', 'batches'),
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
