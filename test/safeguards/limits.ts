/** What the tests of the adaptive limits share. */
import fc from 'fast-check';
import { VirtualClock } from '../../src/core/clock.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { ConcurrencyAlgorithm, ConcurrencyLimit } from '../../src/safeguards/concurrency-limit.ts';

export const started = (algorithm: ConcurrencyAlgorithm): ConcurrencyLimit =>
  algorithm.start({ clock: new VirtualClock(), random: seededRandom(1) });

export interface Sample {
  readonly milliseconds: number;
  readonly inFlight: number;
  readonly wasDropped?: boolean;
}

/** Tells the limit of so many equal samples, at a time that does not move; gives it back. */
export function tell(limit: ConcurrencyLimit, sample: Sample, times = 1, now = 0): ConcurrencyLimit {
  const { milliseconds, inFlight, wasDropped = false } = sample;
  for (let time = 0; time < times; time++) limit.ended(milliseconds, inFlight, wasDropped, now);
  return limit;
}

/** Samples of any kind, odd ones too. */
export const anySamples = fc.array(
  fc.record({
    milliseconds: fc.oneof(fc.double({ min: 0, max: 10_000, noNaN: true }), fc.constantFrom(-1, 0, 2_147_483_647)),
    inFlight: fc.nat(500),
    wasDropped: fc.boolean(),
    wait: fc.nat(300),
  }),
  { minLength: 1, maxLength: 500 },
);

/** Whether the limit is an integer within these after each of the samples. */
export function staysWithin(
  limit: ConcurrencyLimit,
  samples: readonly (Required<Sample> & { readonly wait: number })[],
  [min, max]: readonly [number, number],
): boolean {
  let now = 0;
  return samples.every(({ milliseconds, inFlight, wasDropped, wait }) => {
    now += wait;
    limit.ended(milliseconds, inFlight, wasDropped, now);
    return Number.isInteger(limit.limit) && limit.limit >= min && limit.limit <= max;
  });
}
