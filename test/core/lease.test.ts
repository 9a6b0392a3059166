import { describe, expect, test } from 'vitest';
import type { Lease, Outcome } from '../../src/core/lease.ts';
import type { Stats } from '../../src/core/stats.ts';
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

describe('a lease for a request', () => {
  /** What member and pool say after something was done with a lease. */
  function booksAfter(action: (lease: Lease) => void, read: (stats: Stats) => unknown): unknown[] {
    const pool = makePool({ members: [spec('a')] });
    action(take(pool));
    return [memberOf(pool, 'a').stats, pool.stats].map(read);
  }

  for (const [what, action, field] of [
    ['a request', (lease) => lease.countRequest(), 'requests'],
    ['a request without a proper answer', (lease) => lease.countRequestError(), 'requestErrors'],
    ['a request whose client left', (lease) => lease.countAborted(), 'abortedRequests'],
    ['an interim answer', (lease) => lease.countResponse(103), 'responses1xx'],
    ['an answer', (lease) => lease.countResponse(204), 'responses2xx'],
    ['a redirection', (lease) => lease.countResponse(302), 'responses3xx'],
    ["an answer to a client's fault", (lease) => lease.countResponse(404), 'responses4xx'],
    ["an answer of a member's fault", (lease) => lease.countResponse(503), 'responses5xx'],
  ] as const satisfies readonly (readonly [string, (lease: Lease) => void, keyof Stats])[]) {
    test(`counts ${what} on member and pool, and nothing else`, () => {
      const before = booksAfter(
        () => {},
        (stats) => ({ ...stats }),
      );
      const after = booksAfter(action, (stats) => ({ ...stats }));
      expect(after).toEqual(before.map((stats) => ({ ...(stats as Stats), [field]: 1 })));
    });
  }

  test('notes the time to the first byte on member and pool', () => {
    const action = (lease: Lease): void => lease.countFirstByte(12);
    expect(booksAfter(action, ({ timeToFirstByte }) => [timeToFirstByte?.count, timeToFirstByte?.max])).toEqual([
      [1, 12],
      [1, 12],
    ]);
  });

  test('has a histogram on the member that is not that of the pool', () => {
    const pool = makePool({ members: [spec('a'), spec('b')] });
    for (const time of [1, 2]) take(pool).countFirstByte(time);
    const books = [memberOf(pool, 'a').stats, memberOf(pool, 'b').stats, pool.stats];
    expect(books.map(({ timeToFirstByte }) => timeToFirstByte?.count)).toEqual([1, 1, 2]);
  });
});

describe('a lease that a kept connection serves', () => {
  for (const outcome of ['success', 'failure', 'ignored', 'aborted'] as const satisfies readonly Outcome[]) {
    test(`and that ends in '${outcome}' counts neither as a connection nor as a failed connect`, () => {
      const action = (lease: Lease): void => {
        lease.resumed();
        lease.release(outcome);
      };
      expect(countsAfter(action)).toEqual({ active: 0, total: 0, failures: 0 });
    });
  }

  test('counts as active until its end', () => {
    expect(countsAfter((lease) => lease.resumed())).toEqual({ active: 1, total: 0, failures: 0 });
  });

  test('cannot be connected any more', () => {
    const action = (lease: Lease): void => {
      lease.resumed();
      lease.connected();
    };
    expect(countsAfter(action)).toEqual({ active: 1, total: 0, failures: 0 });
  });

  test('keeps the connection that it has, where it was connected before', () => {
    const action = (lease: Lease): void => {
      lease.connected();
      lease.resumed();
      lease.release();
    };
    expect(countsAfter(action)).toEqual({ active: 0, total: 1, failures: 0 });
  });

  test('is not brought back by it after its end', () => {
    const action = (lease: Lease): void => {
      lease.release('ignored');
      lease.resumed();
      lease.release('success');
    };
    expect(countsAfter(action)).toEqual({ active: 0, total: 0, failures: 0 });
  });
});
