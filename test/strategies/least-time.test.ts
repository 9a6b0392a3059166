import { describe, expect, test } from 'vitest';
import type { Pool } from '../../src/core/pool.ts';
import { type LeastTimeOptions, leastTime } from '../../src/strategies/least-time.ts';
import {
  equal,
  makePool,
  memberOf,
  refusalOf,
  spec,
  take,
  takeFrom,
  tally,
  visits,
  weighing,
} from '../fixtures/core.ts';
import { HandClock, poolIn } from './traffic.ts';

describe('the options', () => {
  for (const [options, path, expected] of [
    [{ measures: 'header' }, 'measures', "'first-byte' or 'last-byte'"],
    [{ inflight: 1 }, 'inflight', 'true or false'],
    [{ failTimeout: -1 }, 'failTimeout', 'milliseconds from 0 to 2147483647'],
    [{ randomStart: 1 }, 'randomStart', 'true or false'],
    [{ failurePenalty: '1s' }, 'failurePenalty', 'milliseconds from 0 to 2147483647'],
  ] as const) {
    test(`refuse ${JSON.stringify(options)}`, () => {
      expect(refusalOf(() => leastTime(options as LeastTimeOptions))).toMatchObject({ path, expected });
    });
  }

  test('refuse what they do not know', () => {
    expect(refusalOf(() => leastTime({ timeout: 3 } as LeastTimeOptions)).path).toBe('timeout');
  });

  test('take null for the default', () => {
    const options = { measures: null, inflight: null, failTimeout: null, failurePenalty: null, randomStart: null };
    expect(leastTime(options).name).toBe('least-time');
  });
});

describe('a random start', () => {
  test('begins at a random member of those that are alike, and goes on in the order of the pool', () => {
    const start = (draw: number, strategy = leastTime({ randomStart: true })): string[] =>
      visits(makePool({ members: equal(4), strategy }, { random: () => draw }), 9);
    expect(start(0.6)).toEqual(['m2', 'm3', 'm0', 'm1', 'm2', 'm3', 'm0', 'm1', 'm2']);
    expect(start(0.6, leastTime()).slice(0, 4)).toEqual(['m0', 'm1', 'm2', 'm3']);
  });

  test('is not taken again after a change', () => {
    const draws = [0.6, 0.1];
    const pool = makePool(
      { members: equal(4), strategy: leastTime({ randomStart: true }) },
      { random: () => draws.shift() ?? 0 },
    );
    const before = visits(pool, 2);
    memberOf(pool, 'm1').update({ enabled: false });
    expect([...before, ...visits(pool, 2)]).toEqual(['m2', 'm3', 'm0', 'm2']);
  });
});

/** A pool of `p1` and `p2`, or whom else, and how long they take. */
class Bench {
  readonly clock = new HandClock();
  readonly pool: Pool;
  /** Milliseconds until the first byte of an answer, and from there to the last. */
  readonly header: Record<string, number> = {};
  readonly body: Record<string, number> = {};

  constructor(options: LeastTimeOptions = {}, members = [spec('p1'), spec('p2')]) {
    this.pool = poolIn(this.clock, leastTime(options), members);
  }

  /** So many requests one after the other; how many each member got. */
  many(count: number): Record<string, number> {
    return tally(
      Array.from({ length: count }, () => {
        const lease = take(this.pool);
        const { id } = lease.member;
        const header = this.header[id] ?? 0;
        lease.connectedForRequest();
        this.clock.time += header;
        lease.countFirstByte(header);
        this.clock.time += this.body[id] ?? 0;
        lease.release();
        return id;
      }),
    );
  }
}

describe("nginx's tests (upstream_least_time.t)", () => {
  test('zero connections: 5 and 5', () => {
    expect(new Bench({ measures: 'last-byte' }).many(10)).toEqual({ p1: 5, p2: 5 });
  });

  test('zero connections, response time: the slower one gets 1 of 10', () => {
    const bench = new Bench({ measures: 'last-byte' });
    bench.body['p1'] = 4080;
    expect(bench.many(10)).toEqual({ p1: 1, p2: 9 });
  });

  test('response time decay: no probe after 6 s, one after 8 s, where 4 s halve each second', () => {
    const bench = new Bench({ measures: 'last-byte', failTimeout: 0 });
    bench.body['p1'] = 4080;
    bench.many(10);
    bench.body['p1'] = 0;
    bench.clock.time += 2000;
    expect(bench.many(10)).toEqual({ p2: 10 });
    bench.clock.time += 2000;
    expect(bench.many(10)).toEqual({ p1: 1, p2: 9 });
  });

  test('lesser response time: all of 10', () => {
    const bench = new Bench({ measures: 'last-byte' });
    bench.body['p1'] = 4080;
    bench.many(6);
    bench.body['p1'] = 0;
    expect(bench.many(10)).toEqual({ p2: 10 });
  });

  test('greater response time of the second: all of 10', () => {
    const bench = new Bench({ measures: 'last-byte' });
    bench.body['p2'] = 4080;
    bench.many(6);
    bench.body['p2'] = 0;
    expect(bench.many(10)).toEqual({ p1: 10 });
  });

  test('equal response time: 5 and 5', () => {
    const bench = new Bench({ measures: 'last-byte' });
    bench.body['p1'] = 14;
    bench.body['p2'] = 6;
    bench.many(10);
    expect(bench.many(10)).toEqual({ p1: 5, p2: 5 });
  });

  test('inflight response time: a peer that hangs gets none of 8', () => {
    const bench = new Bench({ measures: 'last-byte', inflight: true });
    for (let number = 0; number < 10; number++) {
      const lease = take(bench.pool);
      if (lease.member.id === 'p2') lease.release();
    }
    bench.clock.time += 2100;
    expect(tally(Array.from({ length: 8 }, () => take(bench.pool).member.id))).toEqual({ p2: 8 });
  });

  test('without inflight it gets its share', () => {
    const bench = new Bench({ measures: 'last-byte' });
    take(bench.pool);
    bench.clock.time += 2100;
    expect(tally(Array.from({ length: 9 }, () => take(bench.pool).member.id))).toEqual({ p1: 4, p2: 5 });
  });

  test('zero connections header: 5 and 5', () => {
    expect(new Bench().many(10)).toEqual({ p1: 5, p2: 5 });
  });

  test('same header time, different response time: 5 and 5', () => {
    const bench = new Bench();
    bench.body['p1'] = 4080;
    bench.many(6);
    bench.body['p1'] = 0;
    expect(bench.many(10)).toEqual({ p1: 5, p2: 5 });
  });

  test('different header time: all of 10', () => {
    const bench = new Bench();
    bench.header['p1'] = 4080;
    bench.many(6);
    bench.header['p1'] = 0;
    expect(bench.many(10)).toEqual({ p2: 10 });
  });
});

describe('the members', () => {
  test('of the same class go round by weight, each client counting', () => {
    const pool = makePool({ strategy: 'least-time', members: weighing({ a: 5, b: 1, c: 1 }) });
    expect(tally(Array.from({ length: 700 }, () => take(pool).member.id))).toEqual({ a: 500, b: 100, c: 100 });
  });

  test('that are beyond 5 s are told apart by their leases only', () => {
    const bench = new Bench({ measures: 'last-byte' });
    bench.body['p1'] = 6000;
    bench.body['p2'] = 60_000;
    bench.many(2);
    expect(tally(Array.from({ length: 10 }, () => take(bench.pool).member.id))).toEqual({ p1: 5, p2: 5 });
  });

  test('get clients as they answer: one that takes twice as long holds half as many', () => {
    const bench = new Bench();
    Object.assign(bench.header, { p1: 119, p2: 59 });
    bench.many(2);
    expect(tally(Array.from({ length: 30 }, () => take(bench.pool).member.id))).toEqual({ p1: 10, p2: 20 });
  });

  test('keep their times and their turns over a change of membership', () => {
    const bench = new Bench();
    bench.header['p1'] = 500;
    bench.many(2);
    bench.pool.add(spec('p3', { address: '10.0.0.9' }));
    bench.header['p1'] = 0;
    expect(bench.many(20)).toEqual({ p2: 10, p3: 10 });
  });

  test('keep their leases over a change of membership', () => {
    const bench = new Bench();
    takeFrom(bench.pool, 'p2');
    bench.pool.add(spec('p3', { address: '10.0.0.9', enabled: false }));
    expect(bench.many(6)).toEqual({ p1: 6 });
  });
});

test('a slow member that is tried again gets one client, not all until it answers (traefik#12306)', () => {
  const bench = new Bench();
  bench.header['p1'] = 5000;
  bench.many(2);
  bench.clock.time += 3_600_000;
  expect(tally(Array.from({ length: 100 }, () => take(bench.pool).member.id))).toEqual({ p1: 1, p2: 99 });
});

test('leases with an answer are no longer inflight, however long they last', () => {
  const bench = new Bench({ inflight: true });
  for (const id of ['p1', 'p2']) {
    const lease = takeFrom(bench.pool, id);
    lease.connectedForRequest();
    bench.clock.time += 10;
    lease.countFirstByte(10);
  }
  bench.clock.time += 60_000;
  takeFrom(bench.pool, 'p1');
  bench.clock.time += 100;
  expect(tally(Array.from({ length: 9 }, () => take(bench.pool).member.id))).toEqual({ p2: 9 });
});

describe('a failure', () => {
  test('is not a short time', () => {
    const bench = new Bench({ failurePenalty: 0 });
    bench.header['p1'] = bench.header['p2'] = 100;
    bench.many(2);
    for (let number = 0; number < 50; number++) takeFrom(bench.pool, 'p1').release('failure');
    expect(bench.many(10)).toEqual({ p1: 5, p2: 5 });
  });

  test('counts as a lease, on a member no faster than the average', () => {
    const bench = new Bench();
    bench.header['p2'] = 3000;
    bench.many(1);
    bench.many(1);
    expect(bench.many(1)).toEqual({ p1: 1 });
    takeFrom(bench.pool, 'p1').release('failure');
    expect(bench.many(3)).toEqual({ p2: 3 });
  });

  test('counts after a change of membership, too', () => {
    const bench = new Bench();
    takeFrom(bench.pool, 'p1').release('failure');
    bench.pool.add(spec('p3', { address: '10.0.0.9' }));
    expect(bench.many(10)).toEqual({ p2: 5, p3: 5 });
  });
});

describe('of more than 32 members', () => {
  test('five are drawn, and the best of them gets the client', () => {
    const bench = new Bench({ failTimeout: 1e9 }, equal(200));
    const isSlow = (id: string): boolean => Number(id.slice(1)) < 100;
    for (const { id } of bench.pool.members) {
      const lease = takeFrom(bench.pool, id);
      bench.clock.time += isSlow(id) ? 1000 : 10;
      lease.release();
    }
    const toSlow = visits(bench.pool, 32_000).filter(isSlow).length;
    expect(Math.abs(toSlow - 1000)).toBeLessThan(200);
  });

  test('all get their share where nothing tells them apart', () => {
    const pool = makePool({ strategy: 'least-time', members: equal(100) });
    for (const count of Object.values(tally(visits(pool, 100_000)))) expect(Math.abs(count - 1000)).toBeLessThan(160);
  });

  test('the ones that can take the client are found', () => {
    const pool = makePool({ strategy: 'least-time', members: equal(100) });
    const exclude = pool.members.slice(2);
    expect(new Set(visits(pool, 50, () => ({ exclude })))).toEqual(new Set(['m0', 'm1']));
    expect(visits(pool, 1, () => ({ exclude: [...exclude, memberOf(pool, 'm0')] }))).toEqual(['m1']);
  });
});
