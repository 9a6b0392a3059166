import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import { seededRandom } from '../../src/core/random.ts';
import { utilization } from '../../src/strategies/utilization.ts';
import { equal, makePool, memberOf, refusalOf, spec, take, tally, visit, visits } from '../fixtures/core.ts';
import { expectShares, load, prompt, setUp } from '../fixtures/reporting.ts';

describe('a member without a weight', () => {
  test('counts as the mean of those that have one (gRPC: ZeroWeightUsesMean)', async () => {
    const { pool, report } = setUp({ a: 1, b: 1, c: 1 });
    await report({ a: load(30, 1), c: load(10, 1) });
    visits(pool, 16);
    expect(tally(visits(pool, 60))).toEqual({ a: 30, b: 20, c: 10 });
  });

  test('gets its fair share at large weights (grpc-js took the mean for 1 / mean)', async () => {
    const { pool, report } = setUp({ a: 1, b: 1, c: 1 });
    await report({ a: load(1000, 1), b: load(1000, 1) });
    visits(pool, 16);
    expect(tally(visits(pool, 90))).toEqual({ a: 30, b: 30, c: 30 });
  });

  test('leaves it to plain round robin where only one has a weight', async () => {
    const { pool, report } = setUp({ a: 1, b: 3 });
    await report({ a: load(1000, 0.1) });
    visits(pool, 16);
    expect(tally(visits(pool, 40))).toEqual({ a: 10, b: 30 });
  });

  test('is in blackout again once it reports after its weight ran out', async () => {
    const { pool, clock, report } = setUp({ a: 1, b: 1, c: 1 }, { ...prompt, blackout: 5000 });
    const all = { a: load(10, 1), b: load(10, 1), c: load(40, 1) };
    await report(all);
    await clock.advance(5000);
    expectShares(pool, { a: 1, b: 1, c: 4 });
    for (let minute = 0; minute < 2; minute++) {
      await clock.advance(50_000);
      await report({ a: load(10, 1), b: load(10, 1) });
    }
    expectShares(pool, { a: 1, b: 1, c: 1 });
    await report({ c: load(40, 1) });
    expectShares(pool, { a: 1, b: 1, c: 1 });
    await clock.advance(5000);
    expectShares(pool, { a: 1, b: 1, c: 4 });
  });

  test('is in blackout again once it comes back', async () => {
    const { pool, clock, report } = setUp({ a: 1, b: 1, c: 1 }, { ...prompt, blackout: 5000 });
    await report({ a: load(10, 1), b: load(10, 1), c: load(40, 1) });
    await clock.advance(5000);
    expectShares(pool, { a: 1, b: 1, c: 4 });
    memberOf(pool, 'c').update({ enabled: false });
    visit(pool);
    memberOf(pool, 'c').update({ enabled: true });
    await report({ c: load(40, 1) });
    expectShares(pool, { a: 1, b: 1, c: 1 });
  });
});

describe("a member's own weight", () => {
  test('multiplies what it reports', async () => {
    const { pool, report } = setUp({ a: 1, b: 4 });
    await report({ a: load(20, 1), b: load(10, 1) });
    expectShares(pool, { a: 1, b: 2 });
  });

  test('multiplies the mean where it reports nothing', async () => {
    const { pool, report } = setUp({ a: 1, b: 1, c: 3 });
    await report({ a: load(10, 1), b: load(10, 1) });
    expectShares(pool, { a: 1, b: 1, c: 3 });
  });

  test('counts as soon as it changes, and loses no report', async () => {
    const { pool, report } = setUp({ a: 1, b: 1 });
    await report({ a: load(10, 1), b: load(10, 0.5) });
    memberOf(pool, 'a').update({ weight: 6 });
    expectShares(pool, { a: 3, b: 1 });
  });
});

describe('an adjustment', () => {
  test('comes at most once in an update period', async () => {
    const { pool, clock } = setUp({ a: 1, b: 1 }, { ...prompt, updatePeriod: 1000 });
    memberOf(pool, 'a').reportLoad(load(10, 1));
    memberOf(pool, 'b').reportLoad(load(10, 0.1));
    await clock.advance(999);
    expectShares(pool, { a: 1, b: 1 });
    await clock.advance(1);
    expectShares(pool, { a: 1, b: 10 });
  });

  test('does not restart the order of picks', async () => {
    const { pool, report } = setUp({ a: 1, b: 1, c: 1, d: 1 });
    const same = { a: load(10, 1), b: load(10, 1), c: load(10, 1), d: load(10, 1) };
    await report(same);
    visits(pool, 16);
    const picked: string[] = [];
    for (let period = 0; period < 40; period++) {
      await report(same);
      picked.push(visit(pool));
    }
    expect(tally(picked)).toEqual({ a: 10, b: 10, c: 10, d: 10 });
  });

  test('of membership goes on with the member whose turn is next', async () => {
    const { pool, report } = setUp({ a: 1, b: 1, c: 1, d: 1 });
    await report({ a: load(10, 1), b: load(10, 1), c: load(10, 1), d: load(10, 1) });
    visits(pool, 16);
    while (visit(pool) !== 'b');
    pool.remove('a');
    expect(visits(pool, 4)).toEqual(['c', 'd', 'b', 'c']);
  });

  test('costs no look at the clock while nobody reports', () => {
    let readings = 0;
    const clock = Object.assign(new VirtualClock(), { now: () => readings++ });
    const pool = makePool({ strategy: 'utilization', members: equal(3) }, { clock });
    visit(pool);
    readings = 0;
    visits(pool, 100);
    expect(readings).toBe(0);
  });
});

describe('members that cannot serve', () => {
  test('are passed over, and leave their share to the others by weight', async () => {
    const { pool, report } = setUp({ a: 1, b: 1, c: 1 });
    await report({ a: load(10, 1), b: load(30, 1), c: load(100, 1) });
    const exclude = [memberOf(pool, 'c')];
    visits(pool, 16);
    expect(tally(visits(pool, 40, () => ({ exclude })))).toEqual({ a: 10, b: 30 });
  });

  test('are passed over where nearly all are full', async () => {
    const clock = new VirtualClock();
    const members = equal(200).map((member, index) => ({ ...member, maxConnections: index === 150 ? 1000 : 1 }));
    const pool = makePool({ strategy: utilization(prompt), members }, { clock });
    while (pool.members.some(({ maxConnections, stats }) => maxConnections === 1 && stats.activeConnections === 0)) {
      take(pool);
    }
    for (const member of pool.members) member.reportLoad(load(10, 1));
    await clock.advance(100);
    expect(new Set(visits(pool, 100))).toEqual(new Set(['m150']));
  });
});

test.each([0, 1, 1000])('reports beyond all measure harm nobody, with an error penalty of %i', async (errorPenalty) => {
  const extremes = [5e-324, 1e-308, 1, 1e308, Number.MAX_VALUE];
  for (const requests of extremes) {
    for (const used of extremes) {
      for (const errors of [0, ...extremes]) {
        const { pool, report } = setUp({ a: 1, b: 1, c: 1 }, { ...prompt, errorPenalty });
        await report({ a: load(requests, used, errors), b: load(requests, used, errors), c: load(10, 1) });
        await report({ a: load(requests, used, errors) });
        expect(visits(pool, 10).every((id) => ['a', 'b', 'c'].includes(id))).toBe(true);
      }
    }
  }
});

test('a fleet of fresh balancers spreads its first clients, with reports and without', () => {
  const first = (seed: number): string =>
    visit(makePool({ strategy: 'utilization', members: equal(5) }, { random: seededRandom(seed) }));
  const counts = Object.values(tally(Array.from({ length: 500 }, (_, seed) => first(seed))));
  expect(counts.length).toBe(5);
  expect(counts.filter((count) => count < 60 || count > 140)).toEqual([]);
});

test('ends with members equally utilized, whatever each can carry', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 50, max: 400 }), { minLength: 3, maxLength: 6 }),
      fc.nat(1000),
      async (capacities, seed) => {
        const clock = new VirtualClock();
        const members = capacities.map((_, index) => spec(`m${index}`));
        const random = seededRandom(seed);
        const pool = makePool({ strategy: utilization({ blackout: 0 }), members }, { clock, random });
        const usedIn = async (): Promise<number[]> => {
          const counts = tally(visits(pool, 1000));
          const used = pool.members.map(({ id }, index) => (counts[id] ?? 0) / 10 / (capacities[index] as number));
          for (const [index, member] of pool.members.entries()) {
            member.reportLoad(load((counts[member.id] ?? 0) / 10, used[index] as number));
          }
          await clock.advance(10_000);
          return used;
        };
        for (let round = 0; round < 3; round++) await usedIn();
        const used = await usedIn();
        expect(Math.max(...used) / Math.min(...used)).toBeLessThan(1.1);
      },
    ),
    { seed: 10, numRuns: 30 },
  );
});

describe('the options', () => {
  for (const [options, path] of [
    [{ errorPenalty: -0.1 }, 'errorPenalty'],
    [{ errorPenalty: Number.NaN }, 'errorPenalty'],
    [{ blackout: -1 }, 'blackout'],
    [{ expiration: 0 }, 'expiration'],
    [{ updatePeriod: 99 }, 'updatePeriod'],
    [{ oob: true }, 'oob'],
  ] as const) {
    test(`refuse ${JSON.stringify(options)}`, () => {
      expect(refusalOf(() => utilization(options as object)).path).toBe(path);
    });
  }

  test('ask for the default by null', () => {
    expect(utilization({ errorPenalty: null, blackout: null, expiration: null, updatePeriod: null }).name).toBe(
      'utilization',
    );
  });
});
