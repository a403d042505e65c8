/** A text that a model reads and goes on with, token by token, while units may be changed. */

import { bitsOf, Decoding, draw, offered, uniforms } from './decoding';
import type { Network } from './network';

/** A unit that is set to a value at the places [from, until), or from there on where `until` is null. */
export interface Change {
  layer: number;
  /** A part of the state, `h` or `c`, or a gate. */
  part: string;
  unit: number;
  value: number;
  from: number;
  until: number | null;
}

/** What happened at one place of a text. */
export interface Step {
  token: number;
  /** -log2 p of the token; null for the first, which is not predicted. */
  bits: number | null;
  /** The logits of the token after it. */
  logits: Float32Array;
  /** Of each layer, the lowest first: the parts of its state and its gates, after the changes. */
  layers: ReadonlyMap<string, Float32Array>[];
}

export interface Going {
  /** The tokens to be written after the text. */
  length: number;
  seed: number;
  decoding: Decoding;
}

/**
 * Read the tokens of a text, then write; yield every step. Two walks with one seed draw with the
 * same numbers, so they differ only by what their changes do.
 */
export function* walk(
  network: Network,
  text: readonly number[],
  { length, seed, decoding }: Going,
  changes: readonly Change[] = []
): Generator<Step, void> {
  let states = network.beginState();
  let logits: Float32Array | null = null;
  const next = uniforms(seed);
  for (let place = 0; place < text.length + length; place++) {
    const read = text[place];
    if (read === undefined && logits === null) {
      return; // nothing was read, so there is nothing to go on with
    }
    const token: number = read ?? draw(offered(logits as Float32Array), decoding, next());
    const bits = logits === null ? null : (bitsOf(logits)[token] ?? null);
    const layers = Array.from({ length: network.numLayers }, () => new Map<string, Float32Array>());
    const here = changes.filter(({ from, until }) => from <= place && (until === null || place < until));
    states = network.step(token, states, (layer, part, values) => {
      for (const change of here) {
        if (change.layer === layer && change.part === part) {
          values[change.unit] = change.value;
        }
      }
      layers[layer]?.set(part, values);
    });
    logits = network.logits(states);
    yield { token, bits, logits, layers };
  }
}
