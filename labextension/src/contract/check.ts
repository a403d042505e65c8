/** Small checks that turn what came as JSON into a type, or tell in one line what is wrong. */

export type Check<T> = (value: unknown, path: string) => T;

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

export const text: Check<string> = (value, path) => {
  if (typeof value !== 'string') {
    throw new ContractError(path, 'text', value);
  }
  return value;
};

export const number: Check<number> = (value, path) => {
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw new ContractError(path, 'a finite number', value);
  }
  return value;
};

/** JSON has no NaN: a point that is missing or not finite comes as null. */
export const numberOrNull: Check<number | null> = (value, path) =>
  value === null ? null : number(value, path);

export function listOf<T>(item: Check<T>): Check<T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) {
      throw new ContractError(path, 'a list', value);
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
