import { readFileSync } from 'node:fs';
import type { ITranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { ENDINGS, Ending } from '../src/contract/endings';
import { Entry, runsTold } from '../src/contract/runs';
import { saved } from '../src/contract/saved';
import { foremost, training } from '../src/lab/runs/choose';
import { Endings } from '../src/lab/runs/endings';
import { isText, relativePath } from '../src/lab/begin/files';
import { KernelLink, LinkedKernel, RUNS } from '../src/lab/kernels/kernel_link';
import { Words, languageOf, wordsIn } from '../src/lab/setup/translation';
import { isCorpusCell, spans } from '../src/lab/cells/spans';
import type { IRuns, LinkedRun } from '../src/lab/kernels/tokens';
import { ending, statusText } from '../src/lab/runs/words';
import { drawSaved } from '../src/views/kept/saved';
import { LANGUAGE, said, say, translated } from '../src/views/text/say';
import { HEIGHT, placed as points, spark, sparkline } from '../src/views/plots/spark';

vi.mock('../src/views/plots/chart', () => ({
  chart: (host: HTMLElement, data: { title: string }) => {
    host.textContent = data.title;
    return { update: () => undefined, dispose: () => undefined };
  }
}));

const read = (name: string): unknown =>
  JSON.parse(readFileSync(`../tests/contract/payloads/${name}.json`, 'utf8'));
const TOLD = read('runs') as { type: string; version: number; runs: object[] };
const english: Words = {
  __: (text: string, ...args: unknown[]) =>
    text.replace(/%(\d)/g, (_, place: string) => String(args[Number(place) - 1]))
};

function entry(changes: Partial<Entry> = {}): Entry {
  const [, run] = runsTold(TOLD, 'runs');
  if (run === undefined) {
    throw new Error('the example has two runs');
  }
  return { ...run, ...changes };
}

describe('the contract of runs', () => {
  it('takes what pytest makes, and only its version', () => {
    expect(entry().options).toEqual([
      ['num_hiddens', '8'],
      ['epochs', '10']
    ]);
    expect(() => runsTold({ ...TOLD, version: 2 }, 'runs')).toThrow('version 1');
    expect(() => runsTold({ ...TOLD, runs: [{}] }, 'runs')).toThrow('runs.runs[0].name');
  });
  it('knows saved runs, one or several', () => {
    expect(saved(read('run'), 'run').view).toBe('run');
    expect(saved(read('compare'), 'run').view).toBe('compare');
    for (const bad of [null, 3, {}, { view: 'compare', version: 2, runs: [] }, { view: 'film' }]) {
      expect(() => saved(bad, 'run')).toThrow('run');
    }
  });
});

describe('words', () => {
  it('fit into the status bar', () => {
    expect(statusText(entry(), english)).toBe('gru-2 epoch 3/10, ppl 4.1, ETA 0:40');
    expect(statusText(entry({ phase: 'paused' }), english)).toBe(
      'gru-2 paused, epoch 3/10, ppl 4.1'
    );
    expect(statusText(entry({ phase: 'starting' }), english)).toBe('gru-2 starting');
    expect(statusText(entry({ train_nats: 1e9 }), english)).toContain('ppl –');
  });
  it('tell how a run ended, and how grave that is', () => {
    const of = (reason: Ending | null): unknown => ending(entry({ phase: 'ended', reason }), english);
    expect(of('epochs')).toEqual({ text: 'gru-2: all epochs done, epoch 3/10, ppl 4.1', type: 'success' });
    expect(of('stopped')).toMatchObject({ type: 'info' });
    expect(of('non_finite')).toMatchObject({ type: 'error' });
    expect(of('out_of_memory')).toMatchObject({ type: 'error' });
    expect(of(null)).toMatchObject({ type: 'info' });
    const failed = entry({ phase: 'ended', reason: 'failed', message: 'no memory' });
    expect(ending(failed, english).text).toContain('failed, epoch 3/10, ppl 4.1. no memory');
  });
});

describe('every ending', () => {
  const chinese: Words = { __: (text, ...filled) => said(translated(text), filled as string[]) };
  it.each(Object.keys(ENDINGS) as Ending[])('is said in both languages: %s', reason => {
    const ended = entry({ phase: 'ended', reason });
    const { words, news } = ENDINGS[reason];
    expect(ending(ended, english).text).toBe(`gru-2: ${words}, epoch 3/10, ppl 4.1`);
    expect(ending(ended, chinese).text).toContain(`gru-2：${translated(words)}, 第 3/10 轮`);
    expect(translated(words)).not.toBe(words);
    expect(ending(ended, english).type === 'success').toBe(news === 'good');
  });
});

describe('the language', () => {
  const bundle = (locale: string): unknown => ({ ...english, getLocale: () => locale });
  const translator = (locale: string, languageCode?: string): ITranslator =>
    ({ languageCode, load: () => bundle(locale) }) as unknown as ITranslator;
  it('is known on JupyterLab before 4.3, too', () => {
    expect(languageOf(translator('en', 'zh-CN'))).toBe('zh-CN');
    expect(languageOf(translator('zh_CN'))).toBe('zh_CN');
    expect(wordsIn(translator('zh_CN')).__('epoch %1/%2', 3, 10)).toBe('第 3/10 轮');
    expect(wordsIn(translator('en')).__('epoch %1/%2', 3, 10)).toBe('epoch 3/10');
    expect(wordsIn(null).__('Stop')).toBe('Stop');
  });
  it('of JupyterLab goes before that of the browser', () => {
    expect(say('%1 at %2', 'a', 3)).toBe('a at 3');
    document.documentElement.dataset[LANGUAGE] = 'zh_CN';
    expect(say('%1 at %2', 'a', 3)).toBe('a 为 3');
    document.documentElement.lang = 'zh';
    document.documentElement.dataset[LANGUAGE] = 'en';
    expect(say('%1 at %2', 'a', 3)).toBe('a at 3');
    document.documentElement.removeAttribute('data-rnn-magics-language');
    expect(say('%1 at %2', 'a', 3)).toBe('a 为 3');
    document.documentElement.lang = '';
  });
});

describe('endings', () => {
  it('are those of runs that were seen training, once', () => {
    const endings = new Endings();
    const ended = entry({ phase: 'ended' });
    expect(endings.take([{ key: 'old', entry: ended }])).toEqual([]);
    expect(endings.take([{ key: 'new', entry: entry() }])).toEqual([]);
    expect(endings.take([{ key: 'new', entry: ended }])).toEqual([ended]);
    expect(endings.take([{ key: 'new', entry: ended }])).toEqual([]);
  });
});

describe('the run that is meant', () => {
  const linked = (name: string, phase: Entry['phase']): LinkedRun =>
    ({ key: name, entry: entry({ name, phase }) }) as LinkedRun;
  const runs = (all: LinkedRun[], current: LinkedRun[]): IRuns => ({ all, current }) as IRuns;
  it('trains in the notebook in front, or anywhere', () => {
    const [here, there] = [linked('a', 'training'), linked('b', 'paused')];
    expect(training(runs([here, there], [here]))).toBe(here);
    expect(training(runs([there], [linked('c', 'ended')]))).toBe(there);
    expect(training(runs([], []))).toBeNull();
  });
  it('is the newest in front where none trains', () => {
    const ended = linked('c', 'ended');
    expect(foremost(runs([ended], [linked('b', 'ended'), ended]))).toBe(ended);
  });
});

describe('magic lines', () => {
  const read = (line: string): [string, string][] =>
    spans(line).map(({ from, to, kind }) => [kind, line.slice(from, to)]);
  it('are read word by word', () => {
    expect(read('run = %train_rnn --cell gru -h "a --b" \'c\' x-y --name="z"')).toEqual([
      ['magic', '%train_rnn'],
      ['option', '--cell'],
      ['option', '-h'],
      ['quoted', '"a --b"'],
      ['quoted', "'c'"],
      ['option', '--name'],
      ['quoted', '"z"']
    ]);
    expect(read('%corpus "never closed --x')).toEqual([
      ['magic', '%corpus'],
      ['quoted', '"never closed --x']
    ]);
    expect(read('%train_rnn?')).toEqual([['magic', '%train_rnn']]);
  });
  it('are ours, and nobody else’s', () => {
    for (const line of ['x % vocab', '%vocabulary', '%timeit 1', 'print("%corpus")', '# %rnn', '']) {
      expect(read(line)).toEqual([]);
    }
    expect([isCorpusCell('%%corpus poem'), isCorpusCell('%corpus'), isCorpusCell('%%corpusx')]).toEqual(
      [true, false, false]
    );
  });
  it('are read in time that grows with their length', () => {
    expect(read(`${'a, '.repeat(20_000)}b`)).toEqual([]);
    expect(read(`${'a '.repeat(20_000)}= 3`)).toEqual([]);
  });
});

describe('files', () => {
  it('stand where a notebook sees them', () => {
    expect(relativePath('a/b/n.ipynb', 'a/c/t.txt')).toBe('../c/t.txt');
    expect(relativePath('a/n.ipynb', 'a/t.txt')).toBe('t.txt');
    expect(relativePath('', 'a/t.txt')).toBe('a/t.txt');
    expect(relativePath('a/a/n.ipynb', 'a')).toBe('../../a');
  });
  it('are texts by their name or type', () => {
    const file = (path: string, mimetype = ''): boolean => isText({ type: 'file', path, mimetype });
    expect([file('a.TXT'), file('a', 'text/plain'), file('a.png', 'image/png')]).toEqual([
      true,
      true,
      false
    ]);
    expect(file('a\n%rm x.txt')).toBe(false);
    expect(isText({ type: 'directory', path: 'a.txt' })).toBe(false);
  });
});

describe('a spark', () => {
  it('stays inside, and is flat where there is only noise', () => {
    const { line, dots } = points({
      loss: [
        [1, 3],
        [4, 1]
      ],
      valid: [[4, 2]]
    });
    expect(line.map(([, y]) => y)).toEqual([3, HEIGHT - 3]);
    expect(dots[0]?.[1]).toBeCloseTo(HEIGHT / 2);
    const flat = points({ loss: [[1, 2], [2, 2.01]], valid: [] }).line;
    expect(Math.abs((flat[0]?.[1] ?? 0) - (flat[1]?.[1] ?? 9))).toBeLessThan(1);
  });
  it('is drawn', () => {
    const svg = sparkline();
    spark(svg, { loss: [[1, 3], [2, 2]], valid: [[2, 2.5]] });
    expect(svg.querySelector('polyline')?.getAttribute('points')).toBe('120,3 237,41');
    expect(svg.querySelectorAll('circle')).toHaveLength(1);
  });
});

describe('what a notebook keeps', () => {
  it('is drawn', () => {
    const host = document.createElement('div');
    const view = drawSaved(host, read('run'), 'words');
    expect(host.textContent).toContain('Perplexity');
    expect(host.textContent).toContain('<b>gru</b>-1');
    expect(host.querySelector('b')).toBeNull();
    view.end();
    expect(host.textContent).toBe('');
  });
  it('is said where it is of another version', () => {
    const host = document.createElement('div');
    drawSaved(host, { ...(read('run') as object), version: 2 }, '<i>words</i>');
    expect(host.textContent).toContain('cannot be drawn: run.version: wanted version 1');
    expect(host.textContent).toContain('<i>words</i>');
    expect(host.querySelector('i')).toBeNull();
  });
});

class FakeComm {
  sent: { type: string; id?: number }[] = [];
  isDisposed = false;
  subshellStarted = Promise.resolve();
  send(data: { type: string; id?: number }): void {
    this.sent.push(data);
  }
  dispose(): void {
    this.isDisposed = true;
  }
}

class FakeKernel {
  id = 'kernel';
  status = 'idle';
  handleComms = true;
  statusChanged = new Signal<this, string>(this);
  iopubMessage = new Signal<this, unknown>(this);
  comms: FakeComm[] = [];
  loaded = false;
  interrupt = vi.fn(() => Promise.resolve());
  requestCommInfo = vi.fn(() =>
    Promise.resolve({ content: { status: 'ok', comms: this.loaded ? { [RUNS]: {} } : {} } })
  );
  createComm = vi.fn(() => {
    const made = new FakeComm();
    this.comms.push(made);
    return made;
  });

  get comm(): FakeComm | undefined {
    return this.comms.at(-1);
  }
  become(status: string): void {
    this.status = status;
    this.statusChanged.emit(status);
  }
  tell(data: unknown, comm_id = RUNS): void {
    this.iopubMessage.emit({ header: { msg_type: 'comm_msg' }, content: { comm_id, data } });
  }
}

describe('the link to a kernel', () => {
  let kernel: FakeKernel;
  const link = (): KernelLink => new KernelLink(kernel as unknown as LinkedKernel);
  const settled = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

  beforeEach(() => {
    vi.useFakeTimers();
    kernel = new FakeKernel();
  });

  it('asks once, and opens nothing where rnn_magics is not loaded', async () => {
    link();
    kernel.become('busy');
    kernel.become('idle');
    await settled();
    expect(kernel.requestCommInfo).toHaveBeenCalledTimes(1);
    expect(kernel.createComm).not.toHaveBeenCalled();
  });
  it('greets a kernel that has runs already', async () => {
    kernel.loaded = true;
    const made = link();
    await settled();
    expect(kernel.comm?.sent).toEqual([{ type: 'hello' }]);
    kernel.tell(TOLD);
    expect(made.runs.map(({ name }) => name)).toEqual(['gru-1', 'gru-2']);
  });
  it('tells a kernel the language of the page, once for each process', async () => {
    kernel.loaded = true;
    const made = new KernelLink(kernel as unknown as LinkedKernel, 'zh_CN');
    await settled();
    kernel.tell(TOLD);
    await settled();
    const told = { type: 'language', language: 'zh_CN' };
    expect(kernel.comm?.sent).toEqual([told, { type: 'hello' }]);
    kernel.become('restarting');
    kernel.tell({ ...TOLD, runs: [] });
    await settled();
    expect(kernel.comms[1]?.sent).toEqual([told]);
    made.dispose();
  });
  it('learns of a busy kernel by what it tells, and asks for the curves it lacks', async () => {
    kernel.status = 'busy';
    const made = link();
    kernel.tell(TOLD);
    expect(made.runs).toHaveLength(2);
    await settled();
    expect(kernel.comm?.sent).toEqual([{ type: 'hello' }]);
  });
  it('keeps a curve that is not told again', () => {
    const made = link();
    kernel.tell(TOLD);
    kernel.tell({ ...TOLD, runs: TOLD.runs.map(run => ({ ...run, series: null })) });
    expect(made.runs[1]?.series?.loss).toHaveLength(3);
  });
  it('begins anew after a restart', async () => {
    kernel.loaded = true;
    const made = link();
    await settled();
    kernel.tell(TOLD);
    kernel.become('restarting');
    expect(made.runs).toEqual([]);
    expect(kernel.comms[0]?.isDisposed).toBe(true);
    kernel.become('idle');
    await settled();
    expect(kernel.requestCommInfo).toHaveBeenCalledTimes(2);
    expect(kernel.comms[1]?.sent).toEqual([{ type: 'hello' }]);
  });
  it('hears nothing of other comms and of other versions', () => {
    const made = link();
    kernel.tell(TOLD, 'another');
    expect(made.runs).toEqual([]);
    kernel.tell(TOLD);
    kernel.tell({ ...TOLD, version: 2 });
    expect(made.runs).toEqual([]);
  });
  it('tells what became of an order', async () => {
    const made = link();
    const [done, refused] = [made.order('pause', 'gru-2'), made.order('stop', 'x')];
    await settled();
    kernel.tell({ type: 'answer', id: 1, said: '' });
    kernel.tell({ type: 'answer', id: 2, said: "no run 'x'" });
    expect(await done).toEqual({ kind: 'done' });
    expect(await refused).toEqual({ kind: 'refused', said: "no run 'x'" });
  });
  it('brings the answer to a search, and asks no kernel that is gone', async () => {
    const made = link();
    const found = made.search('key', { first: 0, last: 3, layer: 1, epoch: null });
    await settled();
    expect(kernel.comm?.sent).toEqual([
      { type: 'search', id: 1, look: 'key', first: 0, last: 3, layer: 1, epoch: null }
    ]);
    kernel.tell({ type: 'found', id: 2, said: 'of another page' });
    kernel.tell({ type: 'found', id: 1, said: 'no corpus yet' });
    expect(await found).toMatchObject({ said: 'no corpus yet' });
    kernel.become('dead');
    expect(made.search('key', {})).toBeNull();
    kernel.become('idle');
    kernel.handleComms = false;
    expect(made.search('key', {})).toBeNull();
  });
  it('interrupts a deaf kernel whose cell waits for the run', async () => {
    const stopped = link().stop(entry({ background: false }));
    await vi.advanceTimersByTimeAsync(1400);
    expect(kernel.interrupt).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(200);
    expect(await stopped).toEqual({ kind: 'done' });
    expect(kernel.interrupt).toHaveBeenCalledTimes(1);
  });
  it('leaves the cell alone that a background run has nothing to do with', async () => {
    const stopped = link().stop(entry({ background: true }));
    await vi.advanceTimersByTimeAsync(2000);
    expect(await stopped).toEqual({ kind: 'unheard' });
    expect(kernel.interrupt).not.toHaveBeenCalled();
  });
  it('lets go of a kernel', () => {
    const made = link();
    made.dispose();
    kernel.tell(TOLD);
    expect(made.runs).toEqual([]);
  });
});
