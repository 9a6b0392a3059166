/**
 * Envoy's own tests, test/common/upstream/outlier_detection_impl_test.cc, where they are about more than its threads and logs. Where a
 * cluster there has one host, there is another here, as the last healthy member is never ejected.
 */
import { describe, expect, test } from 'vitest';
import type { OutlierDetectionSpec } from '../../src/safeguards/outlier-spec.ts';
import { FakeProbe, refusalOf } from '../fixtures/core.ts';
import { answer, named, OutlierStage } from './outlier-stage.ts';

describe('a row of 5xx', () => {
  test('ejects at the fifth, after a success in between (BasicFlow5xxViaHttpCodes)', async () => {
    const stage = new OutlierStage();
    stage.answers('a', 500);
    stage.answers('a', 200);
    stage.answers('a', 500, 4);
    expect(stage.out).toBe('');
    stage.answers('a', 500);
    expect([stage.out, stage.stats.ejected]).toEqual(['a', 1]);
    await stage.at(9_999);
    expect(stage.out).toBe('a');
    await stage.at(30_001);
    expect(stage.out).toBe('');
    stage.answers('a', 500, 4);
    await stage.at(40_000);
    stage.answers('a', 500);
    expect(stage.stats.ejected).toBe(1);
    stage.pool.remove('a');
    const { ejected, ejections, ejectionsByCause } = stage.stats;
    expect([ejected, ejections, ejectionsByCause['consecutive-failures']]).toEqual([0, 2, 2]);
    expect(ejectionsByCause['consecutive-gateway-failures']).toBe(0);
  });

  test('is over when an active check passes, where that is wanted (BasicFlow5xxViaHttpCodesWithActiveHC)', async () => {
    const healthMonitor = { type: new FakeProbe(new OutlierStage().clock) };
    const stage = new OutlierStage({ unejectOnPassedCheck: true }, { healthMonitor });
    for (let round = 1; round <= 3; round++) {
      stage.answers('a', 500);
      stage.answers('a', 200);
      stage.answers('a', 500, 5);
      expect(stage.out).toBe('a');
      await stage.at(stage.clock.now() + 9_999);
      expect(stage.out).toBe('a');
      if (round === 3) break;
      stage.pool.recordCheck(stage.member('a'), true, 'fine');
      expect([stage.out, stage.stats.ejected]).toEqual(['', 0]);
    }
    stage.pool.remove('a');
    expect([stage.stats.ejected, stage.stats.ejections]).toEqual([0, 3]);
  });

  test('can consist of failed connects (BasicFlow5xxViaNonHttpCodes)', async () => {
    const stage = new OutlierStage();
    stage.refuses('a');
    stage.answers('a', 200);
    stage.refuses('a', 4);
    expect(stage.out).toBe('');
    stage.refuses('a');
    expect(stage.out).toBe('a');
    await stage.at(9_999);
    expect(stage.out).toBe('a');
    await stage.at(30_001);
    expect(stage.out).toBe('');
    stage.refuses('a', 4);
    await stage.at(40_000);
    stage.refuses('a');
    expect([stage.out, stage.stats.ejections]).toEqual(['a', 2]);
  });

  test('is broken by every success (ExternalOriginEventsNonSplit)', () => {
    const stage = new OutlierStage({ successRate: null });
    for (let round = 0; round < 100; round++) {
      stage.answers('a', 500);
      stage.answers('a', 200);
    }
    expect(stage.out).toBe('');
    stage.answers('a', 500, 5);
    expect(stage.out).toBe('a');
  });

  test('is broken by a connect that succeeds, for TCP (ConnectSuccessWithOptionalHTTP_OK)', () => {
    const stage = new OutlierStage({ successRate: null });
    for (let round = 0; round < 100; round++) {
      stage.connection('a');
      stage.refuses('a');
    }
    expect(stage.out).toBe('');
  });

  test('is not broken by a connect that succeeds, for HTTP (BasicFlowNonHttpCodesExternalOrigin)', () => {
    const stage = new OutlierStage({ successRate: null });
    for (let round = 0; round < 100; round++) {
      stage.refuses('a');
      stage.answers('a', 200);
    }
    expect(stage.out).toBe('');
    stage.refuses('a');
    stage.request('a');
    stage.refuses('a', 3);
    expect(stage.out).toBe('');
    stage.refuses('a');
    expect(stage.out).toBe('a');
  });

  test('of a timeout that is answered with 500 or not at all, but not with 200 (TimeoutWithHttpCode)', async () => {
    const stage = new OutlierStage({}, { members: named('a', 'b', 'c') });
    stage.answers('a', 500, 5);
    expect(stage.out).toBe('a');
    await stage.at(50_001);
    expect(stage.out).toBe('');
    stage.answers('a', 200, 5);
    expect(stage.out).toBe('');
    stage.refuses('a', 5);
    expect(stage.out).toBe('a');
  });

  test('that goes on while the member is out changes nothing (Consecutive_5xxAlreadyEjected)', async () => {
    const stage = new OutlierStage();
    const late = Array.from({ length: 6 }, () => stage.request('a'));
    stage.answers('a', 500, 5);
    for (const [index, lease] of late.entries()) answer(lease, index === 0 ? 200 : 500);
    expect(stage.events).toEqual(['a out: consecutive-failures, 30000']);
    await stage.at(30_000);
    expect([stage.out, stage.stats.ejections]).toEqual(['', 1]);
  });

  test('ejects once, however many clients see its end (CrossThreadFailRace)', () => {
    const stage = new OutlierStage();
    const leases = Array.from({ length: 10 }, () => stage.request('a'));
    for (const lease of leases) answer(lease, 500);
    expect([stage.stats.ejected, stage.stats.ejections]).toEqual([1, 1]);
  });
});

describe('a row of gateway failures', () => {
  const only: OutlierDetectionSpec = { consecutiveFailures: 0, consecutiveGatewayFailures: 5, successRate: null };

  test('ejects at the fifth, where a 500 in between starts it anew (BasicFlowGatewayFailure)', async () => {
    const stage = new OutlierStage(only);
    stage.answers('a', 503);
    stage.answers('a', 500);
    stage.answers('a', 503, 4);
    expect(stage.out).toBe('');
    stage.answers('a', 503);
    expect(stage.out).toBe('a');
    await stage.at(9_999);
    expect(stage.out).toBe('a');
    await stage.at(30_001);
    expect(stage.out).toBe('');
    stage.answers('a', 503, 4);
    await stage.at(40_000);
    stage.answers('a', 503);
    expect(stage.out).toBe('a');
    stage.pool.remove('a');
    const { ejected, detectedByCause, ejectionsByCause } = stage.stats;
    expect([ejected, detectedByCause['consecutive-gateway-failures']]).toEqual([0, 2]);
    expect([ejectionsByCause['consecutive-gateway-failures'], ejectionsByCause['consecutive-failures']]).toEqual([
      2, 0,
    ]);
  });

  test('and one of 5xx do not add up over an ejection (BasicFlowGatewayFailureAnd5xx)', async () => {
    const stage = new OutlierStage({ consecutiveGatewayFailures: 5 });
    stage.answers('a', 503);
    stage.answers('a', 200);
    stage.answers('a', 503, 5);
    await stage.at(30_001);
    stage.answers('a', 503, 2);
    stage.answers('a', 500, 2);
    expect(stage.out).toBe('');
    stage.answers('a', 500);
    expect(stage.events).toEqual([
      'a out: consecutive-gateway-failures, 30000',
      'a in: time',
      'a out: consecutive-failures, 60000',
    ]);
    const { ejectionsByCause, detectedByCause } = stage.stats;
    expect(ejectionsByCause).toMatchObject({ 'consecutive-gateway-failures': 1, 'consecutive-failures': 1 });
    expect(detectedByCause).toEqual(ejectionsByCause);
  });
});

describe('failures of local origin, apart', () => {
  const split: OutlierDetectionSpec = { splitLocalOrigin: true };

  test('eject, and those that come later do not keep the member out (LargeNumberOfTimeouts)', async () => {
    const stage = new OutlierStage(split);
    const late = Array.from({ length: 10 }, () => stage.request('a'));
    stage.refuses('a', 5);
    expect(stage.out).toBe('a');
    for (const lease of late) lease.release('failure');
    await stage.at(50_001);
    expect(stage.out).toBe('');
    stage.refuses('a', 5);
    expect(stage.out).toBe('a');
  });

  test('eject for longer the second time, and a connect breaks their row (BasicFlowLocalOriginFailure)', async () => {
    const stage = new OutlierStage(split);
    stage.refuses('a', 5);
    expect(stage.stats.ejected).toBe(1);
    await stage.at(9_999);
    expect(stage.out).toBe('a');
    await stage.at(30_001);
    expect(stage.stats.ejected).toBe(0);
    stage.refuses('a', 5);
    await stage.at(40_000);
    expect(stage.stats.ejected).toBe(1);
    await stage.at(90_002);
    expect(stage.stats.ejected).toBe(0);
    stage.refuses('a', 4);
    stage.connection('a');
    stage.refuses('a', 2);
    expect(stage.out).toBe('');
    const { ejections, detectedByCause, ejectionsByCause } = stage.stats;
    expect([ejections, detectedByCause['consecutive-local-origin-failures']]).toEqual([2, 2]);
    expect(ejectionsByCause['consecutive-local-origin-failures']).toBe(2);
  });

  test('leave failures and successes of answers to cancel each other (ExternalOriginEventsWithSplit)', () => {
    const stage = new OutlierStage({ ...split, successRate: null });
    for (let round = 0; round < 100; round++) {
      stage.answers('a', 503);
      stage.answers('a', 200);
    }
    expect(stage.out).toBe('');
    stage.answers('a', 503, 5);
    expect(stage.events).toEqual(['a out: consecutive-failures, 30000']);
  });
});

const five = named('h0', 'h1', 'h2', 'h3', 'h4');

function allAnswer(stage: OutlierStage, times: number): void {
  for (const { id } of stage.pool.members) stage.answers(id, 200, times);
}

function allConnect(stage: OutlierStage, times: number): void {
  for (const { id } of stage.pool.members) for (let time = 0; time < times; time++) stage.connection(id);
}

describe('the success rate', () => {
  test('of 50 % among four of 100 % ejects for 30 s (BasicFlowSuccessRateExternalOrigin)', async () => {
    const stage = new OutlierStage({ consecutiveFailures: 0 }, { members: five });
    allAnswer(stage, 200);
    stage.answers('h4', 503, 200);
    await stage.at(9_999);
    expect(stage.out).toBe('');
    await stage.at(10_000);
    expect(stage.member('h4').statusReason).toBe(
      'ejected for 30 s: success rate 50 %, of all 90 %, too low below 52 %',
    );
    expect(stage.events).toEqual(['h4 out: success-rate, 30000']);
    await stage.at(39_999);
    expect([stage.out, stage.stats.ejected]).toEqual(['h4', 1]);
    await stage.at(40_000);
    expect([stage.out, stage.stats.ejected]).toEqual(['', 0]);
    allAnswer(stage, 25);
    stage.answers('h4', 503, 25);
    await stage.at(60_001);
    expect(stage.stats.ejections).toBe(1);
  });

  test('of connects is apart, where they are split (BasicFlowSuccessRateLocalOrigin)', async () => {
    const stage = new OutlierStage({ splitLocalOrigin: true, consecutiveLocalOriginFailures: 0 }, { members: five });
    allConnect(stage, 200);
    stage.refuses('h4', 200);
    await stage.at(10_000);
    expect(stage.member('h4').statusReason).toBe(
      'ejected for 30 s: rate of answered requests 50 %, of all 90 %, too low below 52 %',
    );
    expect(stage.events).toEqual(['h4 out: local-origin-success-rate, 30000']);
    await stage.at(39_999);
    expect(stage.out).toBe('h4');
    await stage.at(40_000);
    expect(stage.out).toBe('');
    allConnect(stage, 25);
    stage.refuses('h4', 25);
    await stage.at(60_001);
    expect(stage.stats.ejections).toBe(1);
  });

  test('of no members is none (EmptySuccessRate)', async () => {
    const successRate = { minMembers: 1, minRequests: 1 };
    const stage = new OutlierStage({ successRate }, { members: named('a') });
    stage.answers('a', 503, 200);
    stage.pool.remove('a');
    await stage.at(20_000);
    expect(stage.stats.ejections).toBe(0);
  });
});

describe('the failure percentage', () => {
  const only: OutlierDetectionSpec = { consecutiveFailures: 0, successRate: null };

  test('of 83.3 is not enough where 85.7 is (BasicFlowFailurePercentageExternalOrigin)', async () => {
    const stage = new OutlierStage({ ...only, failurePercentage: {} }, { members: five });
    allAnswer(stage, 50);
    stage.answers('h3', 503, 250);
    stage.answers('h4', 503, 300);
    await stage.at(10_000);
    expect(stage.events).toEqual(['h4 out: failure-percentage, 30000']);
    expect(stage.member('h4').statusReason).toBe('ejected for 30 s: 85.7 % of requests failed, too many from 85 % on');
    await stage.at(39_999);
    expect(stage.out).toBe('h4');
    await stage.at(40_000);
    expect(stage.out).toBe('');
    allAnswer(stage, 25);
    stage.answers('h4', 503, 25);
    await stage.at(60_001);
    expect(stage.stats.ejections).toBe(1);
  });

  test('of connects is apart, where they are split (BasicFlowFailurePercentageLocalOrigin)', async () => {
    const stage = new OutlierStage(
      {
        ...only,
        splitLocalOrigin: true,
        consecutiveLocalOriginFailures: 0,
        failurePercentage: { threshold: 40 },
      },
      { members: five },
    );
    allConnect(stage, 200);
    stage.refuses('h4', 200);
    await stage.at(10_000);
    expect(stage.events).toEqual(['h4 out: local-origin-failure-percentage, 30000']);
    await stage.at(39_999);
    expect(stage.out).toBe('h4');
    await stage.at(40_000);
    expect(stage.out).toBe('');
  });
});

describe('the number of members that are ejected', () => {
  test('is 0 again when the one is removed (RemoveWhileEjected)', async () => {
    const stage = new OutlierStage();
    stage.answers('a', 500, 5);
    expect(stage.stats.ejected).toBe(1);
    stage.pool.remove('a');
    expect(stage.stats.ejected).toBe(0);
    await stage.at(9_999);
    expect(stage.events).toEqual(['a out: consecutive-failures, 30000']);
  });

  test('is 0 again when detection is switched off (DestroyWithActive)', () => {
    const [a, b, c, d] = named('a', 'b', 'c', 'd').map((member, index) => ({ ...member, priority: index >> 1 }));
    const members = [a, b, c, d].filter((member) => member !== undefined);
    const stage = new OutlierStage({ maxEjectionPercent: 100 }, { members });
    stage.answers('a', 500, 5);
    stage.answers('c', 500, 5);
    expect(stage.stats.ejected).toBe(2);
    stage.pool.update({ outlierDetection: null });
    expect([stage.out, stage.pool.outlierStats]).toEqual(['', undefined]);
  });

  test('is limited (Overflow)', () => {
    const stage = new OutlierStage({ maxEjectionPercent: 1 }, { members: named('a', 'b', 'c') });
    stage.answers('a', 500, 5);
    expect(stage.out).toBe('a');
    stage.answers('b', 500, 5);
    expect([stage.out, stage.stats.ejected, stage.stats.overflow]).toEqual(['a', 1, 1]);
  });

  test('is not raised where nothing is enforced (NotEnforcing)', () => {
    const stage = new OutlierStage({ enforcing: 0 });
    stage.answers('a', 503, 5);
    const { ejected, ejections, notEnforced, detectedByCause, ejectionsByCause } = stage.stats;
    expect([stage.out, ejected, ejections, notEnforced]).toEqual(['', 0, 0, 1]);
    expect([detectedByCause['consecutive-failures'], ejectionsByCause['consecutive-failures']]).toEqual([1, 0]);
  });
});

describe('leases', () => {
  test('that end when detection is off do nothing (DestroyHostInUse, CrossThreadDestroyRace)', () => {
    const stage = new OutlierStage();
    const leases = Array.from({ length: 5 }, () => stage.request('a'));
    stage.pool.update({ outlierDetection: null });
    for (const lease of leases) answer(lease, 500);
    expect([stage.out, stage.events]).toEqual(['', []]);
  });

  test('that end when their member is gone do nothing (CrossThreadRemoveRace)', () => {
    const stage = new OutlierStage();
    const leases = Array.from({ length: 5 }, () => stage.request('a'));
    stage.pool.remove('a');
    for (const lease of leases) answer(lease, 500);
    expect([stage.stats.ejected, stage.events]).toEqual([0, []]);
  });
});

describe('the time of an ejection', () => {
  test('grows each time and shrinks with each clean interval (EjectTimeBackoff)', async () => {
    const stage = new OutlierStage({ baseEjectionTime: 10_000 });
    const eject = () => stage.answers('a', 500, 5);
    eject();
    await stage.at(10_000);
    expect(stage.out).toBe('');
    eject();
    await stage.at(29_999);
    expect(stage.out).toBe('a');
    await stage.at(30_000);
    expect(stage.out).toBe('');
    eject();
    await stage.at(59_999);
    expect(stage.out).toBe('a');
    await stage.at(60_000);
    expect(stage.out).toBe('');
    await stage.at(80_000);
    eject();
    await stage.at(99_999);
    expect(stage.out).toBe('a');
    await stage.at(100_000);
    expect(stage.out).toBe('');
    await stage.at(610_000);
    eject();
    await stage.at(619_999);
    expect(stage.out).toBe('a');
    await stage.at(620_000);
    expect(stage.out).toBe('');
  });

  test('grows to the longest and no further (MaxEjectTime)', async () => {
    const stage = new OutlierStage({ baseEjectionTime: 10_000, maxEjectionTime: 300_000 });
    for (let round = 1; round <= 40; round++) {
      stage.answers('a', 500, 5);
      expect(stage.member('a').ejection?.duration).toBe(Math.min(round, 30) * 10_000);
      await stage.at(stage.member('a').ejection?.until ?? 0);
      expect(stage.out).toBe('');
    }
  });

  // There, a host whose longest time is 305 s is out for 310 s, as it looks every 10 s only.
  test('is the longest to the millisecond (MaxEjectTimeNotAlligned)', async () => {
    const stage = new OutlierStage({ baseEjectionTime: 10_000, maxEjectionTime: 305_000 });
    for (let round = 1; round <= 40; round++) {
      const start = stage.clock.now();
      stage.answers('a', 500, 5);
      const duration = Math.min(round * 10_000, 305_000);
      await stage.at(start + duration - 1);
      expect(stage.out).toBe('a');
      await stage.at(start + duration);
      expect(stage.out).toBe('');
    }
  });

  test('has a chance of its own added (EjectionTimeJitterIsInRange)', async () => {
    const stage = new OutlierStage({ ejectionJitter: 10_000 }, {}, () => 0.4445);
    stage.answers('a', 500, 5);
    expect(stage.member('a').ejection?.duration).toBe(34_445);
    await stage.at(34_444);
    expect(stage.out).toBe('a');
    await stage.at(34_445);
    expect(stage.out).toBe('');
  });

  test('has none added by default (EjectionTimeJitterIsZeroWhenNotConfigured)', () => {
    const stage = new OutlierStage({}, {}, () => 0.4445);
    stage.answers('a', 500, 5);
    expect(stage.member('a').ejection?.duration).toBe(30_000);
  });

  test('may not be at most shorter than at first (DetectorStaticConfigiInvalidMaxEjectTime)', () => {
    const make = () => new OutlierStage({ interval: 100, baseEjectionTime: 10_000, maxEjectionTime: 3_000 });
    expect(refusalOf(make)).toEqual({
      path: 'outlierDetection.maxEjectionTime',
      value: 3_000,
      expected: 'milliseconds from baseEjectionTime (10000) on',
    });
  });
});
