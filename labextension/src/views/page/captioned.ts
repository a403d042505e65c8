/** The heading and the caption of a view. */

import type { Captioned } from '../../contract/inspection';
import { element } from './dom';

/** Return what writes the heading and the caption of a view, the first things that stand in it. */
export function captioned(host: HTMLElement): (data: Captioned) => void {
  const head = element('div', 'rnn-head');
  const told = element('div', 'rnn-caption');
  host.append(head, told);
  return ({ heading, caption }) => {
    [head.textContent, told.textContent] = [heading, caption];
  };
}
