/** What a saved notebook keeps of its runs: one of them, several that were compared, or a sweep. */

import { Check, ContractError, listOf, number, oneOf, optional, record, requireLength, sized, text } from './check';
import { RunData, runData } from './run';
import { SweepData, sweepData } from './sweep';

/** `rnn_magics/reports/run_payload.py` has it too. */
export const RUN_MIME = 'application/vnd.rnn-magics.run+json';

const VERSION = 1;

/** Runs whose perplexities can be compared, in the order of their rows in the table. */
export interface Group {
  letter: string;
  /** What its perplexities are perplexities of, in words. */
  basis: string;
  /** Which of its runs predicts held-out text best, in words. */
  verdict: string;
  runs: RunData[];
  /** For each run a cell under each heading. */
  rows: string[][];
}

export interface ComparisonData {
  view: 'compare';
  head: string[];
  groups: Group[];
  notes: string[];
}

export type Saved = RunData | ComparisonData | SweepData;

/** More runs than this are not drawn; `rnn_magics/notebook/show/comparison.py` writes fewer. */
const MOST_RUNS = 500;
const MOST_COLUMNS = 100;
/** Every line of a picture has a place for each point of all lines. */
const MOST_PLACES = 4_000_000;

const cells = listOf(text, MOST_COLUMNS);

const shape = record<{
  view: 'compare';
  version: number;
  runs: RunData[];
  head: string[];
  groups: Omit<Group, 'runs'>[];
  notes: string[];
}>({
  view: oneOf('compare'),
  version: number,
  runs: listOf(runData, MOST_RUNS),
  head: optional(cells, ['run', 'model']),
  groups: optional(
    listOf(
      record<Omit<Group, 'runs'>>({
        letter: text,
        basis: text,
        verdict: text,
        rows: listOf(cells, MOST_RUNS)
      }),
      MOST_RUNS
    ),
    []
  ),
  notes: optional(listOf(text, MOST_RUNS), [])
});

const comparison: Check<ComparisonData> = (value, path) => {
  const { version, runs, head, groups, notes } = shape(value, path);
  if (version !== VERSION) {
    throw new ContractError(`${path}.version`, `version ${VERSION}`, value);
  }
  const points = runs.map(({ series, epochs }) => series.loss.length + epochs.length);
  if (points.reduce((sum, each) => sum + each, 0) * runs.length > MOST_PLACES) {
    throw new ContractError(`${path}.runs`, 'fewer or shorter runs', runs);
  }
  // Notebooks of before have no table.
  const rows = runs.map(({ name, architecture }) => [name, architecture]);
  const told = groups.length > 0 ? groups : [{ letter: 'A', basis: '', verdict: '', rows }];
  requireLength(runs, told.reduce((sum, group) => sum + group.rows.length, 0), `${path}.runs`);
  let next = 0;
  const whole = told.map((group, place): Group => {
    for (const row of group.rows) {
      requireLength(row, head.length, `${path}.groups[${place}].rows`);
    }
    return { ...group, runs: runs.slice(next, (next += group.rows.length)) };
  });
  return { view: 'compare', head, groups: whole, notes };
};

export const saved: Check<Saved> = sized((value, path) => {
  const view = typeof value === 'object' && value !== null && 'view' in value ? value.view : 'run';
  if (view === 'sweep') {
    return sweepData(value, path);
  }
  return view === 'run' ? runData(value, path) : comparison(value, path);
});
