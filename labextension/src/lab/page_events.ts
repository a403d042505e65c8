/** What the views inside a notebook ask of the page, by events that bubble up to it. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';

import { insertCell } from './cells';

/** A view whose kernel is deaf asks to interrupt it. */
export const INTERRUPT = 'rnn-magics:interrupt';
/** A view asks to insert `detail.text` as a cell. */
export const INSERT_CELL = 'rnn-magics:insert-cell';

export const pageEvents: JupyterFrontEndPlugin<void> = {
  id: 'rnn-magics:page-events',
  description: 'Interrupts a kernel, or inserts a cell, when a view in a notebook asks for it.',
  autoStart: true,
  optional: [INotebookTracker],
  activate: (_app: JupyterFrontEnd, tracker: INotebookTracker | null) => {
    const around = ({ target }: Event): NotebookPanel | null =>
      target instanceof Node ? (tracker?.find(({ node }) => node.contains(target)) ?? null) : null;
    document.addEventListener(INTERRUPT, event => {
      void around(event)?.sessionContext.session?.kernel?.interrupt();
    });
    document.addEventListener(INSERT_CELL, event => {
      const notebook = around(event);
      const detail: unknown = event instanceof CustomEvent ? event.detail : null;
      const text = detail !== null && typeof detail === 'object' && 'text' in detail && detail.text;
      if (notebook !== null && typeof text === 'string') {
        insertCell(notebook, text);
      }
    });
  }
};
