/** The runs of a kernel as they are told; `rnn_magics/notebook/page/run_entry.py` writes the entries. */

import {
  Check,
  ContractError,
  listOf,
  number,
  numberOrNull,
  oneOf,
  optional,
  orNull,
  record,
  sized,
  text
} from './check';
import { Ending, ending } from './endings';
import { PHASES, Phase } from './run';

const VERSION = 1;

export interface Curve {
  /** Rows (end, mean, lowest, highest) of the training loss. */
  loss: number[][];
  /** Pairs of step and nats of the held-out text. */
  valid: number[][];
}

export interface Entry {
  /** What commands call it. */
  name: string;
  /** What a reader sees: the name with its hidden characters written out. */
  label: string;
  architecture: string;
  options: [string, string][];
  phase: Phase;
  /** Whether no cell waits for it. */
  background: boolean;
  reason: Ending | null;
  message: string;
  epoch: number;
  num_epochs: number;
  train_nats: number | null;
  valid_nats: number | null;
  eta: number | null;
  /** null where it is as it was told before. */
  series: Curve | null;
}

const pairs: Check<[string, string][]> = (value, path) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ContractError(path, 'an object', value);
  }
  return Object.entries(value).map(([name, said]) => [name, text(said, `${path}.${name}`)]);
};

const shape = record<{ version: number; runs: Entry[] }>({
  version: number,
  runs: listOf(
    record<Entry>({
      name: text,
      label: text,
      architecture: text,
      options: pairs,
      phase: oneOf(...PHASES),
      background: optional((value: unknown) => value === true, true),
      reason: orNull(ending),
      message: text,
      epoch: number,
      num_epochs: number,
      train_nats: numberOrNull,
      valid_nats: numberOrNull,
      eta: numberOrNull,
      series: orNull(record<Curve>({ loss: listOf(listOf(number)), valid: listOf(listOf(number)) }))
    })
  )
});

/** Check what a kernel told; another version may mean something else, and is refused. */
export const runsTold: Check<Entry[]> = sized((value, path) => {
  const { version, runs } = shape(value, path);
  if (version !== VERSION) {
    throw new ContractError(`${path}.version`, `version ${VERSION}`, value);
  }
  return runs;
});
