import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import type { Member } from '../../src/core/member.ts';
import type { Pool } from '../../src/core/pool.ts';
import type { Wait } from '../../src/core/wait.ts';
import type { Persistence, Strategy } from '../../src/index.ts';
import { makePool, memberOf, spec, take } from '../fixtures/core.ts';
import { fateOf, join } from '../fixtures/waits.ts';

/** A strategy during whose picks something else happens. */
function busybody(during: () => void): Strategy {
  return {
    name: 'busybody',
    prepare: ([first]) => ({
      pick: () => {
        during();
        return first as Member;
      },
    }),
  };
}

function isAtRest(pool: Pool): void {
  expect(pool.stats.activeConnections).toBe(0);
  expect(pool.queueStats?.waiting ?? 0).toBe(0);
}

describe('a client that leaves at the very moment at which a member is chosen for it', () => {
  test('in the queue, leaves no lease behind', () => {
    let wait: Wait | undefined;
    const strategy = busybody(() => wait?.cancel());
    const pool = makePool({ strategy, queue: {}, members: [spec('a', { maxConnections: 1 })] });
    const lease = take(pool);
    wait = join(pool);
    lease.release();
    isAtRest(pool);
  });

  test('after a look into a store, leaves no lease behind', async () => {
    const clock = new VirtualClock();
    let wait: Wait | undefined;
    const persistence: Persistence = {
      name: 'store',
      start: () => ({ find: () => Promise.resolve('a'), keep: () => wait?.cancel() }),
    };
    const pool = makePool({ persistence, members: [spec('b')] }, { clock });
    wait = join(pool);
    await clock.advance(1);
    isAtRest(pool);
    expect(clock.pending).toBe(0);
  });

  test('after a look into a store, does not begin to wait in the queue', async () => {
    const clock = new VirtualClock();
    let wait: Wait | undefined;
    const persistence: Persistence = { name: 'store', start: () => ({ find: async () => 'a', keep: () => {} }) };
    const strategy: Strategy = {
      name: 'leaver',
      prepare: ([first]) => ({
        pick: (request) => {
          wait?.cancel();
          return first !== undefined && request.accepts(first) ? first : undefined;
        },
      }),
    };
    const members = [spec('full', { maxConnections: 1 }), spec('tried')];
    const pool = makePool({ strategy, persistence, queue: {}, members }, { clock });
    const lease = take(pool);
    wait = join(pool, { exclude: [memberOf(pool, 'tried')] });
    await clock.advance(1);
    expect(pool.queueStats).toMatchObject({ waiting: 0, abandoned: 0 });
    lease.release();
    isAtRest(pool);
  });
});

test('one that comes as the last one is turned away is watched by one timer, which goes with it', async () => {
  const clock = new VirtualClock();
  const pool = makePool({ queue: { timeout: 1000 }, members: [spec('a', { maxConnections: 1 })] }, { clock });
  const lease = take(pool);
  const first = join(pool);
  let second: Wait | undefined;
  first.whenOver = () => {
    second = join(pool);
  };
  await clock.advance(1000);
  expect(fateOf(first)).toBe('queue-timeout');
  second?.cancel();
  lease.release();
  // Beside it, only the one that tells when nobody has waited for a second.
  expect(clock.pending).toBe(1);
  isAtRest(pool);
});
