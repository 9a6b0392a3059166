import { describe, expect, test } from 'vitest';
import type { OutlierDetectionSpec } from '../../src/safeguards/outlier-spec.ts';
import { FakeProbe, takeFrom, visit } from '../fixtures/core.ts';
import { answer, named, OutlierStage } from './outlier-stage.ts';

const settings: OutlierDetectionSpec = { consecutiveFailures: 2, successRate: null, halfOpen: 1 };

/** A stage on which `a` has been ejected once, and is on trial since 30000. */
async function onTrial(change: OutlierDetectionSpec = {}, ...ids: readonly string[]): Promise<OutlierStage> {
  const stage = new OutlierStage({ ...settings, ...change }, ids.length === 0 ? {} : { members: named(...ids) });
  stage.answers('a', 500, 2);
  await stage.at(30_000);
  stage.events.length = 0;
  return stage;
}

/** Whether a further client may come to `a` now. */
const takes = (stage: OutlierStage): boolean => {
  const others = stage.pool.members.filter(({ id }) => id !== 'a');
  const result = stage.pool.acquire({ exclude: others });
  if (!result.refused) result.release('ignored');
  return !result.refused;
};

describe('a member whose ejection is over, half open', () => {
  test('takes no clients before', async () => {
    const stage = new OutlierStage(settings);
    stage.answers('a', 500, 2);
    await stage.at(29_999);
    expect([stage.out, takes(stage)]).toEqual(['a', false]);
    await stage.at(30_000);
    expect([stage.out, takes(stage)]).toEqual(['', true]);
    expect(stage.events.at(-1)).toBe('a in: time, on trial');
  });

  test('is counted and shown as on trial', async () => {
    const stage = await onTrial();
    expect([stage.stats.onTrial, stage.stats.ejected, stage.member('a').circuit?.isHalfOpen]).toEqual([1, 0, true]);
  });

  test.each([1, 2, 5])('takes at most %i at a time', async (halfOpen) => {
    const stage = await onTrial({ halfOpen });
    for (let client = 0; client < halfOpen; client++) {
      expect(takes(stage)).toBe(true);
      stage.request('a');
    }
    expect(takes(stage)).toBe(false);
  });

  test('turns away with its reason who can go nowhere else', async () => {
    const stage = await onTrial();
    stage.request('a');
    expect(visit(stage.pool, { exclude: [stage.member('b')] })).toBe('circuit-limits');
  });

  test('leaves the other clients to the others', async () => {
    const stage = await onTrial();
    stage.request('a');
    for (let client = 0; client < 10; client++) expect(visit(stage.pool)).toBe('b');
  });

  test('takes all of them once one has succeeded', async () => {
    const stage = await onTrial();
    const lease = stage.request('a');
    expect(takes(stage)).toBe(false);
    answer(lease, 200);
    expect(stage.events).toEqual(['a passed']);
    for (let client = 0; client < 10; client++) stage.request('a');
    expect([stage.stats.onTrial, stage.member('a').circuit?.isHalfOpen]).toEqual([0, false]);
  });

  test('is ejected again by the first that fails, for longer', async () => {
    const stage = await onTrial();
    stage.answers('a', 500);
    expect(stage.events).toEqual(['a out: failed-trial, 60000']);
    expect(stage.member('a').statusReason).toBe('ejected for 60 s: failed on trial');
    await stage.at(89_999);
    expect(stage.out).toBe('a');
    await stage.at(90_000);
    expect(stage.out).toBe('');
    stage.answers('a', 500);
    expect(stage.member('a').ejection?.duration).toBe(90_000);
    expect(stage.stats).toMatchObject({ ejected: 1, onTrial: 0, ejections: 3 });
    expect(stage.stats.ejectionsByCause['failed-trial']).toBe(2);
  });

  test('needs a row of failures again once it has passed', async () => {
    const stage = await onTrial();
    stage.answers('a', 200);
    stage.answers('a', 500);
    expect(stage.out).toBe('');
    stage.answers('a', 500);
    expect(stage.events).toEqual(['a passed', 'a out: consecutive-failures, 60000']);
  });

  test.each(['ignored', 'aborted'] as const)("waits for the next one where one ends '%s'", async (outcome) => {
    const stage = await onTrial();
    takeFrom(stage.pool, 'a').release(outcome);
    expect([stage.events, takes(stage), stage.stats.onTrial]).toEqual([[], true, 1]);
  });

  test('waits for as long as nobody comes, without a timer', async () => {
    const stage = await onTrial();
    await stage.at(50_000);
    expect(stage.clock.pending).toBe(0);
    await stage.at(10_000_000);
    expect(stage.stats.onTrial).toBe(1);
    stage.answers('a', 500);
    expect(stage.events).toEqual(['a out: failed-trial, 60000']);
  });

  test('is not judged by clients of before', async () => {
    const stage = new OutlierStage(settings);
    const old = [stage.request('a'), stage.request('a')];
    stage.answers('a', 500, 2);
    await stage.at(30_000);
    for (const [index, lease] of old.entries()) answer(lease, index === 0 ? 200 : 500);
    expect([stage.stats.onTrial, stage.stats.ejections]).toEqual([1, 1]);
  });

  test('is not judged by those of an earlier trial, who take no place in it either', async () => {
    const stage = await onTrial({ halfOpen: 2 });
    const late = stage.request('a');
    stage.answers('a', 500);
    await stage.at(90_000);
    stage.request('a');
    stage.request('a');
    late.countResponse(200);
    late.countFirstByte(5);
    late.release();
    expect([stage.stats.onTrial, takes(stage)]).toEqual([1, false]);
  });

  test('does not get its next ejection shortened meanwhile', async () => {
    const stage = await onTrial();
    await stage.at(1_000_000);
    stage.answers('a', 500);
    expect(stage.member('a').ejection?.duration).toBe(60_000);
  });

  test('has it shortened after the trial, interval by interval', async () => {
    const stage = await onTrial();
    await stage.at(1_000_000);
    stage.answers('a', 200);
    await stage.at(1_009_999);
    stage.answers('a', 500, 2);
    expect(stage.member('a').ejection?.duration).toBe(60_000);
    const other = await onTrial();
    await other.at(1_000_000);
    other.answers('a', 200);
    await other.at(1_010_000);
    other.answers('a', 500, 2);
    expect(other.member('a').ejection?.duration).toBe(30_000);
  });
});

describe('a trial', () => {
  test('is where the clean time begins', async () => {
    const stage = await onTrial();
    await stage.at(995_000);
    stage.answers('b', 200);
    await stage.at(1_000_000);
    stage.answers('a', 200);
    await stage.at(1_014_999);
    stage.answers('a', 500, 2);
    expect(stage.member('a').ejection?.duration).toBe(60_000);
  });

  test('is passed by an answer that begins well, and need not end', async () => {
    const stage = await onTrial();
    const stream = stage.request('a');
    stream.countResponse(200);
    stream.countFirstByte(5);
    expect(stage.events).toEqual(['a passed']);
    stream.release('failure');
    expect(stage.out).toBe('');
  });

  test('is passed by a connection that is upgraded', async () => {
    const stage = await onTrial();
    const socket = stage.request('a');
    socket.countResponse(101);
    socket.countFirstByte(5);
    expect(stage.events).toEqual(['a passed']);
  });

  test('is not passed by the head of an answer that is a failure', async () => {
    const stage = await onTrial();
    const lease = stage.request('a');
    lease.countResponse(503);
    lease.countFirstByte(5);
    expect(stage.events).toEqual([]);
    lease.release();
    expect(stage.events).toEqual(['a out: failed-trial, 60000']);
  });

  test('is passed by a connection of TCP that stands', async () => {
    const stage = await onTrial();
    stage.connection('a');
    expect([stage.events, takes(stage)]).toEqual([['a passed'], true]);
  });

  test('is failed by it after all where it soon breaks', async () => {
    const stage = await onTrial();
    const connection = stage.connection('a');
    await stage.at(31_000);
    connection.release('failure');
    expect(stage.events).toEqual(['a passed', 'a out: failed-trial, 60000']);
  });

  test('is not failed by it where it breaks an hour later', async () => {
    const stage = await onTrial();
    const connection = stage.connection('a');
    await stage.at(3_600_000);
    connection.release('failure');
    expect(stage.out).toBe('');
  });

  test('is not failed by the head of an answer for one that was not on trial', async () => {
    const stage = await onTrial();
    const lease = stage.request('b');
    lease.countResponse(200);
    lease.countFirstByte(5);
    expect(stage.stats.onTrial).toBe(1);
  });

  test('goes on where no other member is healthy, few clients at a time', async () => {
    const stage = await onTrial();
    stage.pool.remove('b');
    stage.answers('a', 500, 3);
    expect(stage.events).toEqual(Array.from({ length: 3 }, () => 'a kept: failed-trial, last-healthy'));
    expect([stage.stats.onTrial, stage.stats.overflow]).toEqual([1, 3]);
    stage.answers('a', 200);
    expect(stage.stats.onTrial).toBe(0);
  });

  test('goes on where too many others are ejected by then', async () => {
    const stage = await onTrial({}, 'a', 'b', 'c');
    stage.answers('b', 500, 2);
    expect(stage.out).toBe('b');
    stage.answers('a', 500);
    expect([stage.out, stage.stats.onTrial]).toEqual(['b', 1]);
  });

  test('is none that others can rely on: the last one beside it is not ejected', async () => {
    const stage = await onTrial({ maxEjectionPercent: 100 });
    stage.answers('b', 500, 2);
    expect(stage.events).toEqual(['b kept: consecutive-failures, last-healthy']);
    stage.answers('a', 200);
    stage.answers('b', 500, 2);
    expect(stage.out).toBe('b');
  });

  test('is not judged by rates', async () => {
    const stage = await onTrial({ failurePercentage: { minMembers: 1, minRequests: 1 } });
    stage.pool.remove('b');
    stage.answers('a', 500);
    stage.events.length = 0;
    await stage.at(100_000);
    expect(stage.events).toEqual([]);
  });

  test('follows a check that has passed, too', async () => {
    const healthMonitor = { type: new FakeProbe(new OutlierStage().clock) };
    const stage = new OutlierStage({ ...settings, unejectOnPassedCheck: true }, { healthMonitor });
    stage.answers('a', 500, 2);
    stage.pool.recordCheck(stage.member('a'), true, 'fine');
    expect(stage.events.at(-1)).toBe('a in: passed-check, on trial');
  });

  test.each([
    [
      'it is switched off',
      (stage: OutlierStage) => stage.pool.update({ outlierDetection: { ...settings, halfOpen: 0 } }),
    ],
    ['detection is switched off', (stage: OutlierStage) => stage.pool.update({ outlierDetection: null })],
    ['the member has a new address', (stage: OutlierStage) => stage.member('a').update({ port: 9999 })],
    [
      'the member is disabled and enabled again',
      (stage: OutlierStage) => {
        stage.member('a').update({ enabled: false });
        stage.member('a').update({ enabled: true });
      },
    ],
  ])('is over when %s', async (_, change) => {
    const stage = await onTrial();
    stage.request('a');
    change(stage);
    expect([stage.member('a').circuit?.isHalfOpen, takes(stage)]).toEqual([false, true]);
    expect(stage.pool.outlierStats?.onTrial ?? 0).toBe(0);
  });

  test('is over when the member is removed', async () => {
    const stage = await onTrial();
    const lease = stage.request('a');
    stage.pool.remove('a');
    expect(stage.stats.onTrial).toBe(0);
    answer(lease, 500);
    expect(stage.events).toEqual([]);
  });

  test('goes on when other settings change', async () => {
    const stage = await onTrial();
    stage.request('a');
    stage.pool.update({ outlierDetection: { ...settings, halfOpen: 3, interval: 5_000 }, strategy: 'random' });
    stage.member('a').update({ weight: 7 });
    expect([stage.stats.onTrial, takes(stage)]).toEqual([1, false]);
  });

  test('leaves the limits of the member as they are', async () => {
    const stage = await onTrial();
    stage.member('a').update({ maxRequests: 2 });
    stage.answers('a', 200);
    for (let client = 0; client < 2; client++) stage.request('a').countRequest();
    expect(takes(stage)).toBe(false);
  });
});

describe('recovery', () => {
  /** How many of 200 clients that come at once fail at a member that is back and has not recovered. */
  async function failuresAfter(halfOpen: number): Promise<number> {
    const stage = new OutlierStage({ halfOpen, successRate: null }, { members: named('a', 'b', 'c', 'd') });
    stage.answers('a', 500, 5);
    await stage.at(30_000);
    let failures = 0;
    const atOnce = Array.from({ length: 200 }, () => stage.pool.acquire());
    for (const result of atOnce) {
      if (result.refused) continue;
      if (result.member.id === 'a') failures++;
      answer(result, result.member.id === 'a' ? 500 : 200);
    }
    return failures;
  }

  test('costs one client instead of a quarter of all, where the member has not recovered', async () => {
    expect([await failuresAfter(0), await failuresAfter(1)]).toEqual([50, 1]);
  });
});
