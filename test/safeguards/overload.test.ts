import { describe, expect, test } from 'vitest';
import { aimdLimit } from '../../src/safeguards/aimd-limit.ts';
import type { ConcurrencyAlgorithm } from '../../src/safeguards/concurrency-limit.ts';
import { gradientLimit } from '../../src/safeguards/gradient-limit.ts';
import { type Scene, Simulation } from './simulated-server.ts';

/**
 * A server of 40 workers that take 50 ms for a request, 800 a second, and clients that send half as many again. The figures are
 * those of docs/safeguards.md.
 */
const server = { workers: 40, work: 50, rate: () => 1200 };
const minute = 60_000;

const minuteAfter = (time: number, scene: Partial<Scene> & Pick<Scene, 'algorithm'>) => {
  const simulation = new Simulation({ ...server, ...scene });
  simulation.run(time);
  return simulation.run(minute);
};

/** Gradient2 as it is: a drop is a request that took as long as it took, and what is usual drifts. */
const original: ConcurrencyAlgorithm = {
  name: 'gradient2',
  start(context) {
    const limit = gradientLimit({ probeEvery: 0 }).start(context);
    return {
      get limit() {
        return limit.limit;
      },
      ended: (milliseconds, inFlight, _, now) => limit.ended(milliseconds, inFlight, false, now),
    };
  },
};

describe('a server that gets half more requests than it can work on', () => {
  test('lets everybody wait for ever longer without a gate', () => {
    const { p50, answered } = minuteAfter(2 * minute, { algorithm: undefined });
    expect(p50).toBeGreaterThan(45_000);
    expect(answered).toBeGreaterThan(790);
  });

  test('answers as many with a gradient limit, and each within twice the time of its work', () => {
    const { p50, p99, answered, limit } = minuteAfter(2 * minute, { algorithm: gradientLimit() });
    expect(p50).toBeLessThan(90);
    expect(p99).toBeLessThan(110);
    expect(answered).toBeGreaterThan(790);
    expect(limit).toBeLessThan(80);
  });

  test('does so after half an hour still, where the original has drifted to its maximum', () => {
    const half = 30 * minute;
    const now = minuteAfter(half, { algorithm: gradientLimit({ max: 400 }) });
    const drifted = minuteAfter(half, { algorithm: gradientLimit({ max: 400, probeEvery: 0 }) });
    expect(now.p99).toBeLessThan(110);
    expect([drifted.limit, drifted.p50 > 450]).toEqual([400, true]);
  });

  test('answers nearly as many in time with an AIMD limit, where without one nobody waits long enough', () => {
    const patience = 1000;
    const without = minuteAfter(2 * minute, { patience, algorithm: undefined });
    const windowed = minuteAfter(2 * minute, { patience, algorithm: aimdLimit({ max: 1000 }) });
    expect(without.answered).toBe(0);
    expect(windowed.answered).toBeGreaterThan(780);
    expect(windowed.dropped).toBeLessThan(10);
  });

  test('loses a fifth of that again where each timeout is a step of its own, as in the original', () => {
    const exact = minuteAfter(2 * minute, { patience: 1000, algorithm: aimdLimit({ max: 1000, window: 0 }) });
    expect(exact.answered).toBeLessThan(700);
    expect(exact.dropped).toBeGreaterThan(100);
  });
});

describe('a server that refuses at once what it has no room for', () => {
  const scene = { places: 20 };

  test('is left in peace by the gradient limit, where the original sends it all', () => {
    const now = minuteAfter(9 * minute, { ...scene, algorithm: gradientLimit() });
    const before = minuteAfter(9 * minute, { ...scene, algorithm: original });
    expect(now.dropped).toBeLessThan(90);
    expect(now.limit).toBeLessThan(65);
    expect(before.dropped).toBeGreaterThan(350);
    expect(before.limit).toBeGreaterThan(120);
    expect([now.answered > 795, before.answered > 795]).toEqual([true, true]);
  });

  test('is left in peace by the AIMD limit, too', () => {
    const { answered, dropped, limit } = minuteAfter(9 * minute, { ...scene, algorithm: aimdLimit() });
    expect(answered).toBeGreaterThan(790);
    expect(dropped).toBeLessThan(50);
    expect(limit).toBeLessThan(65);
  });
});

describe('a server that has time', () => {
  test('is sent everything', () => {
    const { refused, p99 } = minuteAfter(2 * minute, { rate: () => 400, algorithm: gradientLimit() });
    expect([refused, p99 < 65]).toEqual([0, true]);
  });

  test('that becomes three times as slow for good, under load, is used to the full again within two minutes', () => {
    let simulation: Simulation | undefined;
    const scene: Scene = {
      ...server,
      get work() {
        return (simulation?.clock.now() ?? 0) < 5 * minute ? 50 : 150;
      },
      algorithm: gradientLimit({ min: 4 }),
    };
    simulation = new Simulation(scene);
    simulation.run(7 * minute);
    const { answered, p99 } = simulation.run(minute);
    // Of 40 / 0.15 = 267.
    expect(answered).toBeGreaterThan(255);
    expect(p99).toBeLessThan(330);
  });
});
