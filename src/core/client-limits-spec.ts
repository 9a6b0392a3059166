import { type Granularity, type GranularitySpec, granularityOver } from '../persistence/table/granularity.ts';
import { SpecError } from './errors.ts';
import { unlimited } from './member-spec.ts';
import { Fields, integer, number } from './spec.ts';

/** How much one client address may have. At least one of `maxConnections` and `rate` must be named. */
export interface ClientLimitsSpec {
  /** The most connections at a time, 1 to 2147483647. Default: no limit. */
  readonly maxConnections?: number | null;
  /**
   * New connections a second, on HTTP requests a second, 0.001 to 1000000; fractions are allowed (0.5 is one in two seconds).
   * Default: no limit.
   */
  readonly rate?: number | null;
  /** How many may come at once after a pause, 1 to 1000000. Default: a second's worth, and at least 1. */
  readonly burst?: number | null;
  /**
   * All addresses that agree in so many leading bits share the limits. Default `{ ipv4: 32, ipv6: 64 }`: who has one IPv6
   * address has its whole /64.
   */
  readonly granularity?: GranularitySpec | null;
  /**
   * How many addresses without a connection are remembered for their rate, 1 to 16777216; those that have connections always are.
   * Default 100000.
   */
  readonly maxEntries?: number | null;
}

/** Checked. Flat: two that agree field by field are the same limits. */
export interface ClientLimitsSettings extends Granularity {
  readonly maxConnections: number;
  /** Infinite where there is no limit. */
  readonly rate: number;
  readonly burst: number;
  readonly maxEntries: number;
}

const whatOneHas: Granularity = { ipv4: 32, ipv6: 64 };

export function readClientLimits(value: unknown, path: string): ClientLimitsSettings {
  const fields = new Fields(value, path, ['maxConnections', 'rate', 'burst', 'granularity', 'maxEntries']);
  const maxConnections = fields.read('maxConnections', integer(1, unlimited), unlimited);
  const rate = fields.read('rate', number(0.001, 1_000_000), Number.POSITIVE_INFINITY);
  if (maxConnections === unlimited && rate === Number.POSITIVE_INFINITY) {
    throw new SpecError(path, value, 'maxConnections, rate or both');
  }
  const aSecondsWorth = Math.min(1_000_000, Math.max(1, Math.ceil(rate)));
  return Object.freeze({
    maxConnections,
    rate,
    burst: fields.read('burst', integer(1, 1_000_000), aSecondsWorth),
    ...fields.read('granularity', granularityOver(whatOneHas), whatOneHas),
    maxEntries: fields.read('maxEntries', integer(1, 16_777_216), 100_000),
  });
}
