import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import { Hedge, type HedgeSpec, readHedge } from '../../src/safeguards/hedge.ts';
import { RetryBudget } from '../../src/safeguards/retry-budget.ts';
import { refusalOf } from '../fixtures/core.ts';

const hedgeOf = (spec: HedgeSpec = {}, clock = new VirtualClock()): Hedge => new Hedge(spec, { clock });

function record(hedge: Hedge, milliseconds: number, times: number): void {
  for (let time = 0; time < times; time++) hedge.record(milliseconds);
}

/** That or a little more: the histogram's precision is a sixteenth, and it is the upper edge that counts. */
function expectNear(delay: number | undefined, milliseconds: number): void {
  expect(delay).toBeGreaterThanOrEqual(milliseconds);
  expect(delay).toBeLessThanOrEqual(milliseconds * (9 / 8));
}

describe('the delay before a hedge', () => {
  // Finagle, BackupRequestFilterTest.scala: 90 requests of 50 ms and 10 of 100.
  test.each([
    [99, 100],
    [90, 50],
  ])("is at percentile %d of Finagle's hundred requests %d ms", (percentile, milliseconds) => {
    const hedge = hedgeOf({ percentile });
    record(hedge, 50, 90);
    record(hedge, 100, 10);
    expectNear(hedge.delay, milliseconds);
  });

  // tower, tests/hedge: eight requests of 1 ms and two of 10; percentile 0.9, 10 data points: not after 10 ms, but after 11.
  test("is 10 ms for tower's ten requests", () => {
    const hedge = hedgeOf({ percentile: 90, minSamples: 10 });
    record(hedge, 1, 8);
    record(hedge, 10, 2);
    expectNear(hedge.delay, 10);
    expect(hedge.delay).toBeLessThanOrEqual(11);
  });

  test('is a millisecond at least', () => {
    const hedge = hedgeOf();
    record(hedge, 0.02, 100);
    expect(hedge.delay).toBe(1);
  });

  test('is what was asked for at least', () => {
    const hedge = hedgeOf({ minDelay: 30 });
    record(hedge, 10, 100);
    expect(hedge.delay).toBe(30);
  });

  test('is unknown until there are samples enough', () => {
    const hedge = hedgeOf({ minSamples: 5 });
    record(hedge, 10, 4);
    expect(hedge.delay).toBeUndefined();
    hedge.record(10);
    expectNear(hedge.delay, 10);
  });

  test('follows the samples', () => {
    const hedge = hedgeOf({ percentile: 95 });
    record(hedge, 10, 1000);
    expectNear(hedge.delay, 10);
    record(hedge, 200, 40);
    expectNear(hedge.delay, 10);
    record(hedge, 200, 80);
    expectNear(hedge.delay, 200);
  });

  test('is longer than what all requests take alike', () => {
    for (let milliseconds = 1; milliseconds < 1000; milliseconds += 0.37) {
      const hedge = hedgeOf({ minSamples: 1 });
      hedge.record(milliseconds);
      hedge.record(milliseconds * 10);
      record(hedge, milliseconds, 18);
      expect(hedge.delay).toBeGreaterThan(milliseconds);
    }
  });

  test('is of the samples of the last window, and of its later half at least', async () => {
    const clock = new VirtualClock();
    const hedge = hedgeOf({ percentile: 50 }, clock);
    record(hedge, 100, 50);
    await clock.advance(14_999);
    expectNear(hedge.delay, 100);
    await clock.advance(2);
    record(hedge, 10, 40);
    expectNear(hedge.delay, 100);
    await clock.advance(15_000);
    expectNear(hedge.delay, 10);
  });

  test('is forgotten when there were no requests for a window', async () => {
    const clock = new VirtualClock();
    const hedge = hedgeOf({}, clock);
    record(hedge, 100, 50);
    await clock.advance(30_000);
    expect([hedge.delay, clock.pending]).toEqual([undefined, 0]);
    record(hedge, 10, 20);
    expectNear(hedge.delay, 10);
  });

  test('is forgotten when too few samples are left', async () => {
    const clock = new VirtualClock();
    const hedge = hedgeOf({ minSamples: 20 }, clock);
    record(hedge, 100, 15);
    await clock.advance(15_000);
    record(hedge, 100, 15);
    expectNear(hedge.delay, 100);
    await clock.advance(15_000);
    expect(hedge.delay).toBeUndefined();
    record(hedge, 100, 4);
    expect(hedge.delay).toBeUndefined();
    record(hedge, 100, 1);
    expectNear(hedge.delay, 100);
  });

  test('forgets all that a late timer finds too old', () => {
    let now = 0;
    let fire = (): void => {};
    const clock = {
      now: () => now,
      setTimeout: (callback: () => void, delay: number) => {
        // The hedge's own timer, and not that of its budget.
        if (delay === 15_000) fire = callback;
      },
      clearTimeout() {},
    };
    const hedge = new Hedge({}, { clock });
    record(hedge, 100, 50);
    now = 31_000;
    fire();
    expect(hedge.delay).toBeUndefined();
  });
});

describe('the budget for hedges', () => {
  test('is a share of the requests that were answered', () => {
    const hedge = hedgeOf({ maxExtraPercent: 5 });
    record(hedge, 10, 19);
    expect([hedge.canWithdraw, hedge.balance]).toEqual([false, 0]);
    hedge.record(10);
    expect([hedge.canWithdraw, hedge.balance]).toEqual([true, 1]);
    expect([hedge.withdraw(), hedge.withdraw(), hedge.exhausted]).toEqual([true, false, 1]);
  });

  test('is empty at 0 %', () => {
    const hedge = hedgeOf({ maxExtraPercent: 0 });
    record(hedge, 10, 1000);
    expect(hedge.withdraw()).toBe(false);
  });

  test('is used up where a server stops answering, for a window and longer', async () => {
    const clock = new VirtualClock();
    const hedge = hedgeOf({ maxExtraPercent: 10 }, clock);
    record(hedge, 10, 100);
    let hedges = 0;
    for (let second = 0; second < 120; second++) {
      await clock.advance(1000);
      // A hundred requests a second that wait, each for a hedge.
      for (let request = 0; request < 100; request++) if (hedge.delay !== undefined && hedge.withdraw()) hedges++;
    }
    expect(hedges).toBe(10);
  });

  // Finagle withdraws from both budgets and tolerates that one pays for nothing.
  test('can be asked together with that for retries, and neither pays where the other refuses', () => {
    const hedge = hedgeOf({ maxExtraPercent: 100 });
    const retries = new RetryBudget({ percent: 0, minPerSecond: 1, window: 1000 }, { clock: new VirtualClock() });
    record(hedge, 10, 20);
    const send = (): boolean => hedge.canWithdraw && retries.withdraw() && hedge.withdraw();
    expect([send(), send(), hedge.balance]).toEqual([true, false, 19]);
  });
});

describe('hedged requests', () => {
  /** Each request takes 10 ms, and one in fifty 1000; so does its hedge, independently. */
  function tail(hedge: Hedge | undefined): { p99: number; sent: number } {
    const latencies: number[] = [];
    let sent = 0;
    let number = 0;
    const take = (): number => (number++ % 50 === 49 ? 1000 : 10);
    for (let request = 0; request < 10_000; request++) {
      sent++;
      const own = take();
      const delay = hedge?.delay;
      if (delay === undefined || own <= delay || !hedge?.withdraw()) {
        latencies.push(own);
        hedge?.record(own);
        continue;
      }
      sent++;
      const latency = Math.min(own, delay + take());
      latencies.push(latency);
      hedge.record(latency);
    }
    latencies.sort((a, b) => a - b);
    return { p99: latencies[9900] as number, sent };
  }

  test('are answered sooner in the slowest hundredth, for two in a hundred more', () => {
    const without = tail(undefined);
    const hedged = tail(hedgeOf({ percentile: 95 }));
    expect([without.p99, without.sent]).toEqual([1000, 10_000]);
    expect(hedged.p99).toBeLessThan(25);
    expect(hedged.sent).toBeLessThanOrEqual(10_500);
  });
});

describe("a hedge's timers", () => {
  test('run only while there is something to forget', async () => {
    const clock = new VirtualClock();
    const hedge = hedgeOf({}, clock);
    expect(clock.pending).toBe(0);
    record(hedge, 10, 5);
    expect(clock.pending).toBe(2);
    await clock.advance(60_000);
    expect(clock.pending).toBe(0);
  });
});

describe("a hedge's spec", () => {
  test('has defaults', () => {
    const settings = { percentile: 95, maxExtraPercent: 5, minDelay: 1, minSamples: 20, window: 30_000 };
    expect(readHedge({}, '')).toEqual(settings);
    expect(readHedge({ percentile: null, window: null }, '')).toEqual(settings);
    expect(new Hedge().settings).toEqual(settings);
    expect(Object.isFrozen(readHedge({}, ''))).toBe(true);
  });

  // Finagle refuses -500 % and 200 %.
  test('is checked at the edge', () => {
    const refused = (spec: object): string => {
      const { path, expected } = refusalOf(() => readHedge(spec, 'hedge'));
      return `${path}: ${expected}`;
    };
    expect([
      refused({ maxExtraPercent: -500 }),
      refused({ maxExtraPercent: 200 }),
      refused({ percentile: 100 }),
      refused({ percentile: 0.95 }),
      refused({ minDelay: 0 }),
      refused({ minSamples: 0 }),
      refused({ minSamples: 1.5 }),
      refused({ window: 61_000 }),
      refused({ delay: 5 }),
    ]).toEqual([
      'hedge.maxExtraPercent: a number from 0 to 100',
      'hedge.maxExtraPercent: a number from 0 to 100',
      'hedge.percentile: a number from 1 to 99.99',
      'hedge.percentile: a number from 1 to 99.99',
      'hedge.minDelay: milliseconds from 1 to 2147483647',
      'hedge.minSamples: an integer from 1 to 1000000',
      'hedge.minSamples: an integer from 1 to 1000000',
      'hedge.window: milliseconds from 1000 to 60000',
      'hedge.delay: no such field; there are percentile, maxExtraPercent, minDelay, minSamples, window',
    ]);
  });

  test('is checked where a hedge is made, too', () => {
    expect(refusalOf(() => new Hedge({ percentile: 0 })).path).toBe('percentile');
  });
});
