import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Lease } from '../../src/core/lease.ts';
import type { Member } from '../../src/core/member.ts';
import type { Pool } from '../../src/core/pool.ts';
import { equal, makePool, memberOf, spec, take, takeFrom, tally, visit, visits, weighing } from '../fixtures/core.ts';

const strategy = 'least-connections';
const poolOf = (weights: Readonly<Record<string, number>>): Pool => makePool({ strategy, members: weighing(weights) });

/** A pool whose members hold so many connections. */
function busy(state: Readonly<Record<string, readonly [weight: number, connections: number]>>): Pool {
  const pool = makePool({ strategy, members: Object.entries(state).map(([id, [weight]]) => spec(id, { weight })) });
  for (const [id, [, connections]] of Object.entries(state)) {
    for (let number = 0; number < connections; number++) takeFrom(pool, id);
  }
  return pool;
}

/** HAProxy's key: (n + 1) * 4096 / (16 * w), and 0 for an idle member. */
const key = ({ stats, weight }: Member): number =>
  stats.activeConnections === 0 ? 0 : ((stats.activeConnections + 1) * 256) / weight;

describe('the order of load', () => {
  test('prefers weight 2 with one connection (256) over weight 1 with one (512)', () => {
    expect(visit(busy({ a: [1, 1], b: [2, 1] }))).toBe('b');
  });

  test('takes weight 1 with one connection and weight 2 with three (512 each) for equally loaded', () => {
    const pool = busy({ a: [1, 1], b: [2, 3] });
    expect(new Set(visits(pool, 6))).toEqual(new Set(['a', 'b']));
  });

  test('prefers an idle member of weight 1 over a busy one of weight 256', () => {
    expect(visit(busy({ a: [256, 1], b: [1, 0] }))).toBe('b');
  });

  test('weighs the load that the member would have with the new client', () => {
    // By n / w these would tie; by (n + 1) / w the heavier is less loaded.
    expect(visit(busy({ a: [1, 1], b: [3, 3] }))).toBe('b');
  });

  test('fills unequal members in proportion to their weights', () => {
    const pool = poolOf({ a: 1, b: 2, c: 5 });
    const held = Array.from({ length: 80 }, () => take(pool).member.id);
    expect(tally(held)).toEqual({ a: 10, b: 20, c: 50 });
  });
});

describe('ties', () => {
  test('go round among idle members', () => {
    expect(visits(poolOf({ a: 1, b: 1, c: 1 }), 6).join('')).toBe('abcabc');
  });

  test('go round among members that are equally busy', () => {
    const pool = busy({ a: [1, 2], b: [1, 2], c: [1, 2] });
    visits(pool, 30);
    expect(tally(visits(pool, 300))).toEqual({ a: 100, b: 100, c: 100 });
  });

  test('among idle members are shared in proportion to the weights', () => {
    expect(tally(visits(poolOf({ a: 1, b: 2, c: 5 }), 800))).toEqual({ a: 100, b: 200, c: 500 });
  });

  test('do not send all clients to a member that has just been added', () => {
    const pool = poolOf({ a: 1, b: 1 });
    visits(pool, 1000);
    pool.add(spec('c', { address: '10.0.0.3' }));
    expect(tally(visits(pool, 300))).toEqual({ a: 100, b: 100, c: 100 });
  });

  test('do not send all clients to a member that was busy for long', () => {
    const pool = poolOf({ a: 1, b: 1 });
    const lease = takeFrom(pool, 'b');
    visits(pool, 1000);
    lease.release();
    expect(tally(visits(pool, 10))).toEqual({ a: 5, b: 5 });
  });

  test('go on where they were after a change of membership', () => {
    const pool = poolOf({ a: 1, b: 1, c: 1 });
    visit(pool);
    pool.remove('a');
    expect(visits(pool, 4).join('')).toBe('bcbc');
  });
});

describe('leases', () => {
  test('that end make a member attractive again', () => {
    const pool = poolOf({ a: 1, b: 1 });
    const onA = takeFrom(pool, 'a');
    takeFrom(pool, 'b');
    onA.release();
    expect(take(pool).member.id).toBe('a');
  });

  test('on a member that has left the pool end without disturbing the others', () => {
    const pool = poolOf({ a: 1, b: 1, c: 1 });
    const lease = takeFrom(pool, 'a');
    takeFrom(pool, 'b');
    pool.remove('a');
    visit(pool);
    lease.release();
    expect(visits(pool, 3)).toEqual(['c', 'c', 'c']);
  });

  test('taken under another strategy count', () => {
    const pool = makePool({ strategy: 'round-robin', members: equal(3) });
    takeFrom(pool, 'm0');
    takeFrom(pool, 'm2');
    pool.update({ strategy });
    expect(visits(pool, 3)).toEqual(['m1', 'm1', 'm1']);
  });

  test('taken in the same moment as a change of membership count', () => {
    const pool = poolOf({ a: 1, b: 1 });
    visit(pool);
    pool.add(spec('c', { address: '10.0.0.3' }));
    const ids = Array.from({ length: 3 }, () => take(pool).member.id);
    expect(ids.sort()).toEqual(['a', 'b', 'c']);
  });
});

describe('full members', () => {
  test('are passed over however little they weigh', () => {
    const pool = makePool({
      strategy,
      members: [spec('a', { weight: 256, maxConnections: 1 }), spec('b'), spec('c')],
    });
    takeFrom(pool, 'a');
    expect(tally(Array.from({ length: 10 }, () => take(pool).member.id))).toEqual({ b: 5, c: 5 });
  });

  test('are found again once they may hold more', () => {
    const pool = makePool({ strategy, members: [spec('a', { maxConnections: 1 }), spec('b')] });
    takeFrom(pool, 'a');
    for (let number = 0; number < 5; number++) takeFrom(pool, 'b');
    memberOf(pool, 'a').update({ maxConnections: 10 });
    expect(visit(pool)).toBe('a');
  });

  test('are found again once there is room', () => {
    const pool = makePool({ strategy, members: [spec('a', { maxConnections: 1 }), spec('b')] });
    const lease = takeFrom(pool, 'a');
    takeFrom(pool, 'b');
    lease.release();
    expect(visit(pool)).toBe('a');
  });
});

test('always picks a least loaded member, whatever changes meanwhile', () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.constant({ do: 'acquire' as const, nth: 0, weight: 1 }) },
    fc.record({
      do: fc.constantFrom('release', 'weight', 'toggle', 'remove', 'add'),
      nth: fc.nat(9),
      weight: fc.integer({ min: 1, max: 4 }),
    }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const pool = makePool({ strategy, members: equal(4) });
      const held: Lease[] = [];
      let names = 4;
      for (const { do: what, nth, weight } of steps) {
        const member = pool.members[nth % Math.max(1, pool.members.length)];
        if (what === 'release') held.splice(nth % Math.max(1, held.length), 1)[0]?.release();
        else if (what === 'add') pool.add(spec(`m${names++}`, { weight }));
        else if (what === 'weight') member?.update({ weight });
        else if (what === 'toggle') member?.update({ enabled: !member.enabled });
        else if (what === 'remove') member?.remove();
        else {
          const loads = pool.members.filter(({ enabled }) => enabled).map((each) => [each.id, key(each)] as const);
          const result = pool.acquire();
          if (result.refused) continue;
          held.push(result);
          const least = Math.min(...loads.map(([, load]) => load));
          expect(loads.filter(([, load]) => load === least).map(([id]) => id)).toContain(result.member.id);
        }
      }
    }),
    { seed: 12, numRuns: 200 },
  );
});

test('needs no scan: ten thousand picks among ten thousand members spread one to each', () => {
  const pool = makePool({ strategy, members: equal(10_000) });
  const held = new Set(Array.from({ length: 10_000 }, () => take(pool).member));
  expect(held.size).toBe(10_000);
  expect(memberOf(pool, 'm0').stats.activeConnections).toBe(1);
});
