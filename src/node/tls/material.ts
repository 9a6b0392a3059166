import { createHash, type Hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { SpecError } from '../../core/errors.ts';
import type { Source } from '../../tls/tls-config.ts';

/** More is no certificate, and no list of revoked ones that somebody wants in memory. */
const largestFile = 16_777_216;

/** Reads what settings are made of, and remembers which files that came from. */
export class Material {
  readonly files: Set<string> = new Set<string>();
  readonly #hash: Hash = createHash('sha256');
  #digest: string | undefined;

  /**
   * @param path of the field, without `File`
   * @throws SpecError where it is in a file that cannot be read
   */
  read(source: Source, path: string): Buffer {
    const { file } = source;
    if (file === undefined) return Buffer.from(source.text, 'latin1');
    this.files.add(file);
    const content = contentOf(file, `${path}File`);
    this.#hash.update(`${content.length} `).update(content);
    return content;
  }

  /** Of all files so far; nothing more can be read once it has been asked for. */
  get digest(): string {
    this.#digest ??= this.#hash.digest('base64');
    return this.#digest;
  }
}

/** A field of the settings, and what an error may show of it. */
export interface Where {
  readonly path: string;
  readonly shown: string;
}

/** The field that a source was given in. */
export function whereOf({ file }: Source, path: string): Where {
  return file === undefined ? secretAt(path) : { path: `${path}File`, shown: file };
}

export function secretAt(path: string): Where {
  return { path, shown: '(not shown)' };
}

function contentOf(file: string, path: string): Buffer {
  try {
    const content = readFileSync(file);
    if (content.length <= largestFile) return content;
  } catch (error) {
    throw new SpecError(path, file, `a file that can be read (${(error as NodeJS.ErrnoException).code})`);
  }
  throw new SpecError(path, file, `a file of at most ${largestFile} bytes`);
}

/**
 * The blocks of a kind in a PEM.
 *
 * @param expected what there must be one of
 * @throws SpecError where there is none, or one is cut off
 */
export function blocksOf(pem: Buffer, kind: string, where: Where, expected: string): readonly string[] {
  const text = pem.toString('latin1');
  const block = new RegExp(`-----BEGIN ${kind}-----[^-]*(-----END ${kind}-----)?`, 'g');
  const blocks = [...text.matchAll(block)];
  if (blocks.length === 0 || blocks.some(([, end]) => end === undefined)) unusable(where, expected, 'not complete');
  return blocks.map(([whole]) => whole);
}

/** Throws `SpecError` with a reason of OpenSSL's, and without the value. */
export function unusable({ path, shown }: Where, expected: string, cause: unknown): never {
  throw new SpecError(path, shown, `${expected} (${reasonOf(cause)})`);
}

/** OpenSSL's messages are a page of its insides; what happened is in their `reason`. */
export function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const { reason, code } = cause as { readonly reason?: unknown; readonly code?: unknown };
  if (typeof reason === 'string') return reason;
  return typeof code === 'string' ? code : cause.message;
}
