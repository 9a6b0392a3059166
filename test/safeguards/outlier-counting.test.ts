import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../src/core/lease.ts';
import type { OutlierDetectionSpec } from '../../src/safeguards/outlier-spec.ts';
import { takeFrom } from '../fixtures/core.ts';
import { answer, named, OutlierStage } from './outlier-stage.ts';

/** Only failures in a row, of three. */
const inARow: OutlierDetectionSpec = { consecutiveFailures: 3, successRate: null };

describe('what counts as a failure', () => {
  test.each([500, 501, 503, 599])('status %i', (status) => {
    const stage = new OutlierStage(inARow);
    stage.answers('a', status, 3);
    expect(stage.out).toBe('a');
  });

  test.each([200, 302, 404, 429, 499])('not status %i', (status) => {
    const stage = new OutlierStage(inARow);
    stage.answers('a', status, 30);
    expect(stage.out).toBe('');
  });

  test('a connect that fails', () => {
    const stage = new OutlierStage(inARow);
    stage.refuses('a', 3);
    expect(stage.out).toBe('a');
  });

  test('an answer that breaks off, whatever its status', () => {
    const stage = new OutlierStage(inARow);
    for (let time = 0; time < 3; time++) {
      const lease = stage.request('a');
      lease.countResponse(200);
      lease.release('failure');
    }
    expect(stage.out).toBe('a');
  });

  test.each<Outcome>(['ignored', 'aborted'])("not what ends '%s', which does not break a row either", (outcome) => {
    const stage = new OutlierStage(inARow);
    for (let time = 0; time < 30; time++) takeFrom(stage.pool, 'a').release(outcome);
    expect(stage.out).toBe('');
    stage.answers('a', 500, 2);
    takeFrom(stage.pool, 'a').release(outcome);
    stage.answers('a', 500);
    expect(stage.out).toBe('a');
  });

  // Envoy, circuit_breakers_integration_test.cc, CircuitBreakersWithOutlierDetection.
  test('not a client that a limit of ours has turned away', () => {
    const members = named('a', 'b').map((member) => ({ ...member, maxRequests: 1 }));
    const stage = new OutlierStage(inARow, { members });
    for (const id of ['a', 'b']) stage.request(id).countRequest();
    for (let time = 0; time < 30; time++) expect(stage.pool.acquire()).toMatchObject({ reason: 'circuit-limits' });
    expect([stage.out, stage.events]).toEqual(['', []]);
  });

  test('what the classifier of the pool says', () => {
    const stage = new OutlierStage(inARow, { classify: ({ status }) => (status === 404 ? 'failure' : 'ignored') });
    stage.answers('a', 500, 10);
    expect(stage.out).toBe('');
    stage.answers('a', 404, 2);
    stage.answers('a', 200);
    stage.answers('a', 404);
    expect(stage.out).toBe('a');
  });
});

describe('a row of failures', () => {
  test('ejects at its length, and not before', () => {
    const stage = new OutlierStage(inARow);
    stage.answers('a', 500, 2);
    expect(stage.out).toBe('');
    stage.answers('a', 500);
    expect([stage.out, stage.member('a').status]).toEqual(['a', 'error']);
    expect(stage.member('a').statusReason).toBe('ejected for 30 s: 3 consecutive failures');
  });

  test('is one of each member', () => {
    const stage = new OutlierStage(inARow);
    stage.answers('a', 500, 2);
    stage.answers('b', 500, 2);
    stage.answers('b', 200);
    stage.answers('a', 500);
    expect(stage.out).toBe('a');
  });

  test('goes by when leases end', () => {
    const stage = new OutlierStage(inARow);
    const [first, second, third, fourth] = [1, 2, 3, 4].map(() => stage.request('a'));
    if (!first || !second || !third || !fourth) throw new Error('no leases');
    answer(fourth, 500);
    answer(third, 500);
    answer(first, 200);
    answer(second, 500);
    expect(stage.out).toBe('');
  });

  test('lasts over intervals', async () => {
    const stage = new OutlierStage(inARow);
    stage.answers('a', 500, 2);
    await stage.at(100_000);
    stage.answers('a', 500);
    expect(stage.out).toBe('a');
  });

  test('starts anew after an ejection', async () => {
    const stage = new OutlierStage(inARow);
    stage.answers('a', 500, 3);
    await stage.at(30_000);
    stage.answers('a', 500, 2);
    expect(stage.out).toBe('');
    stage.answers('a', 500);
    expect(stage.out).toBe('a');
  });

  test('starts anew where it could not eject', () => {
    const stage = new OutlierStage(inARow, { members: named('a') });
    stage.answers('a', 500, 8);
    expect(stage.events).toHaveLength(2);
    stage.answers('a', 500);
    expect(stage.events).toHaveLength(3);
  });

  test('is not watched where its length is 0', () => {
    const stage = new OutlierStage({ consecutiveFailures: 0, successRate: null });
    stage.answers('a', 500, 1000);
    stage.refuses('a', 1000);
    expect(stage.events).toEqual([]);
  });
});

describe('a row of gateway failures', () => {
  const gateway: OutlierDetectionSpec = { consecutiveFailures: 0, consecutiveGatewayFailures: 3, successRate: null };

  test.each([502, 503, 504])('consists of status %i', (status) => {
    const stage = new OutlierStage(gateway);
    stage.answers('a', status, 3);
    expect(stage.events).toEqual(['a out: consecutive-gateway-failures, 30000']);
  });

  test('consists of failed connects and broken connections', () => {
    const stage = new OutlierStage(gateway);
    stage.refuses('a', 2);
    stage.request('a').release('failure');
    expect(stage.member('a').statusReason).toBe('ejected for 30 s: 3 consecutive gateway failures');
  });

  test.each([500, 501, 505, 200])('is broken by status %i', (status) => {
    const stage = new OutlierStage(gateway);
    stage.answers('a', 503, 2);
    stage.answers('a', status);
    stage.answers('a', 503, 2);
    expect(stage.out).toBe('');
  });

  test('consists of connections that break, too', () => {
    const stage = new OutlierStage(gateway);
    stage.breaks('a', 3);
    expect(stage.out).toBe('a');
  });

  test('is broken by a connection that stands', () => {
    const stage = new OutlierStage(gateway);
    stage.refuses('a', 2);
    stage.connection('a');
    stage.refuses('a', 2);
    expect(stage.out).toBe('');
  });

  test('starts anew where it could not eject', () => {
    const stage = new OutlierStage(gateway, { members: named('a') });
    stage.answers('a', 503, 8);
    expect(stage.events).toHaveLength(2);
    stage.answers('a', 503);
    expect(stage.events).toHaveLength(3);
  });

  test('is looked at before one of all failures', () => {
    const stage = new OutlierStage({ consecutiveFailures: 3, consecutiveGatewayFailures: 3 });
    stage.answers('a', 503, 3);
    expect(stage.events).toEqual(['a out: consecutive-gateway-failures, 30000']);
  });
});

describe('a connect that succeeds, of TCP', () => {
  test('breaks a row at once, long before the connection ends', () => {
    const stage = new OutlierStage(inARow);
    stage.refuses('a', 2);
    stage.connection('a');
    stage.refuses('a', 2);
    expect(stage.out).toBe('');
  });

  test('does not, if the connection then breaks', () => {
    const stage = new OutlierStage(inARow);
    stage.refuses('a', 2);
    stage.breaks('a');
    expect(stage.member('a').statusReason).toBe('ejected for 30 s: 3 consecutive failures');
  });

  test('again and again, and breaks each time, ejects', () => {
    const stage = new OutlierStage(inARow);
    stage.breaks('a', 2);
    expect(stage.out).toBe('');
    stage.breaks('a');
    expect(stage.out).toBe('a');
  });

  test('ejects in the same way where two connections stand at a time', () => {
    const stage = new OutlierStage({ consecutiveFailures: 5, successRate: null });
    for (let round = 1; round <= 2; round++) {
      for (const connection of [stage.connection('a'), stage.connection('a')]) connection.release('failure');
    }
    expect(stage.out).toBe('');
    const [fifth] = [stage.connection('a'), stage.connection('a')];
    fifth?.release('failure');
    expect(stage.out).toBe('a');
  });

  test('does not break a row once more when the connection ends well', () => {
    const stage = new OutlierStage(inARow);
    const old = stage.connection('a');
    stage.refuses('a', 2);
    old.release('success');
    stage.refuses('a');
    expect(stage.out).toBe('a');
  });

  test('has broken a row for good after an interval or two, though the connection then breaks', async () => {
    const stage = new OutlierStage(inARow);
    stage.refuses('a', 2);
    const [soon, late] = [stage.connection('a'), stage.connection('a')];
    await stage.at(19_999);
    expect(stage.out).toBe('');
    await stage.at(7_200_000);
    soon.release('failure');
    late.release('failure');
    expect(stage.out).toBe('');
    stage.refuses('a');
    expect(stage.out).toBe('a');
  });

  test('has not within an interval', async () => {
    const stage = new OutlierStage(inARow);
    stage.refuses('a', 2);
    const connection = stage.connection('a');
    await stage.at(19_999);
    connection.release('failure');
    expect(stage.out).toBe('a');
  });

  test('followed by an answer of 5xx does not break a row either', () => {
    const stage = new OutlierStage(inARow);
    for (let time = 0; time < 3; time++) answer(stage.connection('a'), 500);
    expect(stage.out).toBe('a');
  });

  test('counts for a success in the rates, until the connection breaks', async () => {
    const stage = new OutlierStage(
      {
        consecutiveFailures: 0,
        successRate: null,
        failurePercentage: { threshold: 100, minMembers: 1, minRequests: 10 },
      },
      { members: named('a', 'b') },
    );
    stage.breaks('a', 10);
    for (let time = 0; time < 10; time++) stage.connection('b');
    await stage.at(10_000);
    expect(stage.events).toEqual(['a out: failure-percentage, 30000']);
  });

  test.each([false, true])(
    'does not count twice where the connection ends well, apart or not: %s',
    async (splitLocalOrigin) => {
      const failurePercentage = { threshold: 50, minMembers: 1, minRequests: 20 };
      const noRows = { consecutiveFailures: 0, consecutiveLocalOriginFailures: 0, successRate: null };
      const stage = new OutlierStage({ ...noRows, splitLocalOrigin, failurePercentage });
      for (let time = 0; time < 10; time++) stage.connection('a').release();
      stage.refuses('a', 10);
      await stage.at(10_000);
      expect(stage.out).toBe('a');
    },
  );

  test('has counted in its interval for good where the connection breaks in a later one', async () => {
    const failurePercentage = { threshold: 100, minMembers: 1, minRequests: 10 };
    const stage = new OutlierStage({ consecutiveFailures: 0, successRate: null, failurePercentage });
    const connections = Array.from({ length: 10 }, () => stage.connection('a'));
    await stage.at(15_000);
    for (const connection of connections) connection.release('failure');
    await stage.at(20_000);
    expect(stage.out).toBe('a');
  });
});

describe('where failures of local origin are apart', () => {
  const split: OutlierDetectionSpec = { ...inARow, splitLocalOrigin: true, consecutiveLocalOriginFailures: 4 };

  test('they have a length of their own', () => {
    const stage = new OutlierStage(split);
    stage.refuses('a', 3);
    expect(stage.out).toBe('');
    stage.refuses('a');
    expect(stage.member('a').statusReason).toBe('ejected for 30 s: 4 consecutive failures without an answer');
  });

  test('their row starts anew where it could not eject', () => {
    const stage = new OutlierStage(split, { members: named('a') });
    stage.refuses('a', 11);
    expect(stage.events).toHaveLength(2);
    stage.refuses('a');
    expect(stage.events).toHaveLength(3);
  });

  test('a row of them does not become one of answers', () => {
    const stage = new OutlierStage(split);
    stage.refuses('a', 2);
    answer(stage.connection('a'), 500);
    stage.answers('a', 500);
    expect(stage.out).toBe('');
    stage.answers('a', 500);
    expect(stage.out).toBe('a');
  });

  test('they can be off', () => {
    const stage = new OutlierStage({ ...split, consecutiveLocalOriginFailures: 0 });
    stage.refuses('a', 100);
    expect(stage.events).toEqual([]);
  });

  test('they do not add to failures that were answered, nor break their row', () => {
    const stage = new OutlierStage(split);
    stage.answers('a', 500, 2);
    stage.refuses('a', 2);
    expect(stage.out).toBe('');
    stage.answers('a', 500);
    expect(stage.member('a').statusReason).toBe('ejected for 30 s: 3 consecutive failures');
  });

  test('any answer breaks their row', () => {
    const stage = new OutlierStage(split);
    for (const status of [200, 500]) {
      stage.refuses('a', 3);
      stage.answers('a', status);
    }
    stage.refuses('a', 3);
    expect(stage.out).toBe('');
  });

  test('they are no gateway failures', () => {
    const stage = new OutlierStage({ ...split, consecutiveGatewayFailures: 2 });
    stage.refuses('a', 3);
    expect(stage.out).toBe('');
    stage.answers('a', 503, 2);
    expect(stage.events).toEqual(['a out: consecutive-gateway-failures, 30000']);
  });

  test('connections that stand and break are some', () => {
    const stage = new OutlierStage(split);
    stage.breaks('a', 3);
    expect(stage.out).toBe('');
    stage.breaks('a');
    expect(stage.out).toBe('a');
  });

  test('a connection that ends well says nothing of answers', () => {
    const stage = new OutlierStage(split);
    stage.answers('a', 500, 2);
    stage.connection('a').release();
    stage.answers('a', 500);
    expect(stage.out).toBe('a');
  });

  test('a connection of which an answer is told, after all, is judged by it', () => {
    const stage = new OutlierStage(split);
    for (let time = 0; time < 3; time++) answer(stage.connection('a'), 500);
    expect(stage.events).toEqual(['a out: consecutive-failures, 30000']);
  });

  test('they have rates of their own', async () => {
    const failurePercentage = { threshold: 60, minMembers: 1, minRequests: 10 };
    const off = { consecutiveFailures: 0, consecutiveLocalOriginFailures: 0, successRate: null };
    const stage = new OutlierStage({ ...off, splitLocalOrigin: true, failurePercentage });
    // 5 of 10 answers are bad, and 10 of 20 requests have one.
    stage.answers('a', 200, 5);
    stage.answers('a', 500, 5);
    stage.refuses('a', 10);
    await stage.at(10_000);
    expect(stage.events).toEqual([]);
    stage.answers('a', 200, 4);
    stage.answers('a', 500, 6);
    await stage.at(20_000);
    expect(stage.events).toEqual(['a out: failure-percentage, 30000']);
  });
});

describe('an interval', () => {
  const settings: OutlierDetectionSpec = {
    consecutiveFailures: 0,
    successRate: null,
    failurePercentage: { threshold: 50, minMembers: 2, minRequests: 10 },
  };

  test('counts for itself', async () => {
    const stage = new OutlierStage(settings);
    for (let interval = 1; interval <= 5; interval++) {
      stage.answers('a', 500, 9);
      stage.answers('b', 200, 9);
      await stage.at(interval * 10_000);
    }
    expect(stage.events).toEqual([]);
    stage.answers('a', 500, 10);
    stage.answers('b', 200, 10);
    await stage.at(59_999);
    expect(stage.out).toBe('');
    await stage.at(60_000);
    expect(stage.out).toBe('a');
  });

  test('begins with the first lease that ends after an idle one', async () => {
    const stage = new OutlierStage(settings);
    await stage.at(3_333);
    stage.answers('a', 500, 10);
    stage.answers('b', 200, 10);
    await stage.at(13_332);
    expect(stage.out).toBe('');
    await stage.at(13_333);
    expect(stage.out).toBe('a');
  });

  test('does not count what was before an ejection that is over', async () => {
    const short = { ...settings, consecutiveFailures: 20, baseEjectionTime: 1_000 };
    const stage = new OutlierStage(short);
    stage.answers('a', 500, 20);
    await stage.at(1_000);
    stage.answers('a', 200, 10);
    stage.answers('b', 200, 10);
    await stage.at(10_000);
    expect(stage.stats.ejections).toBe(1);
  });

  test('leaves members out that do not serve', async () => {
    const stage = new OutlierStage(
      { ...settings, failurePercentage: { threshold: 50, minMembers: 3, minRequests: 10 } },
      {
        members: named('a', 'b', 'c'),
      },
    );
    stage.answers('a', 500, 10);
    stage.answers('b', 200, 10);
    stage.answers('c', 200, 10);
    stage.member('c').update({ enabled: false });
    await stage.at(10_000);
    expect(stage.events).toEqual([]);
  });
});

describe('timers', () => {
  test('run only while leases end', async () => {
    const stage = new OutlierStage();
    expect(stage.clock.pending).toBe(0);
    const lease = stage.request('a');
    expect(stage.clock.pending).toBe(0);
    answer(lease, 200);
    expect(stage.clock.pending).toBe(1);
    await stage.at(10_000);
    expect(stage.clock.pending).toBe(1);
    await stage.at(20_000);
    expect(stage.clock.pending).toBe(0);
  });

  test('run while members are ejected, and until the next ejection would be as short as the first', async () => {
    const stage = new OutlierStage();
    stage.answers('a', 500, 5);
    expect(stage.clock.pending).toBe(2);
    await stage.at(29_999);
    expect(stage.clock.pending).toBe(1);
    await stage.at(30_000);
    expect([stage.out, stage.clock.pending]).toEqual(['', 1]);
    await stage.at(40_000);
    expect(stage.clock.pending).toBe(0);
  });

  test('do not run for leases of members that are ejected or gone', async () => {
    const stage = new OutlierStage({ baseEjectionTime: 60_000 }, { members: named('a', 'b', 'c') });
    const late = [stage.request('a'), stage.request('b')];
    stage.pool.remove('b');
    stage.answers('a', 500, 5);
    await stage.at(20_000);
    expect(stage.clock.pending).toBe(1);
    for (const lease of late) answer(lease, 200);
    expect(stage.clock.pending).toBe(1);
  });

  test('do not keep a process alive', () => {
    const stage = new OutlierStage();
    let background = 0;
    const { setTimeout } = stage.clock;
    stage.clock.setTimeout = (callback, delay) => {
      const timer = setTimeout.call(stage.clock, callback, delay) as { unref?: () => void };
      timer.unref = () => background++;
      return timer;
    };
    stage.answers('a', 500, 5);
    expect([stage.clock.pending, background]).toEqual([2, 2]);
  });

  test('are looked at once an interval, not for each lease', () => {
    const stage = new OutlierStage();
    let reads = 0;
    const { now } = stage.clock;
    stage.clock.now = () => {
      reads++;
      return now.call(stage.clock);
    };
    stage.answers('a', 200, 1000);
    stage.answers('b', 500, 4);
    expect(reads).toBe(1);
  });
});
