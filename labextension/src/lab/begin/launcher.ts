/** The launcher card: a short notebook to begin with. */

import { ICommandPalette } from '@jupyterlab/apputils';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import { nullTranslator } from '@jupyterlab/translation';

import { QUICKSTART, addListed } from '../setup/commands';
import { curveIcon } from '../setup/icons';
import { plugin } from '../setup/plugin';
import { placed, quickstart } from './quickstart';

export const launcher = plugin({
  id: 'rnn-magics:launcher',
  description: 'Opens the quickstart.',
  optional: [ILauncher, ICommandPalette, IDefaultFileBrowser],
  activate: (page, cards, palette, browser) => {
    const { app, trans, translator } = page;
    const inPalette = { isPalette: true };
    addListed(page, palette, QUICKSTART, inPalette, {
      label: args =>
        args['isPalette'] === true ? trans.__('Open the RNN Quickstart') : trans.__('RNN Quickstart'),
      caption: trans.__('Train a recurrent language model in six lines'),
      icon: args => (args['isPalette'] === true ? undefined : curveIcon),
      execute: async args => {
        const folder = typeof args['cwd'] === 'string' ? args['cwd'] : (browser?.model.path ?? '');
        const path = await placed(app.serviceManager.contents, folder, quickstart(trans));
        await app.commands.execute('docmanager:open', { path, factory: 'Notebook' });
      }
    });
    const other = (translator ?? nullTranslator).load('jupyterlab').__('Other');
    cards?.add({ command: QUICKSTART, category: other, rank: 9 });
  }
});
