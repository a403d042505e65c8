/** What every view of a model is given, and what it gives back. */

import type { Origin } from '../../contract/looked';

/** A search for places of the corpus whose states are like those of tokens [first, last). */
export interface Question {
  first: number;
  last: number;
  layer: number;
  epoch: number | null;
}

/** Asks the kernel, if there is one to be asked; the answer may never come. */
export type Ask = (question: Question) => Promise<unknown> | null;

export interface About<V> {
  /** The views of all epochs, which share one scale of colours, the last at the end. */
  frames: readonly V[];
  origin: Origin;
  /** The epoch that is shown; null for a view that is of none. */
  epoch: () => number | null;
  ask: Ask;
}

export interface View<V> {
  /** Show another epoch, sorted and filtered as before. */
  update(data: V): void;
  dispose(): void;
}

export type Draw<V> = (host: HTMLElement, data: V, about: About<V>) => View<V>;

/** Return the largest absolute value, 1 where all are 0. */
export function bound(values: Iterable<number>): number {
  let largest = 0;
  for (const value of values) {
    largest = Math.max(largest, Math.abs(value));
  }
  return largest || 1;
}

/** Return the largest of values, 0 where none is above; a list may be too long for Math.max. */
export function most(values: Iterable<number | null>): number {
  let largest = 0;
  for (const value of values) {
    largest = Math.max(largest, value ?? 0);
  }
  return largest;
}

/** Return a view that is drawn anew for each epoch. */
export function redrawn<V>(draw: (host: HTMLElement, data: V, about: About<V>) => void): Draw<V> {
  return (host, data, about) => {
    draw(host, data, about);
    return {
      update: next => {
        host.replaceChildren();
        draw(host, next, about);
      },
      dispose: () => undefined
    };
  };
}
