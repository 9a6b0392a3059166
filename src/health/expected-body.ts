import { describe, SpecError } from '../core/errors.ts';
import { at, type Fields } from '../core/spec.ts';

/** How much of a body is looked at, in bytes. */
const longestBody = 65_536;
const longestText = 4096;

/** What a body must have, as a user says it. */
export interface ExpectedBodySpec {
  /**
   * What the answer's body must have within its first 65536 bytes, read as UTF-8: a text of 1 to 4096 characters, or a match of the
   * pattern, which is looked for once. The final answer counts then, not an interim one. Default: anything will do.
   */
  readonly expectBody?: string | RegExp | null;
}

/** The same, checked: a text, or a pattern's source and flags. */
export interface ExpectedBody {
  readonly expectBody: string | undefined;
  /** Undefined where `expectBody` is a text. */
  readonly expectBodyFlags: string | undefined;
}

export function readExpectedBody(fields: Fields<'expectBody' | 'httpMethod'>, method: string): ExpectedBody {
  const expected = fields.read('expectBody', textOrPattern, undefined);
  if (expected !== undefined && bodiless.has(method)) {
    throw new SpecError(at(fields.path, 'expectBody'), expected, `none, since an answer to ${method} has no body`);
  }
  if (typeof expected !== 'object') return { expectBody: expected, expectBodyFlags: undefined };
  return { expectBody: expected.source, expectBodyFlags: expected.flags };
}

const bodiless: ReadonlySet<string> = new Set(['HEAD', 'CONNECT']);

function textOrPattern(value: unknown, path: string): string | RegExp {
  if (value instanceof RegExp) return value;
  if (typeof value === 'string' && value !== '' && value.length <= longestText) return value;
  throw new SpecError(path, value, `a text of 1 to ${longestText} characters or a RegExp`);
}

/** Looks for what a body must have, wherever the body is cut. Holds no more than the bytes that may be looked at. */
export class BodySearch {
  readonly #text: string | undefined;
  readonly #pattern: RegExp | undefined;
  readonly #decoder = new TextDecoder();
  #body = '';
  #left = longestBody;

  constructor({ expectBody = '', expectBodyFlags }: ExpectedBody) {
    if (expectBodyFlags === undefined) this.#text = expectBody;
    // Where a search begins is not a match's affair.
    else this.#pattern = new RegExp(expectBody, expectBodyFlags.replace(/[gy]/g, ''));
  }

  /** Takes a piece of the body; true once it is known that the body has it, or that no more of it is looked at: see `end()`. */
  push(piece: Uint8Array): boolean {
    const from = Math.max(0, this.#body.length - (this.#text?.length ?? 0));
    this.#body += this.#decoder.decode(piece.subarray(0, this.#left), { stream: true });
    this.#left = Math.max(0, this.#left - piece.length);
    return this.#left === 0 || (this.#text !== undefined && this.#body.includes(this.#text, from));
  }

  /** What is missing from the body, now that there is no more of it to come; undefined where nothing is. */
  end(): string | undefined {
    if (this.#text !== undefined) {
      return this.#body.includes(this.#text) ? undefined : `the body has no ${describe(this.#text)}`;
    }
    return this.#pattern?.test(this.#body) === false ? `the body does not match ${this.#pattern}` : undefined;
  }
}
