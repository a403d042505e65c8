/** Stop, pause and resume, for the palette, the Kernel menu and the toolbar of a notebook. */

import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';

import type { Outcome } from '../kernels/kernel_link';
import { IRuns } from '../kernels/tokens';
import { PAUSE, STOP, addListed } from '../setup/commands';
import { stopCurveIcon } from '../setup/icons';
import { plugin } from '../setup/plugin';
import { training } from './choose';
import { isAlive, outcomeText } from './words';

export const steering = plugin({
  id: 'rnn-magics:commands',
  description: 'Commands that steer a run.',
  requires: [IRuns],
  optional: [INotebookTracker, ICommandPalette],
  activate: (page, runs, tracker, palette) => {
    const { app, trans } = page;
    const tell = (outcome: Outcome): void => {
      const said = outcomeText(outcome, trans);
      if (said !== '') {
        Notification.warning(said, { autoClose: 8000 });
      }
    };
    addListed(page, palette, STOP, {}, {
      label: trans.__('Stop RNN Training'),
      caption: trans.__('Stop the training run; its model is kept'),
      icon: stopCurveIcon,
      isEnabled: () => training(runs) !== null || tracker?.currentWidget !== null,
      isVisible: args => args['toolbar'] !== true || runs.current.some(({ entry }) => isAlive(entry)),
      execute: async () => {
        const run = training(runs);
        if (run !== null) {
          tell(await run.link.stop(run.entry));
        } else {
          await tracker?.currentWidget?.sessionContext.session?.kernel?.interrupt();
        }
      }
    });
    addListed(page, palette, PAUSE, {}, {
      label: () => (isPaused(runs) ? trans.__('Resume RNN Training') : trans.__('Pause RNN Training')),
      caption: trans.__('Pause the training run, or resume it'),
      isEnabled: () => training(runs) !== null,
      execute: async () => {
        const run = training(runs);
        if (run !== null) {
          tell(await run.link.order(isPaused(runs) ? 'resume' : 'pause', run.entry.name));
        }
      }
    });
    runs.changed.connect(() => {
      app.commands.notifyCommandChanged(STOP);
      app.commands.notifyCommandChanged(PAUSE);
    });
  }
});

function isPaused(runs: IRuns): boolean {
  return training(runs)?.entry.phase === 'paused';
}
