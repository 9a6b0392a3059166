import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../../src/core/clock.ts';
import { seededRandom } from '../../../src/core/random.ts';
import { slowStart } from '../../../src/strategies/wrappers/slow-start.ts';
import { subset } from '../../../src/strategies/wrappers/subset.ts';
import { zonePreference } from '../../../src/strategies/wrappers/zone-preference.ts';
import { equal, memberOf, spec, tally, visits } from '../../fixtures/core.ts';
import { down, monitoredPool, up } from '../../fixtures/monitored.ts';

const minute = 60_000;

describe('slow start in a pool that panics', () => {
  /** Four members, of which all but m0 are down, one after the other. */
  function panicking(clock: VirtualClock) {
    const strategy = slowStart('round-robin', { window: minute });
    const pool = monitoredPool({ members: equal(4), panic: {}, strategy }, { clock, random: seededRandom(1) });
    for (const id of ['m1', 'm2', 'm3']) {
      visits(pool, 4);
      down(pool, id);
    }
    return pool;
  }

  test('does not hold back the members that panic brings in: the healthy one would go on bearing nearly all', () => {
    const pool = panicking(new VirtualClock());
    expect(tally(visits(pool, 400))).toEqual({ m0: 100, m1: 100, m2: 100, m3: 100 });
  });

  test('does not hold back the healthy one that was warming up', async () => {
    const clock = new VirtualClock();
    const pool = panicking(clock);
    visits(pool, 4);
    memberOf(pool, 'm0').update({ enabled: false });
    visits(pool, 4);
    memberOf(pool, 'm0').update({ enabled: true });
    expect(tally(visits(pool, 400))).toEqual({ m0: 100, m1: 100, m2: 100, m3: 100 });
  });

  test('goes on after it, for those who have come too late to be warm by then', async () => {
    const clock = new VirtualClock();
    const pool = panicking(clock);
    visits(pool, 4);
    await clock.advance(minute / 2);
    up(pool, 'm1', 'm2');
    const counts = tally(visits(pool, 2000));
    // m1 and m2 have come 30 s ago.
    expect([pool.isPanicking, counts['m3'] ?? 0]).toEqual([false, 0]);
    expect((counts['m1'] ?? 0) / (counts['m0'] ?? 1)).toBeCloseTo(0.5, 1);
    await clock.advance(minute / 2);
    expect(tally(visits(pool, 300))).toEqual({ m0: 100, m1: 100, m2: 100 });
  });
});

describe('zone preference in a pool that panics', () => {
  const zoned = (zone: string, count: number) =>
    Array.from({ length: count }, (_, index) => spec(`${zone}${index}`, { zone, port: 1000 + index }));

  test('makes no difference: the members of the own zone may be those that are down', () => {
    const members = [...zoned('a', 3), ...zoned('b', 3)];
    const strategy = zonePreference('round-robin', { zone: 'a', minMembers: 2 });
    const pool = monitoredPool({ members, strategy, panic: {} });
    down(pool, 'a0', 'a1', 'a2', 'b0');
    expect([pool.isPanicking, tally(visits(pool, 600).map((id) => id.slice(0, 1)))]).toEqual([
      true,
      { a: 300, b: 300 },
    ]);
    up(pool, 'a0', 'a1');
    expect([pool.isPanicking, tally(visits(pool, 600))]).toEqual([
      false,
      expect.objectContaining({ a0: 300, a1: 300 }),
    ]);
  });
});

describe('a subset in a pool that panics', () => {
  test('is one of all members', () => {
    const strategy = subset('round-robin', { size: 2, client: 'me' });
    const pool = monitoredPool({ members: equal(6), strategy, panic: {} });
    const before = Object.keys(tally(visits(pool, 100)));
    down(pool, ...pool.members.slice(1).map(({ id }) => id));
    expect([pool.isPanicking, Object.keys(tally(visits(pool, 100)))]).toEqual([true, before]);
  });
});
