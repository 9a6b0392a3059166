import { describe, expect, test } from 'vitest';
import type { Lease, Outcome } from '../../src/core/lease.ts';
import { makePool, memberOf, spec, take } from '../fixtures/core.ts';

/** What the member's counters say after something was done with a lease on it. */
function countsAfter(action: (lease: Lease) => void) {
  const pool = makePool({ members: [spec('a')] });
  action(take(pool));
  const { activeConnections, totalConnections, connectFailures } = memberOf(pool, 'a').stats;
  return { active: activeConnections, total: totalConnections, failures: connectFailures };
}

describe('a lease', () => {
  test('names the member that was picked', () => {
    const pool = makePool({ members: [spec('a')] });
    expect(take(pool).member).toBe(memberOf(pool, 'a'));
  });

  test('is told from a refusal by refused', () => {
    const pool = makePool({ members: [spec('a', { maxConnections: 1 })] });
    expect([pool.acquire().refused, pool.acquire().refused]).toEqual([false, true]);
  });

  test('counts as active from the moment it is taken', () => {
    expect(countsAfter(() => {})).toEqual({ active: 1, total: 0, failures: 0 });
  });

  test('counts as a connection once it is connected', () => {
    expect(countsAfter((lease) => lease.connected())).toEqual({ active: 1, total: 1, failures: 0 });
  });

  test('counts as one connection however often it is said to be connected', () => {
    const action = (lease: Lease): void => {
      lease.connected();
      lease.connected();
    };
    expect(countsAfter(action)).toEqual({ active: 1, total: 1, failures: 0 });
  });

  test('is released once however often it is tried', () => {
    const action = (lease: Lease): void => {
      lease.release();
      lease.release('failure');
    };
    expect(countsAfter(action)).toEqual({ active: 0, total: 1, failures: 0 });
  });

  test('cannot be connected after its end', () => {
    const action = (lease: Lease): void => {
      lease.release('aborted');
      lease.connected();
    };
    expect(countsAfter(action)).toEqual({ active: 0, total: 0, failures: 0 });
  });

  test('ends with success where nothing else is said', () => {
    expect(countsAfter((lease) => lease.release())).toEqual({ active: 0, total: 1, failures: 0 });
  });

  test('is released by using', () => {
    const action = (lease: Lease): void => {
      using _ = lease;
    };
    expect(countsAfter(action)).toEqual({ active: 0, total: 1, failures: 0 });
  });

  for (const [outcome, total, failures] of [
    ['success', 1, 0],
    ['failure', 0, 1],
    ['ignored', 0, 0],
    ['aborted', 0, 0],
  ] as const satisfies readonly (readonly [Outcome, number, number])[]) {
    test(`that ends in '${outcome}' before it was connected counts as ${total} connections and ${failures} failed connects`, () => {
      expect(countsAfter((lease) => lease.release(outcome))).toEqual({ active: 0, total, failures });
    });

    test(`that ends in '${outcome}' after it was connected counts as one connection`, () => {
      const action = (lease: Lease): void => {
        lease.connected();
        lease.release(outcome);
      };
      expect(countsAfter(action)).toEqual({ active: 0, total: 1, failures: 0 });
    });
  }

  test('accounts bytes on member and pool', () => {
    const pool = makePool({ members: [spec('a')] });
    const lease = take(pool);
    lease.countIn(100);
    lease.countIn(20);
    lease.countOut(3000);
    const books = [memberOf(pool, 'a').stats, pool.stats].map(({ bytesIn, bytesOut }) => [bytesIn, bytesOut]);
    expect(books).toEqual([
      [120, 3000],
      [120, 3000],
    ]);
  });

  test('that follows a failed one counts as a retry on the member that it came to', () => {
    const pool = makePool({ members: [spec('a'), spec('b')] });
    const first = take(pool);
    first.release('failure');
    take(pool, { exclude: [first.member] });
    const counts = [memberOf(pool, 'a').stats, memberOf(pool, 'b').stats, pool.stats].map(({ retries }) => retries);
    expect(counts).toEqual([0, 1, 1]);
  });

  test('on a removed member still counts on the pool', () => {
    const pool = makePool({ members: [spec('a')] });
    const lease = take(pool);
    pool.remove('a');
    lease.connected();
    lease.countIn(5);
    lease.release();
    const { activeConnections, totalConnections, bytesIn } = pool.stats;
    expect([activeConnections, totalConnections, bytesIn]).toEqual([0, 1, 5]);
  });
});
