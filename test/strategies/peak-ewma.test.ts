import { describe, expect, test } from 'vitest';
import type { Member } from '../../src/core/member.ts';
import type { Pool } from '../../src/core/pool.ts';
import { seededRandom } from '../../src/core/random.ts';
import { type PeakEwmaOptions, peakEwma } from '../../src/strategies/peak-ewma.ts';
import type { PickRequest } from '../../src/strategies/strategy.ts';
import { equal, makePool, memberOf, refusalOf, spec, take, takeFrom, tally, weighing } from '../fixtures/core.ts';
import { exponential, HandClock, poolIn, send, shareOf } from './traffic.ts';

describe('the options', () => {
  for (const [options, path, expected] of [
    [{ decay: 0 }, 'decay', 'milliseconds from 1 to 2147483647'],
    [{ defaultLatency: 0 }, 'defaultLatency', 'milliseconds from 0.001 to 2147483647'],
    [{ choices: 1 }, 'choices', 'an integer from 2 to 16'],
    [{ failurePenalty: Number.NaN }, 'failurePenalty', 'milliseconds from 0 to 2147483647'],
  ] as [PeakEwmaOptions, string, string][]) {
    test(`refuse ${JSON.stringify(options)}`, () => {
      expect(refusalOf(() => peakEwma(options))).toMatchObject({ path, expected });
    });
  }

  test('refuse what they do not know', () => {
    expect(refusalOf(() => peakEwma({ tau: 3 } as PeakEwmaOptions)).path).toBe('tau');
  });

  test('take null for the default', () => {
    expect(peakEwma({ decay: null, defaultLatency: null, choices: null, failurePenalty: null }).name).toBe('peak-ewma');
  });
});

/** A pool in time that is set by hand. */
class Bench {
  readonly clock = new HandClock();
  readonly pool: Pool;

  constructor(options: PeakEwmaOptions = {}, members = equal(2)) {
    this.pool = poolIn(this.clock, peakEwma(options), members);
  }

  /** A lease on this member that took so long. */
  answer(id: string, milliseconds: number): void {
    const lease = takeFrom(this.pool, id);
    this.clock.time += milliseconds;
    lease.release();
  }

  /** Whom so many clients get, one after the other; the pool learns nothing from them. */
  picks(count: number): Record<string, number> {
    return tally(
      Array.from({ length: count }, () => {
        const lease = take(this.pool);
        lease.release('ignored');
        return lease.member.id;
      }),
    );
  }

  /** Whom so many clients get that all stay. */
  held(count: number): Record<string, number> {
    return tally(Array.from({ length: count }, () => take(this.pool).member.id));
  }
}

describe('of the members that are drawn', () => {
  test('the faster gets the client', () => {
    const bench = new Bench();
    bench.answer('m0', 50);
    bench.answer('m1', 40);
    expect(bench.picks(100)).toEqual({ m1: 100 });
  });

  test('each gets as many as it answers in the same time', () => {
    const bench = new Bench();
    bench.answer('m0', 100);
    bench.answer('m1', 50);
    const { m0 = 0, m1 = 0 } = bench.held(300);
    expect([m0, m1].map((count) => Math.round(count / 10))).toEqual([10, 20]);
  });

  test('one that has begun to be slow is left alone after one lease: a peak counts at once', () => {
    const bench = new Bench();
    for (let number = 0; number < 100; number++) {
      bench.answer('m0', 10);
      bench.answer('m1', 12);
    }
    bench.answer('m0', 1000);
    expect(bench.picks(100)).toEqual({ m1: 100 });
  });

  test('one that was slow once is tried again as its estimate decays (traefik#12306)', () => {
    const bench = new Bench();
    bench.answer('m0', 500);
    bench.answer('m1', 50);
    for (let elapsed = 0; elapsed < 20_000; elapsed += 50) bench.answer('m1', 50);
    expect(bench.picks(10)).toEqual({ m1: 10 });
    for (let elapsed = 0; elapsed < 6000; elapsed += 50) bench.answer('m1', 50);
    expect(bench.picks(10)).toEqual({ m0: 10 });
  });

  test('one without history gets one client, before all others, and no more until it is known', () => {
    const bench = new Bench({ choices: 3 }, equal(3));
    bench.answer('m0', 10);
    bench.answer('m2', 10);
    const first = take(bench.pool);
    expect(first.member.id).toBe('m1');
    expect(Object.keys(bench.picks(100))).not.toContain('m1');
    bench.clock.time += 5;
    first.release();
    expect(bench.picks(100)).toEqual({ m1: 100 });
  });

  test('those without history share the clients while nobody is known', () => {
    const { m0 = 0, m1 = 0 } = new Bench().held(100);
    expect([m0, m1]).toEqual([50, 50]);
  });

  test('one without history is taken for what it is told where there is a default latency', () => {
    const bench = new Bench({ defaultLatency: 30 }, equal(3));
    bench.answer('m0', 80);
    const { m0 = 0, m1 = 0, m2 = 0 } = bench.held(400);
    expect([m0, m1, m2].map((count) => Math.round(count / 10))).toEqual([6, 17, 17]);
  });

  test('one that nobody has heard of for three decay times gets one client at a time, though its estimate is next to nothing', () => {
    const bench = new Bench();
    bench.answer('m0', 5000);
    bench.clock.time += 600_000;
    bench.answer('m1', 50);
    // m0's estimate has decayed to 10^-23 ms.
    expect(bench.held(100)).toEqual({ m0: 1, m1: 99 });
  });

  test('a clock that shows no difference makes none of them free', () => {
    const bench = new Bench();
    bench.answer('m0', 0);
    bench.answer('m1', 0);
    expect(bench.held(100)).toEqual({ m0: 50, m1: 50 });
  });
});

describe('what is known', () => {
  test('stays over a change of membership, with its age', () => {
    const bench = new Bench({}, equal(3));
    for (const [id, latency] of [
      ['m0', 100],
      ['m1', 20],
      ['m2', 200],
    ] as const)
      bench.answer(id, latency);
    bench.pool.remove('m0');
    expect(bench.picks(50)).toEqual({ m1: 50 });
    bench.clock.time += 40_000;
    bench.answer('m1', 20);
    expect(bench.held(100)).toEqual({ m1: 99, m2: 1 });
  });

  test('stays where only weights change', () => {
    const bench = new Bench();
    bench.answer('m0', 100);
    bench.answer('m1', 20);
    memberOf(bench.pool, 'm0').update({ weight: 2 });
    memberOf(bench.pool, 'm1').update({ weight: 2 });
    expect(bench.picks(50)).toEqual({ m1: 50 });
  });

  test('does not come from leases that were aborted or ignored', () => {
    const bench = new Bench();
    bench.answer('m0', 50);
    bench.answer('m1', 60);
    const lease = takeFrom(bench.pool, 'm0');
    bench.clock.time += 900;
    lease.release('aborted');
    expect(bench.picks(50)).toEqual({ m0: 50 });
  });

  test('is the time until the first byte of an answer where that is told', () => {
    const bench = new Bench();
    for (const [id, header, body] of [
      ['m0', 20, 5000],
      ['m1', 40, 0],
    ] as const) {
      const lease = takeFrom(bench.pool, id);
      lease.connectedForRequest();
      bench.clock.time += header;
      lease.countFirstByte(header);
      bench.clock.time += body;
      lease.release();
    }
    expect(bench.picks(20)).toEqual({ m0: 20 });
  });
});

describe('the shares of unequal members that are equally fast', () => {
  for (const atOnce of [1, 5, 100]) {
    test(`are about the weights with ${atOnce} clients at once`, () => {
      const weights = { a: 198, b: 1, c: 1 };
      const members = Object.fromEntries(
        Object.entries(weights).map(([id, weight]) => [id, { weight, takes: exponential(50) }]),
      );
      const taken = send({ strategy: 'peak-ewma', members, arrivals: { atOnce }, seconds: 5000 / atOnce });
      expect(shareOf('a', taken)).toBeGreaterThan(0.98);
      expect(shareOf('a', taken)).toBeLessThan(0.995);
      expect(shareOf('b', taken)).toBeGreaterThan(0.0025);
    });
  }

  test('are the weights where all leases are held', () => {
    const bench = new Bench({}, weighing({ a: 3, b: 1 }));
    bench.answer('a', 50);
    bench.answer('b', 50);
    const { a = 0, b = 0 } = bench.held(400);
    expect(Math.abs(a - 3 * b)).toBeLessThan(8);
  });
});

describe('a failure', () => {
  test('is no low latency: the other member gets the clients', () => {
    const bench = new Bench();
    bench.answer('m0', 50);
    bench.answer('m1', 60);
    const lease = takeFrom(bench.pool, 'm0');
    bench.clock.time += 1;
    lease.release('failure');
    expect(bench.picks(100)).toEqual({ m1: 100 });
  });

  test('counts, too, on a member whose first byte was measured', () => {
    const bench = new Bench();
    bench.answer('m0', 50);
    bench.answer('m1', 60);
    const lease = takeFrom(bench.pool, 'm0');
    lease.connectedForRequest();
    bench.clock.time += 1;
    lease.countFirstByte(1);
    lease.release('failure');
    expect(bench.picks(100)).toEqual({ m1: 100 });
  });

  test('of a member without history keeps it from being tried again, until the penalty is over', () => {
    const bench = new Bench();
    bench.answer('m1', 50);
    takeFrom(bench.pool, 'm0').release('failure');
    expect(bench.picks(100)).toEqual({ m1: 100 });
    bench.clock.time += 10_400;
    expect(bench.picks(100)).toEqual({ m0: 100 });
  });

  test('counts for nothing where the penalty is 0', () => {
    const bench = new Bench({ failurePenalty: 0 });
    bench.answer('m0', 50);
    bench.answer('m1', 60);
    takeFrom(bench.pool, 'm0').release('failure');
    expect(bench.picks(100)).toEqual({ m0: 100 });
  });

  test('counts after a change of membership, too', () => {
    const bench = new Bench({}, [spec('m0'), spec('m1'), spec('m2')]);
    for (const id of ['m0', 'm1', 'm2']) bench.answer(id, 50);
    takeFrom(bench.pool, 'm1').release('failure');
    bench.pool.remove('m0');
    expect(bench.picks(50)).toEqual({ m2: 50 });
  });
});

describe('how leases are timed', () => {
  test('each is while there are few', () => {
    const bench = new Bench();
    let read = 0;
    const now = bench.clock.now.bind(bench.clock);
    bench.clock.now = () => {
      read++;
      return now();
    };
    bench.answer('m0', 10);
    bench.answer('m1', 10);
    read = 0;
    for (let number = 0; number < 100; number++) bench.answer('m0', 10);
    expect(read).toBe(200);
  });

  test('a pick does not read the clock while nobody has failed', () => {
    let isRead = false;
    const clock = {
      now: () => (isRead ? expect.fail('the clock was read') : 0),
      setTimeout: () => 0,
      clearTimeout: () => {},
    };
    const { members } = makePool({ members: equal(3) });
    const picker = peakEwma().prepare(members, undefined, { random: seededRandom(1), clock });
    isRead = true;
    expect(picker.pick({ accepts: (_member: Member) => true } as PickRequest)).toBeDefined();
  });
});
