/** Draws the runs that a saved notebook keeps; no kernel is needed. */

import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { Widget } from '@lumino/widgets';

import { Labels, drawSaved } from '../../views/runs/saved';
import { plugin } from '../setup/plugin';

/** `rnn_magics/notebook/show/run_payload.py` has it too. */
export const RUN_MIME = 'application/vnd.rnn-magics.run+json';

class RunRenderer extends Widget implements IRenderMime.IRenderer {
  private end: () => void = () => undefined;

  constructor(private readonly labels: Labels) {
    super();
  }

  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.end();
    const plain = model.data['text/plain'];
    const words = typeof plain === 'string' ? plain : '';
    this.end = drawSaved(this.node, model.data[RUN_MIME], words, this.labels);
    return Promise.resolve();
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.end();
    }
    super.dispose();
  }
}

export const runRenderer = plugin({
  id: 'rnn-magics:renderer',
  description: 'Draws the runs in saved notebooks.',
  optional: [IRenderMimeRegistry],
  activate: ({ trans }, registry) => {
    const labels = {
      against: trans.__('against'),
      steps: trans.__('steps'),
      seconds: trans.__('seconds')
    };
    registry?.addFactory(
      { safe: true, mimeTypes: [RUN_MIME], createRenderer: () => new RunRenderer(labels) },
      0
    );
  }
});
