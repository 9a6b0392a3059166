import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Member } from '../../src/core/member.ts';
import { LoadOrder } from '../../src/strategies/load-order.ts';
import type { PickRequest } from '../../src/strategies/strategy.ts';
import { equal, makePool } from '../fixtures/core.ts';

const { members } = makePool({ members: equal(12) });

function orderOf(weights: readonly number[], counts: readonly number[] = weights.map(() => 0)): LoadOrder {
  const places = [...weights.keys()];
  return new LoadOrder(weights, counts, new Float64Array(weights.length), places, 0);
}

/** A request that refuses the members at these places. */
const refusing = (...places: readonly number[]): PickRequest => ({
  clientAddress: undefined,
  clientPort: undefined,
  key: undefined,
  path: undefined,
  header: () => undefined,
  accepts: (member: Member) => !places.some((place) => members[place] === member),
});

const load = (count: number, weight: number): number => (count === 0 ? 0 : (count + 1) / weight);

test('the first is the least loaded, whatever counts come and go', () => {
  const step = fc.record({ place: fc.nat(11), count: fc.integer({ min: -1, max: 9 }), takes: fc.boolean() });
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 12 }),
      fc.array(fc.integer({ min: -1, max: 9 }), { minLength: 12, maxLength: 12 }),
      fc.array(step, { maxLength: 100 }),
      fc.array(fc.nat(11), { maxLength: 6 }),
      (weights, start, steps, refused) => {
        const counts = weights.map((_, place) => start[place] as number);
        const order = orderOf(weights, counts);
        const least = (among: readonly number[]): number =>
          Math.min(...among.map((place) => load(counts[place] as number, weights[place] as number)));
        const loadAt = (place: number): number =>
          place < 0 ? Number.POSITIVE_INFINITY : load(counts[place] as number, weights[place] as number);
        for (const { place, count, takes } of [{ place: 0, count: counts[0] as number, takes: false }, ...steps]) {
          if (place >= weights.length) continue;
          counts[place] = count;
          if (takes) order.take(place, count);
          else order.move(place, count);
          const isIn = [...weights.keys()].filter((each) => (counts[each] as number) >= 0);
          expect([...order.places()].sort((a, b) => a - b)).toEqual(isIn);
          expect(loadAt(order.first)).toBe(least(isIn));
          const accepted = isIn.filter((each) => !refused.includes(each));
          const found = order.find(members, refusing(...refused));
          expect(loadAt(found)).toBe(least(accepted));
          expect(found < 0 || accepted.includes(found)).toBe(true);
        }
      },
    ),
    { seed: 21, numRuns: 300 },
  );
});

test('there is no first where all are out', () => {
  const order = orderOf([1, 2], [-1, -1]);
  expect([order.first, order.find(members, refusing()), order.places()]).toEqual([-1, -1, []]);
});

test('one that comes back in joins those of its count, wherever these are', () => {
  const order = orderOf([1, 1, 1, 1], [0, 3, 7, -1]);
  order.move(3, 3);
  expect(order.places()).toEqual([0, 1, 3, 2]);
});

test('a queue is used again once it is empty, however long members come and go', () => {
  const order = orderOf([1, 1, 2]);
  for (let round = 1; round < 10_000; round++) {
    for (const place of [0, 1, 2]) order.take(place, round);
    for (const place of [0, 1, 2]) order.move(place, 0);
  }
  expect(order.places()).toEqual([0, 1, 2]);
});

test('loads that are the same fraction tie, even where products with 1 / weight would differ by a rounding error', () => {
  expect(3 * (1 / 5)).not.toBe(9 * (1 / 15));
  const order = orderOf([5, 15], [2, 8]);
  const taken = Array.from({ length: 8 }, () => {
    const place = order.first;
    order.take(place, place === 0 ? 3 : 9);
    order.move(place, place === 0 ? 2 : 8);
    return place;
  });
  expect(taken.filter((place) => place === 0).length).toBe(2);
});
