import { readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';

import { chartData } from '../src/contract/plots';
import { ContractError, MOST, count, listOf, number, sized } from '../src/contract/check';
import { inspection } from '../src/contract/inspection';
import { matrix } from '../src/contract/matrix';
import { runsTold } from '../src/contract/runs';
import { saved } from '../src/contract/saved';
import { guarded } from '../src/views/page/guarded';
import { drawSaved } from '../src/views/kept/saved';

vi.mock('../src/views/plots/chart', () => ({
  chart: () => ({ update: () => undefined, dispose: () => undefined })
}));

const read = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(`../tests/contract/payloads/${name}.json`, 'utf8')) as Record<string, unknown>;
const packed = (shape: unknown[], base64: string): object => ({ shape, dtype: 'int8', base64 });

describe('what is spoilt', () => {
  it('is refused before anything of its size is made', () => {
    const made = vi.spyOn(Float32Array, 'from');
    for (const shape of [[1e8, 0, 3], [1e8], [-1, -4], [1.5, 2], [NaN], [2, 2, 2, 2], [2 ** 53], [4e6, 4e6]]) {
      expect(() => matrix(packed(shape, 'AAAA'), 'm')).toThrow(ContractError);
    }
    for (const base64 of ['AAA', 'AAA!', '!!!!', 'AAAAAAAA', '    ']) {
      expect(() => matrix(packed([3], base64), 'm')).toThrow('3 numbers of 1 bytes');
    }
    expect(made).not.toHaveBeenCalled();
    expect(Array.from(matrix(packed([3], 'AAAA'), 'm').values)).toEqual([0, 0, 0]);
  });
  it('has lists and texts that are too long', () => {
    expect(() => listOf(number)(new Array(MOST + 1).fill(0), 'list')).toThrow('at most 20000');
    const wide = new Array(1001).fill(new Array(1000).fill(0)) as unknown;
    expect(() => sized(value => value)(wide, 'all')).toThrow('at most 1000000 values');
    let deep: unknown = 0;
    for (let level = 0; level < 100_000; level++) {
      deep = [deep];
    }
    expect(sized(() => 'looked at')(deep, 'deep')).toBe('looked at');
    expect(() => chartData({ ...read('chart'), title: 'x'.repeat(200_001) }, 'c')).toThrow('characters');
    expect(() => saved({ ...read('run'), epochs: new Array(3_000).fill(0) }, 'run')).toThrow('2560');
  });
  it.each([-1, 0.5, NaN, 2 ** 53, '1', null])('has a place that is none: %s', value => {
    expect(() => count(value, 'place')).toThrow('a whole number');
  });
  it.each([
    ['hidden', 'tokens', []],
    ['hidden', 'layer', 2],
    ['hidden', 'units', [4]],
    ['hidden', 'orders', { natural: [0, 99] }],
    ['gates', 'names', ['input']],
    ['gates', 'tokens', ['a']],
    ['surprise', 'bits', [1]],
    ['surprise', 'alternatives', []],
    ['gradient', 'step', 13],
    ['gradient', 'norms', [1]],
    ['match', 'span', [3, 1]],
    ['match', 'span', [0, 99]],
    ['match', 'units', [4]],
    ['units', 'order', [99]],
    ['units', 'selectivity', []],
    ['batches', 'arrows', [[9, 9, 9, 9]]]
  ])('has parts that do not agree: %s, %s', (view, field, value) => {
    expect(() => inspection(read(view), 'view')).not.toThrow();
    expect(() => inspection({ ...read(view), [field]: value }, 'view')).toThrow(ContractError);
  });
  it('is no list of runs', () => {
    expect(() => runsTold({ ...read('runs'), runs: new Array(MOST + 1).fill({}) }, 'runs')).toThrow('at most');
  });
});

describe('the guard', () => {
  it('shows the words, whatever is thrown', () => {
    for (const thrown of [new TypeError('<b>bad</b>'), 'text', null]) {
      const host = document.createElement('div');
      host.textContent = 'half of a view';
      const end = guarded(host, '<i>words</i>', () => {
        throw thrown; // eslint-disable-line @typescript-eslint/only-throw-error
      });
      expect(host.textContent).toContain('<i>words</i>');
      expect(host.textContent).not.toContain('half');
      expect(host.querySelector('b, i')).toBeNull();
      end();
    }
  });
  it('lets a view that cannot be ended go', () => {
    const host = document.createElement('div');
    const end = guarded(host, '', () => () => {
      throw new Error('gone');
    });
    expect(end).not.toThrow();
  });
  it('stands around saved runs', () => {
    const host = document.createElement('div');
    drawSaved(host, { view: 'compare', version: 1, runs: null }, 'words');
    expect(host.textContent).toContain('run.runs: wanted a list');
  });
});
