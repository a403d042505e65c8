/** The commands of this extension; schema/plugin.json puts them into menus and toolbars. */

export const STOP = 'rnn-magics:stop';
export const PAUSE = 'rnn-magics:pause';
export const OPEN_PANEL = 'rnn-magics:open-panel';
export const QUICKSTART = 'rnn-magics:quickstart';
export const USE_AS_CORPUS = 'rnn-magics:use-as-corpus';
