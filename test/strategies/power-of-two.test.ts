import { describe, expect, test } from 'vitest';
import type { Lease } from '../../src/core/lease.ts';
import type { Pool } from '../../src/core/pool.ts';
import { seededRandom } from '../../src/core/random.ts';
import { type PowerOfTwoOptions, powerOfTwo } from '../../src/strategies/power-of-two.ts';
import {
  equal,
  makePool,
  memberOf,
  refusalOf,
  spec,
  take,
  takeFrom,
  tally,
  visit,
  visits,
  weighing,
} from '../fixtures/core.ts';
import { exponential, type Load, send, shareOf } from './traffic.ts';

const strategy = 'power-of-two';

describe('the options', () => {
  for (const [options, path, expected] of [
    [{ choices: 1 }, 'choices', 'an integer from 2 to 16'],
    [{ choices: 17 }, 'choices', 'an integer from 2 to 16'],
    [{ choices: 2.5 }, 'choices', 'an integer from 2 to 16'],
    [{ failurePenalty: -1 }, 'failurePenalty', 'milliseconds from 0 to 2147483647'],
  ] as [PowerOfTwoOptions, string, string][]) {
    test(`refuse ${JSON.stringify(options)}`, () => {
      expect(refusalOf(() => powerOfTwo(options))).toMatchObject({ path, expected });
    });
  }

  test('refuse what they do not know', () => {
    expect(refusalOf(() => powerOfTwo({ choice: 3 } as PowerOfTwoOptions)).path).toBe('choice');
  });

  test('take null for the default', () => {
    expect(powerOfTwo({ choices: null, failurePenalty: null }).name).toBe(strategy);
  });
});

describe('of the members that are drawn', () => {
  test('the less loaded gets the client: of two members always the one with fewer leases', () => {
    const pool = makePool({ strategy, members: equal(2) });
    for (let number = 0; number < 5; number++) takeFrom(pool, 'm0');
    for (let number = 0; number < 4; number++) takeFrom(pool, 'm1');
    expect(new Set(visits(pool, 100))).toEqual(new Set(['m1']));
  });

  test('all are compared where as many are drawn as there are', () => {
    const pool = makePool({ strategy: powerOfTwo({ choices: 16 }), members: equal(16) });
    for (const { id } of pool.members) if (id !== 'm11') takeFrom(pool, id);
    expect(new Set(visits(pool, 100))).toEqual(new Set(['m11']));
  });

  test('the most loaded never gets a client, whoever else is drawn', () => {
    const pool = makePool({ strategy, members: equal(6) });
    for (let number = 0; number < 9; number++) takeFrom(pool, 'm3');
    expect(visits(pool, 1000)).not.toContain('m3');
  });

  test('the first gets the client where all are equally loaded', () => {
    // Draws m2, then m0.
    const numbers = [0.7, 0.1];
    const pool = makePool({ strategy, members: equal(3) }, { random: () => numbers.shift() ?? 0 });
    expect(visit(pool)).toBe('m2');
  });
});

test('all chance comes from the generator that the pool was given', () => {
  const pool = makePool({ strategy, members: equal(3) }, { random: () => 0 });
  expect(new Set(visits(pool, 20))).toEqual(new Set(['m0']));
});

test('the highest number that a generator may give is within the pool', () => {
  for (const members of [equal(7), weighing({ a: 1, b: 2, c: 3 })]) {
    for (const choices of [2, 3]) {
      const pool = makePool({ strategy: powerOfTwo({ choices }), members }, { random: () => 1 - 2 ** -53 });
      expect(visits(pool, 20)).not.toContain('none-picked');
    }
  }
});

test('100,000 leases on as many members load none with more than 5, where one draw would load one with 7 or more', () => {
  // Azar et al., "Balanced allocations" (1994): log2 ln n + O(1) = 3.5 + O(1), for one draw ln n / ln ln n = 4.7 and more.
  const most = (chosen: string): number => {
    const pool = makePool({ strategy: chosen as 'random', members: equal(100_000) });
    for (let number = 0; number < 100_000; number++) take(pool);
    return Math.max(...pool.members.map(({ stats }) => stats.activeConnections));
  };
  expect(most(strategy)).toBeLessThanOrEqual(5);
  expect(most('random')).toBeGreaterThanOrEqual(7);
});

describe("Finagle's known answers (P2CLeastLoadedTest: 100 nodes, 100,000 requests, tolerance 10)", () => {
  const count = 100;
  const requests = 100_000;
  const tolerance = 10;
  const loadOf = (pool: Pool, id: string): number => memberOf(pool, id).stats.activeConnections;

  function expectEven(pool: Pool): void {
    const loads = pool.members.filter(({ enabled }) => enabled).map(({ stats }) => stats.activeConnections);
    expect(Math.max(...loads) - Math.min(...loads)).toBeLessThan(2 * tolerance);
  }

  test('balances evenly', () => {
    const pool = makePool({ strategy, members: equal(count) });
    for (let number = 0; number < requests; number++) take(pool);
    expectEven(pool);
  });

  test('balances evenly when load varies', () => {
    const pool = makePool({ strategy, members: equal(count) });
    const random = seededRandom(12_345);
    const held: Lease[] = [];
    for (let number = 0; number < requests; number++) {
      if (number % 3 === 0 || (number % 3 === 1 && random() < 0.5)) held.push(take(pool));
      else held.shift()?.release();
    }
    expectEven(pool);
  });

  test('incorporates updates', () => {
    const pool = makePool({ strategy, members: equal(count) });
    for (let number = 0; number < requests; number++) take(pool);
    pool.add(spec('new', { address: '10.0.0.9' }));
    for (let number = 0; number < requests; number++) take(pool);
    // It was drawn 2 / 101 of the time, which by chance is 1980 ± 44.
    expect(Math.abs(loadOf(pool, 'new') - loadOf(pool, 'm0'))).toBeLessThan(15 * tolerance);
    const before = loadOf(pool, 'm0');
    const { stats } = memberOf(pool, 'm0');
    pool.remove('m0');
    for (let number = 0; number < requests; number++) take(pool);
    expect(stats.activeConnections).toBe(before);
  });

  test('skips downed nodes; revives them with no more than twice their share', () => {
    const pool = makePool({ strategy, members: equal(count) });
    for (let number = 0; number < requests; number++) take(pool);
    const before = loadOf(pool, 'm0');
    memberOf(pool, 'm0').update({ enabled: false });
    for (let number = 0; number < requests; number++) take(pool);
    expect(loadOf(pool, 'm0')).toBe(before);
    expectEven(pool);
    memberOf(pool, 'm0').update({ enabled: true });
    for (let number = 0; number < requests; number++) take(pool);
    const gained = loadOf(pool, 'm0') - before;
    expect(Math.abs(gained - (2 * requests) / count)).toBeLessThan(12 * tolerance);
  });
});

describe('the shares of unequal members that are equally fast', () => {
  const shares = (weights: Readonly<Record<string, number>>, atOnce: number): Record<string, number> => {
    const members: Load['members'] = Object.fromEntries(
      Object.entries(weights).map(([id, weight]) => [id, { weight, takes: exponential(50) }]),
    );
    const taken = send({ strategy, members, arrivals: { atOnce }, seconds: 4000 / atOnce });
    return Object.fromEntries(Object.keys(weights).map((id) => [id, shareOf(id, taken)]));
  };

  for (const atOnce of [1, 2, 5, 20, 100, 500]) {
    test(`are the weights 198:1:1 with ${atOnce} clients at once; comparing two even draws gives 66 % (tower#696)`, () => {
      const { heavy = 0, light = 0 } = shares({ heavy: 198, light: 1, other: 1 }, atOnce);
      expect(heavy).toBeGreaterThan(0.985);
      expect(heavy).toBeLessThan(0.9955);
      expect(light).toBeGreaterThan(0.0025);
      expect(light).toBeLessThan(0.0075);
    });
  }

  for (const atOnce of [1, 20, 100, 500]) {
    test(`are about the weights 5:2:1 with ${atOnce} clients at once`, () => {
      const { a = 0, b = 0, c = 0 } = shares({ a: 5, b: 2, c: 1 }, atOnce);
      expect(Math.abs(a - 5 / 8)).toBeLessThan(0.05);
      expect(Math.abs(b - 2 / 8)).toBeLessThan(0.04);
      expect(Math.abs(c - 1 / 8)).toBeLessThan(0.04);
    });
  }

  test('are the weights where nobody holds a lease', () => {
    const pool = makePool({ strategy, members: weighing({ a: 198, b: 1, c: 1 }) });
    const { a = 0, b = 0, c = 0 } = tally(visits(pool, 40_000));
    expect(Math.abs(a - 39_600)).toBeLessThan(100);
    expect(Math.abs(b - 200)).toBeLessThan(70);
    expect(Math.abs(c - 200)).toBeLessThan(70);
  });

  test('are those of what they hold, where all leases are held', () => {
    const pool = makePool({ strategy, members: weighing({ a: 8, b: 4, c: 2, d: 1 }) });
    const counts = tally(Array.from({ length: 15_000 }, () => take(pool).member.id));
    for (const [id, expected] of [
      ['a', 8000],
      ['b', 4000],
      ['c', 2000],
      ['d', 1000],
    ] as const) {
      expect(Math.abs((counts[id] ?? 0) - expected)).toBeLessThan(30);
    }
  });
});

describe('members that cannot take a client', () => {
  test('leave it to others in proportion to the weights', () => {
    const pool = makePool({ strategy, members: weighing({ a: 200, b: 1, c: 3, d: 2 }) });
    const exclude = [memberOf(pool, 'a')];
    const { b = 0, c = 0, d = 0 } = tally(visits(pool, 12_000, () => ({ exclude })));
    expect(Math.abs(b - 2000)).toBeLessThan(250);
    expect(Math.abs(c - 6000)).toBeLessThan(300);
    expect(Math.abs(d - 4000)).toBeLessThan(300);
  });

  test('leave it to the less loaded of the others', () => {
    const pool = makePool({ strategy, members: equal(40) });
    const exclude = pool.members.slice(2);
    takeFrom(pool, 'm0');
    const counts = tally(visits(pool, 200, () => ({ exclude })));
    expect(counts['m1']).toBeGreaterThan(counts['m0'] ?? 0);
  });
});

describe('a failure', () => {
  const twoMembers = (failurePenalty?: number) =>
    makePool({ strategy: powerOfTwo({ failurePenalty: failurePenalty ?? null }), members: equal(2) });

  test('counts as a lease: the other member gets the next clients', () => {
    const pool = twoMembers();
    takeFrom(pool, 'm0').release('failure');
    expect(new Set(visits(pool, 50))).toEqual(new Set(['m1']));
  });

  test('counts after a change of membership, too', () => {
    const pool = twoMembers();
    takeFrom(pool, 'm1').release('failure');
    pool.add(spec('m2', { address: '10.0.0.9' }));
    expect(visits(pool, 200)).not.toContain('m1');
  });

  test('counts for nothing where the penalty is 0', () => {
    const pool = twoMembers(0);
    takeFrom(pool, 'm0').release('failure');
    expect(new Set(visits(pool, 50)).size).toBe(2);
  });

  for (const outcome of ['aborted', 'ignored'] as const) {
    test(`is not what was ${outcome}`, () => {
      const pool = twoMembers();
      takeFrom(pool, 'm0').release(outcome);
      expect(new Set(visits(pool, 50)).size).toBe(2);
    });
  }
});
