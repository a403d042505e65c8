/** What `%inspect_rnn` hands over: a view of a model, or one after each of several epochs. */

import {
  Check,
  ContractError,
  count,
  listOf,
  number,
  numberOrNull,
  oneOf,
  optional,
  record,
  sized,
  text
} from './check';
import { Inspection, inspection, VIEWS } from './inspection';

/** `rnn_magics/notebook/page/view.py` has it, too. */
export const INSPECTION_MIME = 'application/vnd.rnn-magics.inspection+json';

const VERSION = 1;

/** Where a view comes from; empty what is not known. */
export interface Origin {
  /** What was read, by which run, or by the run of which folder. */
  text: string;
  run: string;
  folder: string;
  /** By which a kernel knows the view. */
  look: string;
  /** What a reader is to know of the numbers. */
  note: string;
}

/** An epoch, with its perplexities. */
export interface Epoch {
  epoch: number;
  train_perplexity: number | null;
  valid_perplexity: number | null;
}

export interface Looked {
  origin: Origin;
  /** One view, or one for each of `epochs`; all of the same kind, and the last is shown first. */
  frames: [Inspection, ...Inspection[]];
  /** Empty for a view that is of no epoch. */
  epochs: Epoch[];
  planned: number;
  left_out: { epoch: number; said: string }[];
}

const origin = record<Origin>({
  text: optional(text, ''),
  run: optional(text, ''),
  folder: optional(text, ''),
  look: optional(text, ''),
  note: optional(text, '')
});

const acrossEpochs = record<{
  version: number;
  planned: number;
  frames: (Epoch & { data: Inspection })[];
  left_out: { epoch: number; said: string }[];
}>({
  version: number,
  planned: count,
  frames: listOf(
    record<Epoch & { data: Inspection }>({
      epoch: count,
      train_perplexity: numberOrNull,
      valid_perplexity: numberOrNull,
      data: inspection
    })
  ),
  left_out: listOf(record<{ epoch: number; said: string }>({ epoch: count, said: text }))
});

const kind = record<{ view: 'epochs' | Inspection['view'] }>({
  view: oneOf('epochs', ...VIEWS)
});

export const looked: Check<Looked> = sized((value, path) => {
  const from = origin(value, path);
  if (kind(value, path).view !== 'epochs') {
    const frame = inspection(value, path);
    return { origin: from, frames: [frame], epochs: [], planned: 0, left_out: [] };
  }
  const { version, frames, ...rest } = acrossEpochs(value, path);
  if (version !== VERSION) {
    throw new ContractError(`${path}.version`, `version ${VERSION}`, value);
  }
  const [first, ...others] = frames.map(({ data }) => data);
  if (first === undefined || others.some(other => !isAlike(other, first))) {
    throw new ContractError(`${path}.frames`, 'one or more views of one kind and size', value);
  }
  return { origin: from, frames: [first, ...others], epochs: frames, ...rest };
});

/** Tell whether two epochs can stand in one picture. */
function isAlike(one: Inspection, other: Inspection): boolean {
  return JSON.stringify(sizes(one)) === JSON.stringify(sizes(other));
}

function sizes(data: Inspection): unknown {
  switch (data.view) {
    case 'hidden':
      return [data.view, data.tokens.length, data.states.map(({ shape }) => shape)];
    case 'gates':
      return [data.view, data.tokens.length, data.values.map(({ shape }) => shape)];
    case 'match':
      return [data.view, data.tokens.length, data.values.shape];
    default:
      return [data.view];
  }
}
