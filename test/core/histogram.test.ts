import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Histogram } from '../../src/core/histogram.ts';

function histogramOf(durations: Iterable<number>): Histogram {
  const histogram = new Histogram();
  for (const duration of durations) histogram.record(duration);
  return histogram;
}

const upTo = (most: number): number[] => Array.from({ length: most }, (_, index) => index + 1);

/** The true percentile, by the nearest rank. */
function exact(durations: readonly number[], percent: number): number {
  const sorted = [...durations].sort((a, b) => a - b);
  return sorted[Math.max(1, Math.ceil((percent * sorted.length) / 100)) - 1] as number;
}

const halfAnHour = 1_800_000;
const durations = fc.array(
  fc.oneof(fc.double({ min: 0, max: halfAnHour, noNaN: true }), fc.double({ min: 0, max: 0.1, noNaN: true })),
  {
    minLength: 1,
  },
);
const integers = fc.array(fc.nat(halfAnHour));
const percent = fc.integer({ min: 0, max: 100 });

describe('a histogram', () => {
  test('of nothing is 0 throughout', () => {
    expect(new Histogram().toJSON()).toEqual({ count: 0, mean: 0, p50: 0, p90: 0, p99: 0, max: 0 });
  });

  test('of one duration has that for its maximum and its mean', () => {
    const { count, mean, max } = histogramOf([12.3456789]);
    expect([count, mean, max]).toEqual([1, 12.3456789, 12.3456789]);
  });

  test('tells up to 16 microseconds one from the next', () => {
    const microseconds = upTo(15).map((number) => number / 1000);
    const histogram = histogramOf(microseconds);
    expect(microseconds.map((_, index) => histogram.percentile(((index + 0.5) * 100) / 15))).toEqual(microseconds);
  });

  test('of 1 to 1000 ms gives the middles of the buckets in which 500 and 900 are', () => {
    const { count, mean, p50, p90, p99, max } = histogramOf(upTo(1000)).toJSON();
    expect([count, mean, p50, p90, p99, max]).toEqual([1000, 500.5, 507.9035, 884.7355, 1000, 1000]);
  });

  test('never says more than the longest that it was given', () => {
    expect([histogramOf([920]), histogramOf([920, 980])].map((each) => each.percentile(50))).toEqual([920, 950.2715]);
  });

  test('counts a negative duration as 0', () => {
    const { count, mean, p50, max } = histogramOf([-5, 3]).toJSON();
    expect([count, mean, p50, max]).toEqual([2, 1.5, 0, 3]);
  });

  test('of negative durations only is 0 throughout, but for the count', () => {
    expect(histogramOf([-1, -1e9]).toJSON()).toEqual({ count: 2, mean: 0, p50: 0, p90: 0, p99: 0, max: 0 });
  });

  test('knows of what takes longer than half an hour only the maximum and the mean', () => {
    const day = 86_400_000;
    const { count, mean, p50, max } = histogramOf([day, 3 * day]).toJSON();
    expect([count, mean, p50, max]).toEqual([2, 2 * day, 2_080_374.7835, 3 * day]);
  });

  test('takes a duration without end', () => {
    const histogram = histogramOf([0.001, Number.POSITIVE_INFINITY]);
    expect([histogram.count, histogram.max, histogram.percentile(50)]).toEqual([2, Number.POSITIVE_INFINITY, 0.001]);
  });
});

describe('a percentile', () => {
  const seven = histogramOf([...Array(7).fill(0.001), ...Array(93).fill(0.009)]);

  test('is the value at its rank, and no further', () => {
    expect([7, 7.01, 8].map((each) => seven.percentile(each))).toEqual([0.001, 0.009, 0.009]);
  });

  test('of 0 is the least, of 100 the greatest', () => {
    expect([seven.percentile(0), seven.percentile(100)]).toEqual([0.001, 0.009]);
  });

  test('beyond these is the same', () => {
    expect([seven.percentile(-1), seven.percentile(101)]).toEqual([0.001, 0.009]);
  });

  test('is off by a sixteenth and half a microsecond at most', () => {
    fc.assert(
      fc.property(durations, percent, (given, percent) => {
        const truth = exact(given, percent);
        const error = Math.abs(histogramOf(given).percentile(percent) - truth);
        expect(error).toBeLessThanOrEqual(truth / 16 + 0.0005 + 1e-9);
      }),
      { seed: 71, numRuns: 500 },
    );
  });

  test('is never below that of a lower percentage', () => {
    fc.assert(
      fc.property(durations, percent, percent, (given, one, other) => {
        const histogram = histogramOf(given);
        const [low, high] = [Math.min(one, other), Math.max(one, other)];
        expect(histogram.percentile(low)).toBeLessThanOrEqual(histogram.percentile(high));
      }),
      { seed: 72, numRuns: 200 },
    );
  });
});

describe('histograms that are added', () => {
  test('are as one that was given all durations', () => {
    fc.assert(
      fc.property(integers, integers, percent, (these, those, percent) => {
        const sum = histogramOf(these);
        sum.add(histogramOf(those));
        const whole = histogramOf([...these, ...those]);
        expect([sum.toJSON(), sum.percentile(percent)]).toEqual([whole.toJSON(), whole.percentile(percent)]);
      }),
      { seed: 73, numRuns: 200 },
    );
  });

  test('leave the other one as it is', () => {
    const other = histogramOf([5]);
    const before = other.toJSON();
    histogramOf([1, 9]).add(other);
    expect(other.toJSON()).toEqual(before);
  });

  test('do not follow each other afterwards', () => {
    const sum = new Histogram();
    const other = histogramOf([5]);
    sum.add(other);
    other.record(7);
    expect([sum.count, sum.max]).toEqual([1, 5]);
  });
});

describe("a histogram's copy", () => {
  test('says the same', () => {
    const histogram = histogramOf(upTo(100));
    expect(histogram.copy().toJSON()).toEqual(histogram.toJSON());
  });

  test('does not follow it', () => {
    const histogram = histogramOf([0.005]);
    const copy = histogram.copy();
    for (let more = 0; more < 9; more++) histogram.record(50);
    expect([copy.count, copy.mean, copy.max, copy.percentile(50)]).toEqual([1, 0.005, 0.005, 0.005]);
  });
});

test('a histogram in JSON is its count, and milliseconds', () => {
  expect(JSON.stringify({ timeToFirstByte: histogramOf([0.001, 0.002, 0.003, 0.004]) })).toBe(
    '{"timeToFirstByte":{"count":4,"mean":0.0025,"p50":0.002,"p90":0.004,"p99":0.004,"max":0.004}}',
  );
});
