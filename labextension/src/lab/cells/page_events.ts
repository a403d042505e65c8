/** What the views inside a notebook ask of the page, by events that bubble up to it. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { ITranslator } from '@jupyterlab/translation';

import { asLine } from '../../views/text/line';
import { insertCell, refuse } from './insert';
import { wordsIn } from '../setup/language';
import { spans } from './spans';

/** A view whose kernel is deaf asks to interrupt it. */
export const INTERRUPT = 'rnn-magics:interrupt';
/** A view asks to insert `detail.text` as a cell. */
export const INSERT_CELL = 'rnn-magics:insert-cell';

export const pageEvents: JupyterFrontEndPlugin<void> = {
  id: 'rnn-magics:page-events',
  description: 'Interrupts a kernel, or inserts a cell, when a view in a notebook asks for it.',
  autoStart: true,
  optional: [INotebookTracker, ITranslator],
  activate: (
    _app: JupyterFrontEnd,
    tracker: INotebookTracker | null,
    translator: ITranslator | null
  ) => {
    const trans = wordsIn(translator);
    const around = ({ target }: Event): NotebookPanel | null =>
      target instanceof Node ? (tracker?.find(({ node }) => node.contains(target)) ?? null) : null;
    document.addEventListener(INTERRUPT, event => {
      void around(event)?.sessionContext.session?.kernel?.interrupt();
    });
    document.addEventListener(INSERT_CELL, event => {
      const notebook = around(event);
      const detail: unknown = event instanceof CustomEvent ? event.detail : null;
      const text = detail !== null && typeof detail === 'object' && 'text' in detail && detail.text;
      if (notebook === null || typeof text !== 'string') {
        return;
      }
      const line = asLine(text);
      if (line === null || spans(line).length === 0) {
        refuse(trans); // whoever asked for it, a cell that we write has one magic of ours
      } else {
        insertCell(notebook, line);
      }
    });
  }
};
