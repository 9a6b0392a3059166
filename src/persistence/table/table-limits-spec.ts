import { SpecError } from '../../core/errors.ts';
import { type Fields, integer } from '../../core/spec.ts';
import type { TableLimits } from './member-table.ts';

/** How long, and how much, a persistence remembers. */
export interface TableLimitsSpec {
  /**
   * Milliseconds for which a client is remembered after its last use, 1000 to 2147483647, or up to a 64th longer; 0: for as long
   * as there is room.
   */
  readonly timeout?: number | null;
  /**
   * How many are remembered, 1 to 16777216; beyond them, those that were not seen for longest are forgotten. Memory grows with
   * use, from 17 KiB by 51 to 103 bytes an entry, and is kept. Default 1000000.
   */
  readonly maxEntries?: number | null;
}

/** @param defaultTimeout milliseconds */
export function readTableLimits(fields: Fields<'timeout' | 'maxEntries'>, defaultTimeout: number): TableLimits {
  return {
    timeout: fields.read('timeout', timeout, defaultTimeout),
    maxEntries: fields.read('maxEntries', integer(1, 16_777_216), 1_000_000),
  };
}

function timeout(value: unknown, path: string): number {
  if (value === 0 || (typeof value === 'number' && value >= 1000 && value <= 2_147_483_647)) return value;
  throw new SpecError(path, value, '0, or milliseconds from 1000 to 2147483647');
}
