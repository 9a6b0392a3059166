import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import { NotFoundError } from '../../src/core/errors.ts';
import type { Lease } from '../../src/core/lease.ts';
import type { Pool } from '../../src/core/pool.ts';
import type { QueueSpec } from '../../src/core/queue-spec.ts';
import type { Wait } from '../../src/core/wait.ts';
import { equal, makePool, memberOf, refusalOf, spec, take, takeFrom, visit } from '../fixtures/core.ts';
import { fateOf, join, leaseOf, visitOrWait } from '../fixtures/waits.ts';

/** A pool of one member with room for so many, all taken. */
function busyPool(queue: QueueSpec | null, room = 1) {
  const clock = new VirtualClock();
  const pool = makePool({ queue, members: [spec('a', { maxConnections: room })] }, { clock });
  const leases = Array.from({ length: room }, () => take(pool));
  return { clock, pool, leases: leases as [Lease, ...Lease[]] };
}

describe('a pool whose members are all full', () => {
  test('refuses where it has no queue', () => {
    const { pool } = busyPool(null);
    expect(visitOrWait(pool)).toBe('members-full');
    expect(pool.queueStats).toBeUndefined();
  });

  test('has clients wait, and gives each its member in the order in which they came', () => {
    const { pool, leases } = busyPool({});
    const waits = [join(pool), join(pool), join(pool)];
    expect(pool.queueStats?.waiting).toBe(3);
    leases[0].release();
    expect(waits.map(fateOf)).toEqual(['a', 'waits', 'waits']);
    leaseOf(waits[0] as Wait).release();
    expect(waits.map(fateOf)).toEqual(['a', 'a', 'waits']);
    leaseOf(waits[1] as Wait).release('failure');
    expect(waits.map(fateOf)).toEqual(['a', 'a', 'a']);
    expect(pool.stats.activeConnections).toBe(1);
    expect(pool.queueStats).toMatchObject({ waiting: 0, served: 3, timedOut: 0, refused: 0, abandoned: 0 });
  });

  test('calls back once, when there is a result', () => {
    const { pool, leases } = busyPool({});
    const wait = join(pool);
    const told: string[] = [];
    wait.whenOver = () => told.push(fateOf(wait));
    expect(told).toEqual([]);
    leases[0].release();
    expect(told).toEqual(['a']);
    leaseOf(wait).release();
    expect(told).toEqual(['a']);
  });

  test('has nobody pass those that wait', () => {
    const { pool, leases } = busyPool({}, 2);
    const first = join(pool);
    leases[0].release();
    expect([fateOf(first), visitOrWait(pool), visit(pool)]).toEqual(['a', 'waits', 'members-full']);
  });

  test('takes as many as its limit, and refuses the next', () => {
    const { pool } = busyPool({ limit: 2 });
    const waits = [join(pool), join(pool)];
    expect(visitOrWait(pool)).toBe('queue-full');
    waits[0]?.cancel();
    expect(visitOrWait(pool)).toBe('waits');
    expect(pool.queueStats).toMatchObject({ waiting: 1, refused: 1, abandoned: 2 });
    expect(pool.stats.rejects).toBe(1);
  });

  test('refuses one that has waited for as long as the timeout', async () => {
    const { clock, pool } = busyPool({ timeout: 100 });
    const first = join(pool);
    await clock.advance(60);
    const second = join(pool);
    await clock.advance(39);
    expect([first, second].map(fateOf)).toEqual(['waits', 'waits']);
    await clock.advance(1);
    expect([first, second].map(fateOf)).toEqual(['queue-timeout', 'waits']);
    await clock.advance(60);
    expect([first, second].map(fateOf)).toEqual(['queue-timeout', 'queue-timeout']);
    expect(pool.queueStats).toMatchObject({ waiting: 0, timedOut: 2, served: 0 });
    expect(pool.stats.rejects).toBe(2);
  });

  test('lets go of one that leaves, and the next one moves up', () => {
    const { pool, leases } = busyPool({});
    const waits = [join(pool), join(pool)];
    waits[0]?.cancel();
    waits[0]?.cancel();
    leases[0].release();
    expect(waits.map(fateOf)).toEqual(['waits', 'a']);
    expect(pool.queueStats).toMatchObject({ waiting: 0, served: 1, abandoned: 1 });
  });

  test('takes back the lease of one that leaves before it has used it', () => {
    const { pool, leases } = busyPool({});
    const wait = join(pool);
    leases[0].release();
    wait.cancel();
    expect([fateOf(wait), pool.stats.activeConnections]).toEqual(['a', 0]);
  });

  test('remembers how long those waited that were served', async () => {
    const { clock, pool, leases } = busyPool({});
    join(pool);
    await clock.advance(40);
    leases[0].release();
    expect(pool.queueStats?.waitTime).toMatchObject({ count: 1, max: 40 });
  });

  test('sets no timer that outlives those that wait', async () => {
    const { clock, pool, leases } = busyPool({ timeout: 60_000 });
    const wait = join(pool);
    join(pool);
    wait.cancel();
    leases[0].release();
    await clock.advance(2000);
    expect(clock.pending).toBe(0);
  });

  test('says when clients begin to wait, and when none has for a second', async () => {
    const { clock, pool, leases } = busyPool({});
    const told: boolean[] = [];
    pool.on('queueing', ({ isQueueing }) => told.push(isQueueing));
    const first = join(pool);
    leases[0].release();
    leaseOf(first).release();
    const again = take(pool);
    join(pool).cancel();
    again.release();
    expect(told).toEqual([true]);
    await clock.advance(2000);
    expect(told).toEqual([true, false]);
  });
});

describe('one that waits gets its member as soon as', () => {
  function waiting(queue: QueueSpec = {}) {
    const { pool } = busyPool(queue);
    return { pool, wait: join(pool) };
  }

  test.each([
    ['a member is added', (pool: Pool) => pool.add(spec('b')), 'b'],
    ['a limit is raised', (pool: Pool) => memberOf(pool, 'a').update({ maxConnections: 2 }), 'a'],
    ['a limit is lifted', (pool: Pool) => pool.update({ members: [spec('a')] }), 'a'],
  ])('%s', (_, change, expected) => {
    const { pool, wait } = waiting();
    change(pool);
    expect(fateOf(wait)).toBe(expected);
  });

  test('a member is up again', () => {
    const pool = makePool({
      queue: {},
      healthMonitor: { type: 'tcp', maxRetries: 1, maxRetriesDown: 1, initialHealth: 'up' },
      members: [spec('a', { maxConnections: 1 }), spec('b')],
    });
    pool.recordCheck(memberOf(pool, 'b'), false, 'refused');
    take(pool);
    const wait = join(pool);
    pool.recordCheck(memberOf(pool, 'b'), true, 'ok');
    expect(fateOf(wait)).toBe('b');
  });

  test('a connect that was pending succeeds, where that was the limit', () => {
    const pool = makePool({ queue: {}, members: [spec('a', { maxPending: 1 })] });
    const first = take(pool);
    const [second, third] = [join(pool), join(pool)];
    first.connected();
    expect([second, third].map(fateOf)).toEqual(['a', 'waits']);
    leaseOf(second).countRequest();
    expect(fateOf(third)).toBe('a');
  });
});

describe('one that waits is refused as soon as', () => {
  test.each([
    ['the pool is disabled', (pool: Pool) => pool.update({ enabled: false }), 'disabled'],
    ['the last member is removed', (pool: Pool) => pool.remove('a'), 'no-eligible-member'],
    [
      'the last member is disabled',
      (pool: Pool) => memberOf(pool, 'a').update({ enabled: false }),
      'no-eligible-member',
    ],
    ['the pool has no queue any more', (pool: Pool) => pool.update({ queue: null }), 'members-full'],
  ])('%s', (_, change, expected) => {
    const { pool } = busyPool({});
    const wait = join(pool);
    change(pool);
    expect([fateOf(wait), pool.stats.rejects]).toEqual([expected, 1]);
  });
});

describe('one that waits', () => {
  test('for another member than it has tried does not hold up those behind it', () => {
    const pool = makePool({ queue: {}, members: [spec('a', { maxConnections: 1 }), spec('b', { maxConnections: 1 })] });
    const onA = takeFrom(pool, 'a');
    const onB = takeFrom(pool, 'b');
    const picky = join(pool, { exclude: [memberOf(pool, 'a')] });
    const easy = join(pool);
    onA.release();
    expect([picky, easy].map(fateOf)).toEqual(['waits', 'a']);
    onB.release();
    expect(fateOf(picky)).toBe('b');
    expect(memberOf(pool, 'b').stats.retries).toBe(2);
  });

  test('throws for itself alone', () => {
    const { pool, leases } = busyPool({});
    const errors: unknown[] = [];
    pool.on('strategy-error', ({ cause }) => errors.push(cause));
    const [first, second] = [join(pool), join(pool)];
    const problem = new NotFoundError('x');
    first.whenOver = () => {
      throw problem;
    };
    expect(() => leases[0].release()).not.toThrow();
    leaseOf(first).release();
    expect([fateOf(second), errors]).toEqual(['a', [problem]]);
  });

  test('may give its member back at once, however many wait', () => {
    const { pool, leases } = busyPool({ limit: 20_000 });
    let served = 0;
    for (let turn = 0; turn < 20_000; turn++) {
      const wait = join(pool);
      wait.whenOver = () => {
        served++;
        leaseOf(wait).release();
      };
    }
    leases[0].release();
    expect([served, pool.queueStats?.waiting, pool.stats.activeConnections]).toEqual([20_000, 0, 0]);
  });

  test('is refused where the strategy throws, and nobody else hears of it', () => {
    let throws = false;
    const inner = { prepare: () => ({ pick: () => pick() }), name: 'moody' };
    const pool = makePool({ queue: {}, strategy: inner, members: [spec('a', { maxConnections: 1 })] });
    const pick = () => {
      if (throws) throw new Error('not now');
      return memberOf(pool, 'a');
    };
    const errors: string[] = [];
    pool.on('strategy-error', ({ message }) => errors.push(message));
    const lease = take(pool);
    const wait = join(pool);
    throws = true;
    expect(() => lease.release()).not.toThrow();
    expect([fateOf(wait), errors]).toEqual(['none-picked', ['the strategy threw']]);
  });
});

describe('a change of the queue', () => {
  test('lets those that wait go on waiting, by the new timeout', async () => {
    const { clock, pool } = busyPool({ timeout: 100 });
    const wait = join(pool);
    pool.update({ queue: { timeout: 200 } });
    await clock.advance(150);
    expect(fateOf(wait)).toBe('waits');
    pool.update({ queue: { timeout: 120 } });
    expect(fateOf(wait)).toBe('queue-timeout');
  });

  test('that says the same changes nothing', () => {
    const { pool } = busyPool({ timeout: 100, limit: 3 });
    join(pool);
    pool.update({ queue: { limit: 3, timeout: 100 } });
    expect(pool.queueStats?.waiting).toBe(1);
  });

  test('to a lower limit sends nobody away', () => {
    const { pool, leases } = busyPool({ limit: 3 });
    const waits = [join(pool), join(pool)];
    pool.update({ queue: { limit: 1 } });
    leases[0].release();
    expect([...waits.map(fateOf), visitOrWait(pool)]).toEqual(['a', 'waits', 'queue-full']);
  });
});

test.each([
  [{ limit: 0 }, 'queue.limit', 'an integer from 1 to 2147483647'],
  [{ limit: 1.5 }, 'queue.limit', 'an integer from 1 to 2147483647'],
  [{ timeout: 0 }, 'queue.timeout', 'milliseconds from 1 to 2147483647'],
  [{ size: 1 }, 'queue.size', 'no such field; there are limit, timeout'],
  [true, 'queue', 'an object'],
])('a queue of %j is refused', (queue, path, expected) => {
  expect(refusalOf(() => makePool({ queue: queue as QueueSpec }))).toMatchObject({ path, expected });
});

/** First come, first served: a plain list, looked through from its beginning whenever something ends. */
test('it does what a plain list would, whatever comes', async () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.constant({ do: 'come' as const }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('release' as const), nth: fc.nat(20) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), nth: fc.nat(20) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('pass' as const), time: fc.integer({ min: 1, max: 80 }) }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 80 }), async (room, steps) => {
      const clock = new VirtualClock();
      const members = equal(2).map((member) => ({ ...member, maxConnections: room }));
      const pool = makePool({ queue: { limit: 5, timeout: 100 }, members }, { clock });
      const held: Lease[] = [];
      const list: { wait: Wait; since: number }[] = [];
      const serve = () => {
        for (let entry = list[0]; entry !== undefined && entry.wait.result !== undefined; entry = list[0]) {
          list.shift();
          held.push(leaseOf(entry.wait));
        }
      };
      for (const each of steps) {
        if (each.do === 'come') {
          const expected = held.length < 2 * room ? 'lease' : list.length < 5 ? 'waits' : 'queue-full';
          const result = pool.acquireOrWait();
          const got = 'isWaiting' in result ? 'waits' : result.refused ? result.reason : 'lease';
          expect(got).toBe(expected);
          if ('isWaiting' in result) list.push({ wait: result, since: clock.now() });
          else if (!result.refused) held.push(result);
        } else if (each.do === 'release') {
          const [lease] = held.splice(each.nth % Math.max(1, held.length), 1);
          const first = list[0];
          lease?.release();
          if (lease !== undefined && first !== undefined) expect(first.wait.result?.refused).toBe(false);
          serve();
        } else if (each.do === 'leave') {
          const [entry] = list.splice(each.nth % Math.max(1, list.length), 1);
          entry?.wait.cancel();
        } else {
          await clock.advance(each.time);
          for (let entry = list[0]; entry !== undefined && clock.now() - entry.since >= 100; entry = list[0]) {
            expect(fateOf(entry.wait)).toBe('queue-timeout');
            list.shift();
          }
        }
        expect(list.map(({ wait }) => fateOf(wait))).toEqual(list.map(() => 'waits'));
        expect([pool.queueStats?.waiting, pool.stats.activeConnections]).toEqual([list.length, held.length]);
      }
    }),
    { seed: 5, numRuns: 300 },
  );
});
