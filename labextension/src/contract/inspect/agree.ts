/** What the parts of a view are to each other: checks that no field alone can make. */

import { Check, ContractError, MOST, count, listOf, optional, requireBelow, requireLength, text } from '../check';

/** What stands above a view, and how to read it; a notebook of an earlier version has neither. */
export interface Captioned {
  heading: string;
  caption: string;
}

/** A place of a text: [first, last) of some of its tokens. */
export interface Context {
  start: number;
  tokens: string[];
  focus: number[];
}

export const captioned = { heading: optional(text, ''), caption: optional(text, '') };
export const context = { start: count, tokens: listOf(text), focus: listOf(count, 2) };

/** Return a check of fields one by one, and then of what they are to each other. */
export function agreeing<T>(fields: Check<T>, agree: (data: T, path: string) => void): Check<T> {
  return (value, path) => {
    const data = fields(value, path);
    agree(data, path);
    return data;
  };
}

export function requireShape(shape: number[], wanted: number[], path: string): void {
  if (shape.join() !== wanted.join()) {
    throw new ContractError(path, `the shape ${wanted.join(' x ')}`, shape);
  }
  for (const size of shape) {
    requireBelow(size, MOST + 1, path); // none of it may be rows or columns without an end
  }
}

export function requireAllBelow(places: number[], end: number, path: string): void {
  places.forEach(place => {
    requireBelow(place, end, path);
  });
}

export function requireSpan(span: number[], tokens: string[], path: string): void {
  const [first = 0, last = 0] = span;
  requireLength(span, 2, path);
  requireBelow(first, last + 1, path);
  requireBelow(last, tokens.length + 1, path);
}

/** Refuse more words in all lists together than one list may have. */
export function requireFew(lists: unknown[][], path: string): void {
  const all = lists.reduce((sum, { length }) => sum + length, 0);
  requireBelow(all, MOST + 1, path);
}

export function requirePlaces(places: Context[], path: string): void {
  requireFew(
    places.map(({ tokens }) => tokens),
    path
  );
  for (const { focus, tokens } of places) {
    requireSpan(focus, tokens, path);
  }
}
