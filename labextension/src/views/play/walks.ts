/** Walks that are taken in slices, so that the page answers while a large model computes. */

import type { Network } from '../../model/network';
import { Change, Going, Step, walk } from '../../model/walk';

/** Milliseconds of one slice; between two of them the page draws and listens. */
const SLICE = 12;

export interface Walks {
  /** Without any change. */
  plain: Step[];
  /** With the changes; null where there is none. */
  changed: Step[] | null;
  isWhole: boolean;
}

interface Task {
  steps: Iterator<Step, void>;
  into: Step[];
}

export interface Walker {
  /** Begin anew; what was under way is dropped. */
  go(text: readonly number[], going: Going, changes: readonly Change[]): void;
  dispose(): void;
}

/** Return what walks, and tells after each slice how far it has come. */
export function walker(network: Network, told: (walks: Walks) => void): Walker {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let known = ''; // the walk of which `plain` is the whole
  let plain: Step[] = [];

  const slice = (tasks: Task[], walks: Walks): void => {
    const until = performance.now() + SLICE;
    for (let task = tasks[0]; task !== undefined && performance.now() < until; task = tasks[0]) {
      const next = task.steps.next();
      if (next.done === true) {
        tasks.shift();
      } else {
        task.into.push(next.value);
      }
    }
    walks.isWhole = tasks.length === 0;
    if (!walks.isWhole) {
      timer = setTimeout(slice, 0, tasks, walks);
    }
    told(walks);
  };
  return {
    go: (text, going, changes) => {
      clearTimeout(timer);
      const key = JSON.stringify([text, going]);
      const kept = key === known && plain.length === text.length + going.length ? plain : null;
      known = key;
      plain = kept ?? [];
      const changed: Step[] = [];
      const tasks = kept === null ? [{ steps: walk(network, text, going), into: plain }] : [];
      if (changes.length > 0) {
        tasks.push({ steps: walk(network, text, going, changes), into: changed });
      }
      slice(tasks, { plain, changed: changes.length > 0 ? changed : null, isWhole: false });
    },
    dispose: () => {
      clearTimeout(timer);
    }
  };
}
