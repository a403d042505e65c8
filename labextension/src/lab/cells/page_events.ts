/** What the views inside a notebook ask of the page, by events that bubble up to it. */

import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';

import { INSERT_CELL, INTERRUPT } from '../../views/page/asks';
import { asLine } from '../../views/text/line';
import { plugin } from '../setup/plugin';
import { insertCell, refuse } from './insert';
import { spans } from './spans';

export const pageEvents = plugin({
  id: 'rnn-magics:page-events',
  description: 'Interrupts a kernel, or inserts a cell, when a view in a notebook asks for it.',
  optional: [INotebookTracker],
  activate: ({ trans }, tracker) => {
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
});
