/** What a perplexity means: where it stands among n-gram models of the same text. */

import type { RunData } from '../../contract/run';
import { steady } from '../page/dom';
import { say } from '../text/say';
import { percent, perplexity, reached } from './words';

/** Return one sentence, and after which epoch it held; empty where nothing can be said. */
export function verdict(run: RunData): string {
  const { epoch } = reached(run);
  const parts = [sentence(run), tested(run)].filter(part => part !== '');
  const said = parts.join('; ');
  if (run.weights !== null) {
    return said === '' ? run.weights.words : say('%1: %2', run.weights.words, said);
  }
  return epoch === null || said === '' ? said : say('After epoch %1: %2', epoch, said);
}

function tested({ test }: RunData): string {
  const reachedThere = perplexity(test?.nats);
  return reachedThere === null ? '' : say('test perplexity %1', steady(reachedThere));
}

function sentence(run: RunData): string {
  const { epochs, ladder, comparable } = run;
  const last = epochs.findLast(({ valid_nats }) => valid_nats !== null)?.valid_nats ?? null;
  const held = run.weights === null ? last : run.weights.nats;
  if (held === null) {
    return epochs.length === 0 && run.phase !== 'ended'
      ? say('after the first epoch, held-out text tells how good it is')
      : say('no text was held out and scored, so nothing tells how well it predicts new text');
  }
  if (!comparable) {
    return say('not comparable with n-grams: they do not predict the same tokens from the past');
  }
  const best = ladder.find(level => level.best);
  if (best === undefined || best.order === null) {
    return ladder.length === 0 ? say('no n-grams were counted to compare it with') : '';
  }
  if (held < best.nats) {
    const behind = percent(Math.exp(best.nats - held) - 1);
    const than = say('the best %1-gram is %2 behind', best.order, behind);
    return say('%1; %2', say('better than counting'), than);
  }
  const passed = ladder.filter(({ nats, order }) => held < nats && order !== null);
  const strongest = Math.max(-1, ...passed.map(({ order }) => order ?? -1));
  const reach = [
    say('no better than guessing'),
    say('better than guessing'),
    say('better than knowing how frequent each token is'),
    say('better than counting pairs')
  ];
  const share = Math.exp(held - best.nats) - 1;
  const ahead =
    share < 1
      ? say('the best %1-gram is %2 ahead', best.order, percent(share))
      : say('the best %1-gram reaches %2', best.order, steady(Math.exp(best.nats)));
  return say('%1; %2', reach[Math.min(strongest, 2) + 1] ?? '', ahead);
}
