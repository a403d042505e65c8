/** Stop, pause and resume, for the palette, the Kernel menu and the toolbar of a notebook. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator } from '@jupyterlab/translation';

import { training } from './choose';
import { stopCurveIcon } from '../setup/icons';
import { PAUSE, STOP } from '../setup/ids';
import type { Outcome } from '../kernels/kernel_link';
import { wordsIn } from '../setup/language';
import { IRuns } from '../kernels/tokens';
import { isAlive, outcomeText } from './words';

export const commands: JupyterFrontEndPlugin<void> = {
  id: 'rnn-magics:commands',
  description: 'Commands that steer a run.',
  autoStart: true,
  requires: [IRuns],
  optional: [INotebookTracker, ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    runs: IRuns,
    tracker: INotebookTracker | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ) => {
    const trans = wordsIn(translator);
    const tell = (outcome: Outcome): void => {
      const said = outcomeText(outcome, trans);
      if (said !== '') {
        Notification.warning(said, { autoClose: 8000 });
      }
    };
    app.commands.addCommand(STOP, {
      label: trans.__('Stop RNN Training'),
      caption: trans.__('Stop the run that trains; its model stays'),
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
    app.commands.addCommand(PAUSE, {
      label: () => (isPaused(runs) ? trans.__('Resume RNN Training') : trans.__('Pause RNN Training')),
      caption: trans.__('Hold the run that trains, or let it go on'),
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
    for (const command of [STOP, PAUSE]) {
      palette?.addItem({ command, category: trans.__('RNN') });
    }
  }
};

function isPaused(runs: IRuns): boolean {
  return training(runs)?.entry.phase === 'paused';
}
