/** A recurrent language model: token indices in, logits and states out, one token at a time. */

import { initial, INPUT_GATED, PackedModel } from '../contract/model';
import { Cell, CELLS, State, Touch } from './cells';
import { columnOf, product } from './products';

/** The states of all layers, the lowest first. */
export type States = readonly State[];

/** Like `Touch`, of a layer. */
export type TouchLayer = (layer: number, part: string, values: Float32Array) => void;

interface Layer {
  weight_ih: Float32Array;
  bias_ih: Float32Array;
  /** What multiplies the state; null if nothing does. */
  recurrent: { weight_hh: Float32Array; bias_hh: Float32Array } | null;
}

const NO_PRODUCT = new Float32Array(0);

export class Network {
  readonly cell: Cell;
  readonly numHiddens: number;
  private readonly layers: Layer[];
  private readonly embedding: Float32Array | null;
  private readonly embeddingSize: number;
  private readonly outputWeight: Float32Array;
  private readonly outputBias: Float32Array;
  /** The parts of the learnt states before the first token, (layers, hiddens) each; empty if they are zeros. */
  private readonly initial: Float32Array[];
  /** The input product of the lowest layer, for each token that was read. */
  private readonly inputs = new Map<number, Float32Array>();

  constructor(model: PackedModel) {
    const weight = (name: string): Float32Array => {
      const found = model.weights.get(name);
      if (found === undefined) {
        throw new Error(`no weight ${name}`); // which the check of the contract rules out
      }
      return found.values;
    };
    this.cell = CELLS[model.cell];
    this.numHiddens = model.num_hiddens;
    this.embeddingSize = model.embedding_size ?? 0;
    this.embedding = model.embedding_size === null ? null : weight('embedding.weight');
    this.layers = Array.from({ length: model.num_layers }, (_, layer) => ({
      weight_ih: weight(`rnn.cells.${layer}.weight_ih`),
      bias_ih: weight(`rnn.cells.${layer}.bias_ih`),
      recurrent: INPUT_GATED.has(model.cell)
        ? null
        : { weight_hh: weight(`rnn.cells.${layer}.weight_hh`), bias_hh: weight(`rnn.cells.${layer}.bias_hh`) }
    }));
    this.outputWeight = model.tie ? weight('embedding.weight') : weight('output.weight');
    this.outputBias = weight('output.bias');
    this.initial = this.cell.parts.flatMap((_, part) => model.weights.get(initial(part))?.values ?? []);
  }

  get numLayers(): number {
    return this.layers.length;
  }

  /** Return the states before the first token: zeros, or what was learnt. */
  beginState(): States {
    const size = this.numHiddens;
    return this.layers.map((_, layer) =>
      this.cell.parts.map(
        (_, part) => this.initial[part]?.slice(layer * size, (layer + 1) * size) ?? new Float32Array(size)
      )
    );
  }

  /** Read a token; return the states after it. What `touch` changes counts from there on. */
  step(token: number, states: States, touch: TouchLayer = () => undefined): States {
    let below: Float32Array | null = null; // the output of the layer below, (hiddens,)
    return this.layers.map((layer, place) => {
      const before = states[place] ?? [];
      const x = below === null ? this.input(token) : product(layer.weight_ih, below, layer.bias_ih);
      const { recurrent } = layer;
      const p =
        recurrent === null
          ? NO_PRODUCT
          : product(recurrent.weight_hh, before[0] ?? new Float32Array(this.numHiddens), recurrent.bias_hh);
      const touchOne: Touch = (part, values) => {
        touch(place, part, values);
      };
      const after = this.cell.step(x, p, before, touchOne);
      below = after[0] ?? null;
      return after;
    });
  }

  /** Return the logits of the token after these states, (tokens,). */
  logits(states: States): Float32Array {
    const top = states.at(-1)?.[0] ?? new Float32Array(this.numHiddens);
    return product(this.outputWeight, top, this.outputBias);
  }

  private input(token: number): Float32Array {
    const known = this.inputs.get(token);
    if (known !== undefined) {
      return known;
    }
    const { weight_ih, bias_ih } = this.layers[0] as Layer;
    const { embedding, embeddingSize: size } = this;
    const made =
      embedding === null
        ? columnOf(weight_ih, token, bias_ih)
        : product(weight_ih, embedding.subarray(token * size, (token + 1) * size), bias_ih);
    this.inputs.set(token, made);
    return made;
  }
}
