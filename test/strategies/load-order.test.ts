import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Member } from '../../src/core/member.ts';
import { LoadOrder } from '../../src/strategies/load-order.ts';
import { beginAt } from '../../src/strategies/standing.ts';
import type { PickRequest } from '../../src/strategies/strategy.ts';
import { makePool, spec } from '../fixtures/core.ts';

const full = 100;

interface Setup {
  readonly order: LoadOrder;
  readonly members: readonly Member[];
  /** Below 0: full. */
  move(place: number, count: number): void;
  take(place: number, count: number): void;
}

/** Members of these weights, which hold so many connections. */
function setUp(weights: readonly number[], counts: readonly number[] = weights.map(() => 0)): Setup {
  const specs = weights.map((weight, index) => spec(`m${index}`, { weight, maxConnections: full }));
  const { members } = makePool({ members: specs });
  const order = new LoadOrder(members, beginAt(0, weights.length), (place) => Math.max(0, counts[place] as number));
  const heldOf = (count: number): number => (count < 0 ? full : count);
  for (const [place, count] of counts.entries()) if (count < 0) order.move(place, full, 0);
  return {
    order,
    members,
    move: (place, count) => order.move(place, heldOf(count), 0),
    take: (place, count) => order.take(place, heldOf(count), 0),
  };
}

/** A request that refuses these members. */
const refusing = (members: readonly (Member | undefined)[]): PickRequest => ({
  clientAddress: undefined,
  clientPort: undefined,
  key: undefined,
  path: undefined,
  header: () => undefined,
  accepts: (member: Member) => !members.includes(member),
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
        const { order, members, move, take } = setUp(weights, counts);
        const least = (among: readonly number[]): number =>
          Math.min(...among.map((place) => load(counts[place] as number, weights[place] as number)));
        const loadAt = (place: number): number =>
          place < 0 ? Number.POSITIVE_INFINITY : load(counts[place] as number, weights[place] as number);
        for (const { place, count, takes } of [{ place: 0, count: counts[0] as number, takes: false }, ...steps]) {
          if (place >= weights.length) continue;
          counts[place] = count;
          if (takes) take(place, count);
          else move(place, count);
          const isIn = [...weights.keys()].filter((each) => (counts[each] as number) >= 0);
          expect([...order.standing.sequence].sort((a, b) => a - b)).toEqual(isIn);
          expect(loadAt(order.first)).toBe(least(isIn));
          const accepted = isIn.filter((each) => !refused.includes(each));
          const found = order.find(members, refusing(refused.map((each) => members[each])));
          expect(loadAt(found)).toBe(least(accepted));
          expect(found < 0 || accepted.includes(found)).toBe(true);
        }
      },
    ),
    { seed: 21, numRuns: 300 },
  );
});

test('there is no first where all are out', () => {
  const { order, members } = setUp([1, 2], [-1, -1]);
  expect([order.first, order.find(members, refusing([])), order.standing.sequence]).toEqual([-1, -1, []]);
});

test('what a member is to be thought to hold besides makes it no fuller', () => {
  const { order } = setUp([1, 1], [1, 5]);
  order.move(0, full - 1, 1000);
  expect(order.first).toBe(1);
  order.move(1, full, 0);
  expect(order.first).toBe(0);
});

test('one that comes back in joins those of its count, wherever these are', () => {
  const { order, move } = setUp([1, 1, 1, 1], [0, 3, 7, -1]);
  move(3, 3);
  expect(order.standing.sequence).toEqual([0, 1, 3, 2]);
});

test('queues are used again once they are empty, however long members come and go', () => {
  const { order, move, take } = setUp([1, 1, 2]);
  for (let round = 1; round < full; round++) {
    for (const place of [0, 1, 2]) take(place, round);
    for (const place of [0, 1, 2]) move(place, 0);
  }
  expect(order.standing.sequence).toEqual([0, 1, 2]);
});

test('loads that are the same fraction tie, even where products with 1 / weight would differ by a rounding error', () => {
  expect(3 * (1 / 5)).not.toBe(9 * (1 / 15));
  const { order, move, take } = setUp([5, 15], [2, 8]);
  const taken = Array.from({ length: 8 }, () => {
    const place = order.first;
    take(place, place === 0 ? 3 : 9);
    move(place, place === 0 ? 2 : 8);
    return place;
  });
  expect(taken.filter((place) => place === 0).length).toBe(2);
});

test('where the first is refused, few others are looked at', () => {
  const { order, members, move, take } = setUp(Array.from({ length: 256 }, (_, index) => index + 1));
  for (const place of members.keys()) {
    take(place, 1);
    move(place, 0);
  }
  const { first } = order;
  let looks = 0;
  const request = { ...refusing([]), accepts: (member: Member) => ++looks > 0 && member !== members[first] };
  expect(order.find(members, request)).not.toBe(first);
  expect(looks).toBeLessThan(20);
});
