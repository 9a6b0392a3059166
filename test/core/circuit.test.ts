import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Circuit, type CountedLease, uncounted } from '../../src/core/circuit.ts';
import type { Lease, Outcome } from '../../src/core/lease.ts';
import type { Member } from '../../src/core/member.ts';
import { type MemberSettings, type MemberUpdate, unlimited } from '../../src/core/member-spec.ts';
import type { Pool } from '../../src/core/pool.ts';
import { equal, makePool, memberOf, refusalOf, spec, take, visit } from '../fixtures/core.ts';

/** A pool with one member of these limits. */
function limited(settings: MemberSettings): { readonly pool: Pool; readonly member: Member } {
  const pool = makePool({ members: [spec('a', settings)] });
  return { pool, member: memberOf(pool, 'a') };
}

const retry = { exclude: [] };

describe('maxPending', () => {
  test('is how many connections may be on their way: one less is taken, one more refused', () => {
    const { pool } = limited({ maxPending: 2 });
    take(pool);
    const second = visit(pool);
    take(pool);
    expect([second, visit(pool)]).toEqual(['a', 'circuit-limits']);
  });

  test.each([
    ['connected', (lease: Lease) => lease.connected()],
    ['connected for a request', (lease: Lease) => lease.connectedForRequest()],
    ['resumed', (lease: Lease) => lease.resumed()],
    ['given a request, on a connection that was kept', (lease: Lease) => lease.countRequest()],
    ['released', (lease: Lease) => lease.release()],
    ['released as failed', (lease: Lease) => lease.release('failure')],
  ])('has room again when a lease is %s', (_, step) => {
    const { pool, member } = limited({ maxPending: 1 });
    const lease = take(pool);
    const before = [visit(pool), member.circuit?.pending];
    step(lease);
    expect([before, visit(pool), member.circuit?.pending]).toEqual([['circuit-limits', 1], 'a', 0]);
  });

  test('does not count connections that stand', () => {
    const { pool, member } = limited({ maxPending: 1 });
    for (let count = 0; count < 5; count++) take(pool).connected();
    expect([member.circuit?.pending, member.stats.activeConnections]).toEqual([0, 5]);
  });
});

describe('maxRequests', () => {
  function ask(pool: Pool): Lease {
    const lease = take(pool);
    lease.connectedForRequest();
    lease.countRequest();
    return lease;
  }

  test('is how many requests may be under way: one less is taken, one more refused', () => {
    const { pool } = limited({ maxRequests: 2 });
    ask(pool);
    const second = visit(pool);
    ask(pool);
    expect([second, visit(pool)]).toEqual(['a', 'circuit-limits']);
  });

  test('has room again when a request is over, however it ended', () => {
    for (const outcome of ['success', 'failure', 'ignored', 'aborted'] as const) {
      const { pool, member } = limited({ maxRequests: 1 });
      ask(pool).release(outcome);
      expect([visit(pool), member.circuit?.requests]).toEqual(['a', 0]);
    }
  });

  test('counts a request once, also one that is sent twice on the same lease', () => {
    const { pool, member } = limited({ maxRequests: 5 });
    const lease = ask(pool);
    lease.countRequest();
    expect([member.circuit?.requests, member.stats.requests]).toEqual([1, 2]);
    lease.release();
    expect(member.circuit?.requests).toBe(0);
  });

  test('holds for requests that come all at once, before any connection stands', () => {
    const { pool } = limited({ maxRequests: 3 });
    const results = Array.from({ length: 10 }, () => pool.acquire());
    const leases = results.filter((result): result is Lease => !result.refused);
    for (const lease of leases) lease.connectedForRequest();
    for (const lease of leases) lease.countRequest();
    expect([leases.length, visit(pool)]).toEqual([3, 'circuit-limits']);
  });

  test('does not count clients without requests, once they are connected', () => {
    const { pool, member } = limited({ maxRequests: 1 });
    for (let count = 0; count < 5; count++) take(pool).connected();
    expect([visit(pool), member.circuit?.requests]).toEqual(['a', 0]);
  });

  test('does not count a request that is told of after the end', () => {
    const { pool, member } = limited({ maxRequests: 1 });
    const lease = take(pool);
    lease.release('failure');
    lease.countRequest();
    expect([member.circuit?.requests, visit(pool)]).toEqual([0, 'a']);
  });
});

describe('maxRetries', () => {
  test('is how many retries it may hold: one less is taken, one more refused, and first tries go on', () => {
    const { pool } = limited({ maxRetries: 2 });
    take(pool, retry);
    const second = visit(pool, retry);
    take(pool, retry);
    expect([second, visit(pool, retry), visit(pool)]).toEqual(['a', 'circuit-limits', 'a']);
  });

  test('of 0 takes first tries only', () => {
    const { pool } = limited({ maxRetries: 0 });
    expect([visit(pool), visit(pool, retry)]).toEqual(['a', 'circuit-limits']);
  });

  test('holds a retry from its pick to its end', () => {
    const { pool, member } = limited({ maxRetries: 1 });
    const lease = take(pool, retry);
    lease.connectedForRequest();
    lease.countRequest();
    const before = [visit(pool, retry), member.circuit?.retries];
    lease.release('failure');
    expect([before, visit(pool, retry), member.circuit?.retries]).toEqual([['circuit-limits', 1], 'a', 0]);
  });
});

describe('limits of a member', () => {
  test('send clients to others, and refuse them only where none has room', () => {
    const pool = makePool({ members: [spec('a', { maxPending: 1 }), spec('b', { maxPending: 2 })] });
    const members = Array.from({ length: 3 }, () => take(pool).member.id);
    expect([members.toSorted(), visit(pool)]).toEqual([['a', 'b', 'b'], 'circuit-limits']);
  });

  test('are told from connections: where all hold as many as they may, they are full', () => {
    const pool = makePool({
      members: [spec('a', { maxConnections: 1, maxPending: 1 }), spec('b', { maxConnections: 1 })],
    });
    take(pool);
    take(pool);
    const full = visit(pool);
    memberOf(pool, 'a').update({ maxConnections: 2 });
    expect([full, visit(pool)]).toEqual(['members-full', 'circuit-limits']);
  });

  test('are told from members that were tried', () => {
    const { pool, member } = limited({ maxPending: 1 });
    take(pool);
    expect([visit(pool, { exclude: [member] }), visit(pool)]).toEqual(['members-tried', 'circuit-limits']);
  });

  test('count whom they turn away in the books of the pool', () => {
    const pool = makePool({ members: [spec('a', { maxPending: 1 }), spec('b', { maxPending: 1 })] });
    take(pool);
    take(pool);
    visit(pool);
    visit(pool, { exclude: [memberOf(pool, 'a')] });
    expect([pool.stats.rejects, ...pool.members.map(({ stats }) => stats.rejects)]).toEqual([2, 0, 0]);
  });

  test.each([
    ['maxPending', [0, -1, 1.5, unlimited + 1, '3']],
    ['maxRequests', [0, -1, 1.5, unlimited + 1, '3']],
    ['maxRetries', [-1, 1.5, unlimited + 1, '3']],
  ] as const)('are checked: %s', (name, values) => {
    const { member } = limited({ maxPending: 7 });
    for (const value of values) {
      const change = { [name]: value } as MemberUpdate;
      expect([refusalOf(() => member.update(change)).path, refusalOf(() => limited(change)).path]).toEqual([
        name,
        `members[0].${name}`,
      ]);
    }
    expect(visit(limited({ [name]: 1 }).pool)).toBe('a');
  });
});

describe("a member's circuit", () => {
  test('is not there where it has no limits but maxConnections', () => {
    const { pool, member } = limited({ maxConnections: 5 });
    take(pool, retry).countRequest();
    expect(member.circuit).toBe(undefined);
  });

  test('says what is in use', () => {
    const { pool, member } = limited({ maxRequests: 10 });
    take(pool);
    take(pool, retry).connected();
    const lease = take(pool, retry);
    lease.connectedForRequest();
    lease.countRequest();
    expect(member.circuit).toMatchObject({ pending: 1, requests: 1, retries: 2, isHalfOpen: false });
  });

  test('comes with its first limit, and does not know of leases from before', () => {
    const { pool, member } = limited({});
    const old = [take(pool, retry), take(pool)];
    member.update({ maxPending: 1, maxRequests: 1, maxRetries: 1 });
    expect([visit(pool), member.circuit]).toMatchObject(['a', { pending: 0, requests: 0, retries: 0 }]);
    const fresh = take(pool);
    old[0]?.connected();
    for (const lease of old) lease.release();
    expect([visit(pool), member.circuit?.pending]).toEqual(['circuit-limits', 1]);
    fresh.release();
    expect(visit(pool)).toBe('a');
  });

  test('knows of their requests from then on', () => {
    const { pool, member } = limited({});
    const old = take(pool);
    member.update({ maxRequests: 1 });
    old.countRequest();
    const during = [member.circuit?.requests, visit(pool)];
    old.release();
    expect([during, member.circuit?.requests, visit(pool)]).toEqual([[1, 'circuit-limits'], 0, 'a']);
  });

  test('stays when its limits go, and goes on counting', () => {
    const { pool, member } = limited({ maxPending: 1 });
    const lease = take(pool);
    member.update({ maxPending: null });
    const second = take(pool);
    const during = member.circuit?.pending;
    member.update({ maxPending: 1 });
    const refused = visit(pool);
    lease.release();
    const still = visit(pool);
    second.release();
    expect([during, refused, still, visit(pool)]).toEqual([2, 'circuit-limits', 'circuit-limits', 'a']);
  });

  test('follows a limit that is lowered below what is in use, and one that is raised', () => {
    const { pool, member } = limited({ maxPending: 3 });
    const leases = [take(pool), take(pool), take(pool)];
    member.update({ maxPending: 2 });
    leases.pop()?.release();
    const full = visit(pool);
    leases.pop()?.release();
    const free = visit(pool);
    member.update({ maxPending: 1 });
    const lowered = visit(pool);
    member.update({ maxPending: 2 });
    expect([full, free, lowered, visit(pool)]).toEqual(['circuit-limits', 'a', 'circuit-limits', 'a']);
  });

  test('is the same through every other change', () => {
    const { pool, member } = limited({ maxPending: 2 });
    take(pool);
    member.update({ weight: 7, priority: 3, address: '10.0.0.9', port: 81 });
    pool.update({ members: [spec('b'), spec('a', { maxPending: 2 })], strategy: 'random' });
    expect(member.circuit?.pending).toBe(1);
  });

  test('comes to 0 when all leases have ended, whatever they and the limits went through, and never holds more than it may', () => {
    const limit = fc.constantFrom<number | null>(null, 1, 2, 3, 5);
    const step = fc.record({
      do: fc.constantFrom(
        'take',
        'retry',
        'connected',
        'connectedForRequest',
        'resumed',
        'countRequest',
        'release',
        'limit',
      ),
      nth: fc.nat(30),
      outcome: fc.constantFrom<Outcome>('success', 'failure', 'ignored', 'aborted'),
      change: fc.record({ maxPending: limit, maxRequests: limit, maxRetries: limit }, { requiredKeys: [] }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), fc.boolean(), (steps, isLimited) => {
        let limits: MemberUpdate = isLimited ? { maxPending: 2, maxRetries: 1, maxRequests: 3 } : {};
        const { pool, member } = limited(limits);
        const leases: Lease[] = [];
        const use = () => ({ pending: 0, requests: 0, retries: 0, ...member.circuit });
        for (const { do: what, nth, outcome, change } of steps) {
          const lease = leases[nth % leases.length];
          if (what === 'take' || what === 'retry') {
            const { pending, requests, retries } = use();
            const { maxPending, maxRequests, maxRetries } = limits;
            const isFree =
              pending < (maxPending ?? unlimited) &&
              pending + requests < (maxRequests ?? unlimited) &&
              (what === 'take' || retries < (maxRetries ?? unlimited));
            const result = pool.acquire(what === 'retry' ? retry : {});
            expect(result.refused ? result.reason : 'a').toBe(isFree ? 'a' : 'circuit-limits');
            if (!result.refused) leases.push(result);
          } else if (what === 'limit') {
            member.update(change);
            limits = { ...limits, ...change };
          } else if (what === 'release') {
            // Some of them again.
            lease?.release(outcome);
          } else {
            lease?.[what]();
          }
          const { pending, requests, retries } = use();
          for (const count of [pending, requests, retries, pending + requests]) {
            expect(count >= 0 && count <= member.stats.activeConnections).toBe(true);
          }
        }
        for (const lease of leases) lease.release();
        expect(use()).toMatchObject({ pending: 0, requests: 0, retries: 0 });
      }),
      { seed: 61, numRuns: 500 },
    );
  });
});

describe('a circuit that is half open', () => {
  const none = { maxPending: unlimited, maxRequests: unlimited, maxRetries: unlimited };

  function taken(circuit: Circuit, isRetry = false): CountedLease {
    const lease = { marks: uncounted };
    circuit.acquired(lease, isRetry);
    return lease;
  }

  test('takes so many at a time', () => {
    const circuit = new Circuit(none);
    circuit.halfOpen(2);
    const first = taken(circuit);
    const between = circuit.permits(false);
    taken(circuit);
    const full = circuit.permits(false);
    circuit.released(first);
    expect([circuit.isHalfOpen, between, full, circuit.permits(false)]).toEqual([true, true, false, true]);
  });

  test('takes any number before and after', () => {
    const circuit = new Circuit(none);
    for (let count = 0; count < 5; count++) taken(circuit);
    const before = [circuit.isHalfOpen, circuit.permits(false)];
    circuit.halfOpen(1);
    taken(circuit);
    circuit.close();
    expect([before, circuit.isHalfOpen, circuit.permits(false)]).toEqual([[false, true], false, true]);
  });

  test('does not count the leases that it had', () => {
    const circuit = new Circuit(none);
    const old = taken(circuit);
    circuit.halfOpen(1);
    const before = circuit.permits(false);
    taken(circuit);
    circuit.released(old);
    expect([before, circuit.permits(false)]).toEqual([true, false]);
  });

  test('holds a trial until its end, connected or not', () => {
    const circuit = new Circuit(none);
    circuit.halfOpen(1);
    const lease = taken(circuit);
    circuit.connected(lease);
    circuit.requested(lease);
    const during = circuit.permits(false);
    circuit.released(lease);
    expect([during, circuit.permits(false)]).toEqual([false, true]);
  });

  test('keeps to its limits as well', () => {
    const circuit = new Circuit({ ...none, maxPending: 1, maxRetries: 0 });
    circuit.halfOpen(5);
    const retries = circuit.permits(true);
    taken(circuit);
    expect([retries, circuit.permits(false)]).toEqual([false, false]);
  });

  test('does not take the trials of an earlier time for its own', () => {
    const circuit = new Circuit(none);
    circuit.halfOpen(1);
    const old = taken(circuit);
    circuit.close();
    circuit.halfOpen(1);
    const before = circuit.permits(false);
    const trial = taken(circuit);
    circuit.released(old);
    const during = circuit.permits(false);
    circuit.released(trial);
    expect([before, during, circuit.permits(false)]).toEqual([true, false, true]);
  });

  test('knows its trials from other leases', () => {
    const circuit = new Circuit(none);
    const before = taken(circuit);
    circuit.halfOpen(1);
    const trial = taken(circuit);
    circuit.connected(trial);
    circuit.requested(trial);
    circuit.close();
    expect([before, trial, taken(circuit)].map((lease) => Circuit.isTrial(lease))).toEqual([false, true, false]);
  });

  test('never has more trials than it may, and comes to 0 however often it opens and closes', () => {
    const step = fc.record({ do: fc.constantFrom('take', 'release', 'open', 'close'), nth: fc.nat(20) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const circuit = new Circuit(none);
        let open: { lease: CountedLease; round: number }[] = [];
        let round = 0;
        let most = unlimited;
        for (const { do: what, nth } of steps) {
          const trials = open.filter((each) => each.round === round && most !== unlimited).length;
          expect(circuit.permits(false)).toBe(trials < most);
          if (what === 'take' && circuit.permits(false)) open.push({ lease: taken(circuit), round });
          if (what === 'open') {
            most = 1 + (nth % 3);
            round++;
            circuit.halfOpen(most);
          }
          if (what === 'close') {
            most = unlimited;
            round++;
            circuit.close();
          }
          const ended = what === 'release' ? open[nth % open.length] : undefined;
          if (ended === undefined) continue;
          circuit.released(ended.lease);
          open = open.filter((each) => each !== ended);
        }
        for (const { lease } of open) circuit.released(lease);
        expect([circuit.pending, circuit.requests, circuit.retries]).toEqual([0, 0, 0]);
        circuit.halfOpen(1);
        expect(circuit.permits(false)).toBe(true);
      }),
      { seed: 62, numRuns: 500 },
    );
  });
});

describe('limits and strategies', () => {
  test.each(['round-robin', 'least-connections', 'random', 'source-ip', 'source-ip-port'] as const)(
    'go together: %s gives every member as many as it may have, and no more',
    (strategy) => {
      const members = equal(5).map((member, index) => ({ ...member, maxPending: index + 1 }));
      const pool = makePool({ members, strategy });
      const address = (number: number) => ({ clientAddress: `192.0.2.${number}`, clientPort: number });
      const results = Array.from({ length: 20 }, (_, number) => pool.acquire(address(number)));
      expect(pool.members.map(({ circuit }) => circuit?.pending)).toEqual([1, 2, 3, 4, 5]);
      expect(results.slice(15).map((result) => result.refused && result.reason)).toEqual(
        Array.from({ length: 5 }, () => 'circuit-limits'),
      );
    },
  );
});
