import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PlaceSet } from '../../src/strategies/place-set.ts';

function holding(capacity: number, ...places: readonly number[]): PlaceSet {
  const set = new PlaceSet(capacity);
  for (const place of places) set.add(place);
  return set;
}

/** All places, by going from one to the next. */
function walk(set: PlaceSet): number[] {
  const places: number[] = [];
  for (let place = set.next(0); place >= 0; place = set.next(place + 1)) places.push(place);
  return places;
}

describe('the next place', () => {
  for (const capacity of [1, 31, 32, 33, 1024, 1025, 32_768, 32_769, 100_000, 1_048_577]) {
    test(`is found at both ends of ${capacity}`, () => {
      const last = capacity - 1;
      expect(walk(holding(capacity, 0, last))).toEqual(capacity === 1 ? [0] : [0, last]);
      expect(holding(capacity, last).next(0)).toBe(last);
    });
  }

  test('is not before where the search begins', () => {
    expect(holding(100, 40).next(41)).toBe(-1);
  });

  test('is none in an empty set, nor beyond the end', () => {
    expect([holding(5000).next(0), holding(5000, 4999).next(5000), holding(32, 31).next(32)]).toEqual([-1, -1, -1]);
  });
});

test('holds what was added and not deleted since', () => {
  const change = fc.record({ place: fc.nat(2999), isAdded: fc.boolean() });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3000 }), fc.array(change, { maxLength: 200 }), (capacity, changes) => {
      const set = new PlaceSet(capacity);
      const expected = new Set<number>();
      for (const { place: any, isAdded } of changes) {
        const place = any % capacity;
        if (isAdded) set.add(place);
        else set.delete(place);
        if (isAdded) expected.add(place);
        else expected.delete(place);
        expect(set.has(place)).toBe(isAdded);
      }
      const places = [...expected].sort((a, b) => a - b);
      expect([walk(set), set.size]).toEqual([places, places.length]);
    }),
    { seed: 8, numRuns: 200 },
  );
});
