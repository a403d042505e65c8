/** What is said of a run, in the language of the page. */

import { ENDINGS } from '../../contract/endings';
import type { Entry } from '../../contract/runs';
import { shown } from '../../views/page/dom';
import { duration, perplexity } from '../../views/runs/words';
import type { Outcome } from '../kernels/kernel_link';
import type { Words } from '../setup/translation';

/** How JupyterLab notifies of good, neutral and bad news. */
const TYPES = { good: 'success', neutral: 'info', bad: 'error' } as const;

export function isAlive({ phase }: Entry): boolean {
  return phase !== 'ended';
}

/** Return one short line: "gru-1 epoch 3/10, ppl 4.1, ETA 0:40". */
export function statusText(run: Entry, trans: Words): string {
  return `${run.label} ${progress(run, trans)}`;
}

/** Return where a run stands: "epoch 3/10, ppl 4.1, ETA 0:40". */
export function progress(run: Entry, trans: Words): string {
  const at = trans.__('epoch %1/%2', run.epoch, run.num_epochs);
  const reached = trans.__('ppl %1', rounded(perplexity(run.train_nats)));
  switch (run.phase) {
    case 'starting':
      return trans.__('starting');
    case 'measuring':
      return trans.__('measuring threads');
    case 'compiling':
      return trans.__('compiling the cell');
    case 'paused':
      return [trans.__('paused'), at, reached].join(', ');
    case 'scoring':
      return [at, reached, trans.__('scoring held-out text')].join(', ');
    case 'training':
      return [at, reached, trans.__('ETA %1', duration(run.eta))].join(', ');
    case 'ended':
      return [reason(run, trans), at, reached].join(', ');
  }
}

/** Return why a run ended, in a word or two. */
export function reason(run: Entry, trans: Words): string {
  return run.reason === null ? trans.__('ended') : trans.__(ENDINGS[run.reason].words);
}

/** Return one sentence for a run that has just ended, and how grave it is. */
export function ending(run: Entry, trans: Words): { text: string; type: 'success' | 'info' | 'error' } {
  const said = trans.__('%1: %2', run.label, progress(run, trans));
  return {
    text: run.message === '' ? said : `${said}. ${run.message}`,
    type: run.reason === null ? 'info' : TYPES[ENDINGS[run.reason].news]
  };
}

/** Return what the held-out text says, empty before it was scored. */
export function heldOut(run: Entry, trans: Words): string {
  const reached = perplexity(run.valid_nats);
  return reached === null ? '' : trans.__('held-out ppl %1', shown(reached));
}

/** Return both perplexities, for those who do not see the curve. */
export function perplexities(run: Entry, trans: Words): string {
  const training = trans.__('perplexity %1', shown(perplexity(run.train_nats)));
  return run.valid_nats === null
    ? training
    : trans.__('%1, held out %2', training, shown(perplexity(run.valid_nats)));
}

/** Return what a reader is to know of an order; empty when it was obeyed. */
export function outcomeText(outcome: Outcome, trans: Words): string {
  switch (outcome.kind) {
    case 'done':
      return '';
    case 'refused':
      return outcome.said;
    case 'unheard':
      return trans.__('The kernel is busy; the command takes effect when its cell has finished.');
  }
}

function rounded(value: number | null): string {
  return value === null ? '–' : value < 100 ? value.toFixed(1) : String(Math.round(value));
}
