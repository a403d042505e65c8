import type { AnyModel } from '@anywidget/types';

import { askForCell } from '../views/page/asks';
import { element } from '../views/page/dom';
import { asLine } from '../views/text/line';
import { say } from '../views/text/say';

/** Put each line that the kernel hands over into the notebook, and show the newest to be copied. */
export function renderInserter(model: AnyModel, host: HTMLElement): () => void {
  const said = element('code');
  said.setAttribute('role', 'status');
  host.classList.add('rnn-view');
  host.append(said);
  const insert = (): void => {
    const line = asLine(String(model.get('line')));
    said.textContent = line ?? say('There is no line: a name or text has a line end or a hidden character.');
    if (line !== null) {
      askForCell(host, line);
    }
  };
  model.on('change:count', insert);
  return () => {
    model.off('change:count', insert);
  };
}
