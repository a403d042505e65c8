import { readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';

import { chartData, heatmapData } from '../src/contract/plots';
import { decimate } from '../src/views/plots/decimate';
import { reading, within } from '../src/views/plots/heatmap';
import { colour, ink, share } from '../src/views/design/scales';
import { step } from '../src/views/page/step';
import { colouredText } from '../src/views/plots/coloured_text';

const CHART: unknown = JSON.parse(
  readFileSync('../tests/contract/payloads/chart.json', 'utf8')
);

describe('the contract', () => {
  it('takes the chart that pytest reads too', () => {
    expect(chartData(CHART, 'data').series[0]?.values).toEqual([30.5, null, 8.25]);
  });
  it('tells where a value is wrong', () => {
    const bad = { ...(CHART as object), scale: 'cubic' };
    expect(() => chartData(bad, 'data')).toThrow('data.scale: wanted one of linear, log, got string');
  });
  it('wants as many values as there are x', () => {
    expect(() => chartData({ ...(CHART as object), x: [1] }, 'data')).toThrow('wanted 1 values');
  });
});

describe('decimation', () => {
  it('keeps a spike and the ends, within the limit', () => {
    const line = Array.from({ length: 10_000 }, (_, row) => (row === 4321 ? 99 : Math.sin(row)));
    const rows = decimate([line], line.length, 200);
    expect(rows.length).toBeLessThanOrEqual(200);
    expect(rows).toEqual(expect.arrayContaining([0, 4321, 9999]));
  });
  it('keeps all of a short line', () => {
    expect(decimate([[1, null, 3]], 3, 100)).toEqual([0, 1, 2]);
  });
});

describe('scales', () => {
  it('reach their ends, and stop there', () => {
    expect(colour('sequential', -1)).toEqual([255, 247, 251]);
    expect(colour('sequential', 2)).toEqual([2, 56, 88]);
    expect(colour('diverging', 0.5)).toEqual([247, 247, 247]);
  });
  it('read on their ground', () => {
    expect([ink([0, 0, 0]), ink([255, 255, 255])]).toEqual(['#fff', '#000']);
    expect(share(3, 3, 3)).toBe(0.5);
  });
});

describe('coloured text', () => {
  const data = { label: 'surprise', scale: 'sequential', low: 0, high: 1 } as const;
  it('makes no element of a token', () => {
    const host = document.createElement('div');
    const token = '<img src=x onerror=alert(1)>';
    colouredText(host, { ...data, tokens: [token], values: [1] });
    expect(host.querySelector('img')).toBeNull();
    expect(host.textContent).toBe(token);
  });
  it('picks by click and by key', () => {
    const host = document.createElement('div');
    const onPick = vi.fn();
    colouredText(host, { ...data, tokens: ['a', 'b'], values: [0, 1] }, { onPick });
    const [, second] = host.querySelectorAll('span');
    second?.click();
    second?.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter' }));
    expect(onPick.mock.calls).toEqual([[1], [1]]);
    expect(second?.getAttribute('aria-selected')).toBe('true');
  });
});

describe('the heatmap', () => {
  const data = heatmapData(
    {
      title: 'hidden',
      scale: 'diverging',
      low: -1,
      high: 1,
      columns: ['t', '我'],
      rows: ['unit 0'],
      values: [[0.5, -0.25]]
    },
    'data'
  );
  it('reads a cell and keeps the cursor inside', () => {
    expect(within({ row: 9, column: 9 }, data)).toEqual({ row: 0, column: 1 });
    expect(reading(data, { row: 0, column: 1 })).toBe('unit 0 · 我: -0.25');
  });
});

describe('the heading of a step', () => {
  const first = { number: 2, title: 'Text <b>', said: '', isDone: false, isOpen: false };
  it('is ticked off, says what it made, and opens by a click', () => {
    const host = document.createElement('div');
    const toggle = vi.fn();
    const view = step(host, first, toggle);
    const button = host.querySelector('button');
    expect(button?.textContent).toBe('2Text <b>');
    expect(button?.getAttribute('aria-expanded')).toBe('false');
    view.update({ ...first, said: '3 tokens', isDone: true, isOpen: true });
    expect(button?.textContent).toBe('✓Text <b>done3 tokens');
    expect(button?.querySelector('.rnn-step-mark')?.ariaHidden).toBe('true');
    expect(button?.getAttribute('aria-expanded')).toBe('true');
    button?.click();
    expect(toggle).toHaveBeenCalledOnce();
  });
  it('takes the focus only from its own panel', async () => {
    const [panel, elsewhere] = [document.createElement('div'), document.createElement('input')];
    panel.className = 'rnn-lab';
    document.body.replaceChildren(panel, elsewhere);
    const view = step(panel, first, vi.fn());
    const button = panel.querySelector('button');
    const scrolled = vi.fn();
    Element.prototype.scrollIntoView = scrolled;
    const bring = async (): Promise<Element | null> => {
      view.bring();
      await new Promise(requestAnimationFrame);
      return document.activeElement;
    };
    elsewhere.focus();
    expect(await bring()).toBe(elsewhere);
    elsewhere.blur();
    expect(await bring()).toBe(button);
    expect(scrolled).toHaveBeenCalled();
  });
});
