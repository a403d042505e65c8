import { readFileSync } from 'node:fs';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { inspection, VIEWS } from '../src/contract/inspection';
import { matrix } from '../src/contract/matrix';
import { Looked, looked } from '../src/contract/looked';
import { inspect } from '../src/views/inspect';
import type { Ask, Question } from '../src/views/look/about';
import { rowOf } from '../src/views/look/parts';
import { heading, visible } from '../src/views/text/visible';

const read = (view: string): object =>
  JSON.parse(readFileSync(`../tests/contract/payloads/${view}.json`, 'utf8')) as object;
const example = (view: (typeof VIEWS)[number]): Looked => looked(read(view), 'data');
/** After three epochs, the largest values in the middle. */
const epochs = (of: (typeof VIEWS)[number], more: object = {}): Looked =>
  looked({ ...across(of), ...more }, 'data');
const across = (of: string): object => ({
  view: 'epochs',
  version: 1,
  of,
  name: 'gru-1',
  planned: 10,
  frames: [1, 5, 10].map((epoch, at) => ({
    epoch,
    train_perplexity: 20 / epoch,
    valid_perplexity: at === 1 ? 4.1 : null,
    data: scaled(read(of), [0, 1, 0.25][at] ?? 0)
  })),
  left_out: [{ epoch: 3, said: 'no <b>unit</b>' }]
});
/** Multiply what is packed. */
function scaled(thing: unknown, by: number): unknown {
  if (Array.isArray(thing)) {
    return thing.map(item => scaled(item, by));
  }
  if (typeof thing !== 'object' || thing === null) {
    return thing;
  }
  if ('base64' in thing) {
    const { values } = matrix(thing, 'thing');
    const bytes = Array.from(values, value => Math.max(-127, Math.min(127, Math.round(value * by * 100))));
    const text = bytes.map(byte => String.fromCharCode(byte & 255)).join('');
    return { ...thing, dtype: 'int8', scale: 0.01, base64: btoa(text) };
  }
  return Object.fromEntries(Object.entries(thing).map(([key, value]) => [key, scaled(value, by)]));
}

vi.mock('../src/views/plots/chart', () => ({
  chart: () => ({ update: () => undefined, dispose: () => undefined })
}));

beforeAll(() => {
  // jsdom draws nothing; the pixels are looked at in a browser.
  HTMLCanvasElement.prototype.getContext = () => null;
});

function drawn(data: Looked, ask?: Ask): HTMLElement {
  const host = document.createElement('div');
  inspect(host, data, ask);
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
    const [data] = example('hidden').frames;
    if (data.view !== 'hidden') {
      throw new Error('another view');
    }
    const [states] = data.states;
    expect(states?.shape).toEqual([2, 13, 4]);
    const second = states && rowOf(states, 0, 1);
    expect([...(second ?? [])]).toEqual([...(states?.values.slice(52, 56) ?? [])]);
  });
});

it('integers are multiples of their scale', () => {
  const base64 = btoa(String.fromCharCode(2, 0, 0xfe, 0xff)); // 2 and -2 of 16 bits
  const wide = matrix({ shape: [2], dtype: 'int16', scale: 0.5, base64 }, 'data');
  expect([...wide.values]).toEqual([1, -1]);
  const narrow = matrix({ shape: [4], dtype: 'int8', scale: 0.5, base64 }, 'data');
  expect([...narrow.values]).toEqual([1, 0, -1, -0.5]);
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
  it('shows as many units as asked for, in the order asked for', () => {
    const host = drawn(example('hidden'));
    const input = find(host, 'input') as HTMLInputElement;
    input.value = '2';
    input.dispatchEvent(new Event('change'));
    const [, , order] = [...host.querySelectorAll('select')];
    expect([...(order?.options ?? [])].map(({ text }) => text)).toContain('variance');
  });
});

function press(host: HTMLElement, times: number, shiftKey = true): void {
  const canvas = find(host, 'canvas');
  for (let step = 0; step < times; step++) {
    canvas.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', shiftKey }));
  }
}

describe('every view explains itself', () => {
  it.each(VIEWS)('%s has the heading and the caption that Python made, once', view => {
    const [data] = example(view).frames;
    const host = drawn(example(view));
    expect(data.caption).not.toBe('');
    expect([...host.querySelectorAll('.rnn-head')].map(node => node.textContent)).toEqual([data.heading]);
    expect([...host.querySelectorAll('.rnn-caption')].map(node => node.textContent)).toEqual([data.caption]);
  });
  it('and a notebook of an earlier version has neither', () => {
    const { heading, caption, ...older } = read('units') as Record<string, unknown>;
    const { above, ...oldest } = older;
    expect([heading, caption, above]).not.toContain(undefined);
    const host = drawn(looked(oldest, 'data'));
    expect(find(host, '.rnn-head').textContent).toBe('');
    expect(host.textContent).toContain('most after');
  });
  it('tells a value beside the token, and only there', () => {
    const host = drawn(example('surprise'));
    const tip = find(host, '.rnn-tip');
    const second = host.querySelectorAll<HTMLElement>('.rnn-text [role=option]')[1];
    second?.dispatchEvent(new Event('pointerenter'));
    expect(tip.textContent).toMatch(/^h: [\d.]+ bits; expected /);
    expect(second?.title).toBe('');
    find(host, '.rnn-text').dispatchEvent(new Event('pointerleave'));
    expect(tip.textContent).toBe('');
  });
  it('hidden begins with the unit that varies most, whatever the order', () => {
    const [first] = example('hidden').frames;
    const most = first.view === 'hidden' ? first.orders.get('variance')?.[0] : undefined;
    const order = { order: 'index', units: [0, 1, 2, 3] };
    const host = drawn(looked({ ...read('hidden'), ...order }, 'data'));
    expect(host.textContent).toContain(`coloured by unit ${most}, from`);
  });
  it('units has its peaks in one column, outlined', () => {
    const host = drawn(example('units'));
    const lines = [...host.querySelectorAll('.rnn-place')];
    expect(lines.length).toBeGreaterThan(2);
    for (const line of lines) {
      expect(line.querySelectorAll('.rnn-before mark')).toHaveLength(0);
      expect(line.querySelector('.rnn-on')?.firstElementChild?.tagName).toBe('MARK');
      expect(line.querySelectorAll('mark')).toHaveLength(1);
    }
  });
  it('batches has X over Y, and the state goes on in seq only', () => {
    const data = read('batches') as { windows: string[][][]; arrows: number[][] };
    const cells = (host: HTMLElement): string[] =>
      [...find(host, '.rnn-window').children].map(({ textContent }) => textContent ?? '');
    const host = drawn(looked(data, 'data'));
    const [x, y] = [cells(host).slice(0, 5), cells(host).slice(5)];
    expect([x, y]).toEqual([data.windows[0]?.[0]?.slice(0, -1), data.windows[0]?.[0]?.slice(1)]);
    const count = (of: HTMLElement): number[] =>
      ['.rnn-carried', '.rnn-zero'].map(name => of.querySelectorAll(name).length);
    const [minibatches, rows] = [data.windows.length, data.windows[0]?.length ?? 0];
    expect(count(host)).toEqual([(minibatches - 1) * rows, rows]);
    expect(count(drawn(looked({ ...data, arrows: [] }, 'data')))).toEqual([0, minibatches * rows]);
  });
});

describe('similar places', () => {
  const data = looked({ ...read('hidden'), text: 'the "x"', run: 'gru-1', look: 'k' }, 'data');
  const line = `%inspect_rnn match "the "'"'"x"'"' --span 0:3 --layer 1 --run gru-1`;
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  it('are asked for once, when the choice has settled, and shown', async () => {
    const asked: Question[] = [];
    const host = drawn(data, question => {
      asked.push(question);
      return Promise.resolve({ data: read('match') });
    });
    press(host, 2);
    expect(find(host, '[role=status]').textContent).toBe('tokens 0 to 2: the');
    await vi.advanceTimersByTimeAsync(1000);
    expect(asked).toEqual([{ first: 0, last: 3, layer: 1, epoch: null }]);
    expect(find(host, '[role=status]').textContent).toContain('2 places like “the”');
    expect(host.querySelectorAll('ol li')).toHaveLength(2);
    expect(host.querySelector('b')).toBeNull();
  });
  it('are told how to find where there is no kernel', async () => {
    const host = drawn(data);
    const heard: unknown[] = [];
    host.addEventListener('rnn-magics:insert-cell', event => {
      heard.push((event as CustomEvent<{ text: string }>).detail.text);
    });
    press(host, 2);
    await vi.advanceTimersByTimeAsync(1000);
    expect(find(host, '[role=status]').textContent).toContain('No kernel');
    find(host, '.rnn-button').click();
    expect(heard).toEqual([line]);
  });
  it('come late from a busy kernel, which is said', async () => {
    let answer: (reply: unknown) => void = () => undefined;
    const host = drawn(data, () => new Promise(resolve => (answer = resolve)));
    press(host, 2);
    await vi.advanceTimersByTimeAsync(300);
    expect(find(host, '[role=status]').textContent).toContain('searching');
    await vi.advanceTimersByTimeAsync(2000);
    expect(find(host, '[role=status]').textContent).toContain('not answered yet');
    expect(find(host, 'code').textContent).toBe(line);
    answer({ said: '<i>no corpus yet</i>' });
    await vi.advanceTimersByTimeAsync(0);
    expect(find(host, '[role=status]').textContent).toBe('<i>no corpus yet</i>');
  });
  it('of an older choice are not shown', async () => {
    const answers: ((reply: unknown) => void)[] = [];
    const host = drawn(data, () => new Promise(resolve => answers.push(resolve)));
    press(host, 2);
    await vi.advanceTimersByTimeAsync(300);
    press(host, 1);
    await vi.advanceTimersByTimeAsync(300);
    answers[0]?.({ said: 'old' });
    await vi.advanceTimersByTimeAsync(0);
    expect(find(host, '[role=status]').textContent).toContain('searching');
    expect(answers).toHaveLength(2);
  });
  it('are sought from the view of places too', async () => {
    const asked: Question[] = [];
    const given = looked({ ...read('match'), text: 'the', folder: 'runs/a' }, 'data');
    const host = drawn(given, question => {
      asked.push(question);
      return Promise.resolve('nonsense');
    });
    press(host, 1);
    await vi.advanceTimersByTimeAsync(300);
    expect(asked[0]).toMatchObject({ first: 0, last: 2 });
    expect(find(host, 'code').textContent).toBe('%inspect_rnn match the --span 0:2 --layer 1 --epochs runs/a');
    expect(find(host, '[role=status]').textContent).toContain('no answer that this page knows');
  });
});

describe('epochs', () => {
  const slide = (host: HTMLElement, place: number): void => {
    const input = find(host, 'input[type=range]') as HTMLInputElement;
    input.value = String(place);
    input.dispatchEvent(new Event('input'));
  };
  it.each(VIEWS.filter(view => view !== 'batches'))('of %s are gone through', view => {
    const host = drawn(epochs(view));
    const input = find(host, 'input[type=range]');
    expect(input.getAttribute('aria-valuetext')).toBe('epoch 10 of 10, training perplexity 2');
    slide(host, 1);
    expect(input.getAttribute('aria-valuetext')).toBe('epoch 5 of 10, held-out perplexity 4.1');
    expect(find(host, '.rnn-epoch').textContent).toBe('epoch 5 of 10, held-out perplexity 4.1');
    expect(host.textContent).toContain('epoch 3 left out: no <b>unit</b>');
    expect(host.querySelector('b')).toBeNull();
    expect(host.querySelectorAll('.rnn-epochs tbody tr')).toHaveLength(3);
  });
  it('keep order, number of units and unit, and share one scale', () => {
    const host = drawn(epochs('hidden'));
    const order = [...host.querySelectorAll('select')].at(-1);
    if (order === undefined) {
      throw new Error('no choice');
    }
    order.value = 'index';
    order.dispatchEvent(new Event('change'));
    const canvas = find(host, 'canvas');
    canvas.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowDown' }));
    canvas.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter' }));
    const colours = (): string[] =>
      [...host.querySelectorAll<HTMLElement>('.rnn-text span')].map(span => span.style.backgroundColor);
    const [last, words] = [colours(), host.textContent];
    const unit = 1;
    expect(words).toContain('unit 1, from');
    slide(host, 0);
    expect(new Set(colours()).size).toBe(1); // all values are 0
    slide(host, 1);
    expect(colours()).not.toEqual(last); // on a scale of its own each would look the same
    const legend = /unit 1, from [^:]*/;
    expect(legend.exec(host.textContent ?? '')?.[0]).toBe(legend.exec(words ?? '')?.[0]);
    const [, middle] = epochs('hidden').frames;
    const states = middle?.view === 'hidden' ? middle.states[0] : undefined;
    const values = Array.from({ length: 13 }, (_, token) => states && rowOf(states, token, 1)[unit]);
    const largest = Math.max(...values.map(value => Math.abs(value ?? NaN)));
    expect(Number(/from -([\d.]+)/.exec(words ?? '')?.[1])).toBeCloseTo(largest, 3);
    expect(order.value).toBe('index');
    slide(host, 2);
    expect(colours()).toEqual(last);
  });
  it('are told to the kernel', async () => {
    vi.useFakeTimers();
    const asked: Question[] = [];
    const host = drawn(epochs('hidden', { text: 'the', look: 'k' }), question => {
      asked.push(question);
      return Promise.resolve({ said: 'x' });
    });
    slide(host, 1);
    press(host, 1);
    await vi.advanceTimersByTimeAsync(300);
    slide(host, 0);
    await vi.advanceTimersByTimeAsync(300);
    expect(asked.map(({ epoch }) => epoch)).toEqual([5, 1]);
    vi.useRealTimers();
  });
  it('are all of one view, and at least one', () => {
    const { frames } = across('hidden') as { frames: object[] };
    const mixed = [...frames, { ...frames[0], data: read('gates') }];
    expect(() => epochs('hidden', { frames: mixed })).toThrow('one kind');
    expect(() => epochs('hidden', { frames: [] })).toThrow('one or more');
    expect(() => epochs('hidden', { version: 2 })).toThrow('version 1');
  });
});

describe('text made safe to look at', () => {
  // What Python shows of the same text; a lone surrogate is half a character to it, too.
  it.each(JSON.parse(readFileSync('../tests/contract/visible.json', 'utf8')) as [string, string][])(
    'shows %j as Python does',
    (text, shown) => {
      expect(visible(text)).toBe(shown);
    }
  );
  it('shows what hides', () => {
    expect(visible('a\u202eb\u0000\n')).toBe('a\\u202eb\\x00⏎');
    expect(visible('\ud800')).toBe('\\ud800');
    expect(visible('中文 é')).toBe('中文 é');
    expect(heading(' ')).toBe('␣');
  });
});

describe('what a changed state does', () => {
  const texts = (host: HTMLElement, selector: string): string[] =>
    [...host.querySelectorAll(selector)].map(({ textContent }) => textContent ?? '');
  it('patch tells of each token its bits without and with the change, and what is felt', () => {
    const data = read('patch') as { tokens: string[]; felt: number[] };
    const host = drawn(example('patch'));
    const tokens = [...host.querySelectorAll('[role=option]')];
    expect(tokens).toHaveLength(data.tokens.length);
    const told = tokens.map(token => {
      token.dispatchEvent(new Event('pointerenter'));
      return find(host, '.rnn-tip').textContent;
    });
    expect(told[0]).toBe('t: not predicted');
    expect(told[2]).toMatch(/^e: [\d.]+ bits, with the change [\d.]+$/);
    expect(told[4]).toMatch(/^<: [\d.]+ bits, with the change [\d.]+; felt after it: [\d.]+ nats$/);
  });
  it('patch marks what is written otherwise, in the second text only', () => {
    const data = { ...read('patch'), written: ['a', 'b', 'c'], changed_written: ['a', 'x', '<b>'] };
    const host = drawn(looked(data, 'data'));
    const [plain, changed] = [...host.querySelectorAll<HTMLElement>('.rnn-branch')];
    expect(plain?.querySelectorAll('.rnn-differs')).toHaveLength(0);
    expect([...(changed?.querySelectorAll('.rnn-differs') ?? [])].map(node => node.textContent)).toEqual(['x', '<b>']);
    expect(drawn(looked({ ...data, written: [], changed_written: [] }, 'data')).querySelector('.rnn-branch')).toBeNull();
  });
  it('ablate has a row for each group, and colours the text by the one that is chosen', () => {
    const data = read('ablate') as { groups: string[]; tokens: string[] };
    const host = drawn(example('ablate'));
    expect(texts(host, 'tbody th')).toEqual(data.groups);
    expect(host.querySelectorAll('.rnn-bar-interval')).toHaveLength(data.groups.length);
    expect(host.querySelectorAll('[role=option]')).toHaveLength(data.tokens.length);
    const colours = (): string[] =>
      [...host.querySelectorAll<HTMLElement>('[role=option]')].map(({ style }) => style.backgroundColor);
    const before = colours();
    const select = find(host, 'select') as HTMLSelectElement;
    select.value = data.groups[1] ?? '';
    select.dispatchEvent(new Event('change'));
    expect(colours()).not.toEqual(before);
  });
  it('ablate of a corpus has no text', () => {
    const data = read('ablate') as { lost: { shape: number[] } };
    const lost = { shape: [0, data.lost.shape[1]], dtype: 'float32', base64: '' };
    const host = drawn(looked({ ...data, part: 'held-out', tokens: [], lost }, 'data'));
    expect(host.querySelector('select, [role=option]')).toBeNull();
    expect(() => looked({ ...data, tokens: [] }, 'data')).toThrow('lost');
  });
  it('probe has what all units explain, then what each does', () => {
    const data = read('probe') as { units: number[] };
    const host = drawn(example('probe'));
    expect(texts(host, 'tbody th')).toEqual(['all units, on unseen text', 'shifted target', ...data.units.map(String)]);
    expect(host.querySelectorAll('.rnn-level')).toHaveLength(2);
  });
  it('bars begin at zero, also those below it', () => {
    const host = drawn(looked({ ...read('probe'), r2: -0.5, control: 0, units: [3], single: [0.5], weights: [1] }, 'data'));
    const spans = [...host.querySelectorAll<HTMLElement>('.rnn-bar-value')].map(({ style }) => [style.left, style.width]);
    expect(spans).toEqual([
      ['0%', '50%'],
      ['50%', '0%'],
      ['50%', '50%']
    ]);
  });
  it('diff tells the bits of both runs, and has the passages of each', () => {
    const data = read('diff') as { passages: { tokens: string[] }[][]; runs: string[] };
    const host = drawn(example('diff'));
    host.querySelectorAll('[role=option]')[1]?.dispatchEvent(new Event('pointerenter'));
    expect(find(host, '.rnn-tip').textContent).toMatch(/^h: [\d.]+ bits by run 1, [\d.]+ by run 2$/);
    expect(host.querySelectorAll('.rnn-place')).toHaveLength(data.passages.flat().length);
    expect(texts(host, '.rnn-part')[0]).toMatch(/^run 1 is better by most, in \d+ tokens of the corpus$/);
    expect(() => looked({ ...data, runs: ['one'] }, 'data')).toThrow('runs');
    const cut = data.passages.map(list => list.map(passage => ({ ...passage, values: [] })));
    expect(() => looked({ ...data, passages: cut }, 'data')).toThrow('passages');
  });
});

it('play names the token from which a unit is held, also one that is not seen', () => {
  const host = drawn(example('play'));
  const canvas = find(host, 'canvas');
  for (const key of ['ArrowDown', 'ArrowRight', 'ArrowRight', 'ArrowRight', 'Enter']) {
    canvas.dispatchEvent(new KeyboardEvent('keydown', { key }));
  }
  const slider = find(host, '.rnn-editor input') as HTMLInputElement;
  slider.value = slider.max;
  slider.dispatchEvent(new Event('input'));
  expect(find(host, '.rnn-changes li').textContent).toMatch(/from ␣ \(place 3\) on/);
});

it('play says that it is still writing, until the last token', () => {
  vi.useFakeTimers();
  let now = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 5)); // a slow computer
  try {
    const host = drawn(example('play'));
    const { text, length } = read('play') as { text: string; length: number };
    const told: boolean[] = [];
    const whole: boolean[] = [];
    do {
      told.push(find(host, '.rnn-branches').getAttribute('aria-busy') === 'false');
      whole.push(host.querySelectorAll('[role=option]').length === text.length + length);
      vi.advanceTimersToNextTimer();
    } while (!whole.at(-1));
    expect(told).toEqual(whole);
    expect(told.length).toBeGreaterThan(1);
  } finally {
    clock.mockRestore();
    vi.useRealTimers();
  }
});
