/** The launcher card: a short notebook to begin with. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { curveIcon } from '../setup/icons';
import { QUICKSTART } from '../setup/ids';
import { wordsIn } from '../setup/language';
import { placed, quickstart } from './quickstart';

export const launcher: JupyterFrontEndPlugin<void> = {
  id: 'rnn-magics:launcher',
  description: 'Opens the quickstart.',
  autoStart: true,
  optional: [ILauncher, ICommandPalette, IDefaultFileBrowser, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    cards: ILauncher | null,
    palette: ICommandPalette | null,
    browser: IDefaultFileBrowser | null,
    translator: ITranslator | null
  ) => {
    const trans = wordsIn(translator);
    app.commands.addCommand(QUICKSTART, {
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
    palette?.addItem({ command: QUICKSTART, category: trans.__('RNN'), args: { isPalette: true } });
  }
};
