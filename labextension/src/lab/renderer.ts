/** Draws the runs that a saved notebook keeps; no kernel is needed. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import { ContractError } from '../contract/check';
import { savedRuns } from '../contract/saved';
import { element } from '../views/dom';
import { Labels, savedView } from '../views/saved';

/** `rnn_magics/notebook/run_payload.py` has it too. */
export const RUN_MIME = 'application/vnd.rnn-magics.run+json';

/** Draw what a notebook keeps, or say in a line why not; return what ends it. */
export function drawSaved(
  host: HTMLElement,
  data: Readonly<Record<string, unknown>>,
  labels: Labels & { unknown: string }
): () => void {
  try {
    return savedView(host, savedRuns(data[RUN_MIME], 'run'), labels);
  } catch (error) {
    if (!(error instanceof ContractError)) {
      throw error;
    }
    const plain = data['text/plain'];
    const lines = [labels.unknown, error.message, ...(typeof plain === 'string' ? [plain] : [])];
    host.classList.add('rnn-view');
    host.replaceChildren(...lines.map(line => element('div', 'rnn-status', line)));
    return () => undefined;
  }
}

class RunRenderer extends Widget implements IRenderMime.IRenderer {
  private end: () => void = () => undefined;

  constructor(private readonly labels: Labels & { unknown: string }) {
    super();
  }

  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.end();
    this.end = drawSaved(this.node, model.data, this.labels);
    return Promise.resolve();
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.end();
    }
    super.dispose();
  }
}

export const renderer: JupyterFrontEndPlugin<void> = {
  id: 'rnn-magics:renderer',
  description: 'Draws the runs that a saved notebook keeps.',
  autoStart: true,
  optional: [IRenderMimeRegistry, ITranslator],
  activate: (
    _app: JupyterFrontEnd,
    registry: IRenderMimeRegistry | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('rnn_magics');
    const labels = {
      against: trans.__('against'),
      steps: trans.__('steps'),
      seconds: trans.__('seconds'),
      unknown: trans.__('This run was saved by another version of rnn_magics and is not drawn.')
    };
    registry?.addFactory(
      { safe: true, mimeTypes: [RUN_MIME], createRenderer: () => new RunRenderer(labels) },
      0
    );
  }
};
