/** A model that runs in the page; `rnn_magics/inspection/play/packed_model.py` packs it. */

import { Check, ContractError, count, listOf, oneOf, orNull, record, text } from './check';
import { Matrix, matrix } from './matrix';

export type CellName = 'rnn' | 'gru' | 'lstm' | 'mingru' | 'minlstm';

/** A model as it stands in a file of weights: its sizes, and its parameters by their names. */
export interface PackedModel {
  cell: CellName;
  num_hiddens: number;
  num_layers: number;
  embedding_size: number | null;
  tie: boolean;
  /** What each index means; the first is `<unk>`. */
  vocab: string[];
  /** Whether a space stands between two tokens: they are words. */
  spaced: boolean;
  weights: Map<string, Matrix>;
}

/** The most tokens of a vocabulary. */
const MOST_TOKENS = 200_000;
/** The rows of a cell's weights, in units of its state. */
export const NUM_GATES: { readonly [C in CellName]: number } = { rnn: 1, gru: 3, lstm: 4, mingru: 2, minlstm: 3 };
/** Cells whose gates depend on the input alone: they have no recurrent weights. */
export const INPUT_GATED: ReadonlySet<CellName> = new Set<CellName>(['mingru', 'minlstm']);

/** The name of a part of the learnt state before the first token; a model may have none. */
export const initial = (part: number): string => `rnn.initial.${part}`;
const INITIAL = initial(0);

const named: Check<Map<string, Matrix>> = (value, path) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ContractError(path, 'an object', value);
  }
  return new Map(
    Object.entries(value).map(([name, packed]) => [name, matrix(packed, `${path}.${name}`)])
  );
};

const flag: Check<boolean> = (value, path) => {
  if (typeof value !== 'boolean') {
    throw new ContractError(path, 'true or false', value);
  }
  return value;
};

const fields = record<PackedModel>({
  cell: oneOf('rnn', 'gru', 'lstm', 'mingru', 'minlstm'),
  num_hiddens: count,
  num_layers: count,
  embedding_size: orNull(count),
  tie: flag,
  vocab: listOf(text, MOST_TOKENS),
  spaced: flag,
  weights: named
});

/** Check a model: every parameter is there, and has the shape that the sizes ask for. */
export const packedModel: Check<PackedModel> = (value, path) => {
  const model = fields(value, path);
  for (const [name, shape] of shapes(model)) {
    const found = model.weights.get(name);
    if (found?.shape.join() !== shape.join()) {
      throw new ContractError(`${path}.weights.${name}`, `the shape ${shape.join(' x ')}`, found?.shape);
    }
  }
  return model;
};

/** Return the parameters that a model has, with their shapes, by the names of PyTorch. */
function shapes(model: PackedModel): Map<string, number[]> {
  const { num_hiddens: hiddens, embedding_size: embedded, vocab } = model;
  const rows = NUM_GATES[model.cell] * hiddens;
  const found = new Map<string, number[]>();
  if (embedded !== null) {
    found.set('embedding.weight', [vocab.length, embedded]);
  }
  for (let layer = 0; layer < model.num_layers; layer++) {
    const inputs = layer > 0 ? hiddens : (embedded ?? vocab.length);
    found.set(`rnn.cells.${layer}.weight_ih`, [rows, inputs]);
    found.set(`rnn.cells.${layer}.bias_ih`, [rows]);
    if (!INPUT_GATED.has(model.cell)) {
      found.set(`rnn.cells.${layer}.weight_hh`, [rows, hiddens]);
      found.set(`rnn.cells.${layer}.bias_hh`, [rows]);
    }
  }
  if (model.weights.has(INITIAL)) {
    found.set(INITIAL, [model.num_layers, hiddens]);
    if (model.cell === 'lstm') {
      found.set(initial(1), [model.num_layers, hiddens]);
    }
  }
  if (!model.tie) {
    found.set('output.weight', [vocab.length, hiddens]);
  }
  return found.set('output.bias', [vocab.length]);
}
