import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import { createPool } from '../../src/core/create-pool.ts';
import { createVip } from '../../src/core/create-vip.ts';
import { NotFoundError } from '../../src/core/errors.ts';
import type { Member } from '../../src/core/member.ts';
import type { MemberFields } from '../../src/core/member-spec.ts';
import type { Pool } from '../../src/core/pool.ts';
import { roundRobin } from '../../src/strategies/round-robin.ts';
import type { Strategy } from '../../src/strategies/strategy.ts';
import {
  equal,
  FakeProbe,
  makePool,
  memberOf,
  refusalOf,
  spec,
  take,
  takeFrom,
  thrownBy,
  visit,
  visits,
} from '../fixtures/core.ts';

/** A pool with a monitor that nobody runs: `recordCheck` says how members are. */
function monitored(...members: MemberFields<unknown>[]): Pool {
  const type = new FakeProbe(new VirtualClock());
  return makePool({ members, healthMonitor: { type, maxRetries: 1, maxRetriesDown: 1 } });
}

function down(pool: Pool, id: string, reason = 'refused'): void {
  pool.recordCheck(memberOf(pool, id), false, reason);
}

function up(pool: Pool, id: string): void {
  pool.recordCheck(memberOf(pool, id), true, 'check passed');
}

/** What the pool tells, in order. */
function listen(pool: Pool): string[] {
  const heard: string[] = [];
  pool.on('member-status', ({ member, from, to, reason }) => heard.push(`${member.id} ${from}>${to}: ${reason}`));
  pool.on('member-added', ({ member }) => heard.push(`added ${member.id}`));
  pool.on('member-removed', ({ member }) => heard.push(`removed ${member.id}`));
  pool.on('status', ({ from, to }) => heard.push(`pool ${from}>${to}`));
  return heard;
}

describe("a member's status", () => {
  test("is 'no-monitor' where nobody checks it", () => {
    expect(memberOf(makePool({ members: [spec('a')] }), 'a').status).toBe('no-monitor');
  });

  test("is 'online' before its first check", () => {
    expect(memberOf(monitored(spec('a')), 'a').status).toBe('online');
  });

  test("is 'error' when its check has failed", () => {
    const pool = monitored(spec('a'));
    down(pool, 'a');
    expect(memberOf(pool, 'a').status).toBe('error');
  });

  test("is 'offline' when disabled, without a monitor", () => {
    expect(memberOf(makePool({ members: [spec('a', { enabled: false })] }), 'a').status).toBe('offline');
  });

  test("is 'offline' when disabled, with a monitor, even if it is down", () => {
    const pool = monitored(spec('a'));
    down(pool, 'a');
    memberOf(pool, 'a').update({ enabled: false });
    expect(memberOf(pool, 'a').status).toBe('offline');
  });

  test("is 'draining' at weight 0 with a passing monitor", () => {
    const pool = monitored(spec('a', { weight: 0 }));
    up(pool, 'a');
    expect(memberOf(pool, 'a').status).toBe('draining');
  });

  test("is 'draining' at weight 0 without a monitor", () => {
    expect(memberOf(makePool({ members: [spec('a', { weight: 0 })] }), 'a').status).toBe('draining');
  });

  test("is 'error' at weight 0 when its check has failed", () => {
    const pool = monitored(spec('a', { weight: 0 }));
    down(pool, 'a');
    expect(memberOf(pool, 'a').status).toBe('error');
  });

  test("is 'draining' while it drains", () => {
    const pool = monitored(spec('a'));
    void pool.drain('a');
    expect(memberOf(pool, 'a').status).toBe('draining');
  });

  test('comes with its reason', () => {
    const pool = monitored(spec('a'));
    down(pool, 'a', 'connect ECONNREFUSED 10.0.0.1:80');
    expect(memberOf(pool, 'a').statusReason).toBe('connect ECONNREFUSED 10.0.0.1:80');
  });

  test('of a backup is like that of any other', () => {
    expect(memberOf(monitored(spec('a', { backup: true })), 'a').status).toBe('online');
  });
});

describe("a pool's status", () => {
  test("is 'online' without members", () => {
    expect(makePool({}).status).toBe('online');
  });

  test("is 'online' while all members serve", () => {
    expect(monitored(spec('a'), spec('b')).status).toBe('online');
  });

  test("is 'online' where nobody checks the members", () => {
    expect(makePool({ members: equal(2) }).status).toBe('online');
  });

  test("is 'degraded' when one of several is down", () => {
    const pool = monitored(spec('a'), spec('b'));
    down(pool, 'a');
    expect(pool.status).toBe('degraded');
  });

  test("is 'error' when all are down", () => {
    const pool = monitored(spec('a'), spec('b'));
    down(pool, 'a');
    down(pool, 'b');
    expect(pool.status).toBe('error');
  });

  test("is 'error' when all members have weight 0", () => {
    expect(makePool({ members: [spec('a', { weight: 0 }), spec('b', { weight: 0 })] }).status).toBe('error');
  });

  test("is 'error' when all members are disabled", () => {
    expect(makePool({ members: [spec('a', { enabled: false })] }).status).toBe('error');
  });

  test("is 'online' beside a draining member", () => {
    expect(monitored(spec('a', { weight: 0 }), spec('b')).status).toBe('online');
  });

  test("is 'online' beside a disabled member", () => {
    expect(monitored(spec('a', { enabled: false }), spec('b')).status).toBe('online');
  });

  test("is 'online' beside a disabled member that was down", () => {
    const pool = monitored(spec('a'), spec('b'));
    down(pool, 'a');
    memberOf(pool, 'a').update({ enabled: false });
    expect(pool.status).toBe('online');
  });

  test("is 'degraded' while a backup serves for primaries that are down", () => {
    const pool = monitored(spec('a'), spec('b', { backup: true }));
    down(pool, 'a');
    expect(pool.status).toBe('degraded');
  });

  test("is 'online' while a backup serves for disabled primaries", () => {
    expect(monitored(spec('a', { enabled: false }), spec('b', { backup: true })).status).toBe('online');
  });

  test("is 'degraded' when a backup is down", () => {
    const pool = monitored(spec('a'), spec('b', { backup: true }));
    down(pool, 'b');
    expect(pool.status).toBe('degraded');
  });

  test("is 'offline' when it is disabled, whatever its members are", () => {
    const pool = monitored(spec('a'));
    down(pool, 'a');
    pool.update({ enabled: false });
    expect(pool.status).toBe('offline');
  });

  test("is 'online' again when the last member that was down is removed", () => {
    const pool = monitored(spec('a'), spec('b'));
    down(pool, 'a');
    pool.remove('a');
    expect(pool.status).toBe('online');
  });

  test("is 'online' again when the only member, which was down, is removed", () => {
    const pool = monitored(spec('a'));
    down(pool, 'a');
    pool.remove('a');
    expect(pool.status).toBe('online');
  });

  test("is 'error' when the last primary that served is removed beside a disabled one", () => {
    const pool = monitored(spec('a'), spec('b', { enabled: false }));
    pool.remove('a');
    expect(pool.status).toBe('error');
  });

  test('follows a full member in no way', () => {
    const pool = monitored(spec('a', { maxConnections: 1 }));
    take(pool);
    expect(pool.status).toBe('online');
  });

  test('is at any time what its members add up to', () => {
    const change = fc.record({
      do: fc.constantFrom('down', 'up', 'disable', 'enable', 'weight', 'remove', 'add', 'drain'),
      nth: fc.nat(7),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
        const pool = monitored(spec('m0'), spec('m1'), spec('m2', { backup: true }));
        let names = 3;
        for (const { do: what, nth } of changes) {
          const member = pool.members[nth % Math.max(1, pool.members.length)];
          if (what === 'add') pool.add(spec(`m${names++}`, { weight: nth % 3 }));
          if (member === undefined) continue;
          if (what === 'down') down(pool, member.id);
          if (what === 'up') up(pool, member.id);
          if (what === 'disable') member.update({ enabled: false });
          if (what === 'enable') member.update({ enabled: true });
          if (what === 'weight') member.update({ weight: nth % 3 });
          if (what === 'remove') member.remove();
          if (what === 'drain') void member.drain();
          const statuses = pool.members.map(({ status }) => status);
          const serves = statuses.length === 0 || statuses.includes('online');
          const expected = statuses.includes('error') ? 'degraded' : 'online';
          expect(pool.status).toBe(serves ? expected : 'error');
        }
      }),
      { seed: 41, numRuns: 200 },
    );
  });
});

describe('events', () => {
  test('tell of a member that goes down, then of what that makes of the pool', () => {
    const pool = monitored(spec('a'), spec('b'));
    const heard = listen(pool);
    down(pool, 'a');
    expect(heard).toEqual(['a online>error: refused', 'pool online>degraded']);
  });

  test('are told only where a status has changed', () => {
    const pool = monitored(spec('a'), spec('b'));
    down(pool, 'a');
    const heard = listen(pool);
    down(pool, 'a', 'timed out');
    up(pool, 'b');
    expect(heard).toEqual([]);
  });

  test('tell of members that come and go', () => {
    const pool = makePool({});
    const heard = listen(pool);
    pool.add(spec('a'));
    pool.remove('a');
    expect(heard).toEqual(['added a', 'removed a']);
  });

  test('of an update of the whole list are told in order, removals first', () => {
    const pool = makePool({ members: [spec('a'), spec('b')] });
    const heard = listen(pool);
    pool.update({ members: [spec('b', { enabled: false }), spec('c')] });
    expect(heard).toEqual(['removed a', 'b no-monitor>offline: disabled', 'added c']);
  });

  test('come when all of a change has happened', () => {
    const pool = makePool({ members: [spec('a'), spec('b')] });
    const seen: string[] = [];
    pool.on('member-removed', () => seen.push(pool.members.map(({ id }) => id).join()));
    pool.update({ members: [spec('b'), spec('c')], strategy: 'random' });
    expect(seen).toEqual(['b,c']);
  });

  test("come when the pool's own status has followed", () => {
    const pool = monitored(spec('a'));
    const seen: string[] = [];
    pool.on('member-status', () => seen.push(pool.status));
    down(pool, 'a');
    expect(seen).toEqual(['error']);
  });

  test("come when the virtual IP's status has followed, too", () => {
    const vip = createVip({
      address: '127.0.0.1',
      port: 80,
      pool: { members: [spec('a')], healthMonitor: { type: new FakeProbe(new VirtualClock()) } },
    });
    const seen: string[] = [];
    vip.pool.on('member-status', () => seen.push(vip.status));
    vip.pool.recordCheck(memberOf(vip.pool, 'a'), false, 'refused');
    expect(seen).toEqual(['error']);
  });

  test('find the member that was removed gone, and serving what it has', () => {
    const pool = makePool({ members: [spec('a')] });
    const lease = take(pool);
    const seen: unknown[] = [];
    pool.on('member-removed', ({ member }) => seen.push(pool.get('a'), member.stats.activeConnections));
    pool.remove('a');
    lease.release();
    expect(seen).toEqual([undefined, 1]);
  });

  test('are not told for the members that a pool is made with', () => {
    expect(listen(makePool({ members: equal(3) }))).toEqual([]);
  });

  test('form an unbroken chain for each member, even if listeners change members themselves', () => {
    const pool = monitored(spec('a'), spec('b'), spec('c'));
    const chains = new Map<string, string[]>();
    pool.on('member-status', ({ member }) => {
      if (member.id === 'a') memberOf(pool, 'b').update({ enabled: false });
    });
    pool.on('member-status', ({ member, from, to }) => {
      chains.set(member.id, [...(chains.get(member.id) ?? []), `${from}>${to}`]);
    });
    pool.update({ members: [spec('a', { weight: 0 }), spec('b', { weight: 0 }), spec('c')] });
    expect(chains.get('b')).toEqual(['online>draining', 'draining>offline']);
  });

  test('that a listener throws at do not keep a change from happening', () => {
    const pool = makePool({ members: [spec('a')] });
    pool.on('listener-error', () => {});
    pool.on('member-added', () => {
      throw new Error('a bug in a listener');
    });
    pool.add(spec('b'));
    expect(pool.members.length).toBe(2);
  });
});

describe('the list of members', () => {
  test('has the order of the spec', () => {
    const pool = makePool({ members: [spec('c'), spec('a'), spec('b')] });
    expect(pool.members.map(({ id }) => id)).toEqual(['c', 'a', 'b']);
  });

  test('has a member that is added at its end', () => {
    const pool = makePool({ members: [spec('b')] });
    pool.add(spec('a'));
    expect(pool.members.map(({ id }) => id)).toEqual(['b', 'a']);
  });

  test('takes the order of an update', () => {
    const pool = makePool({ members: [spec('a'), spec('b'), spec('c')] });
    pool.update({ members: [spec('c'), spec('d'), spec('a')] });
    expect(pool.members.map(({ id }) => id)).toEqual(['c', 'd', 'a']);
  });

  test('does not change under somebody who reads it', () => {
    const pool = makePool({ members: [spec('a'), spec('b')] });
    const { members } = pool;
    pool.remove('a');
    expect(members.map(({ id }) => id)).toEqual(['a', 'b']);
  });

  test('cannot be written to', () => {
    const { members } = makePool({ members: [spec('a')] });
    expect(Object.isFrozen(members)).toBe(true);
  });
});

describe('adding a member', () => {
  test('gives the member', () => {
    const pool = makePool({});
    expect(pool.add({ address: '10.0.0.3', port: 80 })).toBe(pool.get('10.0.0.3:80'));
  });

  test('takes the short form', () => {
    const { id, address, port, weight } = makePool({}).add('[2001:db8::1]:8080');
    expect([id, address, port, weight]).toEqual(['[2001:db8::1]:8080', '2001:db8::1', 8080, 1]);
  });

  test('refuses an id that is taken', () => {
    const pool = makePool({ members: [spec('a')] });
    expect(refusalOf(() => pool.add(spec('a')))).toEqual({
      path: 'id',
      value: 'a',
      expected: "an id that pool 'pool' does not have",
    });
  });

  test('takes two members of one address under two ids', () => {
    const pool = makePool({ members: [spec('a'), spec('b')] });
    expect(new Set(visits(pool, 4))).toEqual(new Set(['a', 'b']));
  });

  test('takes the id of a member that was removed for a new member', () => {
    const pool = makePool({ members: [spec('a')] });
    const before = take(pool).member;
    pool.remove('a');
    const after = pool.add(spec('a'));
    expect([after === before, after.stats.activeConnections]).toEqual([false, 0]);
  });

  test('uses the monitor for its first status', () => {
    const type = new FakeProbe(new VirtualClock());
    const pool = makePool({ healthMonitor: { type, initialHealth: 'down' } });
    expect(pool.add(spec('a')).status).toBe('error');
  });
});

describe('removing a member', () => {
  test('says that there was one', () => {
    expect(makePool({ members: [spec('a')] }).remove('a')).toBe(true);
  });

  test('says that there was none', () => {
    expect(makePool({ members: [spec('a')] }).remove('b')).toBe(false);
  });

  test('can be asked of the member', () => {
    const pool = makePool({ members: [spec('a')] });
    memberOf(pool, 'a').remove();
    expect(pool.members).toEqual([]);
  });

  test('does not remove another that has taken its id', () => {
    const pool = makePool({ members: [spec('a')] });
    const removed = memberOf(pool, 'a');
    pool.remove('a');
    pool.add(spec('a'));
    removed.remove();
    expect(pool.members.length).toBe(1);
  });

  test('lets its connections go on', () => {
    const pool = makePool({ members: [spec('a')] });
    const { member } = take(pool);
    pool.remove('a');
    expect(member.stats.activeConnections).toBe(1);
  });

  test('makes changes of it impossible', () => {
    const pool = makePool({ members: [spec('a')] });
    const member = memberOf(pool, 'a');
    pool.remove('a');
    expect(thrownBy(() => member.update({ weight: 2 })) instanceof NotFoundError).toBe(true);
  });

  test('makes checks of it meaningless', () => {
    const pool = monitored(spec('a'), spec('b'));
    const member = memberOf(pool, 'a');
    pool.remove('a');
    pool.recordCheck(member, false, 'refused');
    expect(pool.status).toBe('online');
  });
});

describe('updating a member', () => {
  test('changes what is named and keeps the rest', () => {
    const pool = makePool({ members: [spec('a', { weight: 3, maxConnections: 7, backup: true, data: 'x' })] });
    const member = memberOf(pool, 'a');
    member.update({ weight: 5 });
    const { weight, maxConnections, backup, enabled, data, address, port } = member;
    expect([weight, maxConnections, backup, enabled, data, address, port]).toEqual([
      5,
      7,
      true,
      true,
      'x',
      '10.0.0.1',
      80,
    ]);
  });

  test('takes undefined for not named', () => {
    const pool = makePool({ members: [spec('a', { weight: 3, maxConnections: 7 })] });
    const member = memberOf(pool, 'a');
    member.update({ weight: undefined, maxConnections: undefined } as unknown as { weight: number });
    expect([member.weight, member.maxConnections]).toEqual([3, 7]);
  });

  test('takes null for the default', () => {
    const settings = { weight: 3, maxConnections: 7, backup: true, enabled: false };
    const pool = makePool({ members: [spec('a', settings)] });
    const member = memberOf(pool, 'a');
    member.update({ weight: null, maxConnections: null, backup: null, enabled: null });
    const { weight, maxConnections, backup, enabled } = member;
    expect([weight, maxConnections, backup, enabled]).toEqual([1, undefined, false, true]);
  });

  test('takes nothing for nothing', () => {
    const pool = makePool({ members: [spec('a')] });
    const heard = listen(pool);
    memberOf(pool, 'a').update({});
    expect(heard).toEqual([]);
  });

  test('of its weight keeps connections, counters and health', () => {
    const pool = monitored(spec('a'), spec('b'));
    const lease = takeFrom(pool, 'a');
    lease.connected();
    lease.countIn(10);
    down(pool, 'a', 'timed out');
    const member = memberOf(pool, 'a');
    member.update({ weight: 9 });
    const { activeConnections, totalConnections, bytesIn } = member.stats;
    expect([activeConnections, totalConnections, bytesIn, member.status, member.statusReason]).toEqual([
      1,
      1,
      10,
      'error',
      'timed out',
    ]);
  });

  test('of its weight keeps how many failed checks were counted', () => {
    const type = new FakeProbe(new VirtualClock());
    const pool = makePool({
      members: [spec('a')],
      healthMonitor: { type, initialHealth: 'fully-up', maxRetriesDown: 2 },
    });
    down(pool, 'a');
    memberOf(pool, 'a').update({ weight: 2 });
    down(pool, 'a');
    expect(memberOf(pool, 'a').status).toBe('error');
  });

  test('of its address keeps its id', () => {
    const pool = makePool({ members: ['10.0.0.1:80'] });
    memberOf(pool, '10.0.0.1:80').update({ address: '10.0.0.9' });
    const { id, address } = memberOf(pool, '10.0.0.1:80');
    expect([id, address]).toEqual(['10.0.0.1:80', '10.0.0.9']);
  });

  test('of its address keeps its counters', () => {
    const pool = makePool({ members: [spec('a')] });
    take(pool);
    memberOf(pool, 'a').update({ address: '10.0.0.9' });
    expect(memberOf(pool, 'a').stats.activeConnections).toBe(1);
  });

  test('of its address starts its health anew', () => {
    const pool = monitored(spec('a'));
    down(pool, 'a');
    memberOf(pool, 'a').update({ address: '10.0.0.9' });
    expect(memberOf(pool, 'a').status).toBe('online');
  });

  test('that enables it starts its health anew', () => {
    const pool = monitored(spec('a'));
    down(pool, 'a');
    memberOf(pool, 'a').update({ enabled: false });
    memberOf(pool, 'a').update({ enabled: true });
    expect(memberOf(pool, 'a').status).toBe('online');
  });

  test('that enables an enabled one leaves its health alone', () => {
    const pool = monitored(spec('a'));
    down(pool, 'a');
    memberOf(pool, 'a').update({ enabled: true });
    expect(memberOf(pool, 'a').status).toBe('error');
  });

  test('of backup moves it between the tiers', () => {
    const pool = makePool({ members: [spec('a'), spec('b')] });
    visits(pool, 3);
    memberOf(pool, 'a').update({ backup: true });
    expect(new Set(visits(pool, 5))).toEqual(new Set(['b']));
  });

  test('to a Unix socket needs no port', () => {
    const pool = makePool({ members: [spec('a')] });
    memberOf(pool, 'a').update({ address: 'unix:/run/a.sock' });
    expect([memberOf(pool, 'a').address, memberOf(pool, 'a').port]).toEqual(['unix:/run/a.sock', 0]);
  });

  test('from a Unix socket needs a port', () => {
    const pool = makePool({ members: ['unix:/run/a.sock'] });
    expect(refusalOf(() => memberOf(pool, 'unix:/run/a.sock').update({ address: '10.0.0.1' })).path).toBe('port');
  });

  test('with a bad value changes nothing', () => {
    const pool = makePool({ members: [spec('a')] });
    const member = memberOf(pool, 'a');
    thrownBy(() => member.update({ weight: 5, backup: true, maxConnections: 0 }));
    expect([member.weight, member.backup, member.maxConnections]).toEqual([1, false, undefined]);
  });

  test('cannot change its id', () => {
    const pool = makePool({ members: [spec('a')] });
    expect(refusalOf(() => memberOf(pool, 'a').update({ id: 'b' } as object)).path).toBe('id');
  });
});

describe('updating a pool', () => {
  test('changes what is named and keeps the rest', () => {
    const pool = monitored(spec('a'));
    const { healthMonitor } = pool;
    pool.update({ strategy: 'random' });
    expect([pool.strategy.name, pool.healthMonitor === healthMonitor, pool.members.length]).toEqual([
      'random',
      true,
      1,
    ]);
  });

  test('takes null for the default', () => {
    const type = new FakeProbe(new VirtualClock());
    const pool = makePool({ strategy: 'random', members: [spec('a')], healthMonitor: { type }, enabled: false });
    pool.update({ strategy: null, members: null, healthMonitor: null, enabled: null });
    expect([pool.strategy.name, pool.members, pool.healthMonitor, pool.enabled]).toEqual([
      'round-robin',
      [],
      undefined,
      true,
    ]);
  });

  test('keeps the members that it names, with connections, counters and health', () => {
    const pool = monitored(spec('a'), spec('b'));
    const member = takeFrom(pool, 'a').member;
    down(pool, 'a');
    pool.update({ members: [spec('c'), spec('a', { weight: 4 })] });
    const { stats, weight, status } = memberOf(pool, 'a');
    expect([memberOf(pool, 'a') === member, stats.activeConnections, weight, status]).toEqual([true, 1, 4, 'error']);
  });

  test('resets what it does not name of a member that it names', () => {
    const pool = makePool({ members: [spec('a', { weight: 4, maxConnections: 2 })] });
    pool.update({ members: [spec('a')] });
    expect([memberOf(pool, 'a').weight, memberOf(pool, 'a').maxConnections]).toEqual([1, undefined]);
  });

  test('keeps a member draining that it names', () => {
    const pool = makePool({ members: [spec('a'), spec('b')] });
    void pool.drain('a');
    pool.update({ members: [spec('a'), spec('b')] });
    expect(memberOf(pool, 'a').status).toBe('draining');
  });

  test('with a bad member changes nothing', () => {
    const pool = makePool({ members: [spec('a')] });
    const heard = listen(pool);
    thrownBy(() =>
      pool.update({ strategy: 'random', enabled: false, members: [spec('b'), spec('c', { weight: -1 })] }),
    );
    expect([pool.strategy.name, pool.enabled, pool.members.map(({ id }) => id), heard]).toEqual([
      'round-robin',
      true,
      ['a'],
      [],
    ]);
  });

  test('cannot change its name', () => {
    expect(refusalOf(() => makePool({}).update({ name: 'other' } as object)).path).toBe('name');
  });

  test('of its strategy keeps connections and counters', () => {
    const pool = makePool({ members: [spec('a')] });
    take(pool);
    pool.update({ strategy: 'least-connections' });
    expect(memberOf(pool, 'a').stats.activeConnections).toBe(1);
  });
});

describe('a disabled pool', () => {
  test('refuses every client', () => {
    expect(visit(makePool({ members: [spec('a')], enabled: false }))).toBe('disabled');
  });

  test('lets its connections go on', () => {
    const pool = makePool({ members: [spec('a')] });
    take(pool);
    pool.update({ enabled: false });
    expect(pool.stats.activeConnections).toBe(1);
  });
});

describe('a refusal', () => {
  test('counts on the pool', () => {
    const pool = makePool({});
    visits(pool, 3);
    expect(pool.stats.rejects).toBe(3);
  });

  test('leaves nothing active', () => {
    const pool = makePool({ members: [spec('a', { weight: 0 })] });
    visits(pool, 3);
    expect(pool.stats.activeConnections).toBe(0);
  });

  test('is not caused by a member that is eligible and free', () => {
    const lazy: Strategy = { name: 'lazy', prepare: () => ({ pick: () => undefined }) };
    expect(visit(makePool({ strategy: lazy, members: [spec('a')] }))).toBe('none-picked');
  });
});

describe('a check that somebody else made', () => {
  test('counts where there is a monitor', () => {
    const pool = monitored(spec('a'));
    down(pool, 'a');
    expect(memberOf(pool, 'a').status).toBe('error');
  });

  test('is ignored where there is none', () => {
    const pool = makePool({ members: [spec('a')] });
    down(pool, 'a');
    expect(memberOf(pool, 'a').status).toBe('no-monitor');
  });
});

describe("the owner's data", () => {
  interface Replica {
    readonly region: string;
  }

  test('comes back on the member that is picked, with its type', () => {
    const pool = createPool<Replica>({
      name: 'db',
      members: [{ address: '10.0.0.1', port: 5432, data: { region: 'eu' } }],
    });
    const region: string | undefined = take(pool).member.data?.region;
    expect(region).toBe('eu');
  });

  test('is the very object that was given', () => {
    const data = { region: 'eu' };
    const pool = createPool<Replica>({ name: 'db', members: [{ address: '10.0.0.1', port: 5432, data }] });
    expect(pool.members[0]?.data).toBe(data);
  });

  test('can be changed', () => {
    const pool = createPool<Replica>({ name: 'db', members: [{ id: 'a', address: '10.0.0.1', port: 5432 }] });
    memberOf(pool, 'a').update({ data: { region: 'us' } });
    expect(memberOf(pool, 'a').data).toEqual({ region: 'us' });
  });
});

describe("a user's strategy", () => {
  const members = [spec('a'), spec('b'), spec('c', { backup: true }), spec('d', { weight: 0 })];
  /** A strategy that picks as it is told, and notes what it is given. */
  const told = (pick: () => Member | undefined, hears: Partial<Record<'acquired' | 'released', () => void>> = {}) => {
    const prepared: string[][] = [];
    const strategy: Strategy = {
      name: 'told',
      prepare: (eligible) => {
        prepared.push(eligible.map(({ id }) => id));
        return { pick, ...hears };
      },
    };
    return { strategy, prepared };
  };

  test('sees primaries and backups apart, and only those that may serve', () => {
    const { strategy, prepared } = told(() => undefined);
    visit(makePool({ strategy, members }));
    expect(prepared).toEqual([['a', 'b'], ['c']]);
  });

  test('is not asked to prepare anew for each pick', () => {
    const { strategy, prepared } = told(() => undefined);
    visits(makePool({ strategy, members }), 10);
    expect(prepared.length).toBe(2);
  });

  test('is asked to prepare once for many changes in a row', () => {
    const { strategy, prepared } = told(() => undefined);
    const pool = makePool({ strategy, members: [spec('a')] });
    visit(pool);
    for (let index = 0; index < 50; index++) pool.add(spec(`m${index}`));
    visit(pool);
    expect(prepared.length).toBe(2);
  });

  test('cannot send a client to a member that may not serve', () => {
    let wanted: Member | undefined;
    const { strategy } = told(() => wanted);
    const pool = makePool({ strategy, members });
    wanted = memberOf(pool, 'd');
    expect(['a', 'b']).toContain(visit(pool));
  });

  test('cannot send a client to a backup while a primary can serve', () => {
    let wanted: Member | undefined;
    const { strategy } = told(() => wanted);
    const pool = makePool({ strategy, members });
    wanted = memberOf(pool, 'c');
    expect(['a', 'b']).toContain(visit(pool));
  });

  test("cannot send a client to another pool's member", () => {
    const other = makePool({ members: [spec('x')] });
    const { strategy } = told(() => memberOf(other, 'x'));
    expect(['a', 'b']).toContain(visit(makePool({ strategy, members })));
  });

  test('that throws is heard by who acquires', () => {
    const { strategy } = told(() => {
      throw new Error('a bug in a strategy');
    });
    expect((thrownBy(() => makePool({ strategy, members }).acquire()) as Error).message).toBe('a bug in a strategy');
  });

  test('that throws leaves nothing active', () => {
    const { strategy } = told(() => {
      throw new Error('a bug in a strategy');
    });
    const pool = makePool({ strategy, members });
    thrownBy(() => pool.acquire());
    expect(pool.stats.activeConnections).toBe(0);
  });

  test('that throws at hearing of a lease leaves nothing active', () => {
    const bad = (): never => {
      throw new Error('a bug in a strategy');
    };
    const { strategy } = told(() => pool.members[0], { acquired: bad });
    const pool = makePool({ strategy, members });
    const result = (() => {
      try {
        return pool.acquire();
      } catch {
        return undefined;
      }
    })();
    if (result !== undefined && !result.refused) result.release();
    expect(pool.stats.activeConnections).toBe(0);
  });

  test('that cannot be prepared any more does not keep removed members in service', () => {
    let isBroken = false;
    const fragile: Strategy = {
      name: 'fragile',
      prepare: (eligible, previous, context) => {
        if (isBroken) throw new Error('a bug in a strategy');
        return (roundRobin() as Strategy).prepare(eligible, previous, context);
      },
    };
    const pool = makePool({ strategy: fragile, members: [spec('a'), spec('b')] });
    visit(pool);
    isBroken = true;
    pool.remove('a');
    const outcomes = Array.from({ length: 10 }, () => {
      try {
        return visit(pool);
      } catch {
        return 'threw';
      }
    });
    expect(outcomes).not.toContain('a');
  });

  test('hears of every lease on its members, with the outcome', () => {
    const heard: string[] = [];
    const strategy: Strategy = {
      name: 'listening',
      prepare: ([first]) => ({
        pick: () => first,
        acquired: (member, place) => heard.push(`+${member.id} ${place} ${member.stats.activeConnections}`),
        released: (member, place, outcome) =>
          heard.push(`-${member.id} ${place} ${member.stats.activeConnections} ${outcome}`),
      }),
    };
    const pool = makePool({ strategy, members: [spec('a')] });
    take(pool).release('failure');
    expect(heard).toEqual(['+a 0 1', '-a 0 0 failure']);
  });

  test('gets the picker that it replaces, also when there was no member in between', () => {
    const previous: unknown[] = [];
    const strategy: Strategy = {
      name: 'remembering',
      prepare: ([first], before) => {
        previous.push(before);
        return { pick: () => first };
      },
    };
    const pool = makePool({ strategy, members: [spec('a')] });
    visit(pool);
    pool.remove('a');
    visit(pool);
    pool.add(spec('b'));
    visit(pool);
    expect(previous.map((picker) => picker !== undefined)).toEqual([false, true]);
  });

  test('gets to know what the caller of acquire() says of the client, each time anew', () => {
    const known: unknown[] = [];
    const strategy: Strategy = {
      name: 'asking',
      prepare: ([first]) => ({
        pick: (request) => {
          known.push([request.clientAddress, request.clientPort, request.key, request.path, request.header('cookie')]);
          return first;
        },
      }),
    };
    const pool = makePool({ strategy, members: [spec('a')] });
    const header = (name: string) => (name === 'cookie' ? 'a=b' : undefined);
    visit(pool, { clientAddress: '192.0.2.1', clientPort: 7, key: 'k', path: '/p', header });
    visit(pool, { path: '/q' });
    visit(pool);
    expect(known).toEqual([
      ['192.0.2.1', 7, 'k', '/p', 'a=b'],
      [undefined, undefined, undefined, '/q', undefined],
      [undefined, undefined, undefined, undefined, undefined],
    ]);
  });
});
