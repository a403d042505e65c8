/** What a view asks of the page it stands in, by events that bubble up to it. */

import type { MagicLine } from '../text/line';

/** To interrupt the kernel of the notebook around the view. */
export const INTERRUPT = 'rnn-magics:interrupt';
/** To insert `detail.text` as a cell. */
export const INSERT_CELL = 'rnn-magics:insert-cell';

/** Ask the page to put a line into the notebook; without the JupyterLab extension nobody hears. */
export function askForCell(from: HTMLElement, text: MagicLine): void {
  ask(from, INSERT_CELL, { text });
}

/** Ask the page to interrupt the kernel; without the JupyterLab extension nobody hears. */
export function askForInterrupt(from: HTMLElement): void {
  ask(from, INTERRUPT);
}

function ask(from: HTMLElement, what: string, detail: { text: MagicLine } | null = null): void {
  from.dispatchEvent(new CustomEvent(what, { bubbles: true, composed: true, detail }));
}
