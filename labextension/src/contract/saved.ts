/** What a saved notebook keeps of its runs: one of them, or several that were compared. */

import { Check, ContractError, listOf, number, oneOf, optional, record, sized, text } from './check';
import { RunData, runData } from './run';

const VERSION = 1;

const comparison = record<{ view: 'compare'; version: number; runs: RunData[] }>({
  view: oneOf('compare'),
  version: number,
  runs: listOf(runData, 500)
});

/** Every line of a picture has a place for each point of all lines. */
const MOST_PLACES = 4_000_000;

export const savedRuns: Check<RunData[]> = sized((value, path) => {
  if (typeof value !== 'object' || value === null || !('view' in value) || value.view === 'run') {
    return [runData(value, path)];
  }
  const { version, runs } = comparison(value, path);
  if (version !== VERSION) {
    throw new ContractError(`${path}.version`, `version ${VERSION}`, value);
  }
  const points = runs.map(({ series, epochs }) => series.loss.length + epochs.length);
  if (points.reduce((sum, each) => sum + each, 0) * runs.length > MOST_PLACES) {
    throw new ContractError(`${path}.runs`, 'fewer or shorter runs', runs);
  }
  return runs;
});

const words = record<{ notes: string[] }>({ notes: optional(listOf(text, 500), []) });

/** Return why compared runs cannot be compared, and what each perplexity is over. */
export function notesOf(payload: unknown): string[] {
  const isComparison = typeof payload === 'object' && payload !== null && 'runs' in payload;
  return isComparison ? words(payload, 'run').notes : [];
}
