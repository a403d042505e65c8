/** Tells when a run that was seen training has ended. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { ITranslator } from '@jupyterlab/translation';

import { Endings } from './endings';
import { wordsIn } from '../setup/language';
import { IPreferences, IRuns } from '../kernels/tokens';
import { ending } from './words';

export const notify: JupyterFrontEndPlugin<void> = {
  id: 'rnn-magics:notify',
  description: 'Notifies when a run ends, fails or turns non-finite.',
  autoStart: true,
  requires: [IRuns, IPreferences],
  optional: [ITranslator],
  activate: (
    _app: JupyterFrontEnd,
    runs: IRuns,
    preferences: IPreferences,
    translator: ITranslator | null
  ) => {
    const trans = wordsIn(translator);
    const endings = new Endings();
    runs.changed.connect(() => {
      for (const run of endings.take(runs.all)) {
        if (preferences.notifications) {
          const { text, type } = ending(run, trans);
          Notification.emit(text, type, { autoClose: type === 'error' ? false : 8000 });
        }
      }
    });
  }
};
