import { describe, expect, test } from 'vitest';
import type { OutlierDetectionSpec } from '../../src/safeguards/outlier-spec.ts';
import type { Strategy } from '../../src/strategies/strategy.ts';
import { FakeProbe, memberOf, spec, tally, visit, visits } from '../fixtures/core.ts';
import { answer, named, OutlierStage } from './outlier-stage.ts';

const two: OutlierDetectionSpec = { consecutiveFailures: 2, successRate: null };

function many(count: number): ReturnType<typeof named> {
  return named(...Array.from({ length: count }, (_, index) => `m${index}`));
}

/** Has each of them fail until it would be ejected. */
function failAll(stage: OutlierStage, ...ids: readonly string[]): void {
  for (const id of ids) stage.answers(id, 500, 2);
}

describe('a member that is ejected', () => {
  test('gets no clients', () => {
    const stage = new OutlierStage(two);
    failAll(stage, 'a');
    expect(tally(visits(stage.pool, 10))).toEqual({ b: 10 });
  });

  test('keeps the clients that it has', () => {
    const stage = new OutlierStage(two);
    stage.request('a');
    failAll(stage, 'a');
    expect(stage.member('a').stats.activeConnections).toBe(1);
  });

  test('says so in its status, and the pool in its own', () => {
    const stage = new OutlierStage(two);
    const heard: string[] = [];
    stage.pool.on('member-ejected', ({ member, reason }) => heard.push(`${member.id}: ${reason}`));
    stage.pool.on('member-readmitted', ({ member, by }) => heard.push(`${member.id}: ${by}`));
    stage.pool.on('member-status', ({ member, from, to, reason }) =>
      heard.push(`${member.id} ${from}>${to}: ${reason}`),
    );
    stage.pool.on('status', ({ from, to }) => heard.push(`pool ${from}>${to}`));
    failAll(stage, 'a');
    expect(heard).toEqual([
      'a: ejected for 30 s: 2 consecutive failures',
      'a no-monitor>error: ejected for 30 s: 2 consecutive failures',
      'pool online>degraded',
    ]);
  });

  test('is back to the millisecond', async () => {
    const stage = new OutlierStage(two);
    await stage.at(1_234);
    failAll(stage, 'a');
    await stage.at(31_233);
    expect([stage.out, stage.member('a').status]).toEqual(['a', 'error']);
    await stage.at(31_234);
    expect([stage.out, stage.member('a').status, stage.pool.status]).toEqual(['', 'no-monitor', 'online']);
    expect(stage.events).toEqual(['a out: consecutive-failures, 30000', 'a in: time']);
  });

  test('says why and until when', async () => {
    const stage = new OutlierStage(two);
    await stage.at(1_000);
    failAll(stage, 'a');
    expect(stage.member('a').ejection).toEqual({
      cause: 'consecutive-failures',
      reason: 'ejected for 30 s: 2 consecutive failures',
      duration: 30_000,
      until: 31_000,
    });
  });

  test('has a reason that says fractions of a second, but not of a millisecond', () => {
    const stage = new OutlierStage({ ...two, baseEjectionTime: 1_234.56 });
    failAll(stage, 'a');
    expect(stage.member('a').statusReason).toBe('ejected for 1.235 s: 2 consecutive failures');
  });

  test('does not count what its clients of before make of it, then or later', async () => {
    const stage = new OutlierStage(two);
    const [during, after, afterThat] = [stage.request('a'), stage.request('a'), stage.request('a')];
    failAll(stage, 'a');
    if (during) answer(during, 500);
    await stage.at(30_000);
    if (after) answer(after, 500);
    if (afterThat) answer(afterThat, 500);
    expect(stage.events).toEqual(['a out: consecutive-failures, 30000', 'a in: time']);
  });

  test('is let in at its own time, and not with others', async () => {
    const stage = new OutlierStage({ ...two, maxEjectionPercent: 100 }, { members: many(4) });
    failAll(stage, 'm0');
    await stage.at(5_000);
    failAll(stage, 'm1');
    await stage.at(7_500);
    failAll(stage, 'm2');
    const seen: string[] = [];
    for (const time of [29_999, 30_000, 34_999, 35_000, 37_499, 37_500]) {
      await stage.at(time);
      seen.push(stage.out);
    }
    expect(seen).toEqual(['m0,m1,m2', 'm1,m2', 'm1,m2', 'm2', 'm2', '']);
  });

  test('may be let in before one that was ejected earlier', async () => {
    const stage = new OutlierStage({ ...two, maxEjectionPercent: 100, interval: 1_000_000 }, { members: many(3) });
    failAll(stage, 'm0');
    await stage.at(30_000);
    failAll(stage, 'm0');
    await stage.at(40_000);
    failAll(stage, 'm1');
    await stage.at(70_000);
    expect(stage.out).toBe('m0');
    await stage.at(89_999);
    expect(stage.out).toBe('m0');
    await stage.at(90_000);
    expect(stage.out).toBe('');
  });

  test('can stay out for longer than a timer of the runtime can wait', async () => {
    const longest = 2_147_483_647;
    const stage = new OutlierStage({ ...two, baseEjectionTime: longest, ejectionJitter: 1_000 }, {}, () => 0.5);
    const { setTimeout } = stage.clock;
    let timers = 0;
    stage.clock.setTimeout = (callback, delay) => {
      timers++;
      // As Node does, which warns besides.
      return setTimeout.call(stage.clock, callback, delay > longest ? 1 : delay);
    };
    failAll(stage, 'a');
    timers = 0;
    await stage.at(longest + 499);
    expect(stage.out).toBe('a');
    await stage.at(longest + 500);
    // Once for the ejection, and for two intervals: it is not woken up all the time.
    expect([stage.out, timers]).toEqual(['', 3]);
  });

  test('is let in together with others whose time is over, before anybody hears of it', async () => {
    const stage = new OutlierStage({ ...two, maxEjectionPercent: 100 }, { members: many(3) });
    failAll(stage, 'm0', 'm1');
    let heard: string | undefined;
    stage.pool.once('member-readmitted', () => {
      heard = stage.out;
    });
    await stage.at(30_000);
    expect(heard).toBe('');
  });

  test('needs no longer to be trusted again than it takes to be out for longest', async () => {
    const stage = new OutlierStage({ ...two, baseEjectionTime: 10_000, maxEjectionTime: 30_000 });
    for (let round = 0; round < 20; round++) {
      failAll(stage, 'a');
      await stage.at(stage.member('a').ejection?.until ?? 0);
    }
    // Four times the base time, as Envoy's: one more than the longest.
    await stage.at(stage.clock.now() + 40_000);
    failAll(stage, 'a');
    expect(stage.member('a').ejection?.duration).toBe(10_000);
  });

  test('is let in although a timer fires a little early', async () => {
    const stage = new OutlierStage(two);
    const { setTimeout } = stage.clock;
    stage.clock.setTimeout = (callback, delay) => setTimeout.call(stage.clock, callback, Math.max(0.25, delay - 0.5));
    failAll(stage, 'a');
    await stage.at(29_999.75);
    expect(stage.out).toBe('a');
    await stage.at(30_000);
    expect(stage.out).toBe('');
  });
});

describe('at most so many members', () => {
  test.each([
    [10, 10, 1],
    [10, 19, 1],
    [10, 20, 2],
    [20, 10, 2],
    [33, 10, 3],
    [50, 3, 1],
    [67, 3, 2],
    [100, 10, 9],
    [1, 10, 1],
    [0, 10, 0],
  ])('%i % of %i: %i', (maxEjectionPercent, count, most) => {
    const stage = new OutlierStage({ ...two, maxEjectionPercent }, { members: many(count) });
    failAll(stage, ...stage.pool.members.map(({ id }) => id));
    const { ejected, overflow, ejections } = stage.stats;
    expect([ejected, ejections, overflow]).toEqual([most, most, count - most]);
  });

  test('are ejected at the end of an interval, too', async () => {
    const settings: OutlierDetectionSpec = {
      consecutiveFailures: 0,
      successRate: null,
      failurePercentage: { minMembers: 1, minRequests: 10 },
      maxEjectionPercent: 50,
    };
    const stage = new OutlierStage(settings, { members: many(4) });
    for (const { id } of stage.pool.members) stage.answers(id, 500, 10);
    await stage.at(10_000);
    expect([stage.out, stage.stats.overflow]).toEqual(['m0,m1', 2]);
    expect(stage.events.slice(2)).toEqual([
      'm2 kept: failure-percentage, max-ejection-percent',
      'm3 kept: failure-percentage, max-ejection-percent',
    ]);
  });

  test('are ejected once each, though they are found by two rules', async () => {
    const settings: OutlierDetectionSpec = { consecutiveFailures: 0, failurePercentage: {}, maxEjectionPercent: 100 };
    const stage = new OutlierStage(settings, { members: many(5) });
    for (const { id } of stage.pool.members) stage.answers(id, id === 'm4' ? 500 : 200, 100);
    await stage.at(10_000);
    expect(stage.events).toEqual(['m4 out: success-rate, 30000']);
    expect([stage.stats.ejected, stage.stats.ejections]).toEqual([1, 1]);
  });

  test('may be out at a time: when one is back the next may go', async () => {
    const stage = new OutlierStage(two, { members: many(3) });
    failAll(stage, 'm0', 'm1');
    expect(stage.out).toBe('m0');
    await stage.at(30_000);
    failAll(stage, 'm1');
    expect(stage.out).toBe('m1');
  });

  // Envoy counts over all priorities, and so ejects all of one (the comment in its ejectHost says so).
  test('are ejected of each level of priority', () => {
    const members = named('a', 'b', 'c', 'd', 'e', 'f').map((member, index) => ({
      ...member,
      priority: index < 2 ? 0 : 1,
    }));
    const stage = new OutlierStage({ ...two, maxEjectionPercent: 50 }, { members });
    failAll(stage, 'a', 'b');
    expect(stage.out).toBe('a');
    failAll(stage, 'c', 'd', 'e', 'f');
    expect(stage.out).toBe('a,c,d');
  });

  test('are ejected of the primaries and of the backups, each for themselves', () => {
    const members = named('a', 'b', 'c', 'd').map((member, index) => ({ ...member, backup: index > 1 }));
    const stage = new OutlierStage(two, { members });
    const late = [stage.request('c'), stage.request('c')];
    failAll(stage, 'a', 'b');
    for (const lease of late) if (lease) answer(lease, 500);
    expect(stage.out).toBe('a,c');
    expect(visit(stage.pool)).toBe('b');
  });

  test('does not count those that are drained, disabled or of weight 0', () => {
    const stage = new OutlierStage({ ...two, maxEjectionPercent: 40 }, { members: many(7) });
    failAll(stage, 'm0', 'm1');
    expect(stage.out).toBe('m0,m1');
    // Of 5 in service, 40 % are 2.
    stage.member('m0').update({ enabled: false });
    stage.member('m1').update({ weight: 0 });
    failAll(stage, 'm2', 'm3');
    expect(stage.out).toBe('m0,m1,m2,m3');
    void stage.member('m2').drain();
    failAll(stage, 'm4', 'm5');
    // Of 4, one.
    expect(stage.out).toBe('m0,m1,m2,m3');
    expect(stage.stats).toMatchObject({ ejected: 4, overflow: 2 });
  });
});

describe('the last healthy member', () => {
  // Envoy issue #17504, istio #20135.
  test('is not ejected where it is the only one', () => {
    const stage = new OutlierStage({ ...two, maxEjectionPercent: 100 }, { members: named('a') });
    stage.answers('a', 500, 100);
    expect(visit(stage.pool)).toBe('a');
    expect(stage.stats).toMatchObject({ ejected: 0, ejections: 0, overflow: 50 });
  });

  test('is not ejected where the others are ejected', () => {
    const stage = new OutlierStage({ ...two, maxEjectionPercent: 100 });
    failAll(stage, 'a', 'b');
    expect(stage.events).toEqual(['a out: consecutive-failures, 30000', 'b kept: consecutive-failures, last-healthy']);
  });

  test.each([
    ['down', (stage: OutlierStage) => stage.pool.recordCheck(stage.member('b'), false, 'refused')],
    ['disabled', (stage: OutlierStage) => stage.member('b').update({ enabled: false })],
    ['drained', (stage: OutlierStage) => void stage.member('b').drain()],
    ['of weight 0', (stage: OutlierStage) => stage.member('b').update({ weight: 0 })],
    ['removed', (stage: OutlierStage) => stage.pool.remove('b')],
    ['of another priority', (stage: OutlierStage) => stage.member('b').update({ priority: 1 })],
    ['a backup', (stage: OutlierStage) => stage.member('b').update({ backup: true })],
  ])('is not ejected where the other is %s', (_, change) => {
    const healthMonitor = { type: new FakeProbe(new OutlierStage().clock), maxRetriesDown: 1 };
    const stage = new OutlierStage(two, { healthMonitor });
    change(stage);
    failAll(stage, 'a');
    expect([stage.out, stage.events]).toEqual(['', ['a kept: consecutive-failures, last-healthy']]);
  });
});

describe('when the last one that could serve is gone', () => {
  test.each([
    ['is down', (stage: OutlierStage) => stage.pool.recordCheck(stage.member('b'), false, 'refused')],
    ['is disabled', (stage: OutlierStage) => stage.member('b').update({ enabled: false })],
    ['is drained', (stage: OutlierStage) => void stage.member('b').drain()],
    ['is removed', (stage: OutlierStage) => stage.pool.remove('b')],
    ['is left out of an update', (stage: OutlierStage) => stage.pool.update({ members: named('a') })],
  ])('and %s, one that is ejected is let in before its time', (_, change) => {
    const healthMonitor = { type: new FakeProbe(new OutlierStage().clock), maxRetriesDown: 1 };
    const stage = new OutlierStage(two, { healthMonitor });
    failAll(stage, 'a');
    change(stage);
    expect(stage.events.slice(1)).toEqual(['a in: last-resort']);
    expect([visit(stage.pool), stage.stats.ejected]).toEqual(['a', 0]);
  });

  test('all are let in', () => {
    const stage = new OutlierStage({ ...two, maxEjectionPercent: 100 }, { members: named('a', 'b', 'c') });
    failAll(stage, 'a', 'b');
    const statuses: string[] = [];
    stage.pool.on('status', ({ from, to }) => statuses.push(`${from}>${to}`));
    stage.pool.remove('c');
    expect([stage.out, statuses]).toEqual(['', ['degraded>online']]);
  });

  test('those stay out that are down besides', () => {
    const healthMonitor = { type: new FakeProbe(new OutlierStage().clock), maxRetriesDown: 1 };
    const stage = new OutlierStage(two, { healthMonitor });
    failAll(stage, 'a');
    stage.pool.recordCheck(stage.member('a'), false, 'refused');
    stage.pool.recordCheck(stage.member('b'), false, 'refused');
    expect([stage.out, stage.pool.status]).toEqual(['a', 'error']);
    stage.pool.recordCheck(stage.member('a'), true, 'fine');
    expect(stage.out).toBe('a');
    for (let check = 0; check < 3; check++) stage.pool.recordCheck(stage.member('a'), true, 'fine');
    expect([stage.out, visit(stage.pool)]).toEqual(['', 'a']);
  });

  test('nobody is, where another one comes in the same update', () => {
    const stage = new OutlierStage({ ...two, maxEjectionPercent: 100 }, { members: named('a', 'b', 'c') });
    failAll(stage, 'a', 'c');
    stage.pool.update({ members: [...named('a'), spec('c', { port: 2000, weight: 0 }), spec('d', { port: 3000 })] });
    expect([stage.out, visit(stage.pool)]).toEqual(['a', 'd']);
  });

  test('nobody is, while a backup or another level serves', () => {
    for (const other of [{ backup: true }, { priority: 1 }]) {
      const members = [...named('a', 'b'), spec('c', other)];
      const stage = new OutlierStage(two, { members });
      failAll(stage, 'a');
      stage.pool.remove('b');
      expect([stage.out, visit(stage.pool)]).toEqual(['a', 'c']);
    }
  });

  test('it does not begin on trial', () => {
    const stage = new OutlierStage({ ...two, halfOpen: 1 });
    failAll(stage, 'a');
    stage.pool.remove('b');
    expect([stage.events.at(-1), stage.member('a').circuit?.isHalfOpen ?? false]).toEqual(['a in: last-resort', false]);
  });
});

describe('enforcing', () => {
  /** A strategy without chance. */
  const strategy: Strategy = {
    name: 'first',
    prepare: (members) => ({ pick: (request) => members.find((member) => request.accepts(member)) }),
  };

  test('ejects so many percent of the outliers, by chance', () => {
    const draws = [0.2, 0.199, 0.9, 0];
    const settings = { ...two, enforcing: 20, maxEjectionPercent: 100 };
    const stage = new OutlierStage(settings, { members: many(5), strategy }, () => draws.shift() ?? Number.NaN);
    failAll(stage, 'm0', 'm1', 'm2', 'm3');
    expect([stage.out, draws]).toEqual(['m1,m3', []]);
    expect(stage.stats).toMatchObject({ ejections: 2, notEnforced: 2, overflow: 0 });
    expect(stage.events).toContain('m0 kept: consecutive-failures, not-enforced');
  });

  test('is not asked again when a member fails its trial', async () => {
    let draw = 0;
    const stage = new OutlierStage({ ...two, enforcing: 50, halfOpen: 1 }, { strategy }, () => draw);
    failAll(stage, 'a');
    await stage.at(30_000);
    draw = 0.99;
    stage.answers('a', 500);
    expect(stage.events.at(-1)).toBe('a out: failed-trial, 60000');
  });

  test('draws nothing where all are ejected', () => {
    let draws = 0;
    const stage = new OutlierStage(two, { strategy }, () => ++draws / 10);
    failAll(stage, 'a');
    expect([stage.out, draws]).toEqual(['a', 0]);
  });
});

describe('listeners', () => {
  test('hear of an ejection when it is complete, and may undo it', () => {
    const stage = new OutlierStage(two);
    stage.pool.once('member-ejected', () => stage.pool.update({ outlierDetection: null }));
    failAll(stage, 'a');
    expect([stage.out, stage.pool.status, stage.events.at(-1)]).toEqual(['', 'online', 'a in: switched-off']);
  });

  test('may remove the member, and others, in the middle of an interval', async () => {
    const settings: OutlierDetectionSpec = {
      consecutiveFailures: 0,
      successRate: null,
      failurePercentage: { minMembers: 1, minRequests: 10 },
      maxEjectionPercent: 100,
    };
    const stage = new OutlierStage(settings, { members: many(6) });
    stage.pool.once('member-ejected', () => {
      for (const id of ['m0', 'm2', 'm5']) stage.pool.remove(id);
    });
    for (const { id } of stage.pool.members) stage.answers(id, id === 'm5' ? 200 : 500, 10);
    await stage.at(10_000);
    // The last one that was healthy is gone, and so the rest is let in.
    expect([stage.out, stage.stats.ejected]).toEqual(['', 0]);
    expect(memberOf(stage.pool, 'm1').status).toBe('no-monitor');
  });
});
