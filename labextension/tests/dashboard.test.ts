import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { ENDINGS, Ending } from '../src/contract/endings';
import { Epoch, Level, RunData, rowsOf, runData } from '../src/contract/run';
import { normChart, perplexityChart } from '../src/views/runs/curves';
import { Command, dashboard } from '../src/views/runs/dashboard';
import { drawSaved } from '../src/views/kept/saved';
import { verdict } from '../src/views/runs/verdict';
import { duration, percent, perplexity, reached, statusLine } from '../src/views/runs/words';
import { LANGUAGE, translated } from '../src/views/text/say';

const EXAMPLE: unknown = JSON.parse(readFileSync('../tests/contract/payloads/run.json', 'utf8'));
const run = (): RunData => runData(EXAMPLE, 'run');

function training(): RunData {
  const now = {
    epoch: 3,
    step: 10,
    num_steps: 27,
    total_steps: 64,
    train_nats: Math.log(4),
    grad_norm: 0.5,
    lr: 0.001,
    seconds: 5,
    tokens: 1000,
    tokens_per_second: 200,
    done: 0.25,
    eta: 65
  };
  return { ...run(), phase: 'training', reason: null, now };
}

vi.mock('../src/views/plots/chart', () => ({
  chart: () => ({ update: () => undefined, dispose: () => undefined })
}));

describe('the contract of a run', () => {
  it('takes the run that pytest reads too', () => {
    const data = run();
    expect(data.name).toBe('<b>gru</b>-1');
    expect(data.phase).toBe('ended');
    expect(data.series.grad_norm[40]).toEqual([41, 9.5, 9.5, 9.5]);
    expect(data.epochs.map(({ step }) => step)).toEqual([27, 54, 81]);
  });
  it('refuses a later version', () => {
    expect(() => runData({ ...(EXAMPLE as object), version: 2 }, 'run')).toThrow('version 1');
  });
  it('takes a run without a size, and refuses one without its bytes', () => {
    expect(runData({ ...run(), size: undefined }, 'run').size).toBeNull();
    expect(() => runData({ ...run(), size: { tokens: 3 } }, 'run')).toThrow('bytes');
  });

  it('refuses an ending that it has no words for', () => {
    expect(() => runData({ ...(EXAMPLE as object), reason: 'bored' }, 'run')).toThrow('run.reason');
  });
  it('refuses a number that is none', () => {
    expect(() => runData({ ...(EXAMPLE as object), lr: 'fast' }, 'run')).toThrow('run.lr');
  });
  it('reads rows of float32, four by four', () => {
    const bytes = new DataView(new Float32Array([1, 2, 3, 4, 5, 6, 7, 8]).buffer);
    expect(rowsOf(bytes)).toEqual([
      [1, 2, 3, 4],
      [5, 6, 7, 8]
    ]);
  });
});

describe('curves', () => {
  it('have perplexities of training and of held-out text at its epochs', () => {
    const data = perplexityChart([run()], 'steps');
    expect(data.series.map(({ label }) => label)).toEqual(['training', 'held out']);
    expect(data.x).toHaveLength(81);
    expect(data.series[0]?.values[0]).toBeCloseTo(Math.exp(3.5), 3);
    expect(data.series[1]?.values[26]).toBeCloseTo(Math.exp(3.1), 6);
    expect(data.series[1]?.values[0]).toBeNull();
  });
  it('keep the spike of a norm, and draw the clip', () => {
    const data = normChart([{ ...run(), clip: 0.25 }], 'steps');
    expect(data.series[0]?.values[40]).toBe(9.5);
    expect(data.references).toEqual([{ label: 'clip', value: 0.25 }]);
  });
  it('run against time, evenly within an epoch', () => {
    const data = perplexityChart([run()], 'seconds');
    expect(data.x[26]).toBeCloseTo(2, 6);
    expect(data.x[80]).toBeCloseTo(6, 6);
    expect(data.x[0]).toBeCloseTo(2 / 27, 6);
  });
  it('name their runs when there are several', () => {
    const data = perplexityChart([run(), { ...run(), name: 'b' }], 'steps');
    expect(data.series.map(({ label }) => label)).toContain('b: held out');
  });
  it('draw the ladder of a single run', () => {
    const level = (order: number, nats: number, best: boolean): Level => ({
      name: `${order}-gram`,
      nats,
      order,
      best
    });
    const ladder = [level(0, 3, false), level(2, 2, false), level(5, 1, true)];
    const data = perplexityChart([{ ...run(), ladder }], 'steps');
    expect(data.references).toEqual([
      { label: 'uniform', value: Math.exp(3), far: true },
      { label: 'bigram', value: Math.exp(2), far: true },
      { label: 'best, 5-gram', value: Math.exp(1), far: false }
    ]);
  });
  it('have one hue a run, a dashed line for held-out text, and a faint raw line', () => {
    const { series } = perplexityChart([run(), { ...run(), name: 'b' }], 'steps', 0.1);
    const drawn = series.map(({ label, hue, dashed, faint }) => [label, hue, dashed ?? false, faint ?? false]);
    expect(drawn).toEqual([
      ['gru: training', 0, false, false],
      ['gru: held out', 0, true, false],
      ['b: training', 1, false, false],
      ['b: held out', 1, true, false],
      ['gru: each step', 0, false, true],
      ['b: each step', 1, false, true]
    ].map(([label, ...rest]) => [String(label).replace('gru', '<b>gru</b>-1'), ...rest]));
  });
  it('mark the best epoch and what was steered', () => {
    const steered = [
      { step: 10, lr: 0.1, clip: 1 },
      { step: 20, lr: 0.1, clip: null },
      { step: 30, lr: 0.2, clip: null }
    ];
    const epochs = [3, 1, 2].map((valid_nats, at) => ({ ...(run().epochs[at] as Epoch), valid_nats }));
    const data = perplexityChart([{ ...run(), steered, epochs }], 'steps');
    expect(data.best).toEqual({ x: 54, y: Math.E, label: 'best 2.718, epoch 2' });
    expect(data.moments).toEqual([
      { x: 10, label: 'lr 0.1, clip 1' },
      { x: 20, label: 'no clip' },
      { x: 30, label: 'lr 0.2' }
    ]);
    expect(normChart([{ ...run(), steered }], 'steps').moments).toHaveLength(3);
  });
  it('show between which values the steps of a point lie', () => {
    const loss = [[16, 2, 1, 3], [32, 1.5, 1.5, 1.5]];
    const data = perplexityChart([{ ...run(), series: { loss, grad_norm: [] }, epochs: [] }], 'steps');
    expect(data.envelope?.low[0]).toBeCloseTo(Math.exp(1));
    expect(data.envelope?.high[0]).toBeCloseTo(Math.exp(3));
    expect(perplexityChart([run()], 'steps').envelope).toBeNull();
  });
  it('have no place for what is beyond all floats', () => {
    expect(perplexity(1e6)).toBeNull();
    expect(perplexity(null)).toBeNull();
  });
});

describe('the status line', () => {
  it('tells where a training stands', () => {
    const line = statusLine(training());
    for (const part of ['training', 'epoch 3/3', 'step 10/27', 'perplexity 4', '1:05 left']) {
      expect(line).toContain(part);
    }
  });
  it('tells how a run ended', () => {
    expect(statusLine(run())).toContain('ended: all epochs done');
  });
  it.each(Object.keys(ENDINGS) as Ending[])('tells in both languages that a run ended by %s', reason => {
    const line = (language: string): string => {
      document.documentElement.dataset[LANGUAGE] = language;
      return statusLine({ ...run(), reason }).split(' · ')[0] ?? '';
    };
    const { words } = ENDINGS[reason];
    expect(line('en')).toBe(`ended: ${words}`);
    expect(line('zh-CN')).toBe(`已结束：${translated(words)}`);
    expect(translated(words)).not.toBe(words);
    document.documentElement.removeAttribute('data-rnn-magics-language');
  });
  it('writes time as people do', () => {
    expect([0, 59.6, 3661, null].map(duration)).toEqual(['0:00', '1:00', '1:01:01', '–']);
  });
});

describe('the dashboard', () => {
  let host: HTMLElement;
  let sent: Command[];
  const find = (selector: string): HTMLElement => {
    const found = host.querySelector<HTMLElement>(selector);
    if (found === null) {
      throw new Error(`nothing is ${selector}`);
    }
    return found;
  };
  const press = (label: string): void => {
    const buttons = [...host.querySelectorAll('button')];
    buttons.find(({ textContent }) => textContent === label)?.click();
  };
  const enter = (input: HTMLInputElement, value: string): void => {
    input.value = value;
    input.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter' }));
  };

  beforeEach(() => {
    host = document.createElement('div');
    sent = [];
  });

  it('sends what is asked of it', () => {
    const view = dashboard(host, training(), command => sent.push(command));
    press('Pause');
    view.update({ ...training(), phase: 'paused' });
    press('Resume');
    press('Stop');
    const [lr, clip] = [...host.querySelectorAll('input')];
    if (lr === undefined || clip === undefined) {
      throw new Error('no fields');
    }
    enter(lr, '0.01');
    enter(clip, '');
    enter(lr, 'fast');
    enter(lr, '');
    expect(sent).toEqual([
      { type: 'pause' },
      { type: 'resume' },
      { type: 'stop' },
      { type: 'steer', lr: 0.01 },
      { type: 'steer', clip: null }
    ]);
  });
  it('tells the bits of a byte where tokens are not characters', () => {
    const name = (): string | null => find('.rnn-number-name').textContent;
    const view = dashboard(host, run(), command => sent.push(command));
    const reached = find('.rnn-number-value').textContent;
    expect(name()).toBe('held-out perplexity');
    // 1.0333 nats of each of 100 tokens are 149.08 bits; with 50 that spell, 199.08 of 400 bytes.
    view.update({ ...run(), size: { tokens: 100, bytes: 400, lost_bits: 50 } });
    expect(name()).toBe('held-out perplexity, 0.4977 bits per byte');
    expect(find('.rnn-number-value').textContent).toBe(reached);
    view.update({ ...run(), epochs: [], size: { tokens: 100, bytes: 400, lost_bits: 50 } });
    expect(name()).toBe('held-out perplexity');
  });

  it('shows the share that the kernel tells', () => {
    const view = dashboard(host, training(), () => undefined);
    const bar = find('progress') as HTMLProgressElement;
    expect(bar.value).toBe(0.25);
    view.update({ ...training(), now: null });
    expect(bar.value).toBe(0);
    view.update(run());
    expect(bar.value).toBe(1);
  });
  it('has nothing to steer once the run has ended', () => {
    dashboard(host, run(), command => sent.push(command));
    press('Stop');
    expect(sent).toEqual([]);
    const [lr, clip] = [...host.querySelectorAll('input')];
    expect([lr?.disabled, clip?.disabled]).toEqual([true, true]);
  });
  it('takes names and texts as text', () => {
    const sample = '<img src=x onerror=alert(1)>';
    dashboard(host, { ...training(), sample, notes: ['<script>1</script>'] }, () => undefined);
    expect(find('.rnn-head').textContent).toContain('<b>gru</b>-1');
    expect(find('.rnn-sample').textContent).toBe(sample);
    expect(host.querySelector('img, script, b')).toBeNull();
  });
  it('says what became of a command to screen readers, too', () => {
    const view = dashboard(host, training(), () => undefined);
    view.say('lr must be above 0');
    expect(find('[role=status]').textContent).toBe('lr must be above 0');
  });
  it('marks a value that is refused, and goes back to that of the run', () => {
    const view = dashboard(host, training(), command => sent.push(command));
    const lr = find('input') as HTMLInputElement;
    const before = lr.value;
    enter(lr, '-3');
    expect([lr.value, lr.className]).toEqual(['-3', '']); // until the kernel has answered
    view.update(training());
    expect(lr.value).toBe('-3');
    view.say('lr must be above 0', true);
    expect([lr.value, lr.className, lr.getAttribute('aria-invalid')]).toEqual([before, 'rnn-refused', 'true']);
    expect(find('[role=status]').className).toContain('rnn-refused');
    enter(lr, 'fast');
    expect([lr.value, lr.className]).toEqual([before, 'rnn-refused']);
    expect(find('[role=status]').textContent).toBe('fast is not a number');
    expect(sent).toEqual([{ type: 'steer', lr: -3 }]);
    enter(lr, '0.01');
    view.say('learning rate 0.01');
    expect([lr.className, lr.getAttribute('aria-invalid')]).toEqual(['', 'false']);
  });
  it('tells the peak of the learning rate from the present one', () => {
    dashboard(host, training(), () => undefined);
    expect((find('input') as HTMLInputElement).value).toBe(String(training().lr));
    expect(find('.rnn-now').textContent).toBe('now 0.001');
  });
  it('leaves the bar of a run that was stopped where it was', () => {
    drawSaved(host, { ...(EXAMPLE as object), reason: 'stopped', done: 0.4 }, '');
    expect((find('progress') as HTMLProgressElement).value).toBe(0.4);
    expect(find('.rnn-chip').textContent).toBe('stopped');
  });
  it('fills the bar of a run that ended as planned, though its last step was not told', () => {
    drawSaved(host, { ...(EXAMPLE as object), reason: 'epochs', done: 0.97 }, '');
    expect((find('progress') as HTMLProgressElement).value).toBe(1);
  });
  it('says what it waits for while there is no curve', () => {
    const none = { loss: [], grad_norm: [] };
    for (const [phase, said] of [['measuring', 'measuring threads'], ['compiling', 'compiling']] as const) {
      host.replaceChildren();
      const view = dashboard(host, { ...training(), now: null, phase, series: none }, () => undefined);
      expect(find('.rnn-chip').textContent).toBe(said);
      expect(view).toBeDefined();
    }
  });
  it('keeps what the model wrote after each epoch', () => {
    const samples = [1, 2].map(epoch => ({ epoch, text: `text ${epoch}` }));
    const view = dashboard(host, { ...training(), samples, sample: 'now' }, () => undefined);
    expect(find('.rnn-sample').textContent).toBe('now');
    const slider = find('.rnn-writes input') as HTMLInputElement;
    slider.value = '0';
    slider.dispatchEvent(new Event('input'));
    expect(find('.rnn-sample').textContent).toBe('text 1');
    view.update({ ...training(), samples: [...samples, { epoch: 3, text: 'text 3' }], sample: 'later' });
    expect([find('.rnn-sample').textContent, slider.max, slider.value]).toEqual(['text 1', '3', '0']);
    slider.value = '3';
    slider.dispatchEvent(new Event('input'));
    expect(find('.rnn-sample').textContent).toBe('later');
    expect(find('.rnn-writes-at').textContent).toBe('now, in epoch 3');
  });
  it('folds notes and epochs', () => {
    dashboard(host, { ...run(), notes: ['a note'] }, () => undefined);
    const folded = find('details') as HTMLDetailsElement;
    expect(folded.open).toBe(false);
    expect(folded.textContent).toContain('a note');
    expect(folded.querySelectorAll('tbody tr')).toHaveLength(3);
  });
});

describe('the verdict', () => {
  const level = (order: number, perplexity: number, best = false): Level => ({
    name: `${order}-gram`,
    nats: Math.log(perplexity),
    order,
    best
  });
  const ladder = [level(0, 60), level(1, 18), level(2, 9), level(6, 4, true)];
  const said = (valid: number, more: Partial<RunData> = {}): string => {
    const epochs = run().epochs.map(epoch => ({ ...epoch, valid_nats: Math.log(valid) }));
    return verdict({ ...run(), epochs, ladder, ...more });
  };
  it.each([
    [70, 'After epoch 3: no better than guessing; the best 6-gram reaches 4.000'],
    [30, 'After epoch 3: better than guessing; the best 6-gram reaches 4.000'],
    [12, 'After epoch 3: better than knowing how frequent each token is; the best 6-gram reaches 4.000'],
    [4.36, 'After epoch 3: better than counting pairs; the best 6-gram is 9% ahead'],
    [3.8, 'After epoch 3: better than counting; the best 6-gram is 5.3% behind']
  ])('says what a perplexity of %s means', (valid, words) => {
    expect(said(valid)).toBe(words);
  });
  it('names the best weights, with their score and that of the test part', () => {
    const weights = { step: 54, epoch: 2, nats: Math.log(3.8), words: 'best weights, after epoch 2' };
    expect(said(70, { weights, test: { nats: Math.log(4.5) } })).toBe(
      'best weights, after epoch 2: better than counting; the best 6-gram is 5.3% behind; test perplexity 4.500'
    );
    const told = reached({ ...run(), weights });
    expect(told.heldOut).toBeCloseTo(3.8);
    expect(told.epoch).toBe(2);
    expect(told.training).toBeCloseTo(Math.exp(1.5));
  });
  it('draws the scores between the epochs, and the best of all of them', () => {
    const between = [{ step: 40, epoch: 2, nats: 0.5 }];
    const drawn = perplexityChart([{ ...run(), between }], 'steps');
    const held = drawn.series.find(({ dashed }) => dashed === true);
    expect(held?.values[drawn.x.indexOf(40)]).toBeCloseTo(Math.exp(0.5));
    expect(drawn.best).toMatchObject({ x: 40 });
  });
  it('compares only what can be compared', () => {
    expect(said(4, { comparable: false })).toContain('not comparable');
    expect(verdict({ ...training(), epochs: [] })).toContain('after the first epoch');
    expect(verdict({ ...run(), epochs: [] })).toContain('no text was held out');
    expect(said(4, { ladder: [] })).toContain('no n-grams');
  });
});

describe('the share of steps that were clipped', () => {
  it('is 0 only where none was', () => {
    expect([0, 0.0004, 0.0025, 0.05, 0.5].map(percent)).toEqual(['0%', '<0.1%', '0.3%', '5%', '50%']);
    const clipping = { clipped: 3, steps: 1200 };
    expect(statusLine({ ...run(), clipping })).toContain('3 of 1,200 steps clipped (0.3%)');
  });
});
