/** Follows the kernels of all open notebooks. */

import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { ISignal, Signal } from '@lumino/signaling';

import { plugin } from '../setup/plugin';
import { languageOf } from '../setup/translation';
import { KernelLink } from './kernel_link';
import { IRuns, LinkedRun } from './tokens';

class Runs implements IRuns {
  private readonly _changed = new Signal<this, undefined>(this);
  private readonly links = new Map<NotebookPanel, KernelLink>();

  constructor(
    private readonly tracker: INotebookTracker | null,
    private readonly language: string | null
  ) {
    tracker?.forEach(notebook => {
      this.follow(notebook);
    });
    tracker?.widgetAdded.connect((_, notebook) => {
      this.follow(notebook);
    });
    tracker?.currentChanged.connect(() => {
      this._changed.emit(undefined);
    });
  }

  get changed(): ISignal<this, undefined> {
    return this._changed;
  }

  get all(): LinkedRun[] {
    const seen = new Set<string>();
    return [...this.links].flatMap(([notebook, link]) => {
      if (seen.has(link.kernel.id)) {
        return []; // two notebooks on one kernel have the same runs
      }
      seen.add(link.kernel.id);
      return runsOf(notebook, link);
    });
  }

  get current(): LinkedRun[] {
    const notebook = this.tracker?.currentWidget ?? null;
    const link = notebook === null ? undefined : this.links.get(notebook);
    return notebook === null || link === undefined ? [] : runsOf(notebook, link);
  }

  around(node: Node): KernelLink | null {
    const found = [...this.links].find(([notebook]) => notebook.node.contains(node));
    return found?.[1] ?? null;
  }

  private follow(notebook: NotebookPanel): void {
    const { sessionContext } = notebook;
    const attach = (): void => {
      this.drop(notebook);
      const kernel = sessionContext.session?.kernel;
      if (kernel) {
        const link = new KernelLink(kernel, this.language);
        link.changed.connect(() => {
          this._changed.emit(undefined);
        });
        this.links.set(notebook, link);
      }
      this._changed.emit(undefined);
    };
    sessionContext.kernelChanged.connect(attach);
    notebook.disposed.connect(() => {
      this.drop(notebook);
      this._changed.emit(undefined);
    });
    if (sessionContext.session?.kernel) {
      attach();
    }
  }

  private drop(notebook: NotebookPanel): void {
    this.links.get(notebook)?.dispose();
    this.links.delete(notebook);
  }
}

function runsOf(notebook: NotebookPanel, link: KernelLink): LinkedRun[] {
  return link.runs.map(entry => ({
    key: JSON.stringify([link.kernel.id, entry.name]),
    entry,
    link,
    notebook
  }));
}

export const openKernels = plugin({
  id: 'rnn-magics:link',
  description: 'Follows the runs of all open notebooks.',
  provides: IRuns,
  optional: [INotebookTracker],
  activate: ({ translator }, tracker): IRuns =>
    new Runs(tracker, translator === null ? null : languageOf(translator))
});
