import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import type { Pool } from '../../src/core/pool.ts';
import type { PoolUpdate } from '../../src/core/pool-spec.ts';
import { sourceIpPersistence } from '../../src/persistence/source-ip-persistence.ts';
import {
  client,
  equal,
  FakeProbe,
  makePool,
  memberOf,
  spec,
  take,
  tally,
  thrice,
  visit,
  visits,
} from '../fixtures/core.ts';
import { fateOf, join, leaseOf } from '../fixtures/waits.ts';

const sourceIp = { type: 'source-ip' } as const;

function sticky(settings: PoolUpdate = {}) {
  const clock = new VirtualClock();
  return { clock, pool: makePool({ persistence: sourceIp, members: equal(3), ...settings }, { clock }) };
}

describe('a client that a pool knows', () => {
  test('gets its member whatever the strategy says, and its lease says so', () => {
    const { pool } = sticky();
    const first = take(pool, client(1));
    expect([first.member.id, first.isKept]).toEqual(['m0', false]);
    for (let time = 0; time < 4; time++) {
      const lease = take(pool, client(1));
      expect([lease.member.id, lease.isKept]).toEqual(['m0', true]);
    }
    expect(pool.stats.activeConnections).toBe(5);
    expect(memberOf(pool, 'm0').stats.activeConnections).toBe(5);
  });

  test('takes no turn of the strategy, which goes on with those who are new', () => {
    const { pool } = sticky();
    expect(thrice(pool)).toEqual(['m0', 'm0', 'm0']);
    expect(visits(pool, 6, (number) => client(number + 10))).toEqual(['m1', 'm2', 'm0', 'm1', 'm2', 'm0']);
  });

  test('moves when its member is down, and stays where it is then when that is back', () => {
    const { pool } = sticky({
      healthMonitor: { type: new FakeProbe(new VirtualClock()), maxRetries: 1, maxRetriesDown: 1 },
    });
    expect(visit(pool, client(1))).toBe('m0');
    pool.recordCheck(memberOf(pool, 'm0'), false, 'refused');
    expect(thrice(pool)).toEqual(['m1', 'm1', 'm1']);
    pool.recordCheck(memberOf(pool, 'm0'), true, 'fine');
    expect(thrice(pool)).toEqual(['m1', 'm1', 'm1']);
  });

  test('moves when its member is ejected', () => {
    const { pool } = sticky({ outlierDetection: { consecutiveFailures: 1, maxEjectionPercent: 100 } });
    take(pool, client(1)).release('failure');
    expect(memberOf(pool, 'm0').status).toBe('error');
    expect(thrice(pool)).toEqual(['m1', 'm1', 'm1']);
  });

  test.each([
    ['has weight 0', (pool: Pool) => memberOf(pool, 'm0').update({ weight: 0 })],
    ['drains', (pool: Pool) => void memberOf(pool, 'm0').drain()],
  ])('stays on a member that %s, which takes nobody else', (_what, change) => {
    const { pool } = sticky();
    const lease = take(pool, client(1));
    change(pool);
    expect(memberOf(pool, 'm0').status).toBe('draining');
    expect(thrice(pool)).toEqual(['m0', 'm0', 'm0']);
    expect(tally(visits(pool, 10, (number) => client(number + 10)))).toEqual({ m1: 5, m2: 5 });
    lease.release();
  });

  test('is served by a draining member where there is no other', () => {
    const { pool } = sticky({ members: [spec('a')] });
    visit(pool, client(1));
    memberOf(pool, 'a').update({ weight: 0 });
    expect([visit(pool, client(1)), visit(pool, client(2))]).toEqual(['a', 'no-eligible-member']);
  });

  test.each([
    ['is disabled', (pool: Pool) => memberOf(pool, 'm0').update({ enabled: false })],
    ['is removed', (pool: Pool) => void memberOf(pool, 'm0').remove()],
  ])('moves when its member %s', (_what, change) => {
    const { pool } = sticky();
    visit(pool, client(1));
    change(pool);
    expect(thrice(pool)).toEqual(['m1', 'm1', 'm1']);
  });

  test('is not led to a member that has come under the id of one that was removed', () => {
    const { pool } = sticky();
    expect(thrice(pool)).toEqual(['m0', 'm0', 'm0']);
    pool.remove('m0');
    pool.add(spec('m0'));
    const lease = take(pool, client(1));
    expect(lease.isKept).toBe(false);
  });

  test('gets another member where it has tried its own in vain, and stays there', () => {
    const { pool } = sticky();
    expect(visit(pool, client(1))).toBe('m0');
    expect(visit(pool, { ...client(1), exclude: [memberOf(pool, 'm0')] })).toBe('m1');
    expect(thrice(pool)).toEqual(['m1', 'm1', 'm1']);
  });

  test('gets another member where its own is full', () => {
    const { pool } = sticky({ members: [spec('a', { maxConnections: 2 }), spec('b')] });
    const held = [take(pool, client(1)), take(pool, client(1)), take(pool, client(1))];
    expect(held.map(({ member, isKept }) => [member.id, isKept])).toEqual([
      ['a', false],
      ['a', true],
      ['b', false],
    ]);
    held[0]?.release();
    expect(thrice(pool)).toEqual(['b', 'b', 'b']);
    expect(pool.persistenceStats).toMatchObject({ kept: 4, moved: 1 });
  });

  test('stays on a backup while the primaries are back', () => {
    const { pool } = sticky({ members: [spec('a'), spec('b', { backup: true })] });
    memberOf(pool, 'a').update({ enabled: false });
    visit(pool, client(1));
    memberOf(pool, 'a').update({ enabled: true });
    expect([visit(pool, client(1)), visit(pool, client(2))]).toEqual(['b', 'a']);
  });

  test('stays on a member that is down where panic has all of them serve', () => {
    const type = new FakeProbe(new VirtualClock());
    const { pool } = sticky({ panic: {}, healthMonitor: { type, maxRetries: 1, maxRetriesDown: 1 } });
    visit(pool, client(1));
    for (const id of ['m0', 'm1']) pool.recordCheck(memberOf(pool, id), false, 'refused');
    expect(pool.isPanicking).toBe(true);
    expect(thrice(pool)).toEqual(['m0', 'm0', 'm0']);
    pool.update({ panic: { failTraffic: true } });
    expect(visit(pool, client(1))).toBe('panic');
  });

  test('is refused by a pool that is disabled', () => {
    const { pool } = sticky();
    visit(pool, client(1));
    pool.update({ enabled: false });
    expect(visit(pool, client(1))).toBe('disabled');
  });

  test('keeps a strategy that counts connections informed', () => {
    const { pool } = sticky({ strategy: 'least-connections' });
    for (let time = 0; time < 3; time++) take(pool, client(1));
    expect(tally(Array.from({ length: 6 }, (_, number) => take(pool, client(number + 10)).member.id))).toEqual({
      m1: 3,
      m2: 3,
    });
  });

  test('is told to wait where every member is full, and gets its own as soon as that is free', () => {
    const { pool } = sticky({
      queue: {},
      members: [spec('a', { maxConnections: 1 }), spec('b', { maxConnections: 1 })],
    });
    const own = take(pool, client(1));
    take(pool, client(2));
    const wait = join(pool, client(1));
    own.release();
    expect([fateOf(wait), leaseOf(wait).isKept]).toEqual(['a', true]);
  });
});

describe('what is remembered', () => {
  test('is forgotten when it was not used for the timeout, and not before', async () => {
    const { clock, pool } = sticky({ persistence: { ...sourceIp, timeout: 64_000 } });
    expect(visit(pool, client(1))).toBe('m0');
    await clock.advance(63_999);
    expect(take(pool, client(1)).isKept).toBe(true);
    await clock.advance(63_999);
    expect(take(pool, client(1)).isKept).toBe(true);
    await clock.advance(66_000);
    expect(take(pool, client(1)).isKept).toBe(false);
    await clock.advance(1_000_000);
    expect([pool.persistenceStats?.size, clock.pending]).toEqual([0, 0]);
  });

  test('is bounded: who was not seen for longest is forgotten', () => {
    const { pool } = sticky({ persistence: { ...sourceIp, maxEntries: 2 } });
    visit(pool, client(1));
    visit(pool, client(2));
    visit(pool, client(1));
    visit(pool, client(3));
    expect([1, 3, 2].map((number) => take(pool, client(number)).isKept)).toEqual([true, true, false]);
    expect(pool.persistenceStats).toMatchObject({ name: 'source-ip', size: 2, evicted: 2 });
  });

  test('can be begun, changed and given up while the pool serves', () => {
    const pool = makePool({ members: equal(3) });
    expect([pool.persistence, pool.persistenceStats]).toEqual([undefined, undefined]);
    expect(thrice(pool)).toEqual(['m0', 'm1', 'm2']);
    pool.update({ persistence: sourceIp });
    expect(thrice(pool)).toEqual(['m0', 'm0', 'm0']);
    pool.update({ persistence: { ...sourceIp, maxEntries: 10 } });
    expect(take(pool, client(1)).isKept).toBe(true);
    expect(pool.persistenceStats?.kept).toBe(3);
    pool.update({ persistence: { ...sourceIp, granularity: { ipv4: 24 } } });
    expect(pool.persistenceStats?.kept).toBe(0);
    expect(take(pool, client(1)).isKept).toBe(false);
    pool.update({ persistence: null });
    expect(new Set(thrice(pool)).size).toBe(3);
    expect(pool.persistenceStats).toBeUndefined();
  });

  test('stays when a change does not concern it, or says the same', () => {
    const { pool } = sticky();
    const { persistence } = pool;
    visit(pool, client(1));
    pool.update({ strategy: 'first' });
    pool.update({ persistence: { ...sourceIp, timeout: null } });
    pool.update({ persistence: sourceIpPersistence() });
    expect(pool.persistence).toBe(persistence);
    expect([take(pool, client(1)).isKept, pool.persistenceStats?.kept]).toEqual([true, 1]);
  });
});
