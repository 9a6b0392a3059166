import { expect, test } from 'vitest';
import { seededRandom } from '../../src/core/random.ts';

const draw = (seed: number, count: number): number[] => {
  const random = seededRandom(seed);
  return Array.from({ length: count }, random);
};

test('the same seed gives the same numbers', () => {
  expect(draw(7, 1000)).toEqual(draw(7, 1000));
});

test('another seed gives other numbers', () => {
  expect(draw(7, 10)).not.toEqual(draw(8, 10));
});

test('two generators of one seed do not disturb each other', () => {
  const one = seededRandom(3);
  const other = seededRandom(3);
  one();
  one();
  expect([one(), one()]).toEqual([other(), other(), other(), other()].slice(2));
});

test('all numbers are from 0 up to but not 1', () => {
  expect(draw(1, 100_000).filter((number) => !(number >= 0 && number < 1))).toEqual([]);
});

test('the numbers are evenly spread', () => {
  const tenths = new Array<number>(10).fill(0);
  for (const number of draw(5, 100_000)) tenths[Math.floor(number * 10)] = (tenths[Math.floor(number * 10)] ?? 0) + 1;
  const chiSquare = tenths.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
  expect(chiSquare).toBeLessThan(27.88);
});

test('neighbouring seeds do not start alike', () => {
  const firsts = Array.from({ length: 1000 }, (_, seed) => draw(seed, 1)[0] ?? 0);
  const mean = firsts.reduce((sum, number) => sum + number, 0) / 1000;
  expect(Math.abs(mean - 0.5)).toBeLessThan(0.03);
});
