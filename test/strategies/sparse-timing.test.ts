import { describe, expect, test } from 'vitest';
import { SparseTiming } from '../../src/strategies/sparse-timing.ts';
import { HandClock } from './traffic.ts';

/** How many of so many leases are timed, of which one comes each `gap` milliseconds. */
function timed(timing: SparseTiming, count: number, gap: number, from = 0): number {
  let sum = 0;
  for (let number = 0; number < count; number++) {
    if (!timing.wants()) continue;
    sum++;
    timing.timed(from + number * gap);
  }
  return sum;
}

test('every lease is timed up to 20,000 in a second', () => {
  expect(timed(new SparseTiming(), 10_000, 0.051)).toBe(10_000);
});

test('beyond, one in 16 is', () => {
  const count = timed(new SparseTiming(), 16_000, 0.01);
  expect(count).toBeGreaterThan(1000);
  expect(count).toBeLessThan(1050);
});

test('a few that end at the same moment are no reason to time fewer', () => {
  const timing = new SparseTiming();
  for (let moment = 0; moment < 100; moment++) expect(timed(timing, 10, 0, moment)).toBe(10);
});

test('no more than 15 go untimed when traffic falls off', () => {
  const timing = new SparseTiming();
  timed(timing, 1000, 0.001);
  expect(timed(timing, 1000, 100, 60_000)).toBeGreaterThanOrEqual(985);
});

describe('the time', () => {
  const clock = new HandClock();

  test('is that of the clock while all leases are timed', () => {
    const timing = new SparseTiming();
    timed(timing, 100, 0.1);
    clock.time = 1234;
    expect(timing.now(clock)).toBe(1234);
  });

  test('is not read for each of more than 20,000 leases in a second', () => {
    const timing = new SparseTiming();
    timed(timing, 1000, 0.01, 5000);
    clock.time = 5010;
    expect(timing.now(clock)).toBeGreaterThan(5009.5);
    expect(timing.now(clock)).toBeLessThan(5010);
  });

  test('is read again when it was given 16 times, and all leases are timed if it is late by then', () => {
    const timing = new SparseTiming();
    timed(timing, 1000, 0.01, 5000);
    clock.time = 900_000;
    const given = Array.from({ length: 17 }, () => timing.now(clock));
    expect(given.indexOf(900_000)).toBe(15);
    expect(timed(timing, 50, 10, 900_000)).toBe(50);
  });
});
