/** Which runs have just ended. */

import type { Entry } from '../../contract/runs';
import { isAlive } from './words';

/** Returns, of what is told now, the runs that trained when they were told last. */
export class Endings {
  private trained = new Set<string>();

  take(runs: { key: string; entry: Entry }[]): Entry[] {
    const ended = runs.filter(({ key, entry }) => !isAlive(entry) && this.trained.has(key));
    this.trained = new Set(runs.filter(({ entry }) => isAlive(entry)).map(({ key }) => key));
    return ended.map(({ entry }) => entry);
  }
}
