import { expect, test } from 'vitest';
import { AliasTable } from '../../src/strategies/alias-table.ts';
import { tally } from '../fixtures/core.ts';

/** How often each place is drawn by numbers that cover [0, 1) evenly. */
function drawEvenly(weights: readonly number[], draws: number): Record<string, number> {
  let number = 0;
  const table = new AliasTable(Int32Array.from(weights), () => (number++ + 0.5) / draws);
  return tally(Array.from({ length: draws }, () => `${table.draw()}`));
}

test('a table gives each place exactly its share of the weight', () => {
  expect(drawEvenly([1, 2, 3, 4], 1000)).toEqual({ 0: 100, 1: 200, 2: 300, 3: 400 });
});

test('of steep weights the light ones get their share, too', () => {
  expect(drawEvenly([198, 1, 1], 60_000)).toEqual({ 0: 59_400, 1: 300, 2: 300 });
});

test('a table of one place gives that place', () => {
  expect(drawEvenly([7], 5)).toEqual({ 0: 5 });
});

test('the numbers at both ends of what a generator may give are within the table', () => {
  for (const number of [0, 1 - 2 ** -53]) {
    const place = new AliasTable(Int32Array.from([3, 256, 1, 77, 12]), () => number).draw();
    expect([0, 1, 2, 3, 4]).toContain(place);
  }
});
