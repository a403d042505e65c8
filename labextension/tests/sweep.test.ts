import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { saved } from '../src/contract/saved';
import { SweepData, sweepData } from '../src/contract/sweep';
import { drawSaved } from '../src/views/kept/saved';
import { board, Command } from '../src/views/sweeps/board';
import { heightOf, HEIGHT, scaleOf } from '../src/views/sweeps/curve';
import { scoreAxis } from '../src/views/sweeps/parallel';
import { renderSweep } from '../src/widgets/sweep';

const EXAMPLE: unknown = JSON.parse(readFileSync('../tests/contract/payloads/sweep.json', 'utf8'));
const sweep = (changes: Partial<SweepData> = {}): SweepData => ({
  ...sweepData(EXAMPLE, 'sweep'),
  ...changes
});

vi.mock('../src/views/plots/chart', () => ({
  chart: () => ({ update: () => undefined, dispose: () => undefined })
}));

let host: HTMLElement;
beforeEach(() => {
  host = document.createElement('div');
  document.body.replaceChildren(host);
});

const texts = (selector: string): string[] =>
  [...host.querySelectorAll(selector)].map(({ textContent }) => textContent ?? '');
const press = (name: string): void => {
  [...host.querySelectorAll('button')].find(({ textContent }) => textContent === name)?.click();
};

describe('the contract of a sweep', () => {
  it('takes the one that pytest reads too', () => {
    const data = sweep();
    expect(data.name).toBe('<b>sweep<b>-1');
    expect(data.trials[2]?.scores).toEqual([
      [100, 3],
      [200, null]
    ]);
    expect(saved(EXAMPLE, 'run').view).toBe('sweep');
  });
  it.each([
    ['a later version', { version: 2 }, 'version 1'],
    ['a phase that it has no words for', { phase: 'bored' }, 'sweep.phase'],
    ['more trials than a page draws', { trials: Array(401).fill(null) }, '400'],
    ['a trial without the value of an option', { options: [] }, 'trials[0].values']
  ])('refuses %s', (_what, change, words) => {
    expect(() => sweepData({ ...(EXAMPLE as object), ...change }, 'sweep')).toThrow(words);
  });
});

describe('the table of a sweep', () => {
  it('has a row for each trial, and one for each that is planned', () => {
    board(host, sweep(), null);
    expect(texts('.rnn-trials tbody th')).toEqual(['0', '1', '2', '3', '4', '5']);
    const looks = [...host.querySelectorAll<HTMLElement>('.rnn-trials tbody tr')].map(
      ({ dataset }) => dataset['look']
    );
    expect(looks).toEqual(['best', 'behind', 'behind', 'running', 'waiting', 'planned']);
    expect(texts('.rnn-trial-state')).toEqual(['done, best', 'pruned', 'diverged', '25%', 'not ended', '']);
    expect(host.querySelector('b')).toBeNull(); // names are text
  });
  it('draws the best n-gram as a line in each curve', () => {
    board(host, sweep(), null);
    expect(host.querySelectorAll('.rnn-trial-curve .rnn-level')).toHaveLength(4);
    expect(host.querySelectorAll('.rnn-parallel .rnn-level')).toHaveLength(1);
    host.replaceChildren();
    board(host, sweep({ ladder: null }), null);
    expect(host.querySelectorAll('.rnn-level')).toHaveLength(0);
  });
  it('changes its rows in place, and drops those that wait when it has ended', () => {
    const view = board(host, sweep(), null);
    const first = host.querySelector('.rnn-trials tbody tr');
    view.update(sweep({ phase: 'ended', best: null }));
    expect(host.querySelector('.rnn-trials tbody tr')).toBe(first);
    expect(texts('.rnn-trials tbody th')).toEqual(['0', '1', '2', '3', '4']);
    expect(texts('.rnn-trial-state')[0]).toBe('done');
  });
  it('lights the line of the row under the pointer, and the row of the line', () => {
    board(host, sweep(), null);
    host.querySelectorAll('.rnn-trials tbody tr')[1]?.dispatchEvent(new Event('pointerenter'));
    const lit = [...host.querySelectorAll<SVGElement>('.rnn-parallel [data-lit]')];
    expect(lit.map(({ dataset }) => dataset['trial'])).toEqual(['1', '1']);
    const line = host.querySelector('.rnn-parallel [data-trial="0"]');
    line?.dispatchEvent(new Event('pointerover', { bubbles: true }));
    expect(host.querySelector('tr[data-lit] th')?.textContent).toBe('0');
  });
});

describe('the scales of a sweep', () => {
  it('are those of all trials, and one outlier flattens no line', () => {
    const scale = scaleOf(sweep());
    expect(scale.low).toBeCloseTo(Math.log(6));
    expect(scale.high).toBe(3.2);
    expect(heightOf(scale.low, scale)).toBeGreaterThan(heightOf(scale.high, scale));
    expect(heightOf(99, scale)).toBe(heightOf(scale.high, scale));
    expect(heightOf(scale.low, scale)).toBeLessThan(HEIGHT);
  });
  it('write perplexities, and nats where scores are per byte', () => {
    expect(scoreAxis(sweep({ in_bytes: true })).ticks[0]?.[1]).toBe('1.792');
    expect(scoreAxis(sweep()).ticks[0]?.[1]).toBe('6');
    expect(scoreAxis(sweep({ trials: [] })).ticks).toEqual([]);
  });
});

describe('a sweep that runs', () => {
  it('is paused, resumed and stopped by its buttons', () => {
    const sent: Command[] = [];
    const view = board(host, sweep(), command => sent.push(command));
    press('Pause');
    view.update(sweep({ phase: 'paused' }));
    expect(texts('.rnn-chip')).toEqual(['paused']);
    press('Resume');
    press('Stop');
    expect(sent.map(({ type }) => type)).toEqual(['pause', 'resume', 'stop']);
    view.say('it <b>waits</b>', true);
    expect(host.querySelector('.rnn-refused')?.textContent).toBe('it <b>waits</b>');
    view.update(sweep({ phase: 'open' }));
    expect(host.querySelector<HTMLElement>('.rnn-chip')?.dataset['news']).toBe('neutral');
    press('Stop');
    expect(sent).toHaveLength(3);
  });
  it('follows its model, and says when the kernel does not answer', () => {
    vi.useFakeTimers();
    const heard = new Map<string, () => void>();
    const traits: Record<string, unknown> = { sweep: EXAMPLE, answered: 0, answer: 'pauses', refused: false };
    const sent: unknown[] = [];
    const model = {
      get: (name: string) => traits[name],
      on: (name: string, call: () => void) => heard.set(name, call),
      off: (name: string) => heard.delete(name),
      send: (message: unknown) => sent.push(message)
    };
    const end = renderSweep(model as never, host);
    press('Pause');
    expect(sent).toEqual([{ type: 'pause' }]);
    traits['answered'] = 1;
    heard.get('change:answered')?.();
    vi.advanceTimersByTime(2000);
    expect(texts('.rnn-told')[0]).toBe('pauses');
    traits['sweep'] = { ...(EXAMPLE as object), phase: 'paused' };
    heard.get('change:sweep')?.();
    expect(texts('.rnn-chip')).toEqual(['paused']);
    press('Stop');
    vi.advanceTimersByTime(2000);
    expect(texts('.rnn-told')[0]).toContain('The kernel is busy');
    vi.useRealTimers();
    end();
    expect(heard.size).toBe(0);
    expect(host.childElementCount).toBe(0);
  });
});

describe('a saved sweep', () => {
  it('is drawn without buttons, and says in words what it cannot draw', () => {
    drawSaved(host, { ...(EXAMPLE as object), phase: 'ended' }, 'words');
    expect(host.querySelectorAll('button')).toHaveLength(0);
    expect(texts('.rnn-words').at(-1)).toContain('%train_rnn');
    drawSaved(host, { ...(EXAMPLE as object), trials: 'many' }, 'the words of it');
    expect(host.textContent).toContain('the words of it');
  });
});
