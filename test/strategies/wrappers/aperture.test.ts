import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aperture } from '../../../src/strategies/wrappers/aperture.ts';

const equal = (count: number) => new Array<number>(count).fill(1);
const total = (amounts: readonly number[]) => amounts.reduce((sum, amount) => sum + amount, 0);

describe("Finagle's deterministic aperture", () => {
  test('covers members 0 to 11 for client 0 of 12 on a ring of 24 (ApertureTest, clients evenly divide servers)', () => {
    expect(aperture(equal(24), 0, 12, 12)).toEqual({ start: 0, covered: equal(12) });
  });

  test('covers half of member 4 and all of 5 to 17 for client 1 of 4 on a ring of 18 (…unevenly divide servers)', () => {
    expect(aperture(equal(18), 1, 4, 12)).toEqual({ start: 4, covered: [0.5, ...equal(13)] });
  });

  test('covers all for the only client (…equally loaded nodes)', () => {
    expect(aperture(equal(3), 0, 1, 3)).toEqual({ start: 0, covered: [1, 1, 1] });
  });

  test('wraps round the end: from 3/4 on, half of a ring of 10 is members 7 to 2, the outermost half (RingTest)', () => {
    expect(aperture(equal(10), 3, 4, 5)).toEqual({ start: 7, covered: [0.5, 1, 1, 1, 1, 0.5] });
  });

  test('covers members 2 to 4 from 1/4 on, a quarter of a ring of 10 (RingTest)', () => {
    expect(aperture(equal(10), 1, 4, 2)).toEqual({ start: 2, covered: [0.5, 1, 1] });
  });

  test.each(equal(10).map((_, index) => index))(
    'covers member %i alone where clients and members match (RingTest)',
    (index) => {
      expect(aperture(equal(10), index, 10, 1)).toEqual({ start: index, covered: [1] });
    },
  );

  test('is as long as its share of a weighted ring (WeightedApertureTest: 0.8 of it, 12 of 15 for client 1 of 5)', () => {
    const weights = [68, 27, 24, 60, 22, 46, 9, 12, 34, 93, 68, 1, 50, 98, 80];
    const { start, covered } = aperture(weights, 1, 5, 12);
    expect([start, covered.length]).toEqual([3, 12]);
    const first = aperture(weights, 0, 5, 12);
    expect([first.start, first.covered.length]).toEqual([0, 14]);
    const lengths = first.covered.map((share, step) => share * (weights[step] ?? 0));
    expect(total(lengths) / total(weights)).toBeCloseTo(0.8, 12);
  });
});

describe('any aperture', () => {
  const weights = fc.array(fc.integer({ min: 1, max: 256 }), { minLength: 1, maxLength: 60 });

  test('covers each member, over all clients, equally often, exactly in whole arcs', () => {
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 80 }), fc.integer({ min: 1, max: 70 }), (ring, of, size) => {
        const load = new Array<number>(ring.length).fill(0);
        for (let index = 0; index < of; index++) {
          const { start, covered } = aperture(ring, index, of, size);
          for (const [step, share] of covered.entries()) {
            const place = (start + step) % ring.length;
            load[place] = (load[place] ?? 0) + share;
          }
        }
        const rounds = Math.min(of, Math.ceil((size * of) / ring.length));
        for (const covered of load) expect(Math.abs(covered - rounds)).toBeLessThan(1e-9);
      }),
      { seed: 3, numRuns: 100 },
    );
  });

  test('covers no member more than wholly, none twice, and not less than `size` of equal ones', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 99 }),
        fc.integer({ min: 1, max: 99 }),
        fc.nat(),
        fc.integer({ min: 1, max: 99 }),
        (count, of, nth, size) => {
          const { covered } = aperture(equal(count), nth % of, of, size);
          expect(covered.length).toBeLessThanOrEqual(count);
          expect(covered.filter((share) => share <= 0 || share > 1)).toEqual([]);
          expect(total(covered)).toBeGreaterThan(Math.min(size, count) - 1e-9);
        },
      ),
      { seed: 4, numRuns: 300 },
    );
  });
});
