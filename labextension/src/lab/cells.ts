/** Cells that this extension writes into a notebook. */

import { NotebookActions, NotebookPanel } from '@jupyterlab/notebook';

/** Put a code cell below the active one and make it active; return whether there was a place. */
export function insertCell(notebook: NotebookPanel, source: string): boolean {
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
export async function runCell(notebook: NotebookPanel, source: string): Promise<void> {
  if (insertCell(notebook, source)) {
    await NotebookActions.run(notebook.content, notebook.sessionContext);
  }
}
