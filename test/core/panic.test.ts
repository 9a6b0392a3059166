import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Member } from '../../src/core/member.ts';
import type { MemberFields } from '../../src/core/member-spec.ts';
import type { PanicSpec } from '../../src/core/panic-spec.ts';
import type { Pool } from '../../src/core/pool.ts';
import type { Picker, Strategy } from '../../src/strategies/strategy.ts';
import { equal, makePool, memberOf, refusalOf, spec, take, takeFrom, tally, visit, visits } from '../fixtures/core.ts';
import { down, everyPercent, monitoredPool, up } from '../fixtures/monitored.ts';

function pooled(members: readonly MemberFields<unknown>[], panic: PanicSpec | null = {}): Pool {
  return monitoredPool({ members, panic }, { random: everyPercent() });
}

/** A pool of so many members, of which so many are healthy. */
function ailing(healthy: number, size: number, panic: PanicSpec | null = {}): Pool {
  const pool = pooled(equal(size), panic);
  down(pool, ...pool.members.slice(healthy).map(({ id }) => id));
  return pool;
}

/** The members that get clients. */
function serving(pool: Pool, clients = 100): string[] {
  return Object.keys(tally(visits(pool, clients))).toSorted();
}

/** What the pool tells, and what it was at that moment. */
function listen(pool: Pool): string[] {
  const heard: string[] = [];
  pool.on('panic', ({ isPanicking }) => heard.push(`panic ${isPanicking}, is ${pool.isPanicking}, ${pool.status}`));
  return heard;
}

describe('a pool with a panic threshold', () => {
  test.each([
    // The default is 50 %: of 10 members 5 are enough.
    [5, {}, false],
    [4, {}, true],
    [0, {}, true],
    [3, { threshold: 30 }, false],
    [2, { threshold: 30 }, true],
    [0, { threshold: 0 }, false],
    [0, { threshold: 1 }, true],
    // Never where the members, overprovisioned as they are, carry everything: 1.4 times 8 of 10 do, 1.4 times 7 of 10 do not.
    [8, { threshold: 100 }, false],
    [7, { threshold: 100 }, true],
  ])('and %i healthy members of 10 (%o): panics: %s', (healthy, panic, expected) => {
    const pool = ailing(healthy, 10, panic);
    expect([pool.isPanicking, serving(pool).length]).toEqual([expected, expected ? 10 : Math.max(1, healthy)]);
  });

  test('of 100 % without overprovisioning panics with the first member that is down', () => {
    const pool = monitoredPool({ members: equal(10), panic: { threshold: 100 }, overprovisioningFactor: 100 });
    const before = pool.isPanicking;
    down(pool, 'm3');
    expect([before, pool.isPanicking, serving(pool).length]).toEqual([false, true, 10]);
  });

  test('uses all members, healthy or not, in equal shares', () => {
    expect(tally(visits(ailing(1, 4), 100))).toEqual({ m0: 25, m1: 25, m2: 25, m3: 25 });
  });

  test('stops at the threshold on the way back', () => {
    const pool = ailing(0, 4);
    up(pool, 'm0');
    const one = serving(pool);
    up(pool, 'm1');
    expect([one.length, serving(pool), pool.isPanicking]).toEqual([4, ['m0', 'm1'], false]);
  });

  test('does not panic without members, nor without any in service', () => {
    const idle = [spec('a', { enabled: false }), spec('b', { weight: 0 })];
    const pools = [pooled([]), pooled(idle), pooled(idle, { failTraffic: true }), pooled([], { minHealthy: 1 })];
    expect(pools.map((pool) => [pool.isPanicking, visit(pool)])).toEqual(
      pools.map(() => [false, 'no-eligible-member']),
    );
  });

  test('that it does not have does not panic', () => {
    const pool = ailing(0, 4, null);
    expect([pool.isPanicking, visit(pool)]).toEqual([false, 'no-eligible-member']);
  });

  test('does not panic where nobody checks the members', () => {
    expect(makePool({ members: equal(3), panic: { threshold: 100 } }).isPanicking).toBe(false);
  });

  test('refuses a member that the client has tried, and one that is full, as ever', () => {
    const pool = ailing(0, 2);
    const [a, b] = pool.members as [Member, Member];
    b.update({ maxConnections: 1 });
    const served = [visit(pool, { exclude: [a] })];
    take(pool, { exclude: [a] });
    expect([...served, visit(pool, { exclude: [a] }), visit(pool, { exclude: [a, b] })]).toEqual([
      'm1',
      'members-full',
      'members-tried',
    ]);
  });
});

describe('a minimum of healthy members', () => {
  test.each([
    [2, false],
    [1, true],
  ])('of 2 with %i left: panics: %s', (healthy, expected) => {
    const pool = ailing(healthy, 10, { threshold: 0, minHealthy: 2 });
    expect([pool.isPanicking, serving(pool).length]).toEqual([expected, expected ? 10 : 2]);
  });

  test('counts where the percentage is met', () => {
    const pool = ailing(9, 10, { minHealthy: 10 });
    expect([pool.isPanicking, serving(pool).length]).toEqual([true, 10]);
  });

  test('is one per level that has clients to serve', () => {
    const pool = pooled([spec('a'), spec('b'), spec('c', { priority: 1 })], { minHealthy: 1 });
    down(pool, 'c');
    const standby = pool.isPanicking;
    down(pool, 'a', 'b');
    expect([standby, pool.isPanicking, serving(pool)]).toEqual([false, true, ['a', 'b', 'c']]);
  });
});

describe('a pool that fails its traffic in panic', () => {
  test("refuses with 'panic' and says so in its books", () => {
    const pool = ailing(4, 10, { failTraffic: true });
    expect([visit(pool), pool.isPanicking, pool.stats.rejects]).toEqual(['panic', true, 1]);
    expect(pool.members.map(({ stats }) => stats.rejects)).toEqual(pool.members.map(() => 0));
  });

  test('serves as ever before that and afterwards', () => {
    const pool = ailing(5, 10, { failTraffic: true });
    const before = serving(pool).length;
    down(pool, 'm0');
    const during = visit(pool);
    up(pool, 'm0');
    expect([before, during, serving(pool).length]).toEqual([5, 'panic', 5]);
  });

  test('keeps the clients that it has', () => {
    const pool = ailing(5, 10, { failTraffic: true });
    const lease = take(pool);
    down(pool, 'm0');
    expect(pool.stats.activeConnections).toBe(1);
    lease.release();
    expect(pool.stats.activeConnections).toBe(0);
  });

  test('lets levels that do not panic serve for those that do', () => {
    const members = [...equal(10), ...equal(10).map((member) => ({ ...member, id: `x${member.id}`, priority: 1 }))];
    const pool = pooled(members, { failTraffic: true });
    down(pool, ...pool.members.slice(0, 9).map(({ id }) => id), 'xm0', 'xm1', 'xm2', 'xm3');
    expect([pool.isPanicking, serving(pool)]).toEqual([true, ['xm4', 'xm5', 'xm6', 'xm7', 'xm8', 'xm9']]);
  });

  test('lets backups serve for primaries that panic', () => {
    const pool = pooled([...equal(3), spec('backup', { backup: true })], { failTraffic: true });
    down(pool, 'm0', 'm1');
    expect([pool.isPanicking, visit(pool)]).toEqual([true, 'backup']);
    down(pool, 'backup');
    expect(visit(pool)).toBe('panic');
  });

  test("says 'no-eligible-member' where nobody would serve in any case", () => {
    const pool = ailing(0, 2, { failTraffic: true });
    const during = visit(pool);
    for (const member of pool.members) member.update({ enabled: false });
    expect([during, visit(pool)]).toEqual(['panic', 'no-eligible-member']);
  });
});

describe('panic and levels of priority', () => {
  const twoLevels = (size: number): MemberFields<unknown>[] =>
    [0, 1].flatMap((priority) => equal(size).map(({ id }) => spec(`p${priority}${id}`, { priority })));

  test('need all levels together to be too weak', () => {
    const pool = pooled(twoLevels(4));
    down(pool, 'p0m0', 'p0m1', 'p0m2', 'p0m3', 'p1m0');
    // The second level has 75 %, which is taken to carry everything.
    const before = [pool.isPanicking, serving(pool)];
    down(pool, 'p1m1');
    const half = [pool.isPanicking, serving(pool)];
    expect([before, half]).toEqual([
      [false, ['p1m1', 'p1m2', 'p1m3']],
      // 70 %: the first level may panic now, but gets no share.
      [true, ['p1m2', 'p1m3']],
    ]);
  });

  test('concern each level by itself', () => {
    const pool = pooled(twoLevels(10));
    down(pool, ...equal(9).map(({ id }) => `p0${id}`), ...equal(4).map(({ id }) => `p1${id}`));
    const ids = serving(pool, 200);
    expect([pool.isPanicking, ids.filter((id) => id.startsWith('p0')).length, ids.length]).toEqual([true, 10, 16]);
  });

  test('in all of them spread clients by the number of members', () => {
    const members = [5, 3, 2].flatMap((size, priority) =>
      equal(size).map(({ id }) => spec(`p${priority}${id}`, { priority })),
    );
    const pool = pooled(members);
    down(pool, ...pool.members.map(({ id }) => id));
    expect(tally(visits(pool, 100).map((id) => id.slice(0, 2)))).toEqual({ p0: 50, p1: 30, p2: 20 });
  });

  test('use what is down of a level only where that level panics', () => {
    const pool = pooled(twoLevels(10));
    down(pool, ...equal(9).map(({ id }) => `p0${id}`), ...equal(4).map(({ id }) => `p1${id}`));
    const tried = pool.members.filter(({ id }) => id.startsWith('p0') || id > 'p1m3');
    expect(visit(pool, { exclude: tried })).toBe('members-tried');
  });
});

describe('panic and backups', () => {
  const backed = (panic: PanicSpec = {}): Pool => pooled([...equal(2), spec('backup', { backup: true })], panic);

  test('healthy backups come first: they serve while no primary is healthy', () => {
    const pool = backed();
    down(pool, 'm0', 'm1');
    expect([pool.isPanicking, serving(pool)]).toEqual([false, ['backup']]);
  });

  test('primaries that are healthy, too few as they may be, come before backups', () => {
    const pool = pooled([...equal(3), spec('backup', { backup: true })]);
    down(pool, 'm0', 'm1');
    expect([pool.isPanicking, serving(pool)]).toEqual([true, ['m0', 'm1', 'm2']]);
  });

  test('where nobody is healthy primaries serve, and backups what is too much for them', () => {
    const pool = backed();
    down(pool, 'm0', 'm1', 'backup');
    const served = serving(pool);
    for (const id of ['m0', 'm1']) memberOf(pool, id).update({ maxConnections: 1 });
    const leases = [take(pool), take(pool), take(pool)];
    expect([pool.isPanicking, served, leases.map(({ member }) => member.id)]).toEqual([
      true,
      ['m0', 'm1'],
      ['m0', 'm1', 'backup'],
    ]);
  });

  test('backups panic among themselves when they serve', () => {
    const pool = pooled([spec('a'), ...equal(3).map((member) => ({ ...member, backup: true }))]);
    down(pool, 'a', 'm0', 'm1');
    expect([pool.isPanicking, serving(pool)]).toEqual([true, ['m0', 'm1', 'm2']]);
  });

  test('nobody panics for a backup that is down while primaries serve', () => {
    const pool = backed({ threshold: 100, minHealthy: 2 });
    down(pool, 'backup');
    expect([pool.isPanicking, serving(pool)]).toEqual([false, ['m0', 'm1']]);
  });

  test('backups without primaries panic as primaries do', () => {
    const pool = pooled(equal(3).map((member) => ({ ...member, backup: true })));
    down(pool, 'm0', 'm1');
    expect([pool.isPanicking, serving(pool)]).toEqual([true, ['m0', 'm1', 'm2']]);
  });
});

describe('who counts in panic, and is used', () => {
  test('are no members that are disabled, draining, or of weight 0', () => {
    const off = [spec('off', { enabled: false }), spec('zero', { weight: 0 }), spec('drain')];
    const pool = pooled([...equal(2), ...off]);
    void pool.drain('drain');
    down(pool, 'm0', 'zero', 'drain');
    // One of two is 50 %.
    const half = pool.isPanicking;
    down(pool, 'm1');
    expect([half, pool.isPanicking, serving(pool)]).toEqual([false, true, ['m0', 'm1']]);
  });

  test('are members no more, from the next client on, that are disabled or drained while all are down', () => {
    const pool = ailing(0, 4);
    visit(pool);
    memberOf(pool, 'm0').update({ enabled: false });
    const three = serving(pool);
    void pool.drain('m1');
    const two = serving(pool);
    memberOf(pool, 'm1').update({ enabled: true });
    expect([three, two, serving(pool)]).toEqual([
      ['m1', 'm2', 'm3'],
      ['m2', 'm3'],
      ['m1', 'm2', 'm3'],
    ]);
  });

  test('follows at once whom its owner takes out or puts back', () => {
    const pool = ailing(2, 5);
    const heard = listen(pool);
    memberOf(pool, 'm4').update({ enabled: false });
    memberOf(pool, 'm4').update({ enabled: true });
    memberOf(pool, 'm0').update({ weight: 0 });
    pool.remove('m4');
    pool.remove('m3');
    expect(heard).toEqual([
      'panic false, is false, degraded',
      // It is as a new member is: up until a check fails.
      'panic true, is true, degraded',
      'panic false, is false, degraded',
    ]);
  });

  const unchecked = (members: readonly MemberFields<unknown>[]): Pool =>
    monitoredPool({ members, panic: {} }, { random: everyPercent() }, 'down');

  test('are no members that nobody has checked yet: they are left out, not unhealthy', () => {
    const pool = unchecked(equal(4));
    up(pool, 'm0');
    expect([pool.isPanicking, serving(pool)]).toEqual([false, ['m0']]);
    down(pool, 'm1');
    expect([pool.isPanicking, serving(pool)]).toEqual([false, ['m0']]);
    down(pool, 'm2');
    // One of three.
    expect([pool.isPanicking, serving(pool)]).toEqual([true, ['m0', 'm1', 'm2', 'm3']]);
  });

  test('are members that need more than one check from their first one on', () => {
    const pool = monitoredPool(
      { members: equal(3), panic: {}, healthMonitor: { type: 'tcp', maxRetries: 3, initialHealth: 'fully-down' } },
      { random: everyPercent() },
    );
    up(pool, 'm0', 'm0', 'm0');
    const one = pool.isPanicking;
    up(pool, 'm1');
    const half = pool.isPanicking;
    up(pool, 'm2');
    expect([one, half, pool.isPanicking]).toEqual([false, false, true]);
  });

  test('are, in a pool that nobody has checked at all, all of them', () => {
    const pool = unchecked(equal(2));
    expect([pool.isPanicking, pool.status, serving(pool)]).toEqual([true, 'error', ['m0', 'm1']]);
  });

  test('are members that are ejected: unhealthy, and of use', () => {
    const pool = makePool({ members: equal(3), panic: {}, outlierDetection: { maxEjectionPercent: 100 } });
    const heard = listen(pool);
    for (const id of ['m0', 'm1'])
      for (let failures = 0; failures < 5; failures++) takeFrom(pool, id).release('failure');
    expect(pool.members.map(({ status }) => status)).toEqual(['error', 'error', 'no-monitor']);
    expect([pool.isPanicking, serving(pool), heard]).toEqual([
      true,
      ['m0', 'm1', 'm2'],
      ['panic true, is true, degraded'],
    ]);
  });

  test('are members that are down and moved elsewhere unchecked again', () => {
    const pool = unchecked(equal(3));
    up(pool, 'm0');
    down(pool, 'm1', 'm2');
    const before = pool.isPanicking;
    memberOf(pool, 'm2').update({ address: '10.0.0.99' });
    expect([before, pool.isPanicking]).toEqual([true, false]);
  });
});

describe('what a pool in panic tells', () => {
  test('is one event when it begins and one when it is over, both after the change', () => {
    const pool = ailing(5, 10);
    const heard = listen(pool);
    down(pool, 'm0', 'm1', 'm2');
    up(pool, 'm0', 'm1');
    expect(heard).toEqual(['panic true, is true, degraded']);
    up(pool, 'm2');
    expect(heard).toEqual(['panic true, is true, degraded', 'panic false, is false, degraded']);
  });

  test("comes after the member's news and before the pool's", () => {
    const pool = ailing(1, 2);
    const heard: string[] = [];
    pool.on('member-status', ({ member, to }) => heard.push(`${member.id} ${to}`));
    pool.on('panic', ({ isPanicking }) => heard.push(`panic ${isPanicking}`));
    pool.on('status', ({ to }) => heard.push(`pool ${to}`));
    down(pool, 'm0');
    up(pool, 'm1');
    expect(heard).toEqual(['m0 error', 'panic true', 'pool error', 'm1 online', 'panic false', 'pool degraded']);
  });

  test('is complete: who listens gets the members that serve from now on', () => {
    const pool = ailing(1, 2);
    const served: string[][] = [];
    pool.on('panic', () => served.push(serving(pool)));
    pool.on('member-status', () => served.push(serving(pool)));
    down(pool, 'm0');
    expect(served).toEqual([
      ['m0', 'm1'],
      ['m0', 'm1'],
    ]);
  });

  test('is nothing where a change of many members ends where it began', () => {
    const pool = ailing(1, 2);
    const heard = listen(pool);
    pool.update({ members: [...equal(2).slice(1), spec('x')] });
    expect([heard, serving(pool)]).toEqual([[], ['x']]);
  });

  test('is that it is over, of one that panicked from the beginning', () => {
    const pool = monitoredPool({ members: equal(1), panic: {} }, {}, 'down');
    const heard = listen(pool);
    memberOf(pool, 'm0').update({ zone: 'eu-1' });
    up(pool, 'm0');
    expect(heard).toEqual(['panic false, is false, online']);
  });

  test("is a status of its own: the pool's stays Octavia's, 'error' where none is healthy though it serves", () => {
    const pool = ailing(1, 3);
    const before = [pool.status, pool.isPanicking];
    down(pool, 'm0');
    expect([before, pool.status, pool.isPanicking, serving(pool).length]).toEqual([
      ['degraded', true],
      'error',
      true,
      3,
    ]);
  });

  test("leaves its members' statuses as they are", () => {
    const pool = ailing(1, 3);
    visits(pool, 10);
    expect(pool.members.map(({ status }) => status)).toEqual(['online', 'error', 'error']);
  });
});

describe('live changes of panic', () => {
  test('null switches it off, and what serves follows', () => {
    const pool = ailing(1, 4);
    const heard = listen(pool);
    const before = serving(pool).length;
    pool.update({ panic: null });
    expect([before, serving(pool), heard]).toEqual([4, ['m0'], ['panic false, is false, degraded']]);
  });

  test('a threshold switches it on', () => {
    const pool = ailing(1, 4, null);
    const heard = listen(pool);
    pool.update({ panic: { threshold: 25 } });
    const none = [...heard];
    pool.update({ panic: { threshold: 26 } });
    expect([none, heard, serving(pool).length]).toEqual([[], ['panic true, is true, degraded'], 4]);
  });

  test('failing the traffic or not is no change of panic, but of who serves', () => {
    const pool = ailing(1, 4);
    const heard = listen(pool);
    pool.update({ panic: { failTraffic: true } });
    const refused = visit(pool);
    pool.update({ panic: { failTraffic: false } });
    expect([refused, serving(pool).length, heard]).toEqual(['panic', 4, []]);
  });

  test('an update that says the same again, or nothing of it, changes nothing', () => {
    const pool = ailing(1, 4, { threshold: 60 });
    const heard = listen(pool);
    pool.update({ panic: { threshold: 60 } });
    pool.update({ strategy: 'random' });
    expect([heard, pool.isPanicking]).toEqual([[], true]);
  });

  test('are refused where a value is bad, and nothing is changed', () => {
    const pool = ailing(1, 4);
    const errors = [{ threshold: 101 }, { threshold: -1 }, { minHealthy: 0.5 }, { failTraffic: 1 }, { level: 3 }].map(
      (panic) => refusalOf(() => pool.update({ panic: panic as PanicSpec })).path,
    );
    expect(errors).toEqual([
      'panic.threshold',
      'panic.threshold',
      'panic.minHealthy',
      'panic.failTraffic',
      'panic.level',
    ]);
    expect(pool.isPanicking).toBe(true);
  });
});

describe('the strategy in panic', () => {
  test('carries on from its previous picker, into panic and out of it', () => {
    const prepared: string[] = [];
    const made = new Map<Picker, string>();
    const strategy: Strategy = {
      name: 'noting',
      prepare: (members, previous) => {
        const ids = members.map(({ id }) => id).join();
        prepared.push(`${ids} after ${previous === undefined ? 'nothing' : made.get(previous)}`);
        const picker: Picker = { pick: () => members[0] };
        made.set(picker, ids);
        return picker;
      },
    };
    const pool = monitoredPool({ members: equal(2), panic: {}, strategy });
    visit(pool);
    for (const [change, id] of [
      [down, 'm0'],
      [down, 'm1'],
      [up, 'm0'],
    ] as const) {
      change(pool, id);
      visit(pool);
    }
    expect(prepared).toEqual(['m0,m1 after nothing', 'm1 after m0,m1', 'm0,m1 after m1', 'm0 after m0,m1']);
  });

  test('is told of leases on members that are down', () => {
    const told: string[] = [];
    const strategy: Strategy = {
      name: 'telling',
      prepare: (members) => ({
        pick: () => members[1],
        acquired: ({ id }, place) => told.push(`+${id} ${place}`),
        released: ({ id }, place, outcome) => told.push(`-${id} ${place} ${outcome}`),
      }),
    };
    const pool = monitoredPool({ members: equal(2), panic: {}, strategy });
    down(pool, 'm0', 'm1');
    take(pool).release('failure');
    expect(told).toEqual(['+m1 1', '-m1 1 failure']);
  });
});

describe('whatever happens to the members', () => {
  test('events tell of each flip exactly once, and somebody serves wherever somebody is in service', () => {
    const change = fc.record({
      do: fc.constantFrom('down', 'up', 'disable', 'enable', 'weight', 'priority', 'backup', 'remove', 'add', 'panic'),
      nth: fc.nat(9),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), fc.nat(100), (changes, threshold) => {
        const pool = pooled([...equal(4), spec('b', { backup: true })], { threshold });
        let isPanicking = pool.isPanicking;
        let names = 0;
        pool.on('panic', (flip) => {
          expect(flip.isPanicking).toBe(!isPanicking);
          isPanicking = flip.isPanicking;
        });
        pool.on('listener-error', ({ cause }) => {
          throw cause;
        });
        for (const { do: what, nth } of changes) {
          const member = pool.members[nth % Math.max(1, pool.members.length)];
          if (what === 'add') pool.add(spec(`x${names++}`, { priority: nth % 2 }));
          if (what === 'panic') pool.update({ panic: nth === 0 ? null : { threshold: nth * 11 } });
          if (member === undefined) continue;
          if (what === 'down') down(pool, member.id);
          if (what === 'up') up(pool, member.id);
          if (what === 'disable') member.update({ enabled: false });
          if (what === 'enable') member.update({ enabled: true });
          if (what === 'weight') member.update({ weight: nth % 2 });
          if (what === 'priority') member.update({ priority: nth % 3 });
          if (what === 'backup') member.update({ backup: nth % 2 === 0 });
          if (what === 'remove') member.remove();
          expect(isPanicking).toBe(pool.isPanicking);
          const isAnybody = pool.members.some(({ status, enabled, weight }) =>
            pool.isPanicking ? enabled && weight > 0 : status === 'online',
          );
          const served = visit(pool);
          expect(served !== 'no-eligible-member').toBe(isAnybody);
          const { enabled = true, weight = 1, status = 'online' } = pool.get(served) ?? {};
          expect(enabled && weight > 0 && (pool.isPanicking || status === 'online')).toBe(true);
        }
      }),
      { seed: 31, numRuns: 200 },
    );
  });
});
