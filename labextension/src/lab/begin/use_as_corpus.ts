/** "Use as corpus", on text files in the file browser. */

import { Clipboard, Notification } from '@jupyterlab/apputils';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { INotebookTracker } from '@jupyterlab/notebook';

import { magicLine } from '../../views/text/line';
import { insertCell, refuse } from '../cells/insert';
import { USE_AS_CORPUS } from '../setup/commands';
import { curveIcon } from '../setup/icons';
import { plugin } from '../setup/plugin';
import { Listed, isText, relativePath } from './files';

export const useAsCorpus = plugin({
  id: 'rnn-magics:context-menu',
  description: 'Uses a text file as the corpus.',
  optional: [IFileBrowserFactory, INotebookTracker],
  activate: ({ app, trans }, browsers, tracker) => {
    const chosen = (): Listed[] => [...(browsers?.tracker.currentWidget?.selectedItems() ?? [])];
    const local = (path: string): string => app.serviceManager.contents.localPath(path);
    app.commands.addCommand(USE_AS_CORPUS, {
      label: trans.__('Use as Corpus'),
      caption: trans.__('Insert a line into the notebook that loads this text'),
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
});
