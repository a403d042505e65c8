/** The launcher card: the lessons, from the quickstart on. */

import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import { INotebookTracker } from '@jupyterlab/notebook';
import { nullTranslator } from '@jupyterlab/translation';

import { NEXT_LESSON, QUICKSTART, addListed } from '../setup/commands';
import { curveIcon } from '../setup/icons';
import { plugin } from '../setup/plugin';
import { speaksChinese } from '../setup/translation';
import {
  DRAWINGS,
  FIGURES,
  LESSONS,
  SCRIPTS,
  inside,
  lesson,
  lessonsIn,
  nextLesson,
  parentOf,
  placed
} from './lessons';

export const launcher = plugin({
  id: 'rnn-magics:launcher',
  description: 'Opens the quickstart, and the next lesson.',
  optional: [ILauncher, ICommandPalette, IDefaultFileBrowser, INotebookTracker],
  activate: (page, cards, palette, browser, tracker) => {
    const { app, trans, translator } = page;
    const open = async (folder: string, name: string, names: string[]): Promise<void> => {
      const { contents } = app.serviceManager;
      const chinese = speaksChinese(translator);
      try {
        await placed(contents, folder, names, each => lesson(each, chinese));
        await placed(contents, inside(folder, FIGURES), DRAWINGS, each =>
          lesson(inside(FIGURES, each), chinese)
        );
      } catch (error) {
        Notification.error(trans.__('The lessons cannot be copied here: %1', String(error)));
        return;
      }
      const path = inside(folder, name);
      await app.commands.execute('docmanager:open', { path, factory: 'Notebook' });
    };
    const inPalette = { isPalette: true };
    addListed(page, palette, QUICKSTART, inPalette, {
      label: args =>
        args['isPalette'] === true ? trans.__('Open the RNN Quickstart') : trans.__('RNN Quickstart'),
      caption: trans.__('Train a recurrent language model in six lines'),
      icon: args => (args['isPalette'] === true ? undefined : curveIcon),
      execute: async args => {
        const folder = typeof args['cwd'] === 'string' ? args['cwd'] : (browser?.model.path ?? '');
        await open(lessonsIn(folder), '01_quickstart.ipynb', [...LESSONS, ...SCRIPTS]);
      }
    });
    const here = (): string => tracker?.currentWidget?.context.path ?? '';
    addListed(page, palette, NEXT_LESSON, {}, {
      label: trans.__('Open the Next RNN Lesson'),
      caption: trans.__('Open the lesson after the one that is open'),
      isEnabled: () => nextLesson(here()) !== null,
      execute: async () => {
        const name = nextLesson(here());
        if (name !== null) {
          await open(parentOf(here()), name, [name]);
        }
      }
    });
    const other = (translator ?? nullTranslator).load('jupyterlab').__('Other');
    cards?.add({ command: QUICKSTART, category: other, rank: 9 });
  }
});
