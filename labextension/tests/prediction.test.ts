import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { Level, RunData, runData } from '../src/contract/run';
import type { YScale } from '../src/views/plots/chart';
import { perplexityChart } from '../src/views/runs/curves';
import { Command, dashboard } from '../src/views/runs/dashboard';
import { predictionLine } from '../src/views/runs/prediction';
import { drawSaved } from '../src/views/kept/saved';
import { reveal, verdict } from '../src/views/runs/verdict';
import { waitsText } from '../src/views/runs/words';

const EXAMPLE: unknown = JSON.parse(readFileSync('../tests/contract/payloads/run.json', 'utf8'));
const run = (): RunData => runData(EXAMPLE, 'run');
const waiting = (): RunData => ({
  ...run(),
  phase: 'compiling',
  reason: null,
  epochs: [],
  series: { loss: [], grad_norm: [] },
  may_predict: true,
  vocab_size: 100
});

vi.mock('../src/views/plots/chart', () => ({
  chart: () => ({ update: () => undefined, dispose: () => undefined, scale: () => null })
}));

describe('what became of a prediction', () => {
  const level = (order: number, perplexity: number, best = false): Level => ({
    name: `${order}-gram`,
    nats: Math.log(perplexity),
    order,
    best
  });
  const ladder = [level(0, 28), level(6, 3.62, true)];
  const ended = (reached: number | null, said = 4, more: Partial<RunData> = {}): RunData => {
    const valid_nats = reached === null ? null : Math.log(reached);
    const epochs = run().epochs.map(epoch => ({ ...epoch, valid_nats }));
    return { ...run(), epochs, ladder, predicted_nats: Math.log(said), ...more };
  };
  it.each([
    [3.44, 4, 'You predicted 4.000; it reached 3.440, 14% lower. The best 6-gram (3.620) would have told you.'],
    [4.2, 4, 'You predicted 4.000; it reached 4.200, 5% higher. That is as near as the best 6-gram (3.620), or nearer.'],
    [4, 4, 'You predicted 4.000, and it reached 4.000. That is as near as the best 6-gram (3.620), or nearer.'],
    [101, 6.6, 'You predicted 6.600; it reached 101.0, 15.30 times as much. That is as near as the best 6-gram (3.620), or nearer.'],
    [null, 4, 'You predicted 4.000; no held-out perplexity was measured, or none that is finite.']
  ])('is told where it reached %s and %s was said', (reached, said, words) => {
    expect(reveal(ended(reached, said))).toBe(words);
  });
  it('is not told before the end, without a prediction, or beside what cannot be compared', () => {
    expect(reveal(ended(3.44, 4, { phase: 'training' }))).toBe('');
    expect(reveal(ended(3.44, 4, { predicted_nats: null }))).toBe('');
    expect(reveal(ended(3.44, 4, { comparable: false }))).toBe('You predicted 4.000; it reached 3.440, 14% lower.');
  });
  it('stands in the verdict', () => {
    expect(verdict(ended(3.44))).toBe(
      'After epoch 3: better than counting; the best 6-gram is 5.2% behind.' +
        ' You predicted 4.000; it reached 3.440, 14% lower. The best 6-gram (3.620) would have told you.'
    );
  });
  it('is a line of the chart, from the start and in a saved notebook', () => {
    const [line] = perplexityChart([ended(3.44)], 'steps').references.slice(-1);
    expect([line?.label, line?.mine, line?.unseen]).toEqual(['your prediction', true, false]);
    expect(line?.value).toBeCloseTo(4, 12);
    const live = perplexityChart([{ ...waiting(), predicted_nats: Math.log(4) }], 'steps').references;
    expect(live.map(({ unseen }) => unseen)).toEqual([true]); // it is drawn by who moves it
    expect(perplexityChart([run()], 'steps').references).toEqual([]);
    const host = document.createElement('div');
    drawSaved(host, { ...(EXAMPLE as object), predicted_nats: Math.log(4) }, '');
    expect(host.querySelector('.rnn-verdict')?.textContent).toContain('You predicted 4.000');
    expect(host.querySelector('.rnn-predict')).toBeNull();
  });
  it('is nothing in a notebook of before', () => {
    expect(run()).toMatchObject({ predicted_nats: null, may_predict: false });
  });
});

describe('the line that can be moved', () => {
  let host: HTMLElement;
  let sent: Command[];
  const line = (): HTMLElement => {
    const found = host.querySelector<HTMLElement>('[role=slider]');
    if (found === null) {
      throw new Error('no line');
    }
    return found;
  };
  const press = (key: string): boolean => line().dispatchEvent(new KeyboardEvent('keydown', { key, cancelable: true }));
  const point = (type: string, clientY: number): void => {
    const event = new MouseEvent(type, { clientY, bubbles: true });
    line().dispatchEvent(Object.assign(event, { pointerId: 1 }));
  };
  const over = (): HTMLElement => line().parentElement as HTMLElement;

  beforeEach(() => {
    host = document.createElement('div');
    sent = [];
    HTMLElement.prototype.setPointerCapture = () => undefined;
  });

  it('is moved by keys, and each place is sent', () => {
    dashboard(host, waiting(), command => sent.push(command));
    expect(line().getAttribute('aria-valuetext')).toBe('nothing predicted yet');
    expect(press('ArrowUp')).toBe(false); // the notebook does not scroll
    expect(press('PageDown')).toBe(false);
    expect(press('x')).toBe(true);
    expect(sent).toEqual([
      { type: 'predict', perplexity: 10.2 },
      { type: 'predict', perplexity: 8.5 }
    ]);
    expect(line().getAttribute('aria-valuetext')).toBe('8.500');
    expect(line().textContent).toBe('your prediction: 8.500');
  });
  it('stays between certainty and guessing', () => {
    dashboard(host, { ...waiting(), predicted_nats: Math.log(99) }, command => sent.push(command));
    press('PageUp');
    press('PageUp');
    expect(sent.at(-1)).toEqual({ type: 'predict', perplexity: 100 });
    for (let times = 0; times < 40; times++) {
      press('PageDown');
    }
    expect(sent.at(-1)).toEqual({ type: 'predict', perplexity: 1 });
  });
  it('is dragged, and sent where it is left', () => {
    dashboard(host, waiting(), command => sent.push(command));
    const top = parseFloat(line().style.top);
    point('pointermove', 20); // nothing is held
    expect(sent).toEqual([]);
    point('pointerdown', top);
    point('pointermove', 118); // in the middle of the empty chart
    expect(parseFloat(line().style.top)).toBeCloseTo(118);
    expect(sent).toEqual([]);
    point('pointerup', 118);
    expect(sent).toEqual([{ type: 'predict', perplexity: 10 }]);
    point('pointerdown', 118);
    point('pointermove', 200);
    over().dispatchEvent(new Event('pointercancel'));
    expect(sent).toHaveLength(1);
    expect(line().textContent).toBe('your prediction: 10.00');
  });
  it('lies where its value is on the axis of the chart', () => {
    const scale: YScale = {
      at: value => 300 - 10 * value,
      of: pixels => (300 - pixels) / 10,
      top: 100,
      bottom: 250,
      left: 50,
      right: 450
    };
    const said: number[] = [];
    const made = predictionLine(host, { ...waiting(), predicted_nats: Math.log(8) }, () => scale, value => said.push(value));
    expect([line().style.top, line().style.left, line().style.width]).toEqual(['220px', '50px', '400px']);
    expect(over().hasAttribute('data-free')).toBe(false);
    made.update({ ...waiting(), predicted_nats: Math.log(2) }); // below the axis: at its edge
    expect(line().style.top).toBe('250px');
    point('pointerdown', 250);
    point('pointermove', 280); // and beyond it
    point('pointerup', 280);
    expect(said).toEqual([2]);
  });
  it('goes when the held-out text has been scored', () => {
    const view = dashboard(host, waiting(), () => undefined);
    expect(over().hidden).toBe(false);
    view.update({ ...run(), phase: 'training', reason: null });
    expect(over().hidden).toBe(true);
  });
  it('shows what the kernel knows, once it has answered', () => {
    const view = dashboard(host, waiting(), () => undefined);
    press('ArrowUp');
    view.update(waiting());
    expect(line().textContent).toBe('your prediction: 10.20'); // not yet
    view.update({ ...waiting(), predicted_nats: Math.log(7) });
    expect(line().textContent).toBe('your prediction: 7.000');
  });
  it('is asked for where the chart waits', () => {
    expect(waitsText(waiting())).toContain('What will the held-out perplexity be');
    expect(waitsText({ ...waiting(), may_predict: false })).not.toContain('perplexity');
  });
});
