/** Draws the runs that a saved notebook keeps; no kernel is needed. */

import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { Widget } from '@lumino/widgets';

import { RUN_MIME } from '../../contract/saved';
import { drawSaved, SavedView } from '../../views/kept/saved';
import { plugin } from '../setup/plugin';

class RunRenderer extends Widget implements IRenderMime.IRenderer {
  private view: SavedView | null = null;

  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const payload = model.data[RUN_MIME];
    if (this.view?.update(payload) !== true) {
      this.view?.end();
      const plain = model.data['text/plain'];
      this.view = drawSaved(this.node, payload, typeof plain === 'string' ? plain : '');
    }
    return Promise.resolve();
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.view?.end();
    }
    super.dispose();
  }
}

export const runRenderer = plugin({
  id: 'rnn-magics:renderer',
  description: 'Draws the runs in saved notebooks.',
  optional: [IRenderMimeRegistry],
  activate: (_page, registry) => {
    registry?.addFactory(
      { safe: true, mimeTypes: [RUN_MIME], createRenderer: () => new RunRenderer() },
      0
    );
  }
});
