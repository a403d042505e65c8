/** What a saved notebook keeps of its runs: one of them, or several that were compared. */

import { Check, ContractError, listOf, number, oneOf, record } from './check';
import { RunData, runData } from './run';

const VERSION = 1;

const comparison = record<{ view: 'compare'; version: number; runs: RunData[] }>({
  view: oneOf('compare'),
  version: number,
  runs: listOf(runData)
});

export const savedRuns: Check<RunData[]> = (value, path) => {
  if (typeof value !== 'object' || value === null || !('view' in value) || value.view === 'run') {
    return [runData(value, path)];
  }
  const { version, runs } = comparison(value, path);
  if (version !== VERSION) {
    throw new ContractError(`${path}.version`, `version ${VERSION}`, value);
  }
  return runs;
};
