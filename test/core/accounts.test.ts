import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import type { EvenkeelError } from '../../src/core/errors.ts';
import type { Lease, Outcome } from '../../src/core/lease.ts';
import type { Member } from '../../src/core/member.ts';
import type { Pool } from '../../src/core/pool.ts';
import type { PoolUpdate } from '../../src/core/pool-spec.ts';
import type { Classifier, LeaseEnd } from '../../src/core/verdict.ts';
import type { StrategyName } from '../../src/strategies/built-in.ts';
import type { Picker, Strategy } from '../../src/strategies/strategy.ts';
import { equal, makePool, memberOf, spec, take, takeFrom, visit } from '../fixtures/core.ts';
import { down, monitoredPool, up } from '../fixtures/monitored.ts';

/** A clock that counts how often somebody looks at it. */
class WatchedClock extends VirtualClock {
  reads = 0;

  override now(): number {
    this.reads++;
    return super.now();
  }
}

type Hook = 'acquired' | 'measured' | 'released';

/** A strategy that takes the first member that it may, and notes what it is told, with the hooks that it shall have. */
function telling(name: string, hooks: readonly Hook[], measures?: 'first-byte' | 'last-byte') {
  const told: string[] = [];
  const all: Pick<Picker, Hook> = {
    acquired: ({ id }, place) => told.push(`${name} +${id}@${place}`),
    measured: ({ id }, place, milliseconds, now) =>
      told.push(`${name} ${id}@${place} took ${milliseconds} until ${now}`),
    released: ({ id }, place, outcome, age) => told.push(`${name} -${id}@${place} ${outcome} ${age}`),
  };
  const strategy: Strategy = {
    name,
    prepare: (members) => ({
      pick: (request) => members.find((member) => request.accepts(member)),
      measures,
      ...Object.fromEntries(hooks.map((hook) => [hook, all[hook]])),
    }),
  };
  return { strategy, told };
}

function timed(measures?: 'first-byte' | 'last-byte', settings: PoolUpdate = {}) {
  const clock = new WatchedClock();
  const { strategy, told } = telling('t', ['measured', 'released'], measures);
  return { clock, told, pool: makePool({ members: [spec('a')], strategy, ...settings }, { clock }) };
}

/** A step of a lease, or how many milliseconds pass. */
type Step = number | ((lease: Lease) => void);

async function toldOf(steps: readonly Step[], measures?: 'first-byte' | 'last-byte', settings?: PoolUpdate) {
  const { clock, told, pool } = timed(measures, settings);
  const lease = take(pool);
  for (const step of steps) {
    if (typeof step === 'number') await clock.advance(step);
    else step(lease);
  }
  return told;
}

const connected: Step = (lease) => lease.connected();
const connectedForRequest: Step = (lease) => lease.connectedForRequest();
const resumed: Step = (lease) => lease.resumed();
const firstByte: Step = (lease) => lease.countFirstByte(1);
const answers =
  (status: number): Step =>
  (lease) => {
    lease.countResponse(status);
    if (status >= 200) lease.countFirstByte(1);
  };
const ends =
  (outcome: Outcome): Step =>
  (lease) =>
    lease.release(outcome);

describe('a strategy that measures', () => {
  const rows: readonly (readonly [string, readonly Step[], readonly string[]])[] = [
    [
      'until the first byte of an answer',
      [5, connectedForRequest, 25, answers(200), 70, ends('success')],
      ['t a@0 took 30 until 30', 't -a@0 success 100'],
    ],
    [
      'until the first byte on a kept connection',
      [30, resumed, answers(200), 70, ends('success')],
      ['t a@0 took 30 until 30', 't -a@0 success 100'],
    ],
    [
      'until the first byte of the final answer, not of an interim one',
      [connectedForRequest, 10, answers(103), 10, answers(204), ends('success')],
      ['t a@0 took 20 until 20', 't -a@0 success 20'],
    ],
    ['until the connection stood', [5, connected, 95, ends('success')], ['t a@0 took 5 until 5', 't -a@0 success 100']],
    ['until the release', [40, ends('success')], ['t a@0 took 40 until 40', 't -a@0 success 40']],
    [
      'until the release, of a connection for a request that was never answered',
      [5, connectedForRequest, 35, ends('success')],
      ['t a@0 took 40 until 40', 't -a@0 success 40'],
    ],
    [
      'once, however often it is connected and answers',
      [5, connected, connected, 5, answers(200), 5, answers(200), 5, ends('success'), ends('success')],
      ['t a@0 took 5 until 5', 't -a@0 success 20'],
    ],
    ['also where it takes no time', [connected, ends('success')], ['t a@0 took 0 until 0', 't -a@0 success 0']],
    ['a connect that failed: nothing', [30, ends('failure')], ['t -a@0 failure 30']],
    ['a request that failed: nothing', [connectedForRequest, 30, ends('failure')], ['t -a@0 failure 30']],
    [
      'an answer that breaks off: what it has measured already',
      [connectedForRequest, 30, answers(200), 10, ends('failure')],
      ['t a@0 took 30 until 30', 't -a@0 failure 40'],
    ],
    ['an answer of 500: nothing', [connectedForRequest, 30, answers(500), ends('success')], ['t -a@0 failure 30']],
    [
      'an answer of 499',
      [connectedForRequest, 30, answers(499), ends('success')],
      ['t a@0 took 30 until 30', 't -a@0 success 30'],
    ],
    [
      'a client that left before there was anything: nothing',
      [connectedForRequest, 30, ends('aborted')],
      ['t -a@0 aborted 30'],
    ],
    ['a lease that says nothing: nothing', [30, ends('ignored')], ['t -a@0 ignored 30']],
    ['what comes after the end: nothing', [30, ends('failure'), 10, firstByte, connected], ['t -a@0 failure 30']],
    [
      'what comes after the end of a success: nothing',
      [30, ends('success'), 10, firstByte],
      ['t a@0 took 30 until 30', 't -a@0 success 30'],
    ],
  ];

  test.each(rows)('hears how long the member took, %s', async (_, steps, expected) => {
    expect(await toldOf(steps)).toEqual(expected);
    expect(await toldOf(steps, 'first-byte')).toEqual(expected);
  });

  test.each([
    [
      'at the end of a success, whatever came before',
      [5, connected, 5, answers(200), 90, ends('success')],
      ['t a@0 took 100 until 100', 't -a@0 success 100'],
    ],
    ['not of a failure', [connected, answers(200), 50, ends('failure')], ['t -a@0 failure 50']],
    ['not of an answer of 500', [connected, answers(503), 50, ends('success')], ['t -a@0 failure 50']],
    ['not of a client that left', [connected, answers(200), 50, ends('aborted')], ['t -a@0 aborted 50']],
    ['not after the end', [50, ends('ignored'), firstByte], ['t -a@0 ignored 50']],
  ] as const)('to the last byte hears it %s', async (_, steps, expected) => {
    expect(await toldOf(steps, 'last-byte')).toEqual(expected);
  });

  test('hears of a success that classify made of a failure, and of no success that it made a failure', async () => {
    const inverted: Classifier = (_, outcome) => (outcome === 'success' ? 'failure' : 'success');
    const settings = { classify: inverted };
    expect([
      await toldOf([30, ends('failure')], undefined, settings),
      await toldOf([30, ends('success')], undefined, settings),
    ]).toEqual([['t a@0 took 30 until 30', 't -a@0 success 30'], ['t -a@0 failure 30']]);
  });

  test('hears at most one figure of a lease, and exactly one of a success, whatever happens and when', async () => {
    const anyStep = fc.constantFrom<Step>(
      3,
      connected,
      connectedForRequest,
      resumed,
      firstByte,
      answers(200),
      answers(404),
      answers(101),
      (lease) => lease.countRequest(),
    );
    const anyEnd = fc.constantFrom<Outcome>('success', 'failure', 'ignored', 'aborted');
    const measures = fc.constantFrom('first-byte', 'last-byte', undefined);
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep), anyEnd, fc.array(anyStep), measures, async (before, end, after, what) => {
        const told = await toldOf([...before, ends(end), ...after, ends('success')], what);
        const figures = told.filter((text) => text.includes('took')).length;
        expect(figures).toBeLessThanOrEqual(1);
        if (end === 'success') expect(figures).toBe(1);
        else if (what === 'last-byte') expect(figures).toBe(0);
        expect(told.filter((text) => text.includes(' -a')).length).toBe(1);
      }),
      { seed: 51, numRuns: 300 },
    );
  });

  test('has the clock read when a lease is taken, when it is measured and when it ends', async () => {
    const { clock, pool } = timed();
    const reads: number[] = [];
    const lease = take(pool);
    reads.push(clock.reads);
    lease.connected();
    reads.push(clock.reads);
    lease.release();
    expect([...reads, clock.reads]).toEqual([1, 2, 3]);
  });
});

describe('the clock', () => {
  // Least connections looks at it by itself, after failures.
  const untimed: readonly StrategyName[] = ['round-robin', 'random', 'source-ip', 'source-ip-port'];

  /** How often it is read for a lease with everything that can happen to it. */
  function readsOf(settings: PoolUpdate): number {
    const clock = new WatchedClock();
    const pool = makePool({ members: equal(3), ...settings }, { clock });
    visit(pool);
    const before = clock.reads;
    for (const outcome of ['success', 'failure', 'aborted', 'ignored'] as const) {
      const lease = take(pool, { exclude: [] });
      lease.connected();
      lease.countRequest();
      lease.countResponse(200);
      lease.countFirstByte(3);
      lease.release(outcome);
      take(pool, { clientAddress: '192.0.2.1' }).release(outcome);
    }
    return clock.reads - before;
  }

  test.each(untimed)('is not looked at where nobody wants to know, with %s', (strategy) => {
    expect(readsOf({ strategy })).toBe(0);
  });

  test('is not looked at for a strategy that hears of leases without measuring', () => {
    expect(readsOf({ strategy: telling('t', ['acquired', 'released']).strategy })).toBe(0);
  });

  test('is not looked at for levels, panic, limits, or a classifier', () => {
    const members = equal(3).map((member, priority) => ({ ...member, priority, maxPending: 5, maxRequests: 5 }));
    expect(readsOf({ members, panic: {}, overprovisioningFactor: 100, classify: () => 'success' })).toBe(0);
  });
});

describe('how a lease ended', () => {
  /** What a strategy hears of a lease that ended like this. */
  function toldEnd(steps: readonly ((lease: Lease) => void)[], outcome: Outcome, classify?: Classifier): string {
    const { strategy, told } = telling('t', ['released']);
    const pool = makePool({ members: [spec('a')], strategy, ...(classify && { classify }) });
    const lease = take(pool);
    for (const step of steps) step(lease);
    lease.release(outcome);
    return told.join();
  }

  const status = (number: number) => (lease: Lease) => lease.countResponse(number);

  test.each([
    [[], 'success', 'success'],
    [[], 'failure', 'failure'],
    [[], 'ignored', 'ignored'],
    [[], 'aborted', 'aborted'],
    [[status(200)], 'success', 'success'],
    [[status(499)], 'success', 'success'],
    [[status(500)], 'success', 'failure'],
    [[status(503)], 'aborted', 'aborted'],
    [[status(503)], 'ignored', 'ignored'],
    [[status(200)], 'failure', 'failure'],
    [[status(103), status(200)], 'success', 'success'],
    // An answer that only ever was interim.
    [[status(101)], 'success', 'success'],
  ] as const)('is told as it is judged: %o, released with %s: %s, age 0', (steps, outcome, expected) => {
    expect(toldEnd(steps, outcome)).toBe(`t -a@0 ${expected} 0`);
  });

  test.each([
    ['success', 'ignored', 'ignored'],
    ['aborted', 'ignored', 'aborted'],
    ['aborted', 'failure', 'failure'],
    ['ignored', 'success', 'ignored'],
    ['ignored', 'failure', 'ignored'],
    ['failure', 'ignored', 'ignored'],
  ] as const)('is told as classify says: %s as %s: %s', (outcome, verdict, expected) => {
    expect(toldEnd([], outcome, () => verdict)).toBe(`t -a@0 ${expected} 0`);
  });

  test('is judged by status, connection and outcome', () => {
    const ends: (LeaseEnd & { outcome: Outcome })[] = [];
    const classify: Classifier = ({ status, wasConnected }, outcome) => {
      ends.push({ status, wasConnected, outcome });
      return 'success';
    };
    toldEnd([], 'failure', classify);
    toldEnd([(lease) => lease.connected()], 'failure', classify);
    toldEnd([(lease) => lease.connectedForRequest(), status(103), status(404)], 'success', classify);
    toldEnd([], 'success', classify);
    expect(ends).toEqual([
      { status: 0, wasConnected: false, outcome: 'failure' },
      { status: 0, wasConnected: true, outcome: 'failure' },
      { status: 404, wasConnected: true, outcome: 'success' },
      { status: 0, wasConnected: true, outcome: 'success' },
    ]);
  });

  test('is judged by the classifier of that moment', () => {
    const { strategy, told } = telling('t', ['released']);
    const pool = makePool({ members: [spec('a')], strategy });
    const leases = [take(pool), take(pool), take(pool)];
    leases[0]?.release();
    pool.update({ classify: () => 'failure' });
    leases[1]?.release();
    pool.update({ classify: null });
    leases[2]?.release();
    expect(told).toEqual(['t -a@0 success 0', 't -a@0 failure 0', 't -a@0 success 0']);
  });

  test.each([
    ['throws', () => JSON.parse('{') as never, SyntaxError],
    ['returns no verdict', () => true as never, TypeError],
    ['returns a promise', (async () => 'success') as never, TypeError],
    ['returns nothing', (() => {}) as never, TypeError],
  ] as const)('is judged by default where classify %s, and that is told', (_, classify, type) => {
    const { strategy, told } = telling('t', ['released']);
    const pool = makePool({ members: [spec('a')], strategy, classify });
    const errors: EvenkeelError[] = [];
    pool.on('strategy-error', (error) => errors.push(error));
    for (const [code, outcome] of [
      [503, 'success'],
      [200, 'success'],
      [0, 'aborted'],
    ] as const) {
      const lease = take(pool);
      if (code > 0) lease.countResponse(code);
      lease.release(outcome);
    }
    expect(told).toEqual(['t -a@0 failure 0', 't -a@0 success 0', 't -a@0 aborted 0']);
    expect(errors.map(({ code, cause }) => [code, cause instanceof type])).toEqual(
      errors.map(() => ['ERR_EVENKEEL_STRATEGY', true]),
    );
    expect([errors.length, pool.stats.activeConnections]).toEqual([3, 0]);
  });

  test('is accounted also where nobody listens to what classify throws', () => {
    const classify: Classifier = () => {
      throw new Error('not today');
    };
    const pool = makePool({ members: [spec('a')], classify });
    take(pool).release('failure');
    expect([pool.stats.activeConnections, pool.stats.connectFailures]).toEqual([0, 1]);
  });
});

describe('a lease that is older than the strategy', () => {
  test('is measured by nobody where it was not timed, and has no age', async () => {
    const clock = new VirtualClock();
    const { strategy, told } = telling('new', ['measured', 'released']);
    const pool = makePool({ members: [spec('a')] }, { clock });
    const leases = [take(pool), take(pool)];
    await clock.advance(10);
    pool.update({ strategy });
    visit(pool);
    told.length = 0;
    await clock.advance(10);
    leases[0]?.connected();
    leases[0]?.countFirstByte(3);
    leases[0]?.release();
    leases[1]?.release('failure');
    expect(told).toEqual(['new -a@0 success 0', 'new -a@0 failure 0']);
  });

  test('is not measured any more by one that does not care, which hears of no age', async () => {
    const clock = new WatchedClock();
    const old = telling('old', ['measured', 'released']);
    const now = telling('new', ['released']);
    const pool = makePool({ members: [spec('a')], strategy: old.strategy }, { clock });
    const lease = take(pool);
    await clock.advance(10);
    pool.update({ strategy: now.strategy });
    visit(pool);
    now.told.length = 0;
    lease.connected();
    lease.release();
    expect([old.told, now.told]).toEqual([[], ['new -a@0 success 0']]);
  });

  test('is measured by the new one where both do, from the beginning, and once', async () => {
    const clock = new VirtualClock();
    const old = telling('old', ['measured', 'released']);
    const now = telling('new', ['measured', 'released'], 'last-byte');
    const pool = makePool({ members: [spec('a')], strategy: old.strategy }, { clock });
    const [measured, open] = [take(pool), take(pool)];
    await clock.advance(10);
    measured.connected();
    pool.update({ strategy: now.strategy });
    await clock.advance(10);
    measured.release();
    open.release();
    expect([old.told, now.told]).toEqual([
      ['old a@0 took 10 until 10'],
      ['new -a@0 success 20', 'new a@0 took 20 until 20', 'new -a@0 success 20'],
    ]);
  });
});

describe('the place of a member', () => {
  /** A pool whose strategy tells of releases, and a lease on each of its members `m0` to `m3`. */
  function leased(settings: PoolUpdate = {}) {
    const { strategy, told } = telling('t', ['released']);
    const pool = monitoredPool({ members: equal(4), strategy, ...settings });
    const leases = pool.members.map(({ id }) => takeFrom(pool, id));
    const end = (): string[] => {
      visit(pool);
      told.length = 0;
      for (const lease of leases) lease.release();
      return told.map((text) => text.slice('t -'.length, 't -m0@0'.length));
    };
    return { pool, leases, told, end };
  }

  test('is where it is in the list that the picker was prepared for', () => {
    expect(leased().end()).toEqual(['m0@0', 'm1@1', 'm2@2', 'm3@3']);
  });

  test('follows a member that goes; one that is gone is not told of', () => {
    const { pool, end } = leased();
    pool.remove('m1');
    expect(end()).toEqual(['m0@0', 'm2@1', 'm3@2']);
  });

  test('follows a member that is down, and one that is up again', () => {
    const one = leased();
    down(one.pool, 'm0', 'm2');
    const two = leased();
    down(two.pool, 'm0', 'm2');
    visit(two.pool);
    up(two.pool, 'm0');
    expect([one.end(), two.end()]).toEqual([
      ['m1@0', 'm3@1'],
      ['m0@0', 'm1@1', 'm3@2'],
    ]);
  });

  test('follows an order of the list, new members and new weights', () => {
    const { pool, end } = leased();
    const [a, b, c, d] = equal(4);
    pool.update({ members: [spec('new'), { ...d, weight: 3 }, { ...a, weight: 2 }, b, c] as never });
    expect(end()).toEqual(['m0@2', 'm1@3', 'm2@4', 'm3@1']);
  });

  test('is that of its level, and follows it into another', () => {
    const { pool, end } = leased();
    memberOf(pool, 'm0').update({ priority: 1 });
    memberOf(pool, 'm2').update({ priority: 1 });
    expect(end()).toEqual(['m0@0', 'm1@0', 'm2@1', 'm3@1']);
  });

  test('is that of the old list until a change has settled: the old picker hears it', () => {
    const { strategy, told } = telling('old', ['released']);
    const now = telling('new', ['released']);
    const pool = makePool({ members: equal(2), strategy });
    const leases = [takeFrom(pool, 'm1'), takeFrom(pool, 'm1')];
    pool.update({ members: equal(2).toReversed(), strategy: now.strategy });
    leases[0]?.release();
    visit(pool);
    now.told.length = 0;
    leases[1]?.release();
    expect([told, now.told]).toEqual([['old -m1@1 success 0'], ['new -m1@0 success 0']]);
  });

  test('is told when a lease is taken, too, by whatever way the member came to it', () => {
    const { strategy, told } = telling('t', ['acquired']);
    const stubborn: Strategy = {
      name: 'stubborn',
      prepare: (members, previous, context) => ({
        ...strategy.prepare(members, previous, context),
        // Against `accepts`: the pool goes on to the next.
        pick: () => members[0],
      }),
    };
    const pool = makePool({ members: equal(3), strategy: stubborn });
    take(pool, { exclude: [memberOf(pool, 'm0')] });
    expect(told).toEqual(['t +m1@1']);
  });
});

describe('what a strategy need not have', () => {
  test('are hooks', () => {
    const strategy: Strategy = { name: 'bare', prepare: ([member]) => ({ pick: () => member }) };
    const pool = makePool({ members: equal(2), strategy });
    const lease = take(pool);
    lease.connected();
    lease.countFirstByte(1);
    lease.member.reportLoad({ utilization: 1, requestsPerSecond: 1 });
    lease.release('failure');
    expect([pool.stats.activeConnections, pool.stats.totalConnections]).toEqual([0, 1]);
  });

  const hooks: readonly Hook[] = ['acquired', 'measured', 'released'];
  test.each(hooks.map((hook) => [hook]))('is more than %s', (hook) => {
    const { strategy, told } = telling('t', [hook]);
    take(makePool({ members: [spec('a')], strategy })).release();
    expect(told).toHaveLength(1);
  });

  test('is an object without a prototype: hooks are called on the picker', () => {
    class Counting implements Picker {
      readonly #members: readonly Member[];
      count = 0;
      constructor(members: readonly Member[]) {
        this.#members = members;
      }
      pick() {
        return this.#members[0];
      }
      acquired() {
        this.count += 1;
      }
      measured() {
        this.count += 10;
      }
      released() {
        this.count += 100;
      }
      reported() {
        this.count += 1000;
      }
    }
    let picker: Counting | undefined;
    const strategy: Strategy = {
      name: 'counting',
      prepare: (members) => {
        picker = new Counting(members);
        return picker;
      },
    };
    const pool = makePool({ members: [spec('a')], strategy });
    const lease = take(pool);
    lease.member.reportLoad({ utilization: 0, requestsPerSecond: 0 });
    lease.release();
    expect(picker?.count).toBe(1111);
  });

  test('are hooks that do not throw: what they throw is told, and costs nobody anything', () => {
    const fails = (): never => {
      throw new Error('not today');
    };
    const strategy: Strategy = {
      name: 'failing',
      prepare: ([member]) => ({
        pick: () => member,
        acquired: fails,
        measured: fails,
        released: fails,
        reported: fails,
      }),
    };
    const pool = makePool({ members: [spec('a', { maxPending: 5 })], strategy });
    const causes: unknown[] = [];
    pool.on('strategy-error', ({ cause }) => causes.push((cause as Error).message));
    const lease = take(pool);
    lease.member.reportLoad({ utilization: 1, requestsPerSecond: 1 });
    lease.connected();
    lease.release();
    expect(causes).toEqual(['not today', 'not today', 'not today', 'not today']);
    expect([pool.stats.activeConnections, memberOf(pool, 'a').circuit?.pending]).toEqual([0, 0]);
  });
});

describe('the books', () => {
  test('are even when all leases have ended, whatever happened meanwhile', () => {
    const names = [
      'take',
      'retry',
      'connect',
      'end',
      'fail',
      'down',
      'up',
      'strategy',
      'limit',
      'remove',
      'move',
    ] as const;
    const change = fc.record({ do: fc.constantFrom(...names), nth: fc.nat(20) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 80 }), (changes) => {
        const strategies = [
          telling('t', ['acquired', 'measured', 'released']).strategy,
          'least-connections',
          'random',
        ] as const;
        const pool: Pool = monitoredPool({ members: equal(3), panic: {} });
        const members = new Set<Member>(pool.members);
        const open: Lease[] = [];
        for (const { do: what, nth } of changes) {
          const member = pool.members[nth % Math.max(1, pool.members.length)];
          if (what === 'strategy') pool.update({ strategy: strategies[nth % 3] ?? null });
          if (what === 'take' || what === 'retry') {
            const result = pool.acquire(what === 'retry' ? { exclude: [] } : {});
            if (!result.refused) open.push(result);
          }
          if (what === 'connect') open[nth % open.length]?.connected();
          if (what === 'end' || what === 'fail')
            open.splice(nth, 1)[0]?.release(what === 'end' ? 'success' : 'failure');
          if (member === undefined) continue;
          if (what === 'down') down(pool, member.id);
          if (what === 'up') up(pool, member.id);
          if (what === 'limit') member.update({ maxConnections: nth === 0 ? null : nth, maxPending: nth % 4 || null });
          if (what === 'move') member.update({ priority: nth % 2, backup: nth > 15 });
          if (what === 'remove' && pool.members.length > 2) member.remove();
          expect(pool.stats.activeConnections).toBe(open.length);
        }
        for (const lease of open) lease.release();
        expect([pool.stats.activeConnections, [...members].map(({ stats }) => stats.activeConnections)]).toEqual([
          0,
          [0, 0, 0],
        ]);
        // Nobody counts as full any more.
        for (const { id } of pool.members) {
          memberOf(pool, id).update({ maxConnections: 1 });
          up(pool, id);
        }
        const leases = pool.members.map(() => take(pool));
        expect(new Set(leases.map(({ member }) => member)).size).toBe(pool.members.length);
        expect(visit(pool)).toBe('members-full');
      }),
      { seed: 52, numRuns: 200 },
    );
  });
});
