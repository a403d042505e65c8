/** The ways a run can end, each said once; `rnn_magics/training/endings.py` has the same. */

import { Check, oneOf } from './check';

export const ENDINGS = {
  epochs: { news: 'good', words: 'all epochs done' },
  max_time: { news: 'good', words: 'time limit reached' },
  max_tokens: { news: 'good', words: 'token limit reached' },
  patience: { news: 'good', words: 'no better for a while' },
  stopped: { news: 'neutral', words: 'stopped' },
  interrupted: { news: 'neutral', words: 'interrupted' },
  non_finite: { news: 'bad', words: 'non-finite values' },
  out_of_memory: { news: 'bad', words: 'out of memory' },
  failed: { news: 'bad', words: 'failed' },
  snapshot: { news: 'neutral', words: 'snapshot' }
} as const satisfies Record<string, { news: 'good' | 'neutral' | 'bad'; words: string }>;

export type Ending = keyof typeof ENDINGS;

export const ending: Check<Ending> = oneOf(...(Object.keys(ENDINGS) as Ending[]));
