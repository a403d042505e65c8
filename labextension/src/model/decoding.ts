/** How the next token is chosen from the logits, as in `rnn_magics/decoding/decoders.py`. */

import { UNK } from './reading';

export interface Decoding {
  /** 0 is greedy. */
  temperature: number;
  /** Draw from the k most probable tokens; null for all. */
  topK: number | null;
  /** Draw from the fewest tokens whose probabilities add up to p; null for all. */
  topP: number | null;
}

/** Return -log2 p of every token, (tokens,). */
export function bitsOf(logits: Float32Array): Float64Array {
  const largest = greatest(logits);
  let sum = 0;
  for (const logit of logits) {
    sum += Math.exp(logit - largest);
  }
  const whole = Math.log(sum) + largest;
  return Float64Array.from(logits, logit => (whole - logit) / Math.LN2);
}

/** Return the logits that a choice is made from: without `<unk>`, which nobody can read. */
export function offered(logits: Float32Array): Float32Array {
  const left = logits.slice();
  left[UNK] = -Infinity;
  return left;
}

/** Return the index of the largest logit; of equal ones the first. */
export function greedy(logits: Float32Array): number {
  return Math.max(0, logits.indexOf(greatest(logits)));
}

/** Return a token drawn by a number `u` in [0, 1). */
export function draw(logits: Float32Array, { temperature, topK, topP }: Decoding, u: number): number {
  if (temperature === 0) {
    return greedy(logits);
  }
  const largest = greatest(logits);
  const shares = Float64Array.from(logits, logit => Math.exp((logit - largest) / temperature));
  if (topK !== null || topP !== null) {
    const places = ranked(logits);
    const kept = topP === null ? places.length : nucleus(shares, places.slice(0, topK ?? places.length), topP);
    for (const place of places.slice(Math.min(kept, topK ?? kept))) {
      shares[place] = 0;
    }
  }
  const total = shares.reduce((sum, share) => sum + share, 0);
  let reached = 0;
  const drawn = shares.findIndex(share => {
    reached += share;
    return reached > u * total;
  });
  return drawn < 0 ? greedy(logits) : drawn;
}

/** Return the most probable tokens, the first of equal ones first. */
export function ranked(logits: Float32Array, most = logits.length): number[] {
  const places = Array.from(logits.keys());
  places.sort((one, other) => (logits[other] as number) - (logits[one] as number) || one - other);
  return places.slice(0, most);
}

/** Return how many of the ranked tokens reach the share p of what all of them have. */
function nucleus(shares: Float64Array, places: number[], p: number): number {
  const total = places.reduce((sum, place) => sum + (shares[place] as number), 0);
  let reached = 0;
  const last = places.findIndex(place => {
    reached += shares[place] as number;
    return reached >= p * total;
  });
  return last < 0 ? places.length : last + 1;
}

function greatest(logits: Float32Array): number {
  return logits.reduce((most, logit) => Math.max(most, logit), -Infinity);
}

/**
 * Return a source of numbers in [0, 1) that a seed decides (mulberry32). PyTorch's generator
 * draws others, so a seed here writes another text than in Python.
 */
export function uniforms(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
