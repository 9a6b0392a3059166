import { SpecError } from '../core/errors.ts';
import { at, Fields } from '../core/spec.ts';
import type { Source } from './tls-config.ts';

/** What an error shows of a value that may be a secret: its kind, and how much of it there is. */
export function hidden(value: unknown): string {
  if (typeof value === 'string') return `(a string of ${value.length} characters, not shown)`;
  if (value instanceof Uint8Array) return `(${value.length} bytes, not shown)`;
  return `(${value === null ? 'null' : typeof value}, not shown)`;
}

/** As `new Fields()`, for an object with secrets: no error shows a value, since somebody may have put a key in the wrong place. */
export function secretFields<Name extends string>(
  value: unknown,
  path: string,
  names: readonly Name[],
  expected = 'an object',
): Fields<Name> {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array) {
    throw new SpecError(path, hidden(value), expected);
  }
  for (const [name, content] of Object.entries(value)) {
    if (!(names as readonly string[]).includes(name)) {
      throw new SpecError(at(path, name), hidden(content), `no such field; there are ${names.join(', ')}`);
    }
  }
  return new Fields(value, path, names);
}

/** Reads what is given either with the spec or in a file; undefined where neither is. */
export function oneSource<Name extends string>(
  fields: Fields<Name>,
  name: Name,
  fileName: Name,
  check: (value: unknown, path: string) => string,
): Source | undefined {
  const text = fields.read(name, check, undefined);
  const file = fields.read(fileName, readFileName, undefined);
  if (text !== undefined && file !== undefined) {
    throw new SpecError(at(fields.path, fileName), file, `nothing beside ${name}, which says the same`);
  }
  if (text !== undefined) return { text };
  return file === undefined ? undefined : { file };
}

function readFileName(value: unknown, path: string): string {
  const isPath = typeof value === 'string' && value.length > 0 && value.length <= 4096;
  // No PEM that somebody has put in the wrong place.
  if (isPath && !/[\r\n]|^-----/.test(value) && !value.includes('\0')) return value;
  const given = typeof value === 'string' ? hidden(value) : value;
  throw new SpecError(path, given, 'the path of a file, 1 to 4096 characters');
}

/**
 * Reads PEM, as text or as bytes, of which one block at least is of that kind.
 *
 * @param kind in the words of a regular expression
 * @param expected what that is, for the message
 */
export function pem(
  kind: string,
  expected = `PEM with a block 'BEGIN ${kind}'`,
): (value: unknown, path: string) => string {
  const begin = new RegExp(`-----BEGIN ${kind}-----`);
  return (value, path) => {
    const text = value instanceof Uint8Array ? textOf(value) : value;
    if (typeof text === 'string' && begin.test(text)) return text;
    throw new SpecError(path, hidden(value), expected);
  };
}

/** One character a byte. */
export function textOf(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
