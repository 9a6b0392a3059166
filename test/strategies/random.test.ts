import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../src/core/random.ts';
import { equal, makePool, memberOf, spec, take, tally, visits, weighing } from '../fixtures/core.ts';

/** Pearson's statistic: how far the counts are from what the weights promise. */
function chiSquare(counts: Readonly<Record<string, number>>, weights: Readonly<Record<string, number>>): number {
  const total = Object.values(weights).reduce((a, b) => a + b, 0);
  const drawn = Object.values(counts).reduce((a, b) => a + b, 0);
  return Object.entries(weights).reduce((sum, [id, weight]) => {
    const expected = (drawn * weight) / total;
    return sum + ((counts[id] ?? 0) - expected) ** 2 / expected;
  }, 0);
}

describe('the shares follow the weights', () => {
  // The bound is the 99.9 % quantile of the chi-square distribution with one degree of freedom less than members.
  for (const [weights, bound] of [
    [{ a: 1, b: 1 }, 10.83],
    [{ a: 5, b: 1, c: 1 }, 13.82],
    [{ a: 256, b: 1, c: 16, d: 100 }, 16.27],
    [{ a: 1, b: 2, c: 3, d: 4, e: 5, f: 6, g: 7, h: 8 }, 24.32],
  ] as const) {
    test(`of ${Object.values(weights).join(':')}`, () => {
      const pool = makePool({ strategy: 'random', members: weighing(weights) }, { random: seededRandom(2024) });
      expect(chiSquare(tally(visits(pool, 20_000)), weights)).toBeLessThan(bound);
    });
  }

  test('of a thousand equal members', () => {
    const pool = makePool({ strategy: 'random', members: equal(1000) });
    const weights = Object.fromEntries(pool.members.map(({ id }) => [id, 1]));
    expect(chiSquare(tally(visits(pool, 100_000)), weights)).toBeLessThan(1143.9);
  });

  test('of those that are left where a client has tried most of the pool', () => {
    const weights = { a: 200, b: 1, c: 3, d: 2 };
    const pool = makePool({ strategy: 'random', members: weighing(weights) });
    const exclude = [memberOf(pool, 'a')];
    const { b, c, d } = weights;
    expect(chiSquare(tally(visits(pool, 12_000, () => ({ exclude }))), { b, c, d })).toBeLessThan(13.82);
  });
});

test('a draw is independent of the one before', () => {
  const pool = makePool({ strategy: 'random', members: equal(2) });
  const ids = visits(pool, 10_000);
  const pairs = tally(ids.slice(1).map((id, index) => `${ids[index]}${id}`));
  expect(chiSquare(pairs, { m0m0: 1, m0m1: 1, m1m0: 1, m1m1: 1 })).toBeLessThan(16.27);
});

test('all chance comes from the generator that the pool was given', () => {
  const pool = makePool({ strategy: 'random', members: equal(3) }, { random: () => 0 });
  expect(new Set(visits(pool, 20))).toEqual(new Set(['m0']));
});

test('the highest number that a generator may give is within the pool', () => {
  const pool = makePool({ strategy: 'random', members: equal(7) }, { random: () => 1 - 2 ** -53 });
  expect(new Set(visits(pool, 20))).toEqual(new Set(['m6']));
});

test('a member that alone has room is found, however unlikely it is', () => {
  const pool = makePool({
    strategy: 'random',
    members: [spec('a', { weight: 256, maxConnections: 1 }), spec('b')],
  });
  take(pool, { exclude: [memberOf(pool, 'b')] });
  expect(new Set(visits(pool, 1000))).toEqual(new Set(['b']));
});
