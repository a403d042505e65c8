/** "Use as corpus", on text files in the file browser. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Clipboard, Notification } from '@jupyterlab/apputils';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator } from '@jupyterlab/translation';

import { magicLine } from '../../views/text/line';
import { insertCell, refuse } from '../cells/insert';
import { Listed, isText, relativePath } from './files';
import { curveIcon } from '../setup/icons';
import { USE_AS_CORPUS } from '../setup/ids';
import { wordsIn } from '../setup/language';

export const contextMenu: JupyterFrontEndPlugin<void> = {
  id: 'rnn-magics:context-menu',
  description: 'Takes a text file as corpus.',
  autoStart: true,
  optional: [IFileBrowserFactory, INotebookTracker, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    browsers: IFileBrowserFactory | null,
    tracker: INotebookTracker | null,
    translator: ITranslator | null
  ) => {
    const trans = wordsIn(translator);
    const chosen = (): Listed[] => [...(browsers?.tracker.currentWidget?.selectedItems() ?? [])];
    const local = (path: string): string => app.serviceManager.contents.localPath(path);
    app.commands.addCommand(USE_AS_CORPUS, {
      label: trans.__('Use as Corpus'),
      caption: trans.__('Insert the line that reads this text into the notebook'),
      icon: curveIcon,
      isVisible: () => chosen().length > 0 && chosen().every(isText),
      execute: () => {
        const notebook = tracker?.currentWidget ?? null;
        const from = notebook === null ? '' : local(notebook.context.path);
        const line = magicLine`%corpus ${chosen().map(({ path }) => relativePath(from, local(path)))}`;
        if (line === null) {
          refuse(trans);
        } else if (notebook === null || !insertCell(notebook, line)) {
          Clipboard.copyToSystem(line);
          Notification.info(trans.__('Copied: %1', line), { autoClose: 5000 });
        }
      }
    });
  }
};
