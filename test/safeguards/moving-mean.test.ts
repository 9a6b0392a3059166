import { describe, expect, test } from 'vitest';
import { MovingMean } from '../../src/safeguards/moving-mean.ts';

describe('a moving mean', () => {
  // Netflix, ExpAvgMeasurementTest.java.
  test('is plain for ten values, and smoothed from there on', () => {
    const mean = new MovingMean(100);
    const means = [10, 11, 12, 13, 14, 15, 16, 17, 18, 19].map((value) => mean.add(value));
    expect(means).toEqual([10, 10.5, 11, 11.5, 12, 12.5, 13, 13.5, 14, 14.5]);
    expect(mean.add(100)).toBeCloseTo(16.2, 1);
  });

  test('can be corrected once it is smoothed', () => {
    const mean = new MovingMean(99);
    for (let value = 0; value < 10; value++) mean.add(10);
    mean.scale(0.5);
    expect(mean.add(5)).toBe(5);
  });

  test('that is restarted is smoothed at once', () => {
    const mean = new MovingMean(99);
    mean.add(10);
    mean.restart(100);
    expect(mean.add(200)).toBe(102);
  });
});
