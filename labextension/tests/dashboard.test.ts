import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { ENDINGS, Ending } from '../src/contract/endings';
import { RunData, rowsOf, runData } from '../src/contract/run';
import { normChart, perplexity, perplexityChart } from '../src/views/runs/curves';
import { Command, dashboard, duration, statusLine } from '../src/views/runs/dashboard';
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
    expect(data.references).toEqual([{ label: 'clip 0.25', value: 0.25 }]);
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
    const data = perplexityChart([{ ...run(), ladder: [{ name: 'bigram', nats: 2 }] }], 'steps');
    expect(data.references).toEqual([{ label: 'bigram', value: Math.exp(2) }]);
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
    expect([...host.querySelectorAll('input')].every(({ disabled }) => disabled)).toBe(true);
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
});
