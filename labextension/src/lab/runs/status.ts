/** The status bar: where the run in front stands; a click opens the panel. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import { element } from '../../views/page/dom';
import { foremost } from './choose';
import { OPEN_PANEL } from '../setup/ids';
import { wordsIn } from '../setup/language';
import { IPreferences, IRuns } from '../kernels/tokens';
import { statusText } from './words';

export const status: JupyterFrontEndPlugin<void> = {
  id: 'rnn-magics:status',
  description: 'Shows the progress of a run in the status bar.',
  autoStart: true,
  requires: [IRuns, IPreferences],
  optional: [IStatusBar, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    runs: IRuns,
    preferences: IPreferences,
    bar: IStatusBar | null,
    translator: ITranslator | null
  ) => {
    if (bar === null) {
      return;
    }
    const trans = wordsIn(translator);
    const button = element('button', 'rnn-status-item');
    button.type = 'button';
    button.title = trans.__('Open the panel of runs');
    button.addEventListener('click', () => {
      void app.commands.execute(OPEN_PANEL);
    });
    const item = new Widget({ node: element('div') });
    item.node.append(button);
    const show = (): void => {
      const run = preferences.statusItem ? foremost(runs) : null;
      item.setHidden(run === null);
      button.textContent = run === null ? '' : statusText(run.entry, trans);
    };
    show();
    runs.changed.connect(show);
    preferences.changed.connect(show);
    bar.registerStatusItem('rnn-magics:status', { item, align: 'left', rank: 50 });
  }
};
