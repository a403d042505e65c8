/** Draws the views of `%inspect_rnn` that a notebook keeps; a kernel is asked for searches only. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import { ContractError } from '../contract/check';
import { looked } from '../contract/looked';
import { element } from '../views/dom';
import { inspect } from '../views/inspect';
import { IRuns } from './tokens';

/** `rnn_magics/notebook/page/view.py` has both, too. */
export const INSPECTION_MIME = 'application/vnd.rnn-magics.inspection+json';
export const LIVE_MIME = 'application/vnd.rnn-magics.live+json';
/** Before the renderer of widgets, which has -10: a page must not show the same view twice. */
const BEFORE_WIDGETS = -20;

class InspectionRenderer extends Widget implements IRenderMime.IRenderer {
  private end: () => void = () => undefined;

  constructor(
    private readonly runs: IRuns | null,
    private readonly unknown: string
  ) {
    super();
  }

  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.end();
    this.node.replaceChildren();
    try {
      const data = looked(model.data[INSPECTION_MIME], 'view');
      this.end = inspect(this.node, data, question => {
        const { look } = data.origin;
        const kernel = this.runs?.around(this.node) ?? null;
        return look === '' || kernel === null ? null : kernel.search(look, { ...question });
      });
    } catch (error) {
      if (!(error instanceof ContractError)) {
        throw error;
      }
      const plain = model.data['text/plain'];
      const lines = [this.unknown, error.message, typeof plain === 'string' ? plain : ''];
      this.addClass('rnn-view');
      this.node.replaceChildren(...lines.map(line => element('div', 'rnn-status', line)));
    }
    return Promise.resolve();
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.end();
    }
    super.dispose();
  }
}

/** Stands in the place of a widget whose view is drawn below it. */
class Nothing extends Widget implements IRenderMime.IRenderer {
  renderModel(): Promise<void> {
    this.addClass('rnn-nothing');
    return Promise.resolve();
  }
}

export const inspectionRenderer: JupyterFrontEndPlugin<void> = {
  id: 'rnn-magics:inspection-renderer',
  description: 'Draws the views of models that a notebook keeps.',
  autoStart: true,
  optional: [IRenderMimeRegistry, IRuns, ITranslator],
  activate: (
    _app: JupyterFrontEnd,
    registry: IRenderMimeRegistry | null,
    runs: IRuns | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('rnn_magics');
    const unknown = trans.__(
      'This view was saved by another version of rnn_magics and is not drawn.'
    );
    registry?.addFactory(
      {
        safe: true,
        mimeTypes: [INSPECTION_MIME],
        createRenderer: () => new InspectionRenderer(runs, unknown)
      },
      0
    );
    registry?.addFactory(
      { safe: true, mimeTypes: [LIVE_MIME], createRenderer: () => new Nothing() },
      BEFORE_WIDGETS
    );
  }
};
