/** What is folded under a run: its epochs as a table, and notes on its numbers. */

import type { RunData } from '../../contract/run';
import { element, shown } from '../page/dom';
import { table } from '../plots/table';
import { say } from '../text/say';
import { epochOf, percent, perplexity } from './words';

export interface Details {
  node: HTMLElement;
  update(run: RunData): void;
}

export function details(first: RunData): Details {
  const node = element('details', 'rnn-details');
  const epochs = element('div');
  const notes = element('ul', 'rnn-notes');
  node.append(element('summary', '', say('details')), notes, epochs);
  let drawn = '';
  const update = (run: RunData): void => {
    const now = JSON.stringify([run.notes, run.epochs.length, run.weights]);
    if (now === drawn) {
      return; // a reader may have selected something in it
    }
    drawn = now;
    notes.replaceChildren(...run.notes.map(note => element('li', '', note)));
    epochs.replaceChildren(table(head(), rows(run)));
  };
  update(first);
  return { node, update };
}

function head(): string[] {
  return [
    say('epoch'),
    say('training perplexity'),
    say('held-out perplexity'),
    say('gradient norm, median'),
    say('largest'),
    say('clipped')
  ];
}

function rows(run: RunData): string[][] {
  return run.epochs.map(epoch => [
    run.weights?.epoch === epochOf(run, epoch)
      ? say('%1 (best weights)', run.weights.epoch)
      : String(epochOf(run, epoch)),
    shown(perplexity(epoch.train_nats)),
    shown(perplexity(epoch.valid_nats)),
    shown(epoch.grad_norm),
    shown(epoch.grad_norm_max),
    percent(epoch.clipped)
  ]);
}
