/** The dashboard of a training: the card of a run that moves, and that takes commands. */

import type { RunData } from '../../contract/run';
import { Card, card } from './card';
import type { Command } from './steering';

export type { Command } from './steering';
export type Dashboard = Card;

/** Draw a run into `host`; `send` takes what the reader asks of it. */
export function dashboard(
  host: HTMLElement,
  first: RunData,
  send: (command: Command) => void
): Dashboard {
  host.classList.add('rnn-dashboard');
  return card(host, first, send);
}
