/** One kernel, its runs as it tells them, and the orders that it takes. */

import type { Kernel, KernelMessage } from '@jupyterlab/services';
import { ISignal, Signal } from '@lumino/signaling';

import { ContractError } from '../../contract/check';
import { Entry, runsTold } from '../../contract/runs';

/** Id and target of the comm; `rnn_magics/notebook/page/announce.py` has it too. */
export const RUNS = 'rnn_magics.runs';
/** How long an order may stay unanswered before the kernel is taken to be deaf. */
const PATIENCE = 1500;
/** How long the kernel may take to start a subshell for the comm. */
const SUBSHELL = 1000;

export type Order = 'pause' | 'resume' | 'stop';

/** What became of an order. */
export type Outcome = { kind: 'done' } | { kind: 'refused'; said: string } | { kind: 'unheard' };

export type LinkedKernel = Pick<
  Kernel.IKernelConnection,
  | 'id'
  | 'status'
  | 'handleComms'
  | 'statusChanged'
  | 'iopubMessage'
  | 'createComm'
  | 'requestCommInfo'
  | 'interrupt'
>;

const GONE = new Set<Kernel.Status>(['restarting', 'autorestarting', 'terminating', 'dead']);

export class KernelLink {
  private readonly _changed = new Signal<this, undefined>(this);
  private readonly waiting = new Map<number, (outcome: Outcome) => void>();
  private readonly searches = new Map<number, (reply: unknown) => void>();
  private comm: Kernel.IComm | null = null;
  /** Settles when messages of the comm go past a busy cell, or when it is clear that they do not. */
  private ready: Promise<unknown> = Promise.resolve();
  private asked = 0;
  private looked = false;
  private greeted = false;
  private introduced = false;
  private curves = new Map<string, Entry['series']>();
  private told: Entry[] = [];

  /**
   * @param language The language of the page, which the kernel is told, so that what it says itself
   *   is in that language, too.
   */
  constructor(
    readonly kernel: LinkedKernel,
    private readonly language: string | null = null
  ) {
    kernel.iopubMessage.connect(this.hear);
    kernel.statusChanged.connect(this.follow);
    this.follow(kernel, kernel.status);
  }

  /** The runs of the kernel, the newest last. */
  get runs(): readonly Entry[] {
    return this.told;
  }

  get changed(): ISignal<this, undefined> {
    return this._changed;
  }

  /** Ask something of a run. */
  async order(order: Order, run: string): Promise<Outcome> {
    this.asked += 1;
    const id = this.asked;
    if (!this.kernel.handleComms) {
      return { kind: 'unheard' }; // another connection of this page to the same kernel has them
    }
    await this.send({ type: order, run, id });
    return new Promise(resolve => {
      const late = setTimeout(() => {
        this.waiting.delete(id);
        resolve({ kind: 'unheard' });
      }, PATIENCE);
      this.waiting.set(id, outcome => {
        clearTimeout(late);
        resolve(outcome);
      });
    });
  }

  /** Ask for places of the corpus; null where nobody can be asked. The answer may never come. */
  search(look: string, question: Record<string, number | null>): Promise<unknown> | null {
    if (!this.kernel.handleComms || GONE.has(this.kernel.status)) {
      return null;
    }
    this.asked += 1;
    const id = this.asked;
    void this.send({ type: 'search', id, look, ...question });
    return new Promise(resolve => this.searches.set(id, resolve));
  }

  /** Stop a run; a kernel whose cell waits for it and hears nothing is interrupted. */
  async stop(run: Entry): Promise<Outcome> {
    const outcome = await this.order('stop', run.name);
    if (outcome.kind === 'unheard' && !run.background) {
      await this.kernel.interrupt();
      return { kind: 'done' };
    }
    return outcome;
  }

  dispose(): void {
    this.kernel.iopubMessage.disconnect(this.hear);
    this.kernel.statusChanged.disconnect(this.follow);
    this.forget();
    Signal.clearData(this);
  }

  private readonly follow = (_: unknown, status: Kernel.Status): void => {
    if (GONE.has(status)) {
      this.forget();
    } else if (status === 'idle' && !this.looked) {
      // Once: a kernel that loads rnn_magics later tells its runs of its own accord.
      this.looked = true;
      void this.look();
    }
  };

  /** Greet the kernel if it has loaded rnn_magics before this page was there. */
  private async look(): Promise<void> {
    const reply = await this.kernel.requestCommInfo({ target_name: RUNS });
    if (reply.content.status === 'ok' && RUNS in reply.content.comms) {
      this.introduce();
      this.greet();
    }
  }

  /** Tell the kernel the language of this page, once. */
  private introduce(): void {
    if (!this.introduced && this.language !== null && this.kernel.handleComms) {
      this.introduced = true;
      void this.send({ type: 'language', language: this.language });
    }
  }

  private greet(): void {
    if (!this.greeted && this.kernel.handleComms) {
      this.greeted = true;
      void this.send({ type: 'hello' });
    }
  }

  private async send(data: Record<string, string | number | null>): Promise<void> {
    const comm = this.open();
    await this.ready;
    if (!comm.isDisposed) {
      comm.send(data);
    }
  }

  private open(): Kernel.IComm {
    if (this.comm === null) {
      this.comm = this.kernel.createComm(RUNS, RUNS);
      // JupyterLab before 4.4 has no subshells and kernels before 7 never start one; there a cell
      // that waits for a training hears the comm itself, as `rnn_magics/notebook/page/listening.py` tells.
      const { subshellStarted } = this.comm as { subshellStarted?: Promise<void> };
      this.ready = Promise.race([subshellStarted, later(SUBSHELL)]);
    }
    return this.comm;
  }

  /** Forget a kernel process that is no more; the next one begins with nothing. */
  private forget(): void {
    this.comm?.dispose();
    this.comm = null;
    this.looked = this.greeted = this.introduced = false;
    this.curves.clear();
    for (const resolve of this.waiting.values()) {
      resolve({ kind: 'unheard' });
    }
    this.waiting.clear();
    this.searches.clear();
    if (this.told.length > 0) {
      this.told = [];
      this._changed.emit(undefined);
    }
  }

  private readonly hear = (_: unknown, message: KernelMessage.IIOPubMessage): void => {
    const content = message.content as { comm_id?: unknown; data?: unknown };
    if (message.header.msg_type !== 'comm_msg' || content.comm_id !== RUNS) {
      return;
    }
    const data = content.data as { type?: unknown; id?: unknown; said?: unknown };
    if (data.type === 'runs') {
      this.take(read(data));
    } else if (data.type === 'found' && typeof data.id === 'number') {
      this.searches.get(data.id)?.(data);
      this.searches.delete(data.id);
    } else if (data.type === 'answer' && typeof data.id === 'number') {
      const said = typeof data.said === 'string' ? data.said : '';
      this.waiting.get(data.id)?.(said === '' ? { kind: 'done' } : { kind: 'refused', said });
      this.waiting.delete(data.id);
    }
  };

  private take(runs: Entry[]): void {
    const curves = new Map(
      runs.map(({ name, series }) => [name, series ?? this.curves.get(name) ?? null])
    );
    this.curves = curves;
    this.told = runs.map(run => ({ ...run, series: curves.get(run.name) ?? null }));
    if (this.kernel.handleComms) {
      this.open(); // so that orders find the way past a busy cell
    }
    this.introduce();
    if (this.told.some(({ series }) => series === null)) {
      this.greet();
    }
    this._changed.emit(undefined);
  }
}

/** A kernel with another version of rnn_magics than this page's has no runs here. */
function read(data: unknown): Entry[] {
  try {
    return runsTold(data, 'runs');
  } catch (error) {
    if (error instanceof ContractError) {
      return [];
    }
    throw error;
  }
}

function later(milliseconds: number): Promise<void> {
  return new Promise(resolve => {
    setTimeout(resolve, milliseconds);
  });
}
