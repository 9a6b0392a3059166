import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import { createPool } from '../../src/core/create-pool.ts';
import type { Lease } from '../../src/core/lease.ts';
import type { Pool } from '../../src/core/pool.ts';
import { seededRandom } from '../../src/core/random.ts';
import { leastConnections } from '../../src/strategies/least-connections.ts';
import { equal, makePool, spec, take, takeFrom, tally, visit, visits } from '../fixtures/core.ts';

const strategy = 'least-connections';

describe('a failure', () => {
  const fail = (pool: Pool, id: string, times = 1): void => {
    for (let time = 0; time < times; time++) takeFrom(pool, id).release('failure');
  };

  /** Whether a failed member is passed over so long after it failed. */
  const isShunned = async (milliseconds: number, options = {}): Promise<boolean> => {
    const clock = new VirtualClock();
    const pool = makePool({ strategy: leastConnections(options), members: equal(2) }, { clock });
    fail(pool, 'm0');
    await clock.advance(milliseconds);
    return !visits(pool, 4).includes('m0');
  };

  test('counts as a connection for ten seconds', async () => {
    expect([await isShunned(0), await isShunned(9_999), await isShunned(10_000)]).toEqual([true, true, false]);
  });

  test('counts for as long as `failurePenalty` says', async () => {
    const options = { failurePenalty: 500 };
    expect([await isShunned(499, options), await isShunned(500, options)]).toEqual([true, false]);
  });

  test('counts for nothing where `failurePenalty` is 0', () => {
    const pool = makePool({ strategy: leastConnections({ failurePenalty: 0 }), members: equal(2) });
    fail(pool, 'm0', 5);
    expect(tally(visits(pool, 4))).toEqual({ m0: 2, m1: 2 });
  });

  test('weighs as a connection does: less on a member of more weight', () => {
    const pool = makePool({ strategy, members: [spec('a', { weight: 4 }), spec('b')] });
    for (const id of ['a', 'a', 'b']) takeFrom(pool, id);
    fail(pool, 'a');
    expect(visit(pool)).toBe('a');
    fail(pool, 'a', 5);
    expect(visit(pool)).toBe('b');
  });

  test('takes no room from a limit', () => {
    const pool = makePool({ strategy, members: [spec('a', { maxConnections: 2 })] });
    fail(pool, 'a', 5);
    take(pool);
    expect(visit(pool)).toBe('a');
  });

  test('is remembered through a change of membership', () => {
    const pool = makePool({ strategy, members: equal(2) });
    fail(pool, 'm1');
    pool.add(spec('c', { address: '10.0.0.3' }));
    expect(tally(visits(pool, 10))).toEqual({ m0: 5, c: 5 });
  });

  test('of our own making, or the client leaving, counts for nothing', () => {
    const pool = makePool({ strategy, members: equal(2) });
    takeFrom(pool, 'm0').release('ignored');
    takeFrom(pool, 'm0').release('aborted');
    expect(tally(visits(pool, 4))).toEqual({ m0: 2, m1: 2 });
  });

  test('does not keep the only member there is from serving', () => {
    const pool = makePool({ strategy, members: equal(1) });
    fail(pool, 'm0', 9);
    expect(visit(pool)).toBe('m0');
  });

  test('has nobody read the clock while there was none', () => {
    let readings = 0;
    const clock = Object.assign(new VirtualClock(), { now: () => readings++ });
    const pool = makePool({ strategy, members: equal(3) }, { clock });
    readings = 0;
    visits(pool, 100);
    expect(readings).toBe(0);
  });
});

/**
 * A hundred clients a second, each of whom a member holds for 50 ms to 5 s, and eleven members, the fourth of which refuses everybody at
 * once until it recovers.
 */
function simulate(failurePenalty: number, recovery: number, end: number) {
  let now = 0;
  const clock = { now: () => now, setTimeout: () => undefined, clearTimeout: () => undefined };
  const random = seededRandom(3);
  const settings = { name: 'pool', strategy: leastConnections({ failurePenalty }), members: equal(11) };
  const pool = createPool(settings, { clock, random });
  const ends = new Map<number, Lease[]>();
  const clients = { all: 0, ofFourth: 0 };
  const perSecond = new Array<number>(end / 1000).fill(0);
  let mostOfFourth = 0;
  for (now = 0; now < end; now++) {
    for (const lease of ends.get(now) ?? []) lease.release();
    if (random() >= 0.1) continue;
    const lease = take(pool);
    const isFourth = lease.member.id === 'm3';
    clients.all++;
    if (isFourth) {
      clients.ofFourth++;
      (perSecond[Math.floor(now / 1000)] as number)++;
      mostOfFourth = Math.max(mostOfFourth, lease.member.stats.activeConnections);
    }
    if (isFourth && now < recovery) {
      lease.release('failure');
      continue;
    }
    const until = now + 50 + Math.floor(random() * 4950);
    ends.set(until, [...(ends.get(until) ?? []), lease]);
  }
  return { share: clients.ofFourth / clients.all, perSecond, mostOfFourth, mean: pool.stats.activeConnections / 11 };
}

describe('a member that refuses at once, among ten that take their time', () => {
  test('gets 96 % of the clients where failures do not count', () => {
    expect(simulate(0, 60_000, 60_000).share).toBeGreaterThan(0.95);
  });

  test('gets a third of its fair share where they do', () => {
    expect(simulate(10_000, 60_000, 60_000).share).toBeLessThan(1 / 11 / 3);
  });

  test('is not flooded when it recovers, and then has its share again', () => {
    const { perSecond, mostOfFourth, mean } = simulate(10_000, 30_000, 90_000);
    const fair = 100 / 11;
    const of = (from: number, to: number): number =>
      perSecond.slice(from, to).reduce((sum, clients) => sum + clients, 0) / (to - from);
    expect(Math.max(...perSecond.slice(30, 40))).toBeLessThan(2 * fair);
    expect(mostOfFourth).toBeLessThan(1.5 * mean);
    expect(of(30, 35)).toBeLessThan(fair);
    expect(of(50, 90)).toBeGreaterThan(0.85 * fair);
    expect(of(50, 90)).toBeLessThan(1.15 * fair);
  });
});
