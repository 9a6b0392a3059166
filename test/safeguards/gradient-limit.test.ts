import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type GradientLimitSpec, gradientLimit } from '../../src/safeguards/gradient-limit.ts';
import { refusalOf } from '../fixtures/core.ts';
import { anySamples, started, staysWithin, tell } from './limits.ts';

/** Netflix's own: each sample is a step, and what is usual is never measured anew. */
const exact = (spec: GradientLimitSpec = {}) => started(gradientLimit({ window: 0, probeEvery: 0, ...spec }));

// Netflix has no test of its Gradient2Limit; these are of its port to Go, platinummonkey/go-concurrency-limits, limit/gradient2_test.go.
// It ignores drops, and so nothing is dropped here.
describe("the Go port's known answers", () => {
  test('50, 45, 45, 21 and 21 for its samples', () => {
    const limit = exact({ initial: 50, min: 4, max: 1000, longWindow: 100, tolerance: 1 });
    tell(limit, { milliseconds: 10, inFlight: 1 });
    for (let number = 0; number < 25; number++) {
      tell(limit, { milliseconds: 10 * number, inFlight: number });
      expect(limit.limit).toBe(50);
    }
    const steps = [tell(limit, { milliseconds: 2500, inFlight: 25 }).limit];
    steps.push(tell(limit, { milliseconds: 10, inFlight: 5 }).limit);
    for (let number = 0; number < 100; number++) tell(limit, { milliseconds: 1000, inFlight: number });
    steps.push(limit.limit);
    steps.push(tell(limit, { milliseconds: 1, inFlight: 1 }, 100).limit);
    expect(steps).toEqual([45, 45, 21, 21]);
  });
});

// By the definition in Gradient2Limit.java, worked out by hand.
describe('the gradient limit', () => {
  test('starts at 20', () => {
    expect(exact().limit).toBe(20);
  });

  test('grows by a fifth of the queue a step while requests take as long as usual', () => {
    const limit = exact();
    const steps = [1, 2, 3, 4, 5].map(() => tell(limit, { milliseconds: 10, inFlight: 30 }).limit);
    expect(steps).toEqual([20, 21, 22, 23, 24]);
  });

  test('grows while requests take up to half as long again', () => {
    const limit = tell(exact({ initial: 100 }), { milliseconds: 10, inFlight: 100 }, 200);
    const before = limit.limit;
    // Seen from 10 and a little more, 14.9 is within the tolerance.
    expect(tell(limit, { milliseconds: 14.9, inFlight: 200 }).limit).toBeGreaterThanOrEqual(before);
  });

  test('shrinks by a fifth of what the gradient takes, less the queue, where they take longer', () => {
    const limit = tell(
      exact({ initial: 100, max: 100, longWindow: 1_000_000 }),
      { milliseconds: 10, inFlight: 100 },
      10,
    );
    expect(limit.limit).toBe(100);
    // gradient 1.5 * 10 / 20 = 0.75: 100 * 0.8 + (75 + 4) * 0.2
    expect(tell(limit, { milliseconds: 20, inFlight: 100 }).limit).toBe(95);
  });

  test('takes half for the steepest gradient there is', () => {
    const limit = tell(
      exact({ initial: 100, max: 100, longWindow: 1_000_000 }),
      { milliseconds: 10, inFlight: 100 },
      10,
    );
    // 100 * 0.8 + (50 + 4) * 0.2
    expect(tell(limit, { milliseconds: 60_000, inFlight: 100 }).limit).toBe(90);
  });

  test('does not move while less than half of it is in use', () => {
    const limit = exact({ initial: 100 });
    tell(limit, { milliseconds: 10, inFlight: 49 }, 50);
    tell(limit, { milliseconds: 1000, inFlight: 49 }, 50);
    expect(limit.limit).toBe(100);
  });

  test('moves where exactly half of it is', () => {
    const limit = exact({ initial: 100, smoothing: 1 });
    expect(tell(limit, { milliseconds: 10, inFlight: 50 }).limit).toBe(104);
  });

  test('forgets a long overload by a twentieth a step', () => {
    const limit = exact({ min: 1, initial: 100, longWindow: 1_000_000 });
    tell(limit, { milliseconds: 1000, inFlight: 1 }, 10);
    tell(limit, { milliseconds: 10, inFlight: 1 }, 77);
    // 1000 * 0.95 ^ 77 = 19.3 is no longer more than twice 10.
    const low = tell(limit, { milliseconds: 40, inFlight: 100 }).limit;
    // gradient 1.5 * 19.3 / 40 = 0.72: 100 * 0.8 + (72.2 + 4) * 0.2
    expect(low).toBe(95);
  });

  test('never leaves its range, whatever it is told', () => {
    fc.assert(
      fc.property(anySamples, fc.constantFrom(0, 100, 1000), fc.constantFrom(0, 3), (samples, window, probeEvery) => {
        const limit = started(gradientLimit({ min: 5, max: 50, initial: 10, window, probeEvery }));
        return staysWithin(limit, samples, [5, 50]);
      }),
      { seed: 91, numRuns: 200 },
    );
  });

  test('is at its most where requests take no time that the clock can see', () => {
    expect(tell(exact(), { milliseconds: 0, inFlight: 200 }, 1000).limit).toBe(200);
  });
});

describe("the gradient limit's window", () => {
  const second = (limit: ReturnType<typeof started>, at: number, milliseconds: number, wasDropped = 0): number => {
    for (let sample = 0; sample < 20; sample++) {
      tell(limit, { milliseconds, inFlight: 100, wasDropped: sample < wasDropped }, 1, at * 1000 + sample * 50);
    }
    return limit.limit;
  };

  test('is a second: one step for twenty samples', () => {
    const limit = started(gradientLimit({ initial: 100 }));
    expect([0, 1, 2, 3, 4, 5].map((at) => second(limit, at, 10))).toEqual([100, 100, 101, 102, 103, 104]);
  });
});

// Netflix's issue #176: Gradient2 takes a drop for a request that took as long as it took.
describe('requests that a server refuses at once', () => {
  const full = { milliseconds: 50, inFlight: 200 };
  const refused = { milliseconds: 1, inFlight: 200, wasDropped: true };

  /** So many samples a second of each, for so long. */
  function run(share: number, seconds: number): number {
    const limit = started(gradientLimit({ min: 1, initial: 100, max: 200 }));
    for (let now = 0; now < seconds * 1000; now += 10) {
      tell(limit, (now / 10) % 100 < share ? refused : full, 1, now);
    }
    return limit.limit;
  }

  test('do not make it look fast: a limit at which a third is refused falls', () => {
    expect(run(33, 30)).toBeLessThan(30);
  });

  test('bring the limit to its least where there is nothing else', () => {
    // Where half of it is as much as the queue.
    expect(run(100, 300)).toBe(8);
  });

  test('are tolerated where they are few', () => {
    // A fiftieth less for the drops, and four more: it grows up to 200.
    expect(run(2, 300)).toBeGreaterThan(150);
  });
});

describe('what is usual', () => {
  /** A server of forty workers that always has more to do than is permitted: the time follows from the limit. */
  function overload(spec: GradientLimitSpec, seconds: number, work = (_: number) => 50): number[] {
    const limit = started(gradientLimit({ min: 1, max: 1000, ...spec }));
    const limits: number[] = [];
    for (let now = 0; now < seconds * 1000; now += 50) {
      const inFlight = limit.limit;
      tell(limit, { milliseconds: work(now) * Math.max(1, inFlight / 40), inFlight }, 1, now);
      limits.push(inFlight);
    }
    return limits;
  }

  test('becomes whatever there is after an hour of overload, in the original', () => {
    expect(overload({ probeEvery: 0 }, 3600).at(-1)).toBe(1000);
  });

  test('stays what it was where it is measured anew', () => {
    const limits = overload({}, 3600);
    expect(Math.max(...limits)).toBeLessThan(80);
    expect(Math.min(...limits.slice(-20_000))).toBeGreaterThan(30);
  });

  test('is measured with half the limit, for two windows, once in sixty slow ones', () => {
    const limits = overload({}, 600).slice(-20 * 300);
    const halved = limits.filter((limit) => limit < 50).length / 20;
    expect(halved / 300).toBeGreaterThan(1.5 / 62);
    expect(halved / 300).toBeLessThan(2.5 / 62);
  });

  test('is not measured anew where requests are as fast as ever, however many there are', () => {
    const limit = started(gradientLimit({ max: 100, initial: 100, probeEvery: 1 }));
    for (let now = 0; now < 600_000; now += 50) {
      tell(limit, { milliseconds: 50, inFlight: 100 }, 1, now);
      expect(limit.limit).toBe(100);
    }
  });

  test('follows a server that has become slower for good, within minutes and under load', () => {
    const limits = overload({}, 900, (now) => (now < 300_000 ? 50 : 150));
    expect(limits.at(20 * 420)).toBeGreaterThanOrEqual(30);
    expect(limits.at(-1)).toBeGreaterThanOrEqual(40);
    expect(limits.at(-1)).toBeLessThan(80);
  });
});

describe("the gradient limit's spec", () => {
  test('has the defaults of Netflix', () => {
    expect(gradientLimit().settings).toEqual({
      initial: 20,
      min: 20,
      max: 200,
      smoothing: 0.2,
      queue: 4,
      longWindow: 600,
      tolerance: 1.5,
      window: 1000,
      probeEvery: 60,
    });
  });

  test('fits what is not given to what is', () => {
    const rangeOf = (spec: GradientLimitSpec): number[] => {
      const { min, initial, max } = gradientLimit(spec).settings;
      return [min, initial, max];
    };
    expect([rangeOf({ max: 10 }), rangeOf({ min: 50 }), rangeOf({ min: 3 }), rangeOf({ min: 2, max: 8 })]).toEqual([
      [10, 10, 10],
      [50, 50, 200],
      [3, 20, 200],
      [2, 8, 8],
    ]);
  });

  test('is checked where the limit is made', () => {
    const refused = (spec: object): string => {
      const { path, expected } = refusalOf(() => gradientLimit(spec));
      return `${path}: ${expected}`;
    };
    expect([
      refused({ min: 0 }),
      refused({ min: 300 }),
      refused({ max: 0 }),
      refused({ initial: 10 }),
      refused({ initial: 201 }),
      refused({ smoothing: 0 }),
      refused({ smoothing: 1.1 }),
      refused({ queue: -1 }),
      refused({ longWindow: 9 }),
      refused({ tolerance: 0.9 }),
      refused({ window: -1 }),
      refused({ probeEvery: -1 }),
    ]).toEqual([
      'min: an integer from 1 to 200',
      'min: an integer from 1 to 200',
      'max: an integer from 1 to 1000000',
      'initial: an integer from 20 to 200',
      'initial: an integer from 20 to 200',
      'smoothing: a number from 0.01 to 1',
      'smoothing: a number from 0.01 to 1',
      'queue: an integer from 0 to 1000',
      'longWindow: an integer from 10 to 1000000',
      'tolerance: a number from 1 to 10',
      'window: milliseconds from 0 to 60000',
      'probeEvery: an integer from 0 to 1000000',
    ]);
  });
});
