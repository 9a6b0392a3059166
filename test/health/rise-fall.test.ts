import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { InitialHealth } from '../../src/health/monitor-spec.ts';
import { RiseFall } from '../../src/health/rise-fall.ts';

/** What becomes of a member after each check: `u` up, `d` down; checks are `+` and `-`. */
function course(initialHealth: InitialHealth, maxRetries: number, maxRetriesDown: number, checks: string): string {
  const health = new RiseFall({ initialHealth, maxRetries, maxRetriesDown });
  const after = (check: string): string => {
    health.record(check === '+');
    return health.isUp ? 'u' : 'd';
  };
  return Array.from(checks, after).join('');
}

const isUpAtFirst = (initialHealth: InitialHealth): boolean =>
  new RiseFall({ initialHealth, maxRetries: 2, maxRetriesDown: 3 }).isUp;

describe("a member that starts 'up'", () => {
  test('is up before its first check', () => {
    expect(isUpAtFirst('up')).toBe(true);
  });

  test('goes down at its first failed check, whatever maxRetriesDown says', () => {
    expect(course('up', 2, 3, '-')).toBe('d');
  });

  test('needs maxRetriesDown failed checks once it has passed one', () => {
    expect(course('up', 2, 3, '+---')).toBe('uuud');
  });

  test('comes back after maxRetries passed checks', () => {
    expect(course('up', 2, 3, '-++')).toBe('ddu');
  });
});

describe("a member that starts 'fully-up'", () => {
  test('is up before its first check', () => {
    expect(isUpAtFirst('fully-up')).toBe(true);
  });

  test('goes down only after maxRetriesDown failed checks', () => {
    expect(course('fully-up', 2, 3, '---')).toBe('uud');
  });
});

describe("a member that starts 'down'", () => {
  test('is down before its first check', () => {
    expect(isUpAtFirst('down')).toBe(false);
  });

  test('comes up at its first passed check, whatever maxRetries says', () => {
    expect(course('down', 3, 3, '+')).toBe('u');
  });

  test('needs maxRetries passed checks once it has failed one', () => {
    expect(course('down', 3, 3, '-+++')).toBe('dddu');
  });
});

describe("a member that starts 'fully-down'", () => {
  test('is down before its first check', () => {
    expect(isUpAtFirst('fully-down')).toBe(false);
  });

  test('comes up only after maxRetries passed checks', () => {
    expect(course('fully-down', 3, 3, '+++')).toBe('ddu');
  });
});

describe('only successive results count', () => {
  test('a passed check between failed ones keeps a member up', () => {
    expect(course('fully-up', 2, 3, '--+--+--')).toBe('uuuuuuuu');
  });

  test('a failed check between passed ones keeps a member down', () => {
    expect(course('fully-down', 3, 3, '++-++-++')).toBe('dddddddd');
  });

  test('a member that has just come back needs maxRetriesDown failed checks again', () => {
    expect(course('fully-down', 2, 3, '++---')).toBe('duuud');
  });

  test('with thresholds of 1 every check decides', () => {
    expect(course('up', 1, 1, '-+-+')).toBe('dudu');
  });
});

test('any course of checks is that of counting successes and failures in a row', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10 }),
      fc.integer({ min: 1, max: 10 }),
      fc.constantFrom<InitialHealth>('fully-up', 'fully-down'),
      fc.array(fc.boolean(), { maxLength: 100 }),
      (maxRetries, maxRetriesDown, initialHealth, checks) => {
        const health = new RiseFall({ maxRetries, maxRetriesDown, initialHealth });
        let isUp = initialHealth === 'fully-up';
        let inARow = 0;
        for (const passed of checks) {
          // What agrees with the state starts the count of the opposite anew.
          inARow = passed === isUp ? 0 : inARow + 1;
          if (inARow === (isUp ? maxRetriesDown : maxRetries)) {
            isUp = !isUp;
            inARow = 0;
          }
          health.record(passed);
          expect(health.isUp).toBe(isUp);
        }
      },
    ),
    { seed: 31, numRuns: 500 },
  );
});

describe('new thresholds', () => {
  const retuned = (checks: string, after: string): string => {
    const health = new RiseFall({ initialHealth: 'fully-up', maxRetries: 2, maxRetriesDown: 2 });
    for (const check of checks) health.record(check === '+');
    health.retune({ initialHealth: 'up', maxRetries: 3, maxRetriesDown: 3 });
    const states = [health.isUp ? 'u' : 'd'];
    for (const check of after) {
      health.record(check === '+');
      states.push(health.isUp ? 'u' : 'd');
    }
    return states.join('');
  };

  test('leave a member up that was up, and count its failures from the start', () => {
    expect(retuned('-', '---')).toBe('uuud');
  });

  test('leave a member down that was down, and count its successes from the start', () => {
    expect(retuned('--+', '+++')).toBe('dddu');
  });
});
