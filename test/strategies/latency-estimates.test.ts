import { describe, expect, test } from 'vitest';
import { LatencyEstimates } from '../../src/strategies/latency-estimates.ts';

const second = 1000;

describe("tower's known answers (load/peak_ewma.rs)", () => {
  const load = (estimates: LatencyEstimates, now: number, pending: number): number =>
    (estimates.at(0, now) ?? Number.NaN) * (pending + 1);

  test('default_decay: what was assumed decays from the start', () => {
    const estimates = new LatencyEstimates(1, second, 0);
    estimates.set(0, 10, 0);
    expect(load(estimates, 0, 0)).toBe(10);
    expect(load(estimates, 100, 0)).toBeGreaterThan(9);
    expect(load(estimates, 100, 0)).toBeLessThan(10);
    expect(load(estimates, 200, 0)).toBeGreaterThan(8);
    expect(load(estimates, 200, 0)).toBeLessThan(9);
  });

  test('compound_decay: a peak counts at once, and decays', () => {
    const estimates = new LatencyEstimates(1, second, 0);
    estimates.set(0, 20, 0);
    expect(load(estimates, 0, 0)).toBe(20);
    expect(load(estimates, 100, 1)).toBeGreaterThan(20);
    expect(load(estimates, 200, 2)).toBeGreaterThan(40);
    estimates.record(0, 300 - 100, 300);
    expect(load(estimates, 300, 1)).toBe(400);
    estimates.record(0, 400 - 200, 400);
    expect(load(estimates, 400, 0)).toBe(200);
    expect(load(estimates, 1400, 0)).toBeLessThan(100);
    expect(load(estimates, 11_400, 0)).toBeLessThan(0.1);
  });
});

describe('an estimate', () => {
  test('is unknown before the first sample, which it then is', () => {
    const estimates = new LatencyEstimates(2, second, 0);
    expect([estimates.isUnknown(0), estimates.at(0, 5)]).toEqual([true, undefined]);
    estimates.record(0, 0.25, 5);
    expect([estimates.isUnknown(0), estimates.at(0, 5), estimates.isUnknown(1)]).toEqual([false, 0.25, true]);
  });

  test('moves towards lower samples by as much as the time since the last one says', () => {
    const estimates = new LatencyEstimates(1, second, 0);
    estimates.record(0, 100, 0);
    estimates.record(0, 20, 500);
    expect(estimates.at(0, 500)).toBeCloseTo(20 + 80 * Math.exp(-0.5), 8);
    estimates.record(0, 20, 2500);
    expect(estimates.at(0, 2500)).toBeCloseTo(20 + 80 * Math.exp(-2.5), 8);
  });

  test('is not changed by looking at it', () => {
    const [watched, alone] = [new LatencyEstimates(1, second, 0), new LatencyEstimates(1, second, 0)];
    for (const estimates of [watched, alone]) estimates.record(0, 100, 0);
    for (let now = 0; now < 700; now++) watched.at(0, now);
    for (const estimates of [watched, alone]) estimates.record(0, 50, 700);
    expect(watched.at(0, 700)).toBeCloseTo(alone.at(0, 700) as number, 8);
  });

  test('of many small steps is that of the whole time', () => {
    const estimates = new LatencyEstimates(1, second, 0);
    estimates.record(0, 100, 0);
    for (let step = 1; step <= 30_000; step++) estimates.record(0, 0, step / 10);
    expect(estimates.at(0, 3000)).toBeCloseTo(100 * Math.exp(-3), 6);
  });

  test('compares with another by latency × growth as both would at a common time', () => {
    const estimates = new LatencyEstimates(2, second, 0);
    estimates.record(0, 100, 0);
    estimates.record(1, 60, 400);
    const ratio = (estimates.latencyOf(0) * estimates.growthOf(0)) / (estimates.latencyOf(1) * estimates.growthOf(1));
    expect(ratio).toBeCloseTo((100 * Math.exp(-0.4)) / 60, 8);
  });

  test('keeps its value over the end of an epoch of 256 decay times', () => {
    const estimates = new LatencyEstimates(2, second, 0);
    const end = 256 * second;
    estimates.record(0, 100, end - 500);
    estimates.record(0, 40, end + 500);
    expect(estimates.at(0, end + 500)).toBeCloseTo(40 + 60 * Math.exp(-1), 6);
    estimates.record(1, 70, end + 1000);
    expect(estimates.latencyOf(0) * estimates.growthOf(0)).toBeLessThan(estimates.latencyOf(1) * estimates.growthOf(1));
  });

  test('that is older than several epochs is unknown again', () => {
    const estimates = new LatencyEstimates(2, second, 0);
    estimates.record(0, 100, 0);
    for (let epoch = 1; epoch < 5; epoch++) estimates.record(1, 50, epoch * 300 * second);
    expect([estimates.isUnknown(0), estimates.isUnknown(1)]).toEqual([true, false]);
  });

  test('survives a pause as long as a clock can count', () => {
    const estimates = new LatencyEstimates(1, second, 0);
    estimates.record(0, 100, 0);
    estimates.record(0, 30, Number.MAX_SAFE_INTEGER);
    expect(estimates.at(0, Number.MAX_SAFE_INTEGER)).toBeCloseTo(30, 8);
  });
});

describe('a failure', () => {
  test('draws the estimate up by as much as the time since the sample before the last says', () => {
    const estimates = new LatencyEstimates(1, second, 0);
    estimates.record(0, 10, 0);
    estimates.record(0, 10, 100);
    estimates.recordFailure(0, 1000, 100);
    expect(estimates.at(0, 100)).toBeCloseTo(1000 - 990 * Math.exp(-0.1), 6);
  });

  test('counts, too, where an answer was measured in the same moment', () => {
    const estimates = new LatencyEstimates(1, second, 0);
    for (let now = 0; now <= 5000; now += 100) {
      estimates.record(0, 1, now);
      estimates.recordFailure(0, 1000, now);
    }
    expect(estimates.at(0, 5000)).toBeGreaterThan(400);
  });

  test('never makes a member look faster', () => {
    const estimates = new LatencyEstimates(1, second, 0);
    estimates.record(0, 5000, 0);
    estimates.recordFailure(0, 1000, 300);
    expect(estimates.latencyOf(0)).toBe(5000);
  });

  test('of a member without history leaves it unknown', () => {
    const estimates = new LatencyEstimates(1, second, 0);
    estimates.recordFailure(0, 1000, 300);
    expect(estimates.isUnknown(0)).toBe(true);
  });
});

test('what another has found out is taken over with its age', () => {
  const before = new LatencyEstimates(3, second, 0);
  before.record(2, 100, 1000);
  const after = new LatencyEstimates(2, second, 5000);
  after.copy(1, before, 2, 5000);
  after.copy(0, before, 0, 5000);
  expect(after.isUnknown(0)).toBe(true);
  expect(after.at(1, 5000)).toBeCloseTo(100 * Math.exp(-4), 8);
  after.record(1, 50, 6000);
  expect(after.at(1, 6000)).toBeCloseTo(50 + 50 * Math.exp(-5), 8);
});
