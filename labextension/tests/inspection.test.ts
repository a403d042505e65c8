import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it, vi } from 'vitest';

import { Inspection, inspection } from '../src/contract/inspection';
import { inspect } from '../src/views/inspect';
import { rowOf } from '../src/views/inspect/parts';
import { heading, quoted, visible } from '../src/views/visible';

const VIEWS = ['hidden', 'gates', 'surprise', 'gradient', 'match', 'units', 'batches'] as const;
const read = (view: string): object =>
  JSON.parse(readFileSync(`../tests/contract/payloads/${view}.json`, 'utf8')) as object;
const example = (view: (typeof VIEWS)[number]): Inspection => inspection(read(view), 'data');

vi.mock('../src/views/chart', () => ({
  chart: () => ({ update: () => undefined, dispose: () => undefined })
}));

beforeAll(() => {
  // jsdom draws nothing; the pixels are looked at in a browser.
  HTMLCanvasElement.prototype.getContext = () => null;
});

function drawn(data: Inspection): HTMLElement {
  const host = document.createElement('div');
  inspect(host, data);
  return host;
}

function find(host: HTMLElement, selector: string): HTMLElement {
  const found = host.querySelector<HTMLElement>(selector);
  if (found === null) {
    throw new Error(`nothing is ${selector}`);
  }
  return found;
}

describe('every view', () => {
  it.each(VIEWS)('draws what pytest writes for %s, and takes tokens as text', view => {
    const host = drawn(example(view));
    expect(host.childElementCount).toBeGreaterThan(0);
    expect(host.querySelector('b, script, img')).toBeNull();
  });
  it.each(VIEWS)('of %s refuses a later version', view => {
    expect(() => inspection({ ...read(view), version: 2 }, 'data')).toThrow('version 1');
  });
  it('refuses one that is not known', () => {
    expect(() => inspection({ view: 'dreams', version: 1 }, 'data')).toThrow('one of hidden');
  });
  it('refuses numbers that are not as many as they say', () => {
    const data = read('gates') as { values: { shape: number[] }[] };
    const [first] = data.values;
    first?.shape.push(2);
    expect(() => inspection(data, 'data')).toThrow('data.values[0]');
  });
});

describe('packed numbers', () => {
  it('have planes, rows and columns', () => {
    const data = example('hidden');
    if (data.view !== 'hidden') {
      throw new Error('another view');
    }
    const [states] = data.states;
    expect(states?.shape).toEqual([2, 13, 4]);
    const second = states && rowOf(states, 0, 1);
    expect([...(second ?? [])]).toEqual([...(states?.values.slice(52, 56) ?? [])]);
  });
});

describe('hidden', () => {
  it('colours the text by a unit and reads cells by keyboard', () => {
    const host = drawn(example('hidden'));
    const canvas = find(host, 'canvas');
    canvas.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowDown' }));
    canvas.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter' }));
    expect(find(host, '.rnn-readout').textContent).toContain('t');
    expect(host.querySelectorAll('.rnn-text [role=option]')).toHaveLength(13);
  });
  it('asks for similar places once tokens are chosen', () => {
    const data = inspection({ ...read('hidden'), text: 'the "x"', run: 'gru-1' }, 'data');
    const host = drawn(data);
    const heard: unknown[] = [];
    host.addEventListener('rnn-magics:insert-cell', event => {
      heard.push((event as CustomEvent<{ text: string }>).detail.text);
    });
    const canvas = find(host, 'canvas');
    for (let step = 0; step < 2; step++) {
      canvas.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', shiftKey: true }));
    }
    find(host, '.rnn-button').click();
    expect(heard).toEqual([`%inspect_rnn match "the "'"'"x"'"' --span 0:3 --run gru-1`]);
  });
  it('shows as many units as asked for, in the order asked for', () => {
    const host = drawn(example('hidden'));
    const input = find(host, 'input') as HTMLInputElement;
    input.value = '2';
    input.dispatchEvent(new Event('change'));
    const [, , order] = [...host.querySelectorAll('select')];
    expect([...(order?.options ?? [])].map(({ text }) => text)).toContain('variance');
  });
});

describe('text made safe to look at', () => {
  it('shows what hides', () => {
    expect(visible('a\u202eb\u0000\n')).toBe('a\\u202eb\\x00⏎');
    expect(visible('\ud800')).toBe('\\ud800');
    expect(visible('中文 é')).toBe('中文 é');
    expect(heading(' ')).toBe('␣');
  });
  it('quotes a word of a magic line as Python reads it', () => {
    expect(quoted('abc')).toBe('abc');
    expect(quoted('$x')).toBe('"$x"');
    expect(quoted('-1')).toBe('"-1"');
    expect(quoted('')).toBe('""');
    expect(quoted('a "b')).toBe(`"a "'"'"b"`);
  });
});
