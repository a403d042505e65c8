/** What a perplexity means: where it stands among n-gram models of the same text. */

import type { RunData } from '../../contract/run';
import { steady } from '../page/dom';
import { say } from '../text/say';
import { percent, perplexity, reached } from './words';

/** Shares below it are written as 0.0%. */
const NO_DIFFERENCE = 0.0005;
/** From here on a factor reads better than a percentage. */
const MANIFOLD = 10;

/** Return one sentence, and after which epoch it held; empty where nothing can be said. */
export function verdict(run: RunData): string {
  const { epoch } = reached(run);
  const said = [sentence(run), tested(run)].filter(part => part !== '').join('; ');
  const told = weighed(run, said) || (epoch === null || said === '' ? said : say('After epoch %1: %2', epoch, said));
  return [told, reveal(run)].filter(text => text !== '').join('. ');
}

function weighed({ weights }: RunData, said: string): string {
  return weights === null ? '' : said === '' ? weights.words : say('%1: %2', weights.words, said);
}

/** Return how far the reader's prediction was off; `reports/run_notes.py` says the same. */
export function reveal(run: RunData): string {
  const said = perplexity(run.predicted_nats);
  if (said === null || run.phase !== 'ended') {
    return '';
  }
  const { heldOut } = reached(run);
  if (heldOut === null) {
    return say('You predicted %1; no held-out perplexity was measured, or none that is finite.', steady(said));
  }
  const off = Math.abs(heldOut / said - 1);
  const [yours, its] = [steady(said), steady(heldOut)];
  const first =
    off < NO_DIFFERENCE
      ? say('You predicted %1, and it reached %2.', yours, its)
      : heldOut < said
        ? say('You predicted %1; it reached %2, %3 lower.', yours, its, percent(off))
        : off < MANIFOLD
          ? say('You predicted %1; it reached %2, %3 higher.', yours, its, percent(off))
          : say('You predicted %1; it reached %2, %3 times as much.', yours, its, steady(heldOut / said));
  return [first, besideCounting(run, said, heldOut)].filter(text => text !== '').join(' ');
}

function besideCounting({ ladder, comparable }: RunData, said: number, heldOut: number): string {
  const best = ladder.find(level => level.best);
  if (!comparable || best === undefined || best.order === null) {
    return '';
  }
  const counted = Math.exp(best.nats);
  const off = (one: number): number => Math.abs(Math.log(one / heldOut));
  return off(counted) < off(said)
    ? say('The best %1-gram (%2) would have told you.', best.order, steady(counted))
    : say('That is as near as the best %1-gram (%2), or nearer.', best.order, steady(counted));
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
