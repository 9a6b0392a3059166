import { describe, expect, test } from 'vitest';
import { SampleWindow } from '../../src/safeguards/sample-window.ts';

describe('a window of samples', () => {
  // Netflix, ImmutableAverageSampleWindowTest.java.
  test('has their mean', () => {
    const window = new SampleWindow(1000);
    for (const milliseconds of [5000, 500, 10]) window.add(milliseconds, 1, false, 0);
    expect(window.mean).toBeCloseTo(5510 / 3, 9);
  });

  // As the name of Netflix's second test has it, and not as the test has it.
  test('whose sample was dropped does not change its mean for it', () => {
    const window = new SampleWindow(1000);
    for (const milliseconds of [5000, 500, 10]) window.add(milliseconds, 1, false, 0);
    window.add(5000, 1, true, 0);
    expect([window.mean, window.shareDropped]).toEqual([5510 / 3, 0.25]);
  });

  test('has no mean where all were dropped', () => {
    const window = new SampleWindow(0);
    window.add(5, 1, true, 0);
    expect([window.mean, window.shareDropped]).toEqual([undefined, 1]);
  });

  test('has the most that were under way', () => {
    const window = new SampleWindow(1000);
    for (const inFlight of [3, 9, 4]) window.add(1, inFlight, false, 0);
    expect(window.maxInFlight).toBe(9);
  });

  test('is over with the first sample at its end, counted from its first', () => {
    const window = new SampleWindow(1000);
    for (let sample = 0; sample < 20; sample++) expect(window.add(1, 1, false, 500 + sample)).toBe(false);
    expect(window.add(1, 1, false, 1499.9)).toBe(false);
    expect(window.add(1, 1, false, 1500)).toBe(true);
  });

  test('stays open until it has ten', () => {
    const window = new SampleWindow(1000);
    const isOver = Array.from({ length: 10 }, (_, sample) => window.add(1, 1, false, sample * 1000));
    expect(isOver).toEqual([...Array(9).fill(false), true]);
  });

  test('begins anew after that', () => {
    const window = new SampleWindow(100);
    for (let sample = 0; sample < 10; sample++) window.add(7, 50, true, sample * 100);
    expect(window.add(3, 2, false, 1000)).toBe(false);
    expect([window.mean, window.maxInFlight, window.shareDropped]).toEqual([3, 2, 0]);
  });

  test('of no length is each sample', () => {
    const window = new SampleWindow(0);
    expect([window.add(1, 1, false, 0), window.mean, window.add(2, 1, false, 0), window.mean]).toEqual([
      true,
      1,
      true,
      2,
    ]);
  });

  test('takes a microsecond for what took no time, or less', () => {
    const window = new SampleWindow(0);
    window.add(0, 1, false, 0);
    expect(window.mean).toBe(0.001);
    window.add(-5, 1, false, 0);
    expect(window.mean).toBe(0.001);
  });
});
