import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AimdLimitSpec, aimdLimit } from '../../src/safeguards/aimd-limit.ts';
import { refusalOf } from '../fixtures/core.ts';
import { anySamples, started, staysWithin, tell } from './limits.ts';

/** Netflix's own: each sample is a step. */
const exact = (spec: AimdLimitSpec = {}) => started(aimdLimit({ window: 0, ...spec }));

// Netflix, AIMDLimitTest.java; the older one, of a limit of 10, and the newest.
describe("Netflix's known answers", () => {
  test('a limit of 10 is one of 10', () => {
    expect(exact({ initial: 10, min: 1 }).limit).toBe(10);
  });

  test('10 is 11 after a request that went well with 10 under way, and 20 is 21', () => {
    expect(tell(exact({ initial: 10, min: 1 }), { milliseconds: 1, inFlight: 10 }).limit).toBe(11);
    expect(tell(exact({ initial: 20 }), { milliseconds: 1, inFlight: 10 }).limit).toBe(21);
  });

  test('10 is 9 after a drop, and 30 is 27', () => {
    const dropped = { milliseconds: 0, inFlight: 0, wasDropped: true };
    expect(tell(exact({ initial: 10, min: 1 }), dropped).limit).toBe(9);
    expect(tell(exact({ initial: 30 }), dropped).limit).toBe(27);
  });
});

describe('the AIMD limit', () => {
  test('does not grow while less than half of it is in use', () => {
    expect(tell(exact({ initial: 100 }), { milliseconds: 1, inFlight: 49 }, 100).limit).toBe(100);
  });

  test('takes an answer after the timeout for a drop, and one at it for an answer', () => {
    expect(tell(exact({ initial: 100 }), { milliseconds: 5000, inFlight: 100 }).limit).toBe(101);
    expect(tell(exact({ initial: 100 }), { milliseconds: 5000.1, inFlight: 100 }).limit).toBe(90);
    expect(tell(exact({ initial: 100, timeout: 10 }), { milliseconds: 11, inFlight: 100 }).limit).toBe(90);
  });

  // Netflix's issue #155: an earlier version halved the limit at its maximum.
  test('stays at its maximum, and does not fall for having got there', () => {
    const limit = exact({ initial: 199 });
    expect([1, 2, 3].map(() => tell(limit, { milliseconds: 1, inFlight: 200 }).limit)).toEqual([200, 200, 200]);
  });

  test('falls to its minimum and no further', () => {
    const dropped = { milliseconds: 1, inFlight: 1, wasDropped: true };
    expect(tell(exact({ min: 1 }), dropped, 1000).limit).toBe(1);
    expect(tell(exact(), dropped, 1000).limit).toBe(20);
  });

  test('comes back from 1', () => {
    const limit = tell(exact({ min: 1 }), { milliseconds: 1, inFlight: 1, wasDropped: true }, 1000);
    expect(tell(limit, { milliseconds: 1, inFlight: 1 }).limit).toBe(2);
  });

  test('never leaves its range, whatever it is told', () => {
    fc.assert(
      fc.property(anySamples, fc.constantFrom(0, 100, 1000), (samples, window) => {
        return staysWithin(started(aimdLimit({ min: 5, max: 50, initial: 10, window })), samples, [5, 50]);
      }),
      { seed: 92, numRuns: 200 },
    );
  });
});

describe("the AIMD limit's window", () => {
  test('makes one step of a burst of timeouts', () => {
    const limit = started(aimdLimit({ initial: 100 }));
    tell(limit, { milliseconds: 1, inFlight: 100, wasDropped: true }, 1, 0);
    tell(limit, { milliseconds: 1, inFlight: 100, wasDropped: true }, 99, 100);
    // Of the hundred, the eleventh closes the window; the rest are the beginning of the next.
    expect(limit.limit).toBe(90);
  });

  test('makes one step of many answers', () => {
    const limit = started(aimdLimit({ initial: 100 }));
    for (let now = 0; now <= 1000; now += 5) tell(limit, { milliseconds: 1, inFlight: 100 }, 1, now);
    expect(limit.limit).toBe(110);
  });

  test('is one of drops where it has one', () => {
    const limit = started(aimdLimit({ initial: 100 }));
    for (let now = 0; now <= 100; now += 5) {
      tell(limit, { milliseconds: 1, inFlight: 100, wasDropped: now === 50 }, 1, now);
    }
    expect(limit.limit).toBe(90);
  });
});

describe("the AIMD limit's spec", () => {
  test('has the defaults of Netflix, but for the window', () => {
    expect(aimdLimit().settings).toEqual({
      initial: 20,
      min: 20,
      max: 200,
      backoff: 0.9,
      timeout: 5000,
      window: 100,
    });
  });

  test('is checked where the limit is made', () => {
    const refused = (spec: object): string => {
      const { path, expected } = refusalOf(() => aimdLimit(spec));
      return `${path}: ${expected}`;
    };
    expect([
      refused({ backoff: 0.4 }),
      refused({ backoff: 1 }),
      refused({ timeout: 0 }),
      refused({ window: 60_001 }),
      refused({ min: 1, max: 10, initial: 11 }),
      refused({ smoothing: 1 }),
    ]).toEqual([
      'backoff: a number from 0.5 to 0.99',
      'backoff: a number from 0.5 to 0.99',
      'timeout: milliseconds from 1 to 2147483647',
      'window: milliseconds from 0 to 60000',
      'initial: an integer from 1 to 10',
      'smoothing: no such field; there are backoff, timeout, window, initial, min, max',
    ]);
  });
});
