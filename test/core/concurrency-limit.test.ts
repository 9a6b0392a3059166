import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import type { EvenkeelError } from '../../src/core/errors.ts';
import type { Lease } from '../../src/core/lease.ts';
import type { Pool } from '../../src/core/pool.ts';
import type { ConcurrencyAlgorithm } from '../../src/safeguards/concurrency-limit.ts';
import { equal, makePool, take, visit } from '../fixtures/core.ts';

/** An algorithm whose limit is 3, and that notes what it is told. */
function noting() {
  const told: string[] = [];
  const ended = (milliseconds: number, inFlight: number, wasDropped: boolean, now: number): void => {
    told.push(`${milliseconds} ms of ${inFlight} until ${now}${wasDropped ? ', dropped' : ''}`);
  };
  return { told, algorithm: { name: 'noting', start: () => ({ limit: 3, ended }) } satisfies ConcurrencyAlgorithm };
}

function limited(algorithm: ConcurrencyAlgorithm): { pool: Pool; clock: VirtualClock } {
  const clock = new VirtualClock();
  return { clock, pool: makePool({ members: equal(2), concurrencyLimit: algorithm }, { clock }) };
}

describe('a pool with an adaptive limit', () => {
  test('refuses whom it does not permit, and takes the next when one has gone', () => {
    const { pool } = limited(noting().algorithm);
    const leases = [take(pool), take(pool), take(pool)];
    const fourth = visit(pool);
    leases[0]?.release();
    expect([fourth, visit(pool), pool.stats.rejects]).toEqual(['concurrency-limit', 'm1', 1]);
  });

  test.each<readonly [string, (lease: Lease) => void, string]>([
    ['the first byte of an answer, not its end', (lease) => lease.countFirstByte(1), '50 ms of 1 until 50'],
    ['a release with success', (lease) => lease.release(), '50 ms of 1 until 50'],
    ['a failure without an answer', (lease) => lease.release('failure'), '50 ms of 1 until 50, dropped'],
    ['an answer of 503', (lease) => answer(lease, 503), '50 ms of 1 until 50, dropped'],
    ['an answer of 429', (lease) => answer(lease, 429), '50 ms of 1 until 50, dropped'],
  ])('learns from %s', async (_, act, expected) => {
    const { told, algorithm } = noting();
    const { pool, clock } = limited(algorithm);
    const lease = take(pool);
    await clock.advance(50);
    act(lease);
    await clock.advance(50);
    lease.release();
    expect(told).toEqual([expected]);
  });

  test.each<readonly [string, (lease: Lease) => void]>([
    ['a client that left', (lease) => lease.release('aborted')],
    ['a limit of our own', (lease) => lease.release('ignored')],
    ['an answer of 500', (lease) => answer(lease, 500)],
  ])('learns nothing from %s', (_, act) => {
    const { told, algorithm } = noting();
    act(take(limited(algorithm).pool));
    expect(told).toEqual([]);
  });

  test('keeps what it has learned through an update that says the same, and starts anew with another', () => {
    const concurrencyLimit = { type: 'aimd', window: 0 } as const;
    const pool = makePool({ members: equal(1), concurrencyLimit });
    take(pool).release('failure');
    const learned = pool.concurrencyLimitStats?.limit;
    pool.update({ concurrencyLimit: { ...concurrencyLimit } });
    const kept = pool.concurrencyLimitStats?.limit;
    pool.update({ concurrencyLimit: { ...concurrencyLimit, backoff: 0.5 } });
    expect([learned, kept, pool.concurrencyLimitStats?.limit]).toEqual([20, 20, 20]);
  });
});

describe('an algorithm that throws', () => {
  const throwing: ConcurrencyAlgorithm = {
    name: 'throwing',
    start: () => ({
      limit: 10,
      ended: () => {
        throw new Error('not today');
      },
    }),
  };

  test('costs nobody a lease, and is told', () => {
    const { pool } = limited(throwing);
    const errors: EvenkeelError[] = [];
    pool.on('strategy-error', (error) => errors.push(error));
    take(pool).release();
    take(pool).countFirstByte(1);
    expect(errors.map(({ code, cause }) => [code, (cause as Error).message])).toEqual([
      ['ERR_EVENKEEL_STRATEGY', 'not today'],
      ['ERR_EVENKEEL_STRATEGY', 'not today'],
    ]);
    expect(pool.stats.activeConnections).toBe(1);
  });

  test('keeps nobody from draining', async () => {
    const { pool } = limited(throwing);
    const lease = take(pool);
    const drained = lease.member.drain();
    lease.release();
    expect(await drained).toEqual({ remaining: 0 });
  });
});

function answer(lease: Lease, status: number): void {
  lease.countResponse(status);
  lease.release();
}
