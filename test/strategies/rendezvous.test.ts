import { describe, expect, test } from 'vitest';
import { type RendezvousOptions, rendezvous } from '../../src/strategies/rendezvous.ts';
import { equal, makePool, refusalOf, tally, visits } from '../fixtures/core.ts';

// The choice itself is tested in hash/, what rendezvous has in common with other strategies in hash-strategies.test.ts.

test('what a member had goes to all others in equal parts', () => {
  const pool = makePool({ strategy: 'rendezvous', members: equal(5) });
  const keys = (number: number) => ({ key: `user-${number}` });
  const before = visits(pool, 20_000, keys);
  pool.remove('m2');
  const after = visits(pool, 20_000, keys);
  const heirs = Object.values(tally(after.filter((_, number) => before[number] === 'm2')));
  expect(heirs.length).toBe(4);
  expect(heirs.filter((count) => Math.abs(count / 1000 - 1) > 0.12)).toEqual([]);
});

test('equal members are even by the chi-square test', () => {
  const counts = Object.values(tally(visits(makePool({ strategy: 'rendezvous', members: equal(50) }), 50_000)));
  const chiSquare = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
  // 49 degrees of freedom: within these bounds 999 times in 1000.
  expect(chiSquare).toBeGreaterThan(21);
  expect(chiSquare).toBeLessThan(91);
});

describe('what makes no sense is refused', () => {
  for (const [options, path] of [
    [{ tableSize: 7 }, 'tableSize'],
    [{ maxLoadFactor: 100_001 }, 'maxLoadFactor'],
    [{ key: {} }, 'key'],
  ] as const) {
    test(JSON.stringify(options), () => {
      expect(refusalOf(() => rendezvous(options as RendezvousOptions)).path).toBe(path);
    });
  }
});
