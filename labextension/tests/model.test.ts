/** The model in the page, held to what PyTorch computes; `tests/contract/test_models.py` writes the examples. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { packedModel } from '../src/contract/model';
import { bitsOf, draw, greedy, offered, ranked, uniforms } from '../src/model/decoding';
import { Network, States } from '../src/model/network';
import { Tokens } from '../src/model/reading';
import { Change, Step, walk } from '../src/model/walk';

interface Example {
  model: unknown;
  prefix: string;
  ids: number[];
  states: number[][][][];
  logits: number[][];
  gates: Record<string, number[]>;
  changed: { change: Change; logits: number[] }[];
  greedy: string;
}

const FOLDER = '../tests/contract/models';
const EXAMPLES = readdirSync(FOLDER).map(file => [file, exampleOf(file.replace('.json', ''))] as const);
const CLOSE = 1e-5;

function exampleOf(name: string): Example {
  return JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8')) as Example;
}

function expectClose(found: ArrayLike<number>, wanted: number[]): void {
  expect(found.length).toBe(wanted.length);
  wanted.forEach((value, at) => {
    expect(Math.abs((found[at] ?? NaN) - value)).toBeLessThan(CLOSE);
  });
}

describe.each(EXAMPLES)('%s', (_, example) => {
  const model = packedModel(example.model, 'model');
  const network = new Network(model);
  const tokens = new Tokens(model.vocab, model.spaced);

  it('has the states, gates and logits of PyTorch to 1e-5', () => {
    let states = network.beginState();
    expect(tokens.read(example.prefix)).toEqual(example.ids);
    example.ids.forEach((id, place) => {
      const gates = new Map<string, Float32Array>();
      states = network.step(id, states, (layer, part, values) => {
        if (layer === network.numLayers - 1) {
          gates.set(part, values);
        }
      });
      expectClose(network.logits(states), example.logits[place] ?? []);
      states.forEach((parts, layer) => {
        parts.forEach((part, at) => {
          expectClose(part, example.states[layer]?.[at]?.[place] ?? []);
        });
      });
      if (place === example.ids.length - 1) {
        expect([...gates.keys()].filter(name => !network.cell.parts.includes(name)).sort()).toEqual(
          Object.keys(example.gates).sort()
        );
        for (const [name, values] of Object.entries(example.gates)) {
          expectClose(gates.get(name) ?? [], values);
        }
      }
    });
  });

  it('computes what Python computes where a unit is held', () => {
    const going = { length: 0, seed: 0, decoding: { temperature: 1, topK: null, topP: null } };
    expect(example.changed.length).toBeGreaterThan(0);
    for (const { change, logits } of example.changed) {
      const steps = [...walk(network, example.ids, going, [change])];
      expectClose(steps.at(-1)?.logits ?? [], logits);
    }
  });

  it('writes what Python writes, to the letter', () => {
    let states: States = network.beginState();
    for (const id of example.ids) {
      states = network.step(id, states);
    }
    const written: number[] = [];
    while (written.length < 60) {
      const next = greedy(offered(network.logits(states)));
      written.push(next);
      states = network.step(next, states);
    }
    expect(example.prefix + tokens.write(written)).toBe(example.greedy);
  });
});

describe('a touch', () => {
  const example = exampleOf('lstm-2');
  const network = new Network(packedModel(example.model, 'model'));
  const before = network.step(1, network.step(2, network.beginState()));

  it.each(['input', 'forget', 'candidate', 'output', 'c', 'h'])('of %s counts from there on', part => {
    const set = (layer: number, name: string, values: Float32Array): void => {
      if (layer === 0 && name === part) {
        values[3] = 0.5;
      }
    };
    const plain = network.step(3, before);
    const changed = network.step(3, before, set);
    const differs = (layer: number, at: number): number[] => {
      const [one, other] = [plain[layer]?.[at], changed[layer]?.[at]];
      return [...(one ?? [])].flatMap((value, unit) => (value === other?.[unit] ? [] : [unit]));
    };
    expect(differs(0, 0)).toEqual([3]); // the hidden state of no other unit of this layer
    expect(differs(1, 0).length).toBeGreaterThan(0); // but the layer above sees it
    expect(differs(0, 1)).toEqual(['h', 'output'].includes(part) ? [] : [3]);
  });

  it('of nothing changes nothing, and a state is never changed by a later step', () => {
    const kept = before.map(parts => parts.map(part => [...part]));
    const one = network.step(3, before);
    const other = network.step(3, before, () => undefined);
    expect(one).toEqual(other);
    expect(before.map(parts => parts.map(part => [...part]))).toEqual(kept);
  });
});

describe('decoding', () => {
  const logits = Float32Array.of(0.5, 2, -1, 2, 0);
  const all = { temperature: 1, topK: null, topP: null };
  const shares = [...logits].map(logit => Math.exp(logit));
  const total = shares.reduce((sum, share) => sum + share);

  it('takes the first of equal tokens where it is greedy', () => {
    expect(greedy(logits)).toBe(1);
    expect(draw(logits, { ...all, temperature: 0 }, 0.99)).toBe(1);
  });

  it('draws each token by its share of the numbers', () => {
    const often = new Array<number>(5).fill(0);
    for (let i = 0; i < 10_000; i++) {
      const token = draw(logits, all, (i + 0.5) / 10_000);
      often[token] = (often[token] ?? 0) + 1;
    }
    often.forEach((number, token) => {
      expect(number / 10_000).toBeCloseTo((shares[token] ?? 0) / total, 3);
    });
  });

  it('keeps the top k, the first of equal ones', () => {
    const drawn = new Set(Array.from({ length: 100 }, (_, i) => draw(logits, { ...all, topK: 2 }, i / 100)));
    expect(drawn).toEqual(new Set([1, 3]));
    expect(draw(logits, { ...all, topK: 1 }, 0.99)).toBe(1);
    expect(draw(logits, { ...all, topK: 99 }, 0.9999)).toBe(4);
  });

  it('keeps the fewest tokens that reach p', () => {
    const drawn = (topP: number): Set<number> =>
      new Set(Array.from({ length: 1000 }, (_, i) => draw(logits, { ...all, topP }, i / 1000)));
    expect(drawn(0.01)).toEqual(new Set([1]));
    expect(drawn((2 * (shares[1] ?? 0)) / total - 0.001)).toEqual(new Set([1, 3]));
    expect(drawn((2 * (shares[1] ?? 0)) / total + 0.001)).toEqual(new Set([0, 1, 3]));
    expect(drawn(1)).toEqual(new Set([0, 1, 2, 3, 4]));
  });

  it('measures surprise in bits', () => {
    const bits = bitsOf(logits);
    expect([...bits].reduce((sum, bit) => sum + 2 ** -bit, 0)).toBeCloseTo(1, 6);
    expect(bits[1]).toBeCloseTo(-Math.log2((shares[1] ?? 0) / total), 6);
    expect(ranked(logits, 3)).toEqual([1, 3, 0]);
  });

  it('is decided by its seed', () => {
    const numbers = (seed: number): number[] => {
      const next = uniforms(seed);
      return Array.from({ length: 1000 }, next);
    };
    expect(numbers(7)).toEqual(numbers(7));
    expect(numbers(7)).not.toEqual(numbers(8));
    const mean = numbers(1).reduce((sum, value) => sum + value, 0) / 1000;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.05);
    expect(Math.min(...numbers(1))).toBeGreaterThanOrEqual(0);
    expect(Math.max(...numbers(1))).toBeLessThan(1);
  });
});

describe('reading', () => {
  it('takes the longest token, the small letter where there is no other, and <unk>', () => {
    const tokens = new Tokens(['<unk>', 't', 'h', '<eos>', 'e', '😀'], false);
    expect(tokens.read('The<eos>😀<😁')).toEqual([1, 2, 4, 3, 5, 0, 0]);
    expect(tokens.write([1, 2, 4, 3])).toBe('the<eos>');
  });

  it('takes words between spaces, and marks apart from them', () => {
    const tokens = new Tokens(['<unk>', 'the', "don't", ',', 'time'], true);
    expect(tokens.read("The  time, don't go")).toEqual([1, 4, 3, 2, 0]);
    expect(tokens.write([1, 4])).toBe('the time');
  });
});

describe('the contract', () => {
  const example = exampleOf('gru-1');
  const model = example.model as Record<string, unknown> & { weights: Record<string, unknown> };

  it.each([
    ['another cell', { cell: 'transformer' }],
    ['a weight less', { weights: { ...model.weights, 'output.bias': undefined } }],
    ['another size', { num_hiddens: 9 }],
    ['a layer more', { num_layers: 2 }],
    ['no tokens', { vocab: [] }],
    ['weights that are none', { weights: [] }]
  ])('refuses %s in one line', (_, change) => {
    expect(() => packedModel({ ...model, ...change }, 'model')).toThrow(/^model[.\w]*: wanted [^\n]+$/);
  });
});

describe('a walk', () => {
  const example = exampleOf('lstm-2');
  const network = new Network(packedModel(example.model, 'model'));
  const going = { length: 40, seed: 3, decoding: { temperature: 0.9, topK: null, topP: null } };
  const text = example.ids;
  const steps = (changes: Change[] = [], more = {}): Step[] => [...walk(network, text, { ...going, ...more }, changes)];
  const written = (all: Step[]): number[] => all.map(({ token }) => token);

  it('reads the text, then goes on; a shorter one is the beginning of a longer one', () => {
    const all = steps();
    expect(written(all).slice(0, text.length)).toEqual(text);
    expect(all.length).toBe(text.length + 40);
    expect(steps([], { length: 7 })).toEqual(all.slice(0, text.length + 7));
    expect(written(steps([], { seed: 4 }))).not.toEqual(written(all));
    expect(written(all).slice(text.length)).not.toContain(0); // <unk>
  });

  it('measures each token by the logits before it', () => {
    const all = steps();
    expect(all[0]?.bits).toBeNull();
    all.slice(1).forEach(({ token, bits }, at) => {
      expect(bits).toBe(bitsOf(all[at]?.logits ?? new Float32Array())[token]);
    });
  });

  it('is what it was before a change, and holds the unit from there on', () => {
    const [plain, changed] = [steps(), steps([{ layer: 1, part: 'h', unit: 2, value: -0.75, from: 5, until: null }])];
    expect(changed.slice(0, 5)).toEqual(plain.slice(0, 5));
    changed.forEach(({ layers }, place) => {
      const value = layers[1]?.get('h')?.[2];
      expect(value === -0.75).toBe(place >= 5);
    });
  });

  it('may be changed at one place alone', () => {
    const changed = steps([{ layer: 0, part: 'forget', unit: 1, value: 0, from: 4, until: 5 }]);
    expect(changed.map(({ layers }) => layers[0]?.get('forget')?.[1] === 0)).toEqual(changed.map((_, at) => at === 4));
    expect(changed[4]).not.toEqual(steps()[4]);
  });

  it('of a change to what is there already is the same walk', () => {
    const plain = steps();
    const value = plain[3]?.layers[0]?.get('c')?.[7] ?? NaN;
    expect(steps([{ layer: 0, part: 'c', unit: 7, value, from: 3, until: 4 }])).toEqual(plain);
  });

  it('of no text writes nothing', () => {
    expect([...walk(network, [], going)]).toEqual([]);
  });
});
