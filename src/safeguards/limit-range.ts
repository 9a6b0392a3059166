import { type Fields, integer } from '../core/spec.ts';

/** Between what a limit moves, and where it starts. */
export interface LimitRangeSpec {
  /** Requests that may be under way at a time before anything is known, `min` to `max`. Default 20, or the nearest in that range. */
  readonly initial?: number | null;
  /** The limit never falls below, 1 to `max`. Default 20, or `max` where that is less. */
  readonly min?: number | null;
  /** The limit never rises above, 1 to 1000000. Default 200. */
  readonly max?: number | null;
}

/** Checked. */
export interface LimitRange {
  readonly initial: number;
  readonly min: number;
  readonly max: number;
}

/** Netflix's, for all of its algorithms. */
const usual = { initial: 20, min: 20, max: 200 } as const;

export const rangeFields = ['initial', 'min', 'max'] as const;

export function readLimitRange(fields: Fields<(typeof rangeFields)[number]>): LimitRange {
  const max = fields.read('max', integer(1, 1_000_000), usual.max);
  const min = fields.read('min', integer(1, max), Math.min(usual.min, max));
  const initial = fields.read('initial', integer(min, max), Math.min(max, Math.max(min, usual.initial)));
  return { initial, min, max };
}
