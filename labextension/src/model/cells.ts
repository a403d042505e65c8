/** One step of each cell, written out from its equations as in `rnn_magics/models/cells.py`. */

import type { CellName } from '../contract/model';

/** The tensors that a cell passes from step to step; h, its output, comes first. */
export type State = Float32Array[];

/**
 * Sees a gate or a part of the state as soon as it is computed, and may change it in place; what
 * follows is computed from the change.
 */
export type Touch = (part: string, values: Float32Array) => void;

export interface Cell {
  /** The parts of its state: `h`, and for an LSTM the memory `c`. */
  readonly parts: readonly string[];
  /** Its gates and its candidate, in the order of the rows of its weights. */
  readonly gates: readonly string[];
  /**
   * Take one step.
   *
   * @param x - W_ih x_t + b_ih, (gates * hiddens,)
   * @param p - W_hh h_{t-1} + b_hh, of the same length; empty if the cell has no such weights
   * @param state - the state before, (hiddens,) each
   */
  step(x: Float32Array, p: Float32Array, state: State, touch: Touch): State;
}

const at = (values: Float32Array | undefined, index: number): number => values?.[index] ?? 0;
const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));
const logSigmoid = (value: number): number => Math.min(value, 0) - Math.log1p(Math.exp(-Math.abs(value)));

/** h = tanh(x + p) */
const rnn: Cell = {
  parts: ['h'],
  gates: [],
  step(x, p, _state, touch) {
    const h = x.map((value, unit) => Math.tanh(value + at(p, unit)));
    touch('h', h);
    return [h];
  }
};

/** r, z = sigmoid(x + p); n = tanh(x_n + r * p_n); h = (1 - z) * n + z * h */
const gru: Cell = {
  parts: ['h'],
  gates: ['reset', 'update', 'candidate'],
  step(x, p, [before], touch) {
    const size = x.length / 3;
    const gate = (block: number): Float32Array =>
      new Float32Array(size).map((_, unit) => sigmoid(at(x, block * size + unit) + at(p, block * size + unit)));
    const reset = gate(0);
    touch('reset', reset);
    const update = gate(1);
    touch('update', update);
    const candidate = reset.map((r, unit) => Math.tanh(at(x, 2 * size + unit) + r * at(p, 2 * size + unit)));
    touch('candidate', candidate);
    const h = update.map((z, unit) => (1 - z) * at(candidate, unit) + z * at(before, unit));
    touch('h', h);
    return [h];
  }
};

/** i, f, o = sigmoid(x + p); g = tanh(x_g + p_g); c = f * c + i * g; h = o * tanh(c) */
const lstm: Cell = {
  parts: ['h', 'c'],
  gates: ['input', 'forget', 'candidate', 'output'],
  step(x, p, [, before], touch) {
    const size = x.length / 4;
    const block = (place: number, squash: (value: number) => number): Float32Array =>
      new Float32Array(size).map((_, unit) => squash(at(x, place * size + unit) + at(p, place * size + unit)));
    const input = block(0, sigmoid);
    touch('input', input);
    const forget = block(1, sigmoid);
    touch('forget', forget);
    const candidate = block(2, Math.tanh);
    touch('candidate', candidate);
    const output = block(3, sigmoid);
    touch('output', output);
    const c = forget.map((f, unit) => f * at(before, unit) + at(input, unit) * at(candidate, unit));
    touch('c', c);
    const h = output.map((o, unit) => o * Math.tanh(at(c, unit)));
    touch('h', h);
    return [h, c];
  }
};

/** g(x) = x + 1/2 if x >= 0, else sigmoid(x): what makes a candidate positive */
const positive = (value: number): number => (value >= 0 ? value + 0.5 : sigmoid(value));

/** z = sigmoid(x); n = g(x_n); h = (1 - z) * h + z * n */
const mingru: Cell = {
  parts: ['h'],
  gates: ['update', 'candidate'],
  step(x, _p, [before], touch) {
    const size = x.length / 2;
    const update = x.slice(0, size).map(sigmoid);
    touch('update', update);
    const candidate = x.slice(size).map(positive);
    touch('candidate', candidate);
    const h = update.map((z, unit) => (1 - z) * at(before, unit) + z * at(candidate, unit));
    touch('h', h);
    return [h];
  }
};

/** f, i = sigmoid(x), divided by their sum; n = g(x_n); h = f * h + i * n */
const minlstm: Cell = {
  parts: ['h'],
  gates: ['forget', 'input', 'candidate'],
  step(x, _p, [before], touch) {
    const size = x.length / 3;
    // ln(i / f), which is finite even where both are 0
    const ratio = (unit: number): number => logSigmoid(at(x, size + unit)) - logSigmoid(at(x, unit));
    const forget = new Float32Array(size).map((_, unit) => sigmoid(-ratio(unit)));
    touch('forget', forget);
    const input = new Float32Array(size).map((_, unit) => sigmoid(ratio(unit)));
    touch('input', input);
    const candidate = x.slice(2 * size).map(positive);
    touch('candidate', candidate);
    const h = forget.map((f, unit) => f * at(before, unit) + at(input, unit) * at(candidate, unit));
    touch('h', h);
    return [h];
  }
};

export const CELLS: { readonly [C in CellName]: Cell } = { rnn, gru, lstm, mingru, minlstm };
