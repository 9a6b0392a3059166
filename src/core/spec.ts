import { SpecError } from './errors.ts';

/**
 * Reading a spec: each function takes the value and its path and gives it back checked, or throws a `SpecError`.
 * Validation happens here, once; inside, values are trusted.
 */

/** The longest duration that the runtime's timers keep, in milliseconds (24.8 days). */
const longestDuration = 2_147_483_647;

/** What a spec's object may hold. `undefined` and `null` both stand for "not given". */
export class Fields<Name extends string> {
  readonly path: string;
  readonly #values: Record<string, unknown>;

  constructor(value: unknown, path: string, names: readonly Name[]) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new SpecError(path, value, 'an object');
    }
    this.path = path;
    this.#values = { ...value };
    for (const name of Object.keys(this.#values)) {
      if (!(names as readonly string[]).includes(name)) {
        throw new SpecError(at(path, name), this.#values[name], `no such field; there are ${names.join(', ')}`);
      }
    }
  }

  /** Whether the spec says anything about the field; `null` asks for the default. */
  names(name: Name): boolean {
    return this.#values[name] !== undefined;
  }

  /** The field checked by `check`, or the fallback where it is not given. */
  read<Value, Fallback>(
    name: Name,
    check: (value: unknown, path: string) => Value,
    fallback: Fallback,
  ): Value | Fallback {
    const value = this.#values[name];
    return value === undefined || value === null ? fallback : check(value, at(this.path, name));
  }

  /** The field checked by `check`; it must be given. */
  require<Value>(name: Name, check: (value: unknown, path: string) => Value): Value {
    return check(this.#values[name], at(this.path, name));
  }

  /** As `read`, but a field that an update does not mention keeps its current value. */
  change<Value>(name: Name, check: (value: unknown, path: string) => Value, fallback: Value, current: Value): Value {
    return this.names(name) ? this.read(name, check, fallback) : current;
  }
}

/** The path of a field below a path. */
export function at(path: string, name: string | number): string {
  if (typeof name === 'number') return `${path}[${name}]`;
  return path === '' ? name : `${path}.${name}`;
}

export function integer(least: number, most: number): (value: unknown, path: string) => number {
  return (value, path) => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
    throw new SpecError(path, value, `an integer from ${least} to ${most}`);
  };
}

/** Reads a number from `least` to `most`; fractions are allowed. `what` is its name in an error: its unit, if it has one. */
export function number(least: number, most: number, what = 'a number'): (value: unknown, path: string) => number {
  return (value, path) => {
    if (typeof value === 'number' && value >= least && value <= most) return value;
    throw new SpecError(path, value, `${what} from ${least} to ${most}`);
  };
}

/** Milliseconds; fractions are allowed. */
export function duration(least: number): (value: unknown, path: string) => number {
  return (value, path) => {
    if (typeof value === 'number' && value >= least && value <= longestDuration) return value;
    throw new SpecError(path, value, `milliseconds from ${least} to ${longestDuration}`);
  };
}

export function boolean(value: unknown, path: string): boolean {
  if (typeof value === 'boolean') return value;
  throw new SpecError(path, value, 'true or false');
}

/** @param parameters what it is called with, for the message */
export function theFunction<Type>(parameters: string): (value: unknown, path: string) => Type {
  return (value, path) => {
    if (typeof value === 'function') return value as Type;
    throw new SpecError(path, value, `a function ${parameters}`);
  };
}

/** Whether two flat objects say the same: an update with it then changes nothing. */
export function isSame(a: object | undefined, b: object | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  const [left, right] = [a, b] as Readonly<Record<string, unknown>>[];
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => left?.[name] === right?.[name]);
}

export function oneOf<Choice extends string>(choices: readonly Choice[]): (value: unknown, path: string) => Choice {
  return (value, path) => {
    if ((choices as readonly unknown[]).includes(value)) return value as Choice;
    throw new SpecError(path, value, choices.map((choice) => `'${choice}'`).join(' or '));
  };
}

export function list<Item>(item: (value: unknown, path: string) => Item): (value: unknown, path: string) => Item[] {
  return (value, path) => {
    if (!Array.isArray(value)) throw new SpecError(path, value, 'an array');
    return Array.from(value, (entry: unknown, index) => item(entry, at(path, index)));
  };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: refusing them is the point
const hasControlCharacter = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/** A name or id: 1 to 255 characters, none of them a control character. */
export function name(value: unknown, path: string): string {
  if (typeof value === 'string' && value !== '' && value.length <= 255 && !hasControlCharacter.test(value))
    return value;
  throw new SpecError(path, value, 'a string of 1 to 255 characters without control characters');
}

/** What `pool.members` and the like promise: no two entries share a name. */
export function distinct<Item>(items: readonly Item[], path: string, field: string, key: (item: Item) => string): void {
  const seen = new Map<string, number>();
  for (const [index, item] of items.entries()) {
    const first = seen.get(key(item));
    if (first !== undefined) {
      throw new SpecError(at(at(path, index), field), key(item), `another ${field} than that of ${at(path, first)}`);
    }
    seen.set(key(item), index);
  }
}
