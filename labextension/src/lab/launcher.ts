/** The launcher card: a short notebook to begin with. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import type { Contents } from '@jupyterlab/services';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { curveIcon } from './icon';
import { QUICKSTART } from './ids';
import { quickstart } from './quickstart';

export const NAME = 'rnn_magics quickstart.ipynb';

/** Write the notebook into a folder unless it is there already, and return its path. */
export async function placed(
  contents: Pick<Contents.IManager, 'get' | 'save'>,
  folder: string,
  content: object
): Promise<string> {
  const path = folder === '' || folder.endsWith(':') ? `${folder}${NAME}` : `${folder}/${NAME}`;
  const there = await contents.get(path, { content: false }).then(
    () => true,
    () => false
  );
  if (!there) {
    await contents.save(path, { type: 'notebook', format: 'json', content });
  }
  return path;
}

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
    const trans = (translator ?? nullTranslator).load('rnn_magics');
    app.commands.addCommand(QUICKSTART, {
      label: args => (args['isPalette'] === true ? trans.__('Open the RNN Quickstart') : trans.__('RNN Quickstart')),
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
