/** Draws the views of `%inspect_rnn` that a notebook keeps; a kernel is asked for searches only. */

import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { Widget } from '@lumino/widgets';

import { INSPECTION_MIME, looked } from '../../contract/looked';
import { inspect } from '../../views/inspect';
import { guarded } from '../../views/page/guarded';
import { IRuns } from '../kernels/tokens';
import { plugin } from '../setup/plugin';

/** `rnn_magics/notebook/show/bundle.py` has it, too. */
export const LIVE_MIME = 'application/vnd.rnn-magics.live+json';
/** Before the renderer of widgets, which has -10: a page must not show the same view twice. */
const BEFORE_WIDGETS = -20;

class InspectionRenderer extends Widget implements IRenderMime.IRenderer {
  private end: () => void = () => undefined;

  constructor(private readonly runs: IRuns | null) {
    super();
  }

  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.end();
    this.node.replaceChildren();
    const plain = model.data['text/plain'];
    this.end = guarded(this.node, typeof plain === 'string' ? plain : '', () => {
      const data = looked(model.data[INSPECTION_MIME], 'view');
      return inspect(this.node, data, question => {
        const { look } = data.origin;
        const kernel = this.runs?.around(this.node) ?? null;
        return look === '' || kernel === null ? null : kernel.search(look, { ...question });
      });
    });
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

export const inspectionRenderer = plugin({
  id: 'rnn-magics:inspection-renderer',
  description: 'Draws the views of models in saved notebooks.',
  optional: [IRenderMimeRegistry, IRuns],
  activate: (_page, registry, runs) => {
    registry?.addFactory(
      {
        safe: true,
        mimeTypes: [INSPECTION_MIME],
        createRenderer: () => new InspectionRenderer(runs)
      },
      0
    );
    registry?.addFactory(
      { safe: true, mimeTypes: [LIVE_MIME], createRenderer: () => new Nothing() },
      BEFORE_WIDGETS
    );
  }
});
