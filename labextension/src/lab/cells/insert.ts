/** Cells that this extension writes into a notebook. */

import { Notification } from '@jupyterlab/apputils';
import { NotebookActions, NotebookPanel } from '@jupyterlab/notebook';

import type { MagicLine } from '../../views/text/line';
import type { Words } from '../setup/translation';

/** Put a code cell below the active one and make it active; return whether there was a place. */
export function insertCell(notebook: NotebookPanel, source: MagicLine): boolean {
  const model = notebook.content.model;
  if (model === null) {
    return false;
  }
  const index = notebook.content.activeCellIndex + 1;
  model.sharedModel.insertCell(index, { cell_type: 'code', source, metadata: { trusted: true } });
  notebook.content.deselectAll();
  notebook.content.activeCellIndex = index;
  return true;
}

/** The same, and run it. */
export async function runCell(notebook: NotebookPanel, source: MagicLine): Promise<void> {
  if (insertCell(notebook, source)) {
    await NotebookActions.run(notebook.content, notebook.sessionContext);
  }
}

/** Say that there is no cell, for no line can hold what it was to say. */
export function refuse(trans: Words): void {
  Notification.warning(
    trans.__('Nothing was inserted: a name or text has a line end or a hidden character.'),
    { autoClose: 8000 }
  );
}
