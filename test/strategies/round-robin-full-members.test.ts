import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import type { Pool } from '../../src/core/pool.ts';
import { roundRobin } from '../../src/strategies/round-robin.ts';
import type { PickRequest } from '../../src/strategies/strategy.ts';
import { equal, makePool, spec, take, tally, visit, visits } from '../fixtures/core.ts';

describe('full members of a large pool', () => {
  const count = 200;
  const context = { random: () => 0, clock: new VirtualClock() };
  const anybody: PickRequest = {
    clientAddress: undefined,
    clientPort: undefined,
    key: undefined,
    path: undefined,
    header: () => undefined,
    accepts: () => true,
  };

  /** Members of weights 1 to 4, of which every tenth has room. */
  const nearlyFull = (strategy = roundRobin()): Pool => {
    const members = Array.from({ length: count }, (_, index) =>
      spec(`m${index}`, { weight: 1 + (((index / 10) % 4) | 0), maxConnections: index % 10 === 0 ? 1000 : 1 }),
    );
    const pool = makePool({ strategy, members });
    for (const member of pool.members) {
      if (member.maxConnections === 1) take(pool, { exclude: pool.members.filter((other) => other !== member) });
    }
    return pool;
  };

  test('leave their share to all others by weight, exactly', () => {
    const pool = nearlyFull();
    const open = pool.members.filter(({ maxConnections }) => maxConnections !== 1);
    const cycle = open.reduce((sum, { weight }) => sum + weight, 0);
    visits(pool, 5 * cycle);
    expect(tally(visits(pool, cycle))).toEqual(Object.fromEntries(open.map(({ id, weight }) => [id, weight])));
  });

  test('are not looked at', () => {
    const pool = nearlyFull();
    const picker = roundRobin().prepare(pool.members, undefined, context);
    let looks = 0;
    const request: PickRequest = {
      ...anybody,
      accepts: ({ stats, maxConnections = 0 }) => ++looks > 0 && stats.activeConnections < maxConnections,
    };
    for (let pick = 0; pick < 100; pick++) expect(picker.pick(request)).toBeDefined();
    expect(looks).toBe(100);
  });

  test('are nobody where all are', () => {
    const pool = makePool({
      members: equal(count).map((each, index) => ({ ...each, weight: 1 + (index % 2), maxConnections: 1 })),
    });
    for (let member = 0; member < count; member++) take(pool);
    expect(roundRobin().prepare(pool.members, undefined, context).pick(anybody)).toBeUndefined();
  });

  test('take part again as soon as they have room', () => {
    const pool = makePool({ members: equal(count).map((member) => ({ ...member, maxConnections: 1 })) });
    const held = Array.from({ length: count }, () => take(pool));
    expect(visit(pool)).toBe('members-full');
    held[150]?.release();
    held[20]?.release();
    expect(visits(pool, 4)).toEqual(['m20', 'm150', 'm20', 'm150']);
  });

  test('leave a member that has room no more than its share, whatever its group was owed while it had many', () => {
    const members = Array.from({ length: count }, (_, index) =>
      spec(`m${index}`, { weight: index < 100 ? 1 : 256, maxConnections: index % 100 === 0 ? 1000 : 1 }),
    );
    for (let moment = 0; moment < 260; moment += 20) {
      const pool = makePool({ members });
      const picker = roundRobin().prepare(pool.members, undefined, context);
      for (let pick = 0; pick < moment; pick++) picker.pick(anybody);
      for (const [place, member] of pool.members.entries()) {
        if (member.maxConnections !== 1) continue;
        take(pool, { exclude: pool.members.filter((other) => other !== member) });
        picker.acquired?.(member, place);
      }
      const picked = Array.from({ length: 257 }, () => picker.pick(anybody)?.id);
      expect(picked.filter((id) => id === 'm0').length).toBeLessThanOrEqual(3);
    }
  });

  test('keep their place in the round when the pool changes', () => {
    const pool = makePool({ members: equal(count).map((member) => ({ ...member, maxConnections: 1 })) });
    const held = Array.from({ length: count }, () => take(pool));
    for (const place of [10, 20, 30]) held[place]?.release();
    expect(visit(pool)).toBe('m10');
    pool.remove('m100');
    expect(visits(pool, 3)).toEqual(['m20', 'm30', 'm10']);
  });

  test('are kept book of only where there are limits, and many members', () => {
    const hears = (pool: Pool): boolean =>
      roundRobin().prepare(pool.members, undefined, context).acquired !== undefined;
    const limited = (many: number): Pool =>
      makePool({ members: equal(many).map((each) => ({ ...each, maxConnections: 1 })) });
    expect([hears(makePool({ members: equal(100) })), hears(limited(64)), hears(limited(65))]).toEqual([
      false,
      false,
      true,
    ]);
  });
});
