/**
 * Small checks that turn what came as JSON into a type, or tell in one line what is wrong.
 *
 * A notebook of somebody else's may hold anything, so nothing is allocated or looped over before
 * its size was found to be one that a page can draw at once.
 */

export type Check<T> = (value: unknown, path: string) => T;

/** More than this in one list is not drawn: each is a word, a row or a column of a picture. */
export const MOST = 20_000;
/** The most values in all lists and objects of a view together. */
const MOST_VALUES = 1_000_000;
/** The most characters of a word or a text. */
const MOST_CHARACTERS = 200_000;

export class ContractError extends Error {
  constructor(path: string, wanted: string, value: unknown) {
    super(`${path}: wanted ${wanted}, got ${kind(value)}`);
    this.name = 'ContractError';
  }
}

function kind(value: unknown): string {
  if (value === null) {
    return 'null';
  }
  return Array.isArray(value) ? 'a list' : typeof value;
}

/** Text that is not shown, of any length. */
export const longText: Check<string> = (value, path) => {
  if (typeof value !== 'string') {
    throw new ContractError(path, 'text', value);
  }
  return value;
};

export const text: Check<string> = (value, path) => {
  const given = longText(value, path);
  if (given.length > MOST_CHARACTERS) {
    throw new ContractError(path, `at most ${MOST_CHARACTERS} characters`, value);
  }
  return given;
};

export const number: Check<number> = (value, path) => {
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw new ContractError(path, 'a finite number', value);
  }
  return value;
};

/** A place or a size: a whole number, 0 or more. */
export const count: Check<number> = (value, path) => {
  if (!Number.isSafeInteger(value) || (value as number) < 0) {
    throw new ContractError(path, 'a whole number of 0 or more', value);
  }
  return value as number;
};

/** JSON has no NaN: a point that is missing or not finite comes as null. */
export const numberOrNull: Check<number | null> = (value, path) =>
  value === null ? null : number(value, path);

export function listOf<T>(item: Check<T>, most = MOST): Check<T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) {
      throw new ContractError(path, 'a list', value);
    }
    if (value.length > most) {
      throw new ContractError(path, `at most ${most} entries`, value);
    }
    return value.map((entry: unknown, index) => item(entry, `${path}[${index}]`));
  };
}

export function oneOf<T extends string>(...names: T[]): Check<T> {
  return (value, path) => {
    const found = names.find(name => name === value);
    if (found === undefined) {
      throw new ContractError(path, `one of ${names.join(', ')}`, value);
    }
    return found;
  };
}

export function record<T extends object>(fields: { [K in keyof T]: Check<T[K]> }): Check<T> {
  return (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new ContractError(path, 'an object', value);
    }
    const given = value as Record<string, unknown>;
    const out: Partial<T> = {};
    for (const name of Object.keys(fields) as (keyof T & string)[]) {
      out[name] = fields[name](given[name], `${path}.${name}`);
    }
    return out as T;
  };
}

export function orNull<T>(check: Check<T>): Check<T | null> {
  return (value, path) => (value === null ? null : check(value, path));
}

/** A field that older writers leave out. */
export function optional<T>(check: Check<T>, fallback: T): Check<T> {
  return (value, path) => (value === undefined ? fallback : check(value, path));
}

/** Refuse a list that has not as many entries as another one. */
export function requireLength(list: { length: number }, wanted: number, path: string): void {
  if (list.length !== wanted) {
    throw new ContractError(path, `${wanted} values`, list);
  }
}

/** Refuse a place that is not before the end. */
export function requireBelow(place: number, end: number, path: string): void {
  if (place >= end) {
    throw new ContractError(path, `a number below ${end}`, place);
  }
}

/** Check something whose lists and objects together are not too many to be drawn. */
export function sized<T>(check: Check<T>): Check<T> {
  return (value, path) => {
    let left = MOST_VALUES;
    const waiting: unknown[] = [value];
    while (waiting.length > 0) {
      const next = waiting.pop();
      if (typeof next !== 'object' || next === null) {
        continue;
      }
      const parts: unknown[] = Array.isArray(next) ? next : Object.values(next);
      left -= parts.length;
      if (left < 0) {
        throw new ContractError(path, `at most ${MOST_VALUES} values`, value);
      }
      for (const part of parts) {
        waiting.push(part);
      }
    }
    return check(value, path);
  };
}

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
