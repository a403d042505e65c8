import type { AnyModel } from '@anywidget/types';

import { element } from '../views/dom';
import { insertCell } from '../views/inspect/parts';

/** Put each line that the kernel hands over into the notebook, and show the newest to be copied. */
export function renderInserter(model: AnyModel, host: HTMLElement): () => void {
  const said = element('code');
  said.setAttribute('role', 'status');
  host.classList.add('rnn-view');
  host.append(said);
  const insert = (): void => {
    const line = String(model.get('line'));
    said.textContent = line;
    insertCell(host, line, false);
  };
  model.on('change:count', insert);
  return () => {
    model.off('change:count', insert);
  };
}
