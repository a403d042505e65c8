import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { INSPECTION_MIME } from '../src/contract/looked';
import { RUN_MIME } from '../src/contract/saved';
import { drawKept } from '../src/page';

vi.mock('uplot/dist/uPlot.min.css', () => ({}));
vi.mock('../style/base.css', () => ({}));
vi.mock('../style/page.css', () => ({}));
vi.mock('../src/views/plots/chart', () => ({
  chart: () => ({ update: () => undefined, dispose: () => undefined })
}));

const read = (name: string): string => readFileSync(`../tests/contract/payloads/${name}.json`, 'utf8');

/** What a page keeps of an output: its data, and its words for readers without a script. */
function kept(type: string, data: string, words: string): HTMLElement {
  const whole = document.createElement('div');
  const script = document.createElement('script');
  script.type = type;
  script.textContent = data;
  const plain = document.createElement('pre');
  plain.textContent = words;
  whole.append(script, plain);
  document.body.append(whole);
  return whole;
}

afterEach(() => {
  document.body.replaceChildren();
});

describe('what a page keeps', () => {
  it('is drawn where its words stood', () => {
    const run = kept(RUN_MIME, read('run'), 'gru-1');
    const view = kept(INSPECTION_MIME, read('surprise'), 'a text');
    drawKept(document);
    expect(run.querySelector('.rnn-saved')).not.toBeNull();
    expect(view.querySelector('.rnn-inspection')).not.toBeNull();
    expect(document.querySelectorAll('script, body > div > pre')).toHaveLength(0);
  });
  it('leaves its words where it cannot be drawn, and goes on', () => {
    const broken = kept(RUN_MIME, '{"view": 1}', 'words of a run');
    const none = kept(RUN_MIME, 'no JSON', '<b>more</b> words');
    const view = kept(INSPECTION_MIME, read('gradient'), 'a text');
    drawKept(document);
    expect(broken.textContent).toContain('words of a run');
    expect(none.textContent).toContain('<b>more</b> words');
    expect(none.querySelector('b')).toBeNull();
    expect(view.querySelector('.rnn-inspection')).not.toBeNull();
  });
});
