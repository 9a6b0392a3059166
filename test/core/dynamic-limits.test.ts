import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import type { Lease } from '../../src/core/lease.ts';
import type { Pool } from '../../src/core/pool.ts';
import { slowStart } from '../../src/strategies/wrappers/slow-start.ts';
import { makePool, memberOf, refusalOf, spec, take, takeFrom } from '../fixtures/core.ts';

/** Takes leases until the pool refuses. */
function fill(pool: Pool): Lease[] {
  const leases: Lease[] = [];
  for (let next = pool.acquire(); !next.refused; next = pool.acquire()) leases.push(next);
  return leases;
}

/** A client that has to wait. */
function queued(pool: Pool) {
  const wait = pool.acquireOrWait({});
  if (!('isWaiting' in wait)) throw new Error('it does not wait');
  return wait;
}

const one = spec('a', { minConnections: 2, maxConnections: 10 });

describe('a member with minConnections', () => {
  test('takes no more than these of a pool that has little to do', () => {
    const pool = makePool({ fullConnections: 100, members: [one] });
    expect(fill(pool).length).toBe(2);
    expect(pool.acquire()).toMatchObject({ refused: true, reason: 'members-full' });
  });

  test('takes the more, the closer the pool is to fullConnections, and there maxConnections', () => {
    const pool = makePool({ fullConnections: 40, members: [one, spec('b')] });
    const a = memberOf(pool, 'a');
    const limits: (number | undefined)[] = [];
    for (let load = 1; load <= 45; load++) {
      limits.push(a.connectionLimit);
      takeFrom(pool, 'b');
    }
    // As HAProxy has it: load * maxconn / fullconn in integers, where the one that comes counts.
    expect(limits).toEqual(
      Array.from({ length: 45 }, (_, index) => Math.min(10, Math.max(2, Math.floor(((index + 1) * 10) / 40)))),
    );
    expect(a.maxConnections).toBe(10);
  });

  test('has to hold fewer again as the load goes, and keeps what it holds', () => {
    const pool = makePool({ fullConnections: 10, members: [one, spec('b', { maxConnections: 8 })] });
    const others = Array.from({ length: 8 }, () => takeFrom(pool, 'b'));
    const own = Array.from({ length: 8 }, () => takeFrom(pool, 'a'));
    for (const lease of others) lease.release();
    expect([memberOf(pool, 'a').stats.activeConnections, memberOf(pool, 'a').connectionLimit]).toEqual([8, 9]);
    for (const lease of own.slice(1)) lease.release();
    expect(memberOf(pool, 'a').connectionLimit).toBe(2);
  });

  test('may always hold maxConnections where the pool has no fullConnections', () => {
    const pool = makePool({ members: [one] });
    expect([fill(pool).length, memberOf(pool, 'a').connectionLimit]).toEqual([10, 10]);
  });

  test('beside others is passed over while it is at its limit', () => {
    const pool = makePool({ fullConnections: 1000, members: [one, spec('b')] });
    const ids = Array.from({ length: 8 }, () => take(pool).member.id);
    expect(ids.toSorted()).toEqual(['a', 'a', 'b', 'b', 'b', 'b', 'b', 'b']);
  });

  test('holds no more than its agent permits', () => {
    const pool = makePool({ fullConnections: 3, members: [one] });
    memberOf(pool, 'a').reportAgent('up maxconn:4');
    expect([memberOf(pool, 'a').minConnections, memberOf(pool, 'a').maxConnections, fill(pool).length]).toEqual([
      2, 4, 4,
    ]);
    memberOf(pool, 'a').reportAgent('up maxconn:1');
    expect([memberOf(pool, 'a').minConnections, memberOf(pool, 'a').connectionLimit]).toEqual([1, 1]);
    const beside = makePool({ fullConnections: 100, members: [one, spec('b')] });
    memberOf(beside, 'a').reportAgent('up maxconn:1');
    expect(Array.from({ length: 8 }, () => take(beside).member.id).filter((id) => id === 'a').length).toBe(1);
  });

  test('that warms up may hold a share of what the load permits', async () => {
    const clock = new VirtualClock();
    const window = 10_000;
    const pool = makePool(
      { strategy: slowStart('round-robin', { window, curve: 'haproxy' }), fullConnections: 10, members: [spec('b')] },
      { clock },
    );
    take(pool);
    pool.add(spec('a', { minConnections: 4, maxConnections: 100 }));
    for (let load = 0; load < 3; load++) takeFrom(pool, 'b');
    await clock.advance(window / 2);
    // 4 + 1 of 10 make 50 of 100, of which half.
    expect(memberOf(pool, 'a').connectionLimit).toBe(50);
    const own: string[] = [];
    for (let next = 0; next < 200; next++) own.push(take(pool).member.id);
    expect(own.filter((id) => id === 'a').length).toBe(25);
  });
});

describe('changes', () => {
  test('take effect at once', () => {
    const pool = makePool({ fullConnections: 100, members: [one] });
    const held = fill(pool).length;
    memberOf(pool, 'a').update({ minConnections: 5 });
    const raised = held + fill(pool).length;
    pool.update({ fullConnections: 8 });
    const fuller = raised + fill(pool).length;
    pool.update({ fullConnections: null });
    const unbound = fuller + fill(pool).length;
    expect([held, raised, fuller, unbound]).toEqual([2, 5, 10, 10]);
  });

  test('of fullConnections away and back leave the member with minConnections again', () => {
    const pool = makePool({ members: [one] });
    pool.update({ fullConnections: 100 });
    expect([fill(pool).length, pool.fullConnections]).toEqual([2, 100]);
  });

  test('of maxConnections alone leave minConnections, and refuse to go below them', () => {
    const pool = makePool({ fullConnections: 100, members: [one] });
    const a = memberOf(pool, 'a');
    a.update({ maxConnections: 20 });
    expect([a.minConnections, a.maxConnections]).toEqual([2, 20]);
    expect(refusalOf(() => a.update({ maxConnections: 1 }))).toEqual({
      path: 'minConnections',
      value: 2,
      expected: 'at most maxConnections, 1',
    });
    expect(refusalOf(() => a.update({ maxConnections: null }))).toMatchObject({ path: 'minConnections' });
    a.update({ minConnections: null, maxConnections: null });
    expect([a.minConnections, a.maxConnections, a.connectionLimit]).toEqual([undefined, undefined, undefined]);
  });

  test('that say the same as before prepare no picker anew', () => {
    let prepared = 0;
    const strategy = {
      name: 'counting',
      prepare: () => {
        prepared++;
        return { pick: () => undefined };
      },
    };
    const pool = makePool({ strategy, fullConnections: 100, members: [one] });
    pool.acquire();
    pool.update({ fullConnections: 50 });
    memberOf(pool, 'a').update({ minConnections: 3 });
    pool.acquire();
    expect(prepared).toBe(1);
  });
});

describe('a spec refuses', () => {
  test.each([
    [{ minConnections: 3, maxConnections: 2 }, 'at most maxConnections, 2'],
    [{ minConnections: 3 }, 'a maxConnections beside it'],
    [{ minConnections: 0, maxConnections: 2 }, 'an integer from 1 to 2147483647'],
  ] as const)('a member with %o', (fields, expected) => {
    expect(refusalOf(() => makePool({ members: [spec('a', fields)] }))).toMatchObject({
      path: 'members[0].minConnections',
      expected,
    });
  });

  test.each([0, 1.5, 2 ** 31, '10'])('fullConnections of %o', (fullConnections) => {
    expect(refusalOf(() => makePool({ fullConnections: fullConnections as number }))).toMatchObject({
      path: 'fullConnections',
    });
  });
});

describe('with a queue', () => {
  const settings = { fullConnections: 20, queue: { limit: 100, timeout: 10_000 }, members: [one] };

  test('those who wait are part of the load, and raise the limit', () => {
    const pool = makePool(settings);
    const held = [take(pool), take(pool)];
    const waits = [3, 4, 5].map(() => queued(pool));
    // 5 of 20 permit floor(2.5) of 10.
    expect([held.length, waits.map(({ result }) => result?.refused)]).toEqual([2, [undefined, undefined, undefined]]);
    // With the sixth they permit 3, which the first that waits gets.
    const sixth = queued(pool);
    expect([...waits, sixth].map(({ result }) => result?.refused)).toEqual([false, undefined, undefined, undefined]);
  });

  test('one that comes does not overtake them where its coming makes room', () => {
    const pool = makePool(settings);
    const held = [take(pool), take(pool)];
    const first = queued(pool);
    const told: string[] = [];
    first.whenOver = () => told.push('first');
    for (let more = 4; more <= 6; more++) queued(pool);
    expect(told).toEqual(['first']);
    for (const lease of held) lease.release();
    expect(memberOf(pool, 'a').stats.activeConnections).toBe(2);
  });

  test('one that wants no queue does not overtake them either', () => {
    const pool = makePool(settings);
    const held = [take(pool), take(pool)];
    const waits = [3, 4, 5].map(() => queued(pool));
    expect([pool.acquire().refused, held.length]).toEqual([true, 2]);
    expect(waits[0]?.result?.refused).toBe(false);
  });

  test('all are served in the end, however the limit falls meanwhile', () => {
    const pool = makePool({ ...settings, fullConnections: 50 });
    const running: Lease[] = [];
    const come = (): void => {
      const step = pool.acquireOrWait({});
      if (step.refused) throw new Error(step.reason);
      if (!('isWaiting' in step)) running.push(step);
      else {
        const got = (): void => {
          if (step.result?.refused === false) running.push(step.result);
        };
        step.whenOver = got;
        got();
      }
    };
    for (let client = 0; client < 40; client++) come();
    let served = 0;
    for (let lease = running.shift(); lease !== undefined; lease = running.shift()) {
      lease.release();
      served++;
    }
    expect([served, pool.stats.activeConnections, pool.queueStats?.waiting]).toEqual([40, 0, 0]);
  });

  test('a lower fullConnections lets them in', () => {
    const pool = makePool(settings);
    fill(pool);
    const wait = queued(pool);
    pool.update({ fullConnections: 3 });
    expect(wait.result?.refused).toBe(false);
  });
});

/** HAProxy's rule, said once more, over a list of leases. */
class PlainPool {
  readonly held: number[];
  readonly #members: readonly { readonly least: number; readonly most: number }[];
  readonly #full: number;

  constructor(members: readonly { readonly least: number; readonly most: number }[], full: number) {
    this.held = members.map(() => 0);
    this.#members = members;
    this.#full = full;
  }

  /** Those that have room for one more client. */
  get open(): number[] {
    const load = this.held.reduce((sum, count) => sum + count, 0) + 1;
    return this.#members.flatMap(({ least, most }, place) => {
      const limit =
        load >= this.#full ? most : Math.max(least, Number((BigInt(load) * BigInt(most)) / BigInt(this.#full)));
      return (this.held[place] as number) < limit ? [place] : [];
    });
  }
}

test.each(['round-robin', 'least-connections', 'first', 'random', 'power-of-two', 'ring-hash', 'least-time'] as const)(
  '%s gives a client to a member that HAProxy would find open, and refuses none that has one',
  (strategy) => {
    const member = fc
      .record({ most: fc.integer({ min: 1, max: 12 }), share: fc.nat(100) })
      .map(({ most, share }) => ({ most, least: Math.max(1, Math.floor((most * share) / 100)) }));
    const steps = fc.array(fc.nat(30), { maxLength: 150 });
    fc.assert(
      fc.property(
        fc.array(member, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 60 }),
        steps,
        (members, full, actions) => {
          const plain = new PlainPool(members, full);
          const pool = makePool({
            strategy,
            fullConnections: full,
            members: members.map(({ least, most }, place) =>
              spec(`${place}`, { port: 1000 + place, minConnections: least, maxConnections: most }),
            ),
          });
          const leases: Lease[] = [];
          for (const action of actions) {
            const lease = action % 3 === 0 ? leases.splice(action % (leases.length + 1), 1)[0] : undefined;
            if (lease !== undefined) {
              lease.release();
              (plain.held[Number(lease.member.id)] as number)--;
              continue;
            }
            const { open } = plain;
            const next = pool.acquire({ clientAddress: `10.0.0.${action}`, clientPort: 1000 + action });
            expect(next.refused).toBe(open.length === 0);
            if (next.refused) continue;
            expect(open).toContain(Number(next.member.id));
            leases.push(next);
            (plain.held[Number(next.member.id)] as number)++;
          }
        },
      ),
      { seed: 1, numRuns: 150 },
    );
  },
);
