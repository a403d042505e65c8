/** The commands of this extension; schema/plugin.json puts them into menus and toolbars. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ICommandPalette } from '@jupyterlab/apputils';
import type { ReadonlyJSONObject } from '@lumino/coreutils';

import type { Page } from './plugin';

export const STOP = 'rnn-magics:stop';
export const PAUSE = 'rnn-magics:pause';
export const OPEN_PANEL = 'rnn-magics:open-panel';
export const QUICKSTART = 'rnn-magics:quickstart';
export const NEXT_LESSON = 'rnn-magics:next-lesson';
export const USE_AS_CORPUS = 'rnn-magics:use-as-corpus';

type Options = Parameters<JupyterFrontEnd['commands']['addCommand']>[1];

/** Add a command, and list it in the palette, with `args`, where there is one. */
export function addListed(
  { app, trans }: Page,
  palette: ICommandPalette | null,
  command: string,
  args: ReadonlyJSONObject,
  options: Options
): void {
  app.commands.addCommand(command, options);
  palette?.addItem({ command, category: trans.__('RNN'), args });
}
