/** The status bar: where the run in front stands; a click opens the panel. */

import { IStatusBar } from '@jupyterlab/statusbar';
import { Widget } from '@lumino/widgets';

import { element } from '../../views/page/dom';
import { IRuns } from '../kernels/tokens';
import { OPEN_PANEL } from '../setup/commands';
import { plugin } from '../setup/plugin';
import { IPreferences } from '../setup/preferences';
import { foremost } from './choose';
import { statusText } from './words';

export const status = plugin({
  id: 'rnn-magics:status',
  description: 'Shows the progress of a run in the status bar.',
  requires: [IRuns, IPreferences],
  optional: [IStatusBar],
  activate: ({ app, trans }, runs, preferences, bar) => {
    if (bar === null) {
      return;
    }
    const button = element('button', 'rnn-status-item');
    button.type = 'button';
    button.title = trans.__('Open the runs panel');
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
});
