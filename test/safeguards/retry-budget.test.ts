import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import { RetryBudget, type RetryBudgetSpec, readRetryBudget } from '../../src/safeguards/retry-budget.ts';
import { refusalOf } from '../fixtures/core.ts';

const budgetOf = (spec: RetryBudgetSpec, clock = new VirtualClock()): RetryBudget => new RetryBudget(spec, { clock });

function deposit(budget: RetryBudget, times: number): void {
  for (let time = 0; time < times; time++) budget.deposit();
}

/** How many of so many withdrawals are granted. */
function withdraw(budget: RetryBudget, times: number): number {
  let granted = 0;
  for (let time = 0; time < times; time++) if (budget.withdraw()) granted++;
  return granted;
}

// Finagle, RetryBudgetTest.scala: 10000 requests, each of which asks for a retry as soon as it was deposited.
describe("Finagle's known answers", () => {
  const retriesOf = (spec: RetryBudgetSpec): number => {
    const budget = budgetOf(spec);
    let retried = 0;
    for (let request = 0; request < 10_000; request++) {
      budget.deposit();
      if (budget.withdraw()) retried++;
      else expect(budget.balance).toBe(0);
    }
    return retried;
  };
  const minute = { window: 60_000, minPerSecond: 0 };

  test.each([10, 50, 25, 75, 99, 99.9, 99.99, 1, 0.1, 0.01])(
    '%d %% of the requests are retried, to the one',
    (percent) => {
      expect(retriesOf({ ...minute, percent })).toBe(Math.round(100 * percent));
    },
  );

  test('with 200 %, ten thousand requests earn twenty thousand retries', () => {
    const budget = budgetOf({ ...minute, percent: 200 });
    expect([budget.balance, budget.withdraw()]).toEqual([0, false]);
    deposit(budget, 10_000);
    expect(budget.balance).toBe(20_000);
  });

  test('the minimum is there from the start, and is all there is at 0 %', () => {
    expect(budgetOf({ window: 1000, minPerSecond: 10, percent: 0 }).balance).toBe(10);
    expect(retriesOf({ window: 1000, minPerSecond: 10, percent: 0 })).toBe(10);
    expect(retriesOf({ window: 2000, minPerSecond: 5, percent: 0 })).toBe(10);
  });

  test('the minimum comes on top of the share', () => {
    expect(retriesOf({ window: 1000, minPerSecond: 10, percent: 10 })).toBe(1010);
    expect(retriesOf({ window: 2000, minPerSecond: 5, percent: 50 })).toBe(5010);
  });

  test('0 % and no minimum permit nothing, whatever was deposited', () => {
    const budget = budgetOf({ percent: 0, minPerSecond: 0 });
    deposit(budget, 1000);
    expect([budget.balance, budget.withdraw()]).toEqual([0, false]);
  });

  // BackupRequestFilterTest.scala, "Deposits into local RetryBudget only".
  test('30 s of 10 a second are 300, and a hundred requests at 1 % make 301', () => {
    const budget = budgetOf({ window: 30_000, minPerSecond: 10, percent: 1 });
    expect(budget.balance).toBe(300);
    deposit(budget, 100);
    expect(budget.balance).toBe(301);
  });

  // TokenBucketTest.scala of Twitter's util.
  test('a reserve that was eaten comes back when the window is over, and not before', async () => {
    const clock = new VirtualClock();
    const budget = budgetOf({ window: 10_000, minPerSecond: 10, percent: 100 }, clock);
    expect(withdraw(budget, 101)).toBe(100);
    budget.deposit();
    expect(withdraw(budget, 2)).toBe(1);
    for (let waited = 0; waited < 9; waited++) {
      await clock.advance(1000);
      expect(budget.withdraw()).toBe(false);
    }
    await clock.advance(1000);
    expect(withdraw(budget, 50)).toBe(50);
    expect(budget.balance).toBe(50);
    await clock.advance(10_000);
    expect(withdraw(budget, 101)).toBe(100);
  });
});

// tower, tps_budget.rs.
describe("tower's known answers", () => {
  const second = { window: 1000, minPerSecond: 0 };

  test('nothing can be taken where nothing was deposited', () => {
    expect(budgetOf({ ...second, percent: 100 }).withdraw()).toBe(false);
  });

  test('a deposit leaks away', async () => {
    const clock = new VirtualClock();
    const budget = budgetOf({ ...second, percent: 100 }, clock);
    budget.deposit();
    await clock.advance(3000);
    expect(budget.withdraw()).toBe(false);
  });

  test('a deposit counts for a window, each by its own time', async () => {
    const clock = new VirtualClock();
    const budget = budgetOf({ ...second, percent: 50 }, clock);
    deposit(budget, 2);
    await clock.advance(901);
    expect(budget.withdraw()).toBe(true);
    await clock.advance(2001);
    budget.deposit();
    await clock.advance(301);
    budget.deposit();
    await clock.advance(801);
    budget.deposit();
    expect([budget.withdraw(), budget.withdraw()]).toEqual([true, false]);
  });

  test('five a second are five in a window of one', () => {
    expect(withdraw(budgetOf({ window: 1000, minPerSecond: 5, percent: 100 }), 6)).toBe(5);
  });
});

describe('a retry budget', () => {
  test('has the defaults of Finagle: 20 %, 10 a second, 10 s', () => {
    const budget = new RetryBudget();
    expect(budget.settings).toEqual({ percent: 20, minPerSecond: 10, window: 10_000 });
    expect(budget.balance).toBe(100);
  });

  test('makes one retry of ten requests at 10 %, and not a hair less', () => {
    const budget = budgetOf({ percent: 10, minPerSecond: 0 });
    deposit(budget, 9);
    expect(budget.canWithdraw).toBe(false);
    budget.deposit();
    expect(budget.canWithdraw).toBe(true);
  });

  test('tells what it would say without taking anything', () => {
    const budget = budgetOf({ percent: 100, minPerSecond: 0 });
    budget.deposit();
    expect([budget.canWithdraw, budget.canWithdraw, budget.balance]).toEqual([true, true, 1]);
  });

  test('counts what it has refused', () => {
    const budget = budgetOf({ percent: 0, minPerSecond: 0.1 });
    expect([withdraw(budget, 3), budget.exhausted]).toEqual([1, 2]);
  });

  test('whose deposits have expired while its withdrawals have not is at 0, and pays back first', async () => {
    const clock = new VirtualClock();
    const budget = budgetOf({ percent: 100, minPerSecond: 0, window: 10_000 }, clock);
    deposit(budget, 10);
    await clock.advance(5000);
    expect(withdraw(budget, 10)).toBe(10);
    await clock.advance(5000);
    deposit(budget, 9);
    expect(budget.balance).toBe(0);
    deposit(budget, 2);
    expect(budget.balance).toBe(1);
  });

  // envoy-mobile #811: a budget that follows what is under way shrinks as requests turn into retries.
  test('is not changed by its requests turning into retries', () => {
    const budget = budgetOf({ percent: 50, minPerSecond: 0 });
    deposit(budget, 6);
    expect(withdraw(budget, 6)).toBe(3);
  });

  test('keeps a storm of retries at its share', async () => {
    const clock = new VirtualClock();
    const budget = budgetOf({}, clock);
    let retries = 0;
    for (let second = 0; second < 60; second++) {
      for (let request = 0; request < 100; request++) {
        budget.deposit();
        retries += withdraw(budget, 5);
      }
      await clock.advance(1000);
    }
    // 6000 requests, a fifth of them; 10 a second besides, and the window that was in reserve at the start.
    expect(retries).toBeLessThanOrEqual(1200 + 600 + 100);
    expect(retries).toBeGreaterThanOrEqual(1200 + 600 - 100);
  });

  test('never permits more within a window than the window has earned, and what two slots blur', () => {
    const steps = fc.array(fc.tuple(fc.nat(2500), fc.nat(20), fc.nat(20)), { maxLength: 60 });
    return fc.assert(
      fc.asyncProperty(steps, async (steps) => {
        const clock = new VirtualClock();
        const budget = budgetOf({ percent: 50, minPerSecond: 1, window: 10_000 }, clock);
        const deposits: [at: number, count: number][] = [];
        const granted: [at: number, count: number][] = [];
        for (const [wait, requests, retries] of steps) {
          await clock.advance(wait);
          deposit(budget, requests);
          deposits.push([clock.now(), requests]);
          const now = withdraw(budget, retries);
          if (now === 0) continue;
          granted.push([clock.now(), now]);
          const since = (list: typeof deposits, age: number): number =>
            list.reduce((sum, [at, count]) => sum + (at > clock.now() - age ? count : 0), 0);
          expect(since(granted, 9000)).toBeLessThanOrEqual(10 + since(deposits, 10_000) / 2);
        }
      }),
      { seed: 81, numRuns: 100 },
    );
  });
});

describe("a retry budget's timer", () => {
  test('runs only while there is something to expire', async () => {
    const clock = new VirtualClock();
    const budget = budgetOf({}, clock);
    expect(clock.pending).toBe(0);
    deposit(budget, 1000);
    await clock.advance(9999);
    expect([clock.pending, budget.balance]).toEqual([1, 300]);
    await clock.advance(1);
    expect([clock.pending, budget.balance]).toEqual([0, 100]);
  });

  test('runs for withdrawals, too', async () => {
    const clock = new VirtualClock();
    const budget = budgetOf({ percent: 0 }, clock);
    withdraw(budget, 100);
    await clock.advance(9999);
    expect([clock.pending, budget.balance]).toEqual([1, 0]);
    await clock.advance(1);
    expect([clock.pending, budget.balance]).toEqual([0, 100]);
  });

  test('is not set for deposits that earn nothing', () => {
    const clock = new VirtualClock();
    deposit(budgetOf({ percent: 0 }, clock), 10);
    expect(clock.pending).toBe(0);
  });

  test('that comes late forgets all that is due', () => {
    let now = 0;
    let fire = (): void => {};
    const clock = {
      now: () => now,
      setTimeout: (callback: () => void) => {
        fire = callback;
      },
      clearTimeout() {},
    };
    const budget = new RetryBudget({ percent: 100, minPerSecond: 0 }, { clock });
    deposit(budget, 7);
    now = 3_600_000;
    fire();
    expect(budget.balance).toBe(0);
  });
});

describe('the deposit', () => {
  test('does not look at the clock, but for the first after a pause', () => {
    let looks = 0;
    const virtual = new VirtualClock();
    const clock = {
      now: () => {
        looks++;
        return virtual.now();
      },
      setTimeout: (callback: () => void, delay: number) => virtual.setTimeout(callback, delay),
      clearTimeout: (timer: unknown) => virtual.clearTimeout(timer),
    };
    deposit(new RetryBudget({}, { clock }), 1000);
    expect(looks).toBe(1);
  });
});

describe("a retry budget's spec", () => {
  test('is checked at the edge', () => {
    expect([
      refusalOf(() => readRetryBudget({ percent: -1 }, 'retryBudget')),
      refusalOf(() => readRetryBudget({ percent: 1001 }, 'retryBudget')).path,
      refusalOf(() => readRetryBudget({ percent: Number.NaN }, 'retryBudget')).path,
      refusalOf(() => readRetryBudget({ minPerSecond: -1 }, 'pool.retryBudget')),
      refusalOf(() => readRetryBudget({ window: 999 }, 'retryBudget')),
      refusalOf(() => readRetryBudget({ window: 60_001 }, 'retryBudget')).path,
      refusalOf(() => readRetryBudget({ ttl: 5 }, 'retryBudget')).path,
      refusalOf(() => readRetryBudget(20, 'retryBudget')).expected,
    ]).toEqual([
      { path: 'retryBudget.percent', value: -1, expected: 'a number from 0 to 1000' },
      'retryBudget.percent',
      'retryBudget.percent',
      { path: 'pool.retryBudget.minPerSecond', value: -1, expected: 'a number from 0 to 1000000' },
      { path: 'retryBudget.window', value: 999, expected: 'milliseconds from 1000 to 60000' },
      'retryBudget.window',
      'retryBudget.ttl',
      'an object',
    ]);
  });

  test('is checked where a budget is made, too', () => {
    expect(refusalOf(() => new RetryBudget({ percent: -1 })).path).toBe('percent');
  });

  test('takes null for a default, and its settings do not change', () => {
    const settings = readRetryBudget({ percent: null, window: 2000 }, '');
    expect(settings).toEqual({ percent: 20, minPerSecond: 10, window: 2000 });
    expect(Object.isFrozen(settings)).toBe(true);
  });
});
