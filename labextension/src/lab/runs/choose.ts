/** Which run is meant where none is named. */

import type { IRuns, LinkedRun } from '../kernels/tokens';
import { isAlive } from './words';

/** Return the newest run that trains, of the notebook in front if one trains there. */
export function training(runs: IRuns): LinkedRun | null {
  const alive = ({ entry }: LinkedRun): boolean => isAlive(entry);
  return runs.current.findLast(alive) ?? runs.all.findLast(alive) ?? null;
}

/** Return the run that a line of status tells of: one that trains, or the newest in front. */
export function foremost(runs: IRuns): LinkedRun | null {
  return training(runs) ?? runs.current.at(-1) ?? null;
}
