/** Tells when a run that was seen training has ended. */

import { Notification } from '@jupyterlab/apputils';

import { IRuns } from '../kernels/tokens';
import { plugin } from '../setup/plugin';
import { IPreferences } from '../setup/preferences';
import { Endings } from './endings';
import { ending } from './words';

export const notify = plugin({
  id: 'rnn-magics:notify',
  description: 'Notifies when a run ends, fails or has non-finite values.',
  requires: [IRuns, IPreferences],
  activate: ({ trans }, runs, preferences) => {
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
});
