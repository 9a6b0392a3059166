import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../src/core/random.ts';
import { DistinctDraws } from '../../src/strategies/distinct-draws.ts';
import { tally } from '../fixtures/core.ts';

const drawsOf = (weights: readonly number[], most: number): DistinctDraws =>
  new DistinctDraws(Int32Array.from(weights), most, seededRandom(5));

const even = (count: number): number[] => Array.from({ length: count }, () => 1);

for (const [name, weights] of [
  ['even weights', even(6)],
  ['weights', [1, 2, 3, 4, 5, 6]],
  ['steep weights', [256, 1, 1, 1, 1, 1]],
] as const) {
  describe(`draws by ${name}`, () => {
    test('never give the place that is not wanted', () => {
      const draws = drawsOf(weights, 2);
      for (let number = 0; number < 2000; number++) {
        const place = draws.any();
        const other = draws.anyBut(place);
        expect(other).not.toBe(place);
        expect(weights[other]).toBeDefined();
      }
    });

    test('are all different from one beginning to the next', () => {
      const draws = drawsOf(weights, 4);
      for (let number = 0; number < 500; number++) {
        const drawn = [draws.first(), draws.next(), draws.next(), draws.next()].filter((place) => place >= 0);
        expect(new Set(drawn).size).toBe(drawn.length);
        expect(draws.next()).toBe(-1);
      }
    });
  });
}

test('the first draw follows the weights', () => {
  const draws = drawsOf([5, 3, 2], 2);
  const counts = tally(Array.from({ length: 10_000 }, () => `${draws.any()}`));
  expect(counts['0']).toBeGreaterThan(4800);
  expect(counts['0']).toBeLessThan(5200);
  expect(counts['2']).toBeGreaterThan(1850);
  expect(counts['2']).toBeLessThan(2150);
});

test('of even weights every pair is as likely as any other', () => {
  const draws = drawsOf(even(4), 2);
  const pairs = tally(
    Array.from({ length: 12_000 }, () => {
      const place = draws.any();
      return `${place}${draws.anyBut(place)}`;
    }),
  );
  expect(Object.keys(pairs).length).toBe(12);
  // 1000 each; five times the standard deviation of 30.
  for (const count of Object.values(pairs)) expect(Math.abs(count - 1000)).toBeLessThan(150);
});

test('of one place there is no other', () => {
  for (const weights of [[1], [9]]) {
    const draws = drawsOf(weights, 3);
    expect([draws.first(), draws.next(), draws.anyBut(0)]).toEqual([0, -1, -1]);
  }
});

test('of two places the other one is found at once, however little it weighs', () => {
  const draws = drawsOf([256, 1], 2);
  expect([draws.anyBut(0), draws.anyBut(1)]).toEqual([1, 0]);
});

test('of fewer places than are wanted all are drawn', () => {
  const draws = drawsOf(even(3), 16);
  const drawn = new Int32Array(16);
  expect(draws.drawAll(drawn)).toBe(3);
  expect([...drawn.subarray(0, 3)].sort()).toEqual([0, 1, 2]);
});

test('as many are drawn at once as there is room for', () => {
  const draws = drawsOf(even(1000), 5);
  const drawn = new Int32Array(5);
  expect(draws.drawAll(drawn)).toBe(5);
  expect(new Set(drawn).size).toBe(5);
});
