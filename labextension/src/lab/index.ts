import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

export const ABOUT = 'rnn-magics:about';

/** Every service is optional, so that Notebook 7 loads it too. */
const plugin: JupyterFrontEndPlugin<void> = {
  id: 'rnn-magics:plugin',
  description: 'Commands of rnn_magics.',
  autoStart: true,
  optional: [ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('rnn_magics');
    app.commands.addCommand(ABOUT, {
      label: trans.__('RNN: How to Start'),
      execute: () => Notification.info(trans.__('Run %load_ext rnn_magics in a notebook, then %rnn'))
    });
    palette?.addItem({ command: ABOUT, category: 'RNN' });
  }
};

export default plugin;
