import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Pool } from '../../src/core/pool.ts';
import { type Random, seededRandom } from '../../src/core/random.ts';
import { roundRobin } from '../../src/strategies/round-robin.ts';
import { equal, makePool, refusalOf, tally, visit, visits, weighing } from '../fixtures/core.ts';

const word = (pool: Pool, count: number): string => visits(pool, count).join('');

const sum = (weights: Readonly<Record<string, number>>): number => Object.values(weights).reduce((a, b) => a + b, 0);

describe('a random start', () => {
  const begun = (weights: Readonly<Record<string, number>>, random: Random): Pool =>
    makePool({ strategy: roundRobin({ randomStart: true }), members: weighing(weights) }, { random });

  test('of nothing is the sequence of nginx', () => {
    expect(
      word(
        begun({ a: 5, b: 1, c: 1 }, () => 0),
        7,
      ),
    ).toBe('aabacaa');
    expect(
      word(
        begun({ a: 1, b: 1, c: 1 }, () => 0),
        3,
      ),
    ).toBe('abc');
  });

  test('begins within the cycle and goes on as ever', () => {
    expect(
      word(
        begun({ a: 5, b: 1, c: 1 }, () => 0.5),
        14,
      ),
    ).toBe('acaaaabacaaaab');
    expect(
      word(
        begun({ a: 1, b: 1, c: 1 }, () => 0.5),
        6,
      ),
    ).toBe('bcabca');
  });

  test('spreads the first clients of many balancers over the members by weight', () => {
    const large = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`m${index}`, index < 50 ? 1 : 3]));
    for (const weights of [{ a: 5, b: 1, c: 1 }, { a: 1, b: 1, c: 1, d: 1 }, large]) {
      const balancers = 20 * sum(weights);
      const counts = tally(Array.from({ length: balancers }, (_, seed) => visit(begun(weights, seededRandom(seed)))));
      // Of a Poisson distribution with mean 20 w, six standard deviations.
      const isFar = ([id, weight]: [string, number]): boolean =>
        Math.abs((counts[id] ?? 0) - 20 * weight) > 6 * Math.sqrt(20 * weight);
      expect(Object.entries<number>(weights).filter(isFar)).toEqual([]);
    }
  });

  test('keeps each cycle exact', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 100 }),
        fc.nat(1000),
        (each, seed) => {
          const weights = Object.fromEntries(each.map((weight, index) => [`m${index}`, weight]));
          expect(tally(visits(begun(weights, seededRandom(seed)), sum(weights)))).toEqual(weights);
        },
      ),
      { seed: 9, numRuns: 60 },
    );
  });

  test('is not taken again after a change', () => {
    let draws = 0;
    const pool = begun({ a: 1, b: 1, c: 1, d: 1 }, () => {
      draws++;
      return 0.5;
    });
    expect(visit(pool)).toBe('c');
    const before = draws;
    pool.remove('a');
    expect([visit(pool), draws]).toEqual(['d', before]);
  });

  test('is off by default', () => {
    expect(visit(makePool({ members: equal(4) }, { random: () => 0.5 }))).toBe('m0');
  });

  test('is true or false', () => {
    const wrong = { randomStart: 1 } as object;
    expect(refusalOf(() => roundRobin(wrong))).toMatchObject({ path: 'randomStart', expected: 'true or false' });
  });
});
