import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { ComparisonData, saved } from '../src/contract/saved';
import { copied } from '../src/views/page/clipboard';
import { shape } from '../src/views/design/colours';
import type { Drawing } from '../src/views/plots/drawing';
import { some } from '../src/views/plots/marks';
import { axesOf, normChart, perplexityChart } from '../src/views/runs/curves';
import { markdownOf } from '../src/views/runs/markdown';
import { drawSaved } from '../src/views/kept/saved';

const drawn = vi.hoisted(() => [] as unknown[]);

vi.mock('../src/views/plots/chart', () => ({
  chart: (_host: HTMLElement, first: unknown) => {
    drawn.push(first);
    return { update: (next: unknown) => drawn.push(next), dispose: () => undefined };
  }
}));

const FOLDER = '../tests/contract/payloads';
const read = (name: string): object =>
  JSON.parse(readFileSync(`${FOLDER}/${name}.json`, 'utf8')) as object;
const EXAMPLE = read('compare') as { runs: { ladder: object[] }[]; groups: { rows: string[][] }[]; head: string[] };
const clone = (): typeof EXAMPLE => structuredClone(EXAMPLE);

function compared(payload: unknown = EXAMPLE): ComparisonData {
  const data = saved(payload, 'run');
  if (data.view !== 'compare') {
    throw new Error('it is of one run');
  }
  return data;
}

beforeEach(() => {
  drawn.length = 0;
  document.body.replaceChildren();
});

describe('the contract of compared runs', () => {
  it('gives each group its runs', () => {
    const names = compared().groups.map(({ runs }) => runs.map(({ name }) => name));
    expect(names).toEqual([['<b>gru</b>-1', 'a|b'], ['__alone__']]);
  });
  it('takes a notebook of before, which has no table', () => {
    const run = read('run');
    const { groups, head, notes } = compared({ view: 'compare', version: 1, runs: [run, run] });
    expect(head).toEqual(['run', 'model']);
    expect(groups.map(({ rows }) => rows.map(([name]) => name))).toEqual([['<b>gru</b>-1', '<b>gru</b>-1']]);
    expect(notes).toEqual([]);
  });
  it('wants a row for each run, and a cell for each heading', () => {
    const short = clone();
    short.groups[0]?.rows.pop();
    expect(() => compared(short)).toThrow('run.runs: wanted 2 values');
    const narrow = clone();
    narrow.groups[1]?.rows[0]?.pop();
    expect(() => compared(narrow)).toThrow('run.groups[1].rows: wanted');
  });
  it('has bounds', () => {
    const wide = { ...clone(), head: new Array(101).fill('x') };
    expect(() => compared(wide)).toThrow('at most 100 entries');
    const many = { ...clone(), groups: new Array(501).fill({ letter: '', basis: '', verdict: '', rows: [] }) };
    expect(() => compared(many)).toThrow('at most 500 entries');
    const [run] = EXAMPLE.runs;
    expect(() => compared({ ...clone(), groups: [], runs: new Array(501).fill(run) })).toThrow('at most 500');
    expect(() => compared({ ...clone(), groups: [], runs: new Array(300).fill(run) })).toThrow(
      'fewer or shorter runs'
    );
  });
});

describe('compared runs', () => {
  const show = (payload: unknown = EXAMPLE): HTMLElement => {
    const host = document.createElement('div');
    document.body.append(host);
    drawSaved(host, payload, 'words');
    return host;
  };

  it('have a table and charts for each group', () => {
    const host = show();
    const tables = [...host.querySelectorAll('table')];
    expect(tables).toHaveLength(2);
    expect(tables.map(({ caption }) => caption?.textContent)).toEqual([
      'options that differ, and results, group A',
      'options that differ, and results, group B'
    ]);
    const rows = tables.map(one => [...one.tBodies[0]?.rows ?? []].map(row => [...row.cells].map(cell => cell.textContent)));
    expect(rows).toEqual(EXAMPLE.groups.map(group => group.rows));
    expect(drawn).toHaveLength(4);
    expect(host.querySelector('b')).toBeNull();
    expect(host.textContent).toContain('cannot be compared');
    const hues = [...host.querySelectorAll<HTMLElement>('tbody th')].map(one => one.style.getPropertyValue('--rnn-line'));
    expect(hues).toEqual(['var(--rnn-hue-1)', 'var(--rnn-hue-2)', 'var(--rnn-hue-1)']);
  });
  it('have a shape, too, from the seventh run on', () => {
    expect([0, 5, 6, 12, 29, 30].map(shape)).toEqual(['', '', '■', '▲', '✖', '']);
    const shapes = [...show().querySelectorAll<HTMLElement>('tbody th')].map(one => one.dataset['shape']);
    expect(shapes).toEqual(['', '', '']);
    const values = Array.from({ length: 100 }, (_, row) => (row % 2 === 0 ? 1 : null));
    expect(some(values, 6).every(row => values[row] === 1)).toBe(true);
    expect(some(values, 6).length).toBeLessThanOrEqual(8);
    expect(some(values, 6)).not.toEqual(some(values, 7));
    expect(some([null, 3], 6)).toEqual([1]);
  });
  it('are drawn against steps, tokens or seconds', () => {
    const host = show();
    const select = host.querySelector('select');
    expect([...(select?.options ?? [])].map(({ text }) => text)).toEqual(['steps', 'tokens', 'seconds']);
    if (select !== null) {
      select.selectedIndex = 1;
      select.dispatchEvent(new Event('change'));
    }
    const last = drawn.at(-2) as Drawing;
    expect(last.x_label).toBe('tokens of training');
    expect(last.x.at(-1)).toBe(81 * 4 * 5);
  });
  it('are drawn against what all of them tell', () => {
    const [first, second] = compared().groups[0]?.runs ?? [];
    if (first === undefined || second === undefined) {
      throw new Error('the example has two runs');
    }
    expect(axesOf([first, { ...second, tokens_per_step: null }])).toEqual(['steps', 'seconds']);
  });
  it('have the baselines of their group, and its best epoch', () => {
    const [first, second] = compared().groups[0]?.runs ?? [];
    if (first === undefined || second === undefined) {
      throw new Error('the example has two runs');
    }
    const ladder = [{ name: 'best, 3-gram', nats: 1, order: 3, best: true }];
    const data = perplexityChart([second, { ...first, ladder }], 'steps');
    expect(data.references.map(({ label }) => label)).toEqual(['best, 3-gram']);
    expect(data.best?.label).toBe('<b>gru</b>-1: best 2.81, epoch 3');
    expect(data.series.map(({ hue, dashed }) => [hue, dashed ?? false])).toEqual([
      [0, false],
      [0, true],
      [1, false],
      [1, true]
    ]);
    const apart = perplexityChart([second, { ...first, ladder, comparable: false }], 'steps');
    expect(apart.references).toEqual([]);
    expect(normChart([first, second], 'tokens').x.at(-1)).toBe(1620);
  });
  it('are copied as the Markdown that Python writes', async () => {
    const write = vi.fn(() => Promise.resolve());
    vi.stubGlobal('navigator', { clipboard: { writeText: write }, language: 'en' });
    const host = show();
    [...host.querySelectorAll('button')].find(one => one.textContent === 'Copy as Markdown')?.click();
    const expected = readFileSync(`${FOLDER}/compare.md`, 'utf8').trimEnd();
    await vi.waitFor(() => {
      expect(host.querySelector('[role=status]')?.textContent).toContain('clipboard');
    });
    expect(write).toHaveBeenCalledWith(expected);
    expect(markdownOf(compared())).toBe(expected);
    vi.unstubAllGlobals();
  });
  it('say so where a page may not copy', async () => {
    vi.stubGlobal('navigator', { language: 'en' });
    Object.assign(document, { execCommand: () => false });
    expect(await copied('x')).toBe(false);
    const host = show();
    [...host.querySelectorAll('button')].find(one => one.textContent === 'Copy as Markdown')?.click();
    await vi.waitFor(() => {
      expect(host.querySelector('[role=status]')?.textContent).toContain('comparison.to_markdown()');
    });
    expect(document.querySelector('textarea')).toBeNull();
    vi.unstubAllGlobals();
  });
});
