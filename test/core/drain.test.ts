import { describe, expect, test } from 'vitest';
import { type Clock, VirtualClock } from '../../src/core/clock.ts';
import { createPool } from '../../src/core/create-pool.ts';
import type { DrainResult } from '../../src/core/drain.ts';
import { NotFoundError, SpecError } from '../../src/core/errors.ts';
import { makePool, memberOf, rejectionOf, settled, spec, take, takeFrom, visit, visits } from '../fixtures/core.ts';

/** A pool of two whose member `a` has connections, and a note of drains that expire. */
function busy(connections = 1) {
  const clock = new VirtualClock();
  const pool = makePool({ members: [spec('a'), spec('b')] }, { clock });
  const leases = Array.from({ length: connections }, () => takeFrom(pool, 'a'));
  const expired: string[] = [];
  pool.on('drain-expired', ({ member, remaining }) => expired.push(`${clock.now()} ${member.id} ${remaining}`));
  return { clock, pool, leases, expired };
}

/** What a promise has come to by now. */
async function stateOf(promise: Promise<DrainResult>): Promise<string> {
  let state = 'pending';
  promise.then(
    ({ remaining }) => {
      state = `remaining ${remaining}`;
    },
    () => {
      state = 'rejected';
    },
  );
  await settled();
  return state;
}

describe('a draining member', () => {
  test('keeps its clients and takes no new ones', () => {
    const { pool } = busy();
    void pool.drain('a');
    expect([memberOf(pool, 'a').stats.activeConnections, new Set(visits(pool, 5))]).toEqual([1, new Set(['b'])]);
  });

  test('stays in the pool when it is empty', async () => {
    const { pool, leases } = busy();
    const drain = pool.drain('a');
    leases[0]?.release();
    await drain;
    expect(memberOf(pool, 'a').status).toBe('draining');
  });

  test('serves again when it is enabled', () => {
    const { pool } = busy();
    void pool.drain('a');
    memberOf(pool, 'a').update({ enabled: true });
    expect(new Set(visits(pool, 5))).toEqual(new Set(['a', 'b']));
  });

  test('goes on draining when something else of it is changed', () => {
    const { pool } = busy();
    void pool.drain('a');
    memberOf(pool, 'a').update({ weight: 5 });
    expect(memberOf(pool, 'a').status).toBe('draining');
  });

  test('says so in an event', () => {
    const { pool } = busy();
    const heard: string[] = [];
    pool.on('member-status', ({ member, to, reason }) => heard.push(`${member.id} ${to} ${reason}`));
    void pool.drain('a');
    expect(heard).toEqual(['a draining drain requested']);
  });

  test('can be drained by itself', () => {
    const { pool } = busy();
    void memberOf(pool, 'a').drain();
    expect(memberOf(pool, 'a').status).toBe('draining');
  });
});

describe('a drain', () => {
  test('waits for the last connection', async () => {
    const { pool, leases } = busy(2);
    const drain = pool.drain('a');
    leases[0]?.release();
    const before = await stateOf(drain);
    leases[1]?.release();
    expect([before, await stateOf(drain)]).toEqual(['pending', 'remaining 0']);
  });

  test('of an idle member is done at once', async () => {
    const { pool } = busy(0);
    expect(await pool.drain('a')).toEqual({ remaining: 0 });
  });

  test('waits as long as it takes where there is no deadline', async () => {
    const { clock, pool } = busy();
    const drain = pool.drain('a');
    await clock.advance(10 ** 9);
    expect(await stateOf(drain)).toBe('pending');
  });

  test('has not expired one millisecond before its deadline', async () => {
    const { clock, pool, expired } = busy();
    void pool.drain('a', { deadline: 30_000 });
    await clock.advance(29_999);
    expect(expired).toEqual([]);
  });

  test('expires at its deadline and says how many connections are left', async () => {
    const { clock, pool, expired } = busy(3);
    void pool.drain('a', { deadline: 30_000 });
    await clock.advance(30_000);
    expect(expired).toEqual(['30000 a 3']);
  });

  test('that expires resolves with how many connections were left', async () => {
    const { clock, pool } = busy(3);
    const drain = pool.drain('a', { deadline: 30_000 });
    await clock.advance(30_000);
    expect(await stateOf(drain)).toBe('remaining 3');
  });

  test('that expires resolves with what was left even if a listener ends the connections', async () => {
    const { clock, pool, leases } = busy(2);
    pool.on('drain-expired', () => {
      for (const lease of leases) lease.release('aborted');
    });
    const drain = pool.drain('a', { deadline: 10 });
    await clock.advance(10);
    expect(await stateOf(drain)).toBe('remaining 2');
  });

  test('whose deadline is 0 expires at once', async () => {
    const { clock, pool, expired } = busy();
    void pool.drain('a', { deadline: 0 });
    await clock.advance(0);
    expect(expired).toEqual(['0 a 1']);
  });

  test('that is done leaves no timer', async () => {
    const { clock, pool, leases } = busy();
    const drain = pool.drain('a', { deadline: 30_000 });
    leases[0]?.release();
    await drain;
    expect(clock.pending).toBe(0);
  });

  test('takes Infinity for no deadline', async () => {
    const { clock, pool } = busy();
    void pool.drain('a', { deadline: Number.POSITIVE_INFINITY });
    expect(clock.pending).toBe(0);
  });

  test('goes on waiting when the member is removed', async () => {
    const { pool, leases } = busy();
    const drain = pool.drain('a');
    pool.remove('a');
    const before = await stateOf(drain);
    leases[0]?.release();
    expect([before, await stateOf(drain)]).toEqual(['pending', 'remaining 0']);
  });

  test('that was called off by enabling the member ends no connection at its deadline', async () => {
    const { clock, pool, expired } = busy();
    const drain = pool.drain('a', { deadline: 30_000 });
    drain.catch(() => {});
    memberOf(pool, 'a').update({ enabled: true });
    await clock.advance(30_000);
    expect(expired).toEqual([]);
  });

  test('may be asked for twice, and both are told', async () => {
    const { pool, leases } = busy();
    const drains = [pool.drain('a'), pool.drain('a', { deadline: 5000 })];
    leases[0]?.release();
    expect(await Promise.all(drains.map(stateOf))).toEqual(['remaining 0', 'remaining 0']);
  });

  test('of a member that is not there rejects', async () => {
    const { pool } = busy();
    expect((await rejectionOf(pool.drain('x'))) instanceof NotFoundError).toBe(true);
  });

  for (const deadline of [-1, Number.NaN, '5' as unknown as number]) {
    test(`refuses the deadline ${JSON.stringify(deadline)} and changes nothing`, async () => {
      const { pool } = busy();
      const error = await rejectionOf(pool.drain('a', { deadline }));
      expect([error instanceof SpecError, memberOf(pool, 'a').status]).toEqual([true, 'no-monitor']);
    });
  }

  test('never asks a clock for more milliseconds than timers keep', async () => {
    let longest = 0;
    const clock: Clock = {
      now: () => 0,
      setTimeout: (_, delay) => {
        longest = Math.max(longest, delay);
        return undefined;
      },
      clearTimeout: () => {},
    };
    const pool = createPool({ name: 'pool', members: [spec('a')] }, { clock });
    take(pool);
    pool.drain('a', { deadline: 2 ** 31 }).catch(() => {});
    await settled();
    expect(longest).toBeLessThan(2 ** 31);
  });
});

describe("a drain's signal", () => {
  test('stops the waiting with its reason', async () => {
    const { pool } = busy();
    const controller = new AbortController();
    const drain = pool.drain('a', { signal: controller.signal });
    controller.abort(new Error('never mind'));
    expect(((await rejectionOf(drain)) as Error).message).toBe('never mind');
  });

  test('lets the member go on draining', async () => {
    const { pool } = busy();
    const controller = new AbortController();
    const drain = pool.drain('a', { signal: controller.signal });
    controller.abort();
    await rejectionOf(drain);
    expect(visit(pool, { exclude: [memberOf(pool, 'b')] })).toBe('members-tried');
  });

  test('leaves no timer', async () => {
    const { clock, pool } = busy();
    const controller = new AbortController();
    const drain = pool.drain('a', { signal: controller.signal, deadline: 5000 });
    controller.abort();
    await rejectionOf(drain);
    expect(clock.pending).toBe(0);
  });

  test('that is aborted before starts no drain', async () => {
    const { pool } = busy();
    const error = await rejectionOf(pool.drain('a', { signal: AbortSignal.abort(new Error('too late')) }));
    expect([(error as Error).message, memberOf(pool, 'a').status]).toEqual(['too late', 'no-monitor']);
  });

  test('means nothing any more once the drain is done', async () => {
    const { pool, leases } = busy();
    const controller = new AbortController();
    const drain = pool.drain('a', { signal: controller.signal });
    leases[0]?.release();
    await drain;
    controller.abort();
    expect(await drain).toEqual({ remaining: 0 });
  });
});
