/** Tells when a run that was seen training has ended. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import type { Entry } from '../contract/runs';
import { IPreferences, IRuns } from './tokens';
import { ending, isAlive } from './words';

/** Returns, of what is told now, the runs that trained when they were told last. */
export class Endings {
  private trained = new Set<string>();

  take(runs: { key: string; entry: Entry }[]): Entry[] {
    const ended = runs.filter(({ key, entry }) => !isAlive(entry) && this.trained.has(key));
    this.trained = new Set(runs.filter(({ entry }) => isAlive(entry)).map(({ key }) => key));
    return ended.map(({ entry }) => entry);
  }
}

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
    const trans = (translator ?? nullTranslator).load('rnn_magics');
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
