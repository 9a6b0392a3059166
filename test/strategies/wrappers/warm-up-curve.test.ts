import { describe, expect, test } from 'vitest';
import { unlimited } from '../../../src/core/member-spec.ts';
import { envoyCurve, haproxyCurve } from '../../../src/strategies/wrappers/warm-up-curve.ts';

const second = 1000;
const minute = 60 * second;

describe("Envoy's curve", () => {
  const line = envoyCurve(minute, 1, 0.1);

  test.each([
    [0, 0.1],
    [6, 0.1],
    [15, 0.25],
    [30, 0.5],
    [45, 0.75],
    [60, 1],
  ])('is, %i s into a window of a minute, at %f', (seconds, factor) => {
    expect(line.factorAt(seconds * second)).toBeCloseTo(factor, 12);
  });

  // What Envoy's round_robin_lb_test.cc expects (SlowStartNoWait, …NonLinearAggression, …MinWeightPercent35, …RuntimeAggression).
  test.each([
    [minute, 1, 0.1, 12 * second, 12 / 60],
    [minute, 1, 0.1, 20 * second, 20 / 60],
    [minute, 2, 0.1, 0, 0.1],
    [minute, 2, 0.1, 5 * second, Math.sqrt(5 / 60)],
    [minute, 2, 0.1, 6 * second, Math.sqrt(0.1)],
    [minute, 2, 0.1, 26 * second, Math.sqrt(26 / 60)],
    [minute, 1, 0.35, 12 * second, 0.35],
    [minute, 1, 0.35, 30 * second, 0.5],
    [10 * second, 1.5, 0.1, 9 * second, 0.9 ** (1 / 1.5)],
  ])('of window %i, aggression %f and floor %f is after %i ms at %f', (window, aggression, floor, elapsed, factor) => {
    expect(envoyCurve(window, aggression, floor).factorAt(elapsed)).toBeCloseTo(factor, 12);
  });

  test('starts above 0 however steep it is', () => {
    expect(envoyCurve(minute, 0.01, 0).factorAt(0)).toBeGreaterThan(0);
  });

  test('starts above 0 without a floor: as after one millisecond', () => {
    expect(envoyCurve(minute, 1, 0).factorAt(0)).toBe(1 / minute);
  });

  test('is below 1 a millisecond before the end, and 1 at the end and after', () => {
    expect([minute - 1, minute, minute + 1].map((elapsed) => line.factorAt(elapsed))).toEqual([1 - 1 / minute, 1, 1]);
  });

  test('never exceeds 1 in a window shorter than a millisecond step', () => {
    expect(envoyCurve(1.5, 1, 0).factorAt(1.2)).toBeLessThan(1);
    expect(envoyCurve(1, 1, 0).factorAt(0)).toBe(1);
  });

  test('leaves the most connections alone', () => {
    expect(line.limitAt(0, 100)).toBe(unlimited);
  });
});

describe("HAProxy's curve", () => {
  const steps = haproxyCurve(minute, 0);

  test.each([
    [0, 10],
    [1, 10],
    [6, 20],
    [15, 50],
    [30, 90],
    [59, 160],
    [60, 160],
  ])(
    'gives a server of weight 10, which is 160 in its scale, after %i s of a minute a weight of %i',
    (seconds, weight) => {
      expect(steps.factorAt(seconds * second) * 160).toBe(weight);
    },
  );

  test('steps up when a sixteenth of the window has passed, not before', () => {
    expect([3749, 3750].map((elapsed) => steps.factorAt(elapsed) * 16)).toEqual([1, 2]);
  });

  test('rises from its floor', () => {
    expect([0, 30 * second].map((elapsed) => haproxyCurve(minute, 0.25).factorAt(elapsed))).toEqual([0.25, 9 / 16]);
  });

  test.each([
    [0, 1],
    [1, 2],
    [15, 50],
    [30, 100],
    [59, 196],
    [60, 200],
  ])('allows after %i s, of 200 connections in the end, %i', (seconds, connections) => {
    expect(steps.limitAt(seconds * second, 200)).toBe(connections);
  });

  test('allows one connection at the least', () => {
    expect(steps.limitAt(30 * second, 1)).toBe(1);
  });
});
