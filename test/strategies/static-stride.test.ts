import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { meanOf, StaticStride } from '../../src/strategies/static-stride.ts';

const strideOf = (weights: readonly number[], place = 0, round = 0): StaticStride =>
  new StaticStride(Float64Array.from(weights), place, round);

/** How often each place is picked. */
function counts(stride: StaticStride, size: number, picks: number): number[] {
  const counted = new Array<number>(size).fill(0);
  for (let pick = 0; pick < picks; pick++) (counted[stride.next()] as number)++;
  return counted;
}

/** gRPC's loop as its source has it, in big integers. */
function grpcPicks(scaled: readonly number[], sequence: number, picks: number): number[] {
  const most = 65_535n;
  const picked: number[] = [];
  for (let next = BigInt(sequence); picked.length < picks; next++) {
    const index = next % BigInt(scaled.length);
    const weight = BigInt(scaled[Number(index)] as number);
    const mod = (weight * (next / BigInt(scaled.length)) + index * 32_767n) % most;
    if (mod >= most - weight) picked.push(Number(index));
  }
  return picked;
}

describe('the tests of gRPC (static_stride_scheduler_test.cc)', () => {
  test('picks are weighted exactly', () => {
    expect(counts(strideOf([1, 2, 3]), 3, 6)).toEqual([1, 2, 3]);
  });

  test('all weights equal is round robin', () => {
    const stride = strideOf([300, 300, 300]);
    const picks = Array.from({ length: 3 }, () => stride.next());
    expect([...picks].sort()).toEqual([0, 1, 2]);
    for (let pick = 0; pick < 1000; pick++) expect(stride.next()).toBe(picks[pick % 3]);
  });

  test('picks are deterministic', () => {
    const picks = (): number[] => {
      const stride = strideOf([1, 2, 3]);
      return Array.from({ length: 100 }, () => stride.next());
    };
    expect(picks()).toEqual(picks());
  });

  test('a rebuild gives the same picks', () => {
    const whole = strideOf([1, 2, 3]);
    let rebuilt = strideOf([1, 2, 3]);
    for (let pick = 0; pick < 100; pick++) {
      expect(rebuilt.next()).toBe(whole.next());
      rebuilt = strideOf([1, 2, 3], rebuilt.place, rebuilt.round);
    }
  });

  test('the largest is picked in every round', () => {
    expect(counts(strideOf([1, 2, 3]), 3, 65_535 * 2)[2]).toBe(65_535);
  });

  test('the greatest weight is clamped to ten times the mean', () => {
    const ones = new Array<number>(19).fill(1);
    expect(counts(strideOf([81, ...ones]), 20, 69)).toEqual([50, ...ones]);
  });

  test('the least weight is clamped to a hundredth of the mean', () => {
    expect(counts(strideOf([100, 1e-10]), 2, 201)).toEqual([200, 1]);
  });
});

test('the order is that of gRPC, wherever it begins', () => {
  const scaled = fc.array(fc.integer({ min: 13_000, max: 65_535 }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(scaled, fc.nat(4_294_967_295), (others, sequence) => {
      // With one of the greatest weight and none below a fifth of it, no weight is changed by scaling or clamping.
      const weights = [65_535, ...others];
      const round = Math.floor(sequence / weights.length);
      const stride = strideOf(weights, sequence % weights.length, round);
      const picks = Array.from({ length: 200 }, () => stride.next());
      expect(picks).toEqual(grpcPicks(weights, sequence, 200));
    }),
    { seed: 6, numRuns: 200 },
  );
});

test('shares are exact over all rounds, and never more than a pick off within', () => {
  const weights = [3, 7, 20, 41, 5];
  const stride = strideOf(weights);
  const total = 76;
  const counted = [0, 0, 0, 0, 0];
  for (let pick = 1; pick <= 20_000; pick++) {
    (counted[stride.next()] as number)++;
    for (const [place, weight] of weights.entries()) {
      expect(Math.abs((counted[place] as number) - (pick * weight) / total)).toBeLessThan(2);
    }
  }
});

describe('one weight that is beyond all measure', () => {
  const size = 10_000;
  const weights = new Array<number>(size).fill(1);
  weights[size - 1] = 1e12;

  test('counts as ten times the others and not as a thousand times', () => {
    const counted = counts(strideOf(weights), size, 10 * size);
    expect(counted[size - 1]).toBeLessThanOrEqual(110);
    expect(Math.min(...counted)).toBeGreaterThanOrEqual(9);
  });

  test('does not make the search for a place long', () => {
    const stride = strideOf(weights);
    for (let pick = 0; pick < size; pick++) stride.next();
    expect(stride.round).toBeLessThanOrEqual(20);
  });

  test('does not move the mean', () => {
    expect(meanOf(Float64Array.from([...weights, 0, 0]))).toBeCloseTo(1, 2);
  });
});

test('the mean leaves out what is 0', () => {
  expect(meanOf(Float64Array.from([3, 0, 1]))).toBe(2);
  expect(meanOf(Float64Array.from([0, 0]))).toBe(0);
});

test('one place has every turn', () => {
  expect(counts(strideOf([0.3]), 1, 10)).toEqual([10]);
});
