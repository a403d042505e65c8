/** Charts that stand beside each other: one cursor, one zoom. */

import type { Range } from './axis';

export interface Link {
  /** What uPlot shares cursors by. */
  readonly key: string;
  readonly zoom: Range | null;
  /** Show only this much of the x axis in all charts; null shows all. */
  show(range: Range | null): void;
  /** Call `changed` whenever another part is shown; return what ends it. */
  follow(changed: () => void): () => void;
}

let made = 0;

export function link(): Link {
  made += 1;
  const followers = new Set<() => void>();
  let zoom: Range | null = null;
  return {
    key: `rnn-magics-${made}`,
    get zoom() {
      return zoom;
    },
    show: range => {
      zoom = range;
      for (const changed of followers) {
        changed();
      }
    },
    follow: changed => {
      followers.add(changed);
      return () => followers.delete(changed);
    }
  };
}
