import { Fields, integer } from '../core/spec.ts';

/** What of a message is read, at most, and how slowly. Sizes in bytes. */
export interface LimitsSpec {
  /** Start line and header fields together, 256 to 1048576; more is refused with 431. Default 16384 (HAProxy's buffer). */
  readonly headSize?: number | null;
  /** A request's target, 64 to 1048576; more is refused with 414. Default 8192. */
  readonly targetSize?: number | null;
  /** Header fields, and trailer fields, 1 to 10000; more are refused with 431. Default 101 (HAProxy's `tune.http.maxhdr`). */
  readonly headerCount?: number | null;
  /** The fields behind a chunked body together, 0 to 1048576; more are refused with 431. Default 8192. */
  readonly trailerSize?: number | null;
  /** Chunk extensions of one message together, 0 to 1048576. They are dropped; more are refused with 400. Default 1024. */
  readonly chunkExtensionSize?: number | null;
  /**
   * Bytes a second that a client must send of its body, and take of its answer, on average while it is waited for, 0 to
   * 2147483647; 0 for any. It counts after five seconds; of an answer, what is on its way counts as taken. Default 240 (Kestrel's).
   */
  readonly minRate?: number | null;
}

/** Checked limits. */
export interface Limits {
  readonly headSize: number;
  readonly targetSize: number;
  readonly headerCount: number;
  readonly trailerSize: number;
  readonly chunkExtensionSize: number;
  readonly minRate: number;
}

export const defaultLimits: Limits = Object.freeze({
  headSize: 16_384,
  targetSize: 8192,
  headerCount: 101,
  trailerSize: 8192,
  chunkExtensionSize: 1024,
  minRate: 240,
});

const most = 1_048_576;
const checks = {
  headSize: integer(256, most),
  targetSize: integer(64, most),
  headerCount: integer(1, 10_000),
  trailerSize: integer(0, most),
  chunkExtensionSize: integer(0, most),
  minRate: integer(0, 2_147_483_647),
} satisfies Record<keyof Limits, unknown>;

const names = Object.keys(checks) as (keyof Limits)[];

/** What an update leaves of `current`. */
export function limitsOver(current: Limits): (value: unknown, path: string) => Limits {
  return (value, path) => {
    const fields = new Fields(value, path, names);
    const entries = names.map((name) => [name, fields.change(name, checks[name], defaultLimits[name], current[name])]);
    return Object.freeze(Object.fromEntries(entries) as unknown as Limits);
  };
}
