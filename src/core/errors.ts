/**
 * Everything that evenkeel throws on purpose. Each class has a stable `code`; messages name the field, the value and
 * what was expected, and never contain control characters from a spec.
 */

export type ErrorCode =
  | 'ERR_EVENKEEL_SPEC'
  | 'ERR_EVENKEEL_NOT_FOUND'
  | 'ERR_EVENKEEL_IN_USE'
  | 'ERR_EVENKEEL_LISTEN'
  | 'ERR_EVENKEEL_CERTIFICATE'
  | 'ERR_EVENKEEL_LOCAL_RESOURCE'
  | 'ERR_EVENKEEL_LISTENER'
  | 'ERR_EVENKEEL_PROBE'
  | 'ERR_EVENKEEL_STRATEGY'
  | 'ERR_EVENKEEL_PERSISTENCE'
  | 'ERR_EVENKEEL_ERROR_ANSWER';

export class EvenkeelError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** A spec that cannot be used. Nothing has been changed. `code` is `'ERR_EVENKEEL_SPEC'`. */
export class SpecError extends EvenkeelError {
  /** Where in the spec, for example `pool.members[1].weight`; empty for the spec itself. */
  readonly path: string;
  /** The offending value as it was given. */
  readonly value: unknown;
  /** What would have been accepted, for example `an integer from 0 to 256`. */
  readonly expected: string;

  constructor(path: string, value: unknown, expected: string) {
    super(
      'ERR_EVENKEEL_SPEC',
      `${path === '' ? 'spec' : printable(path)}: expected ${expected}, got ${describe(value)}`,
    );
    this.path = path;
    this.value = value;
    this.expected = expected;
  }
}

/** A member that is not there (any more). `code` is `'ERR_EVENKEEL_NOT_FOUND'`. */
export class NotFoundError extends EvenkeelError {
  constructor(id: string) {
    super('ERR_EVENKEEL_NOT_FOUND', `no member ${describe(id)}`);
  }
}

/** Something that others still refer to and therefore stays. `code` is `'ERR_EVENKEEL_IN_USE'`. */
export class InUseError extends EvenkeelError {}

const longest = 80;

/** Control characters escaped, so that no string of a user's can forge a log line. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (char) => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** A short, single-line picture of any value for an error message. */
export function describe(value: unknown): string {
  if (typeof value === 'string') {
    const text = value.length > longest ? `${value.slice(0, longest)}…` : value;
    return `'${printable(text)}'`;
  }
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value === 'symbol') return 'a symbol';
  return String(value);
}
