import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Sectors } from '../../../src/strategies/hash/sectors.ts';
import { avalanche } from '../../../src/strategies/murmur3.ts';

/** Places sorted as a ring does, and the sectors they were sorted by. */
function sorted(places: readonly number[]): { sectors: Sectors; ring: Uint32Array } {
  const sectors = new Sectors(places.length);
  const ring = new Uint32Array(places.length);
  for (const place of places) sectors.count(place);
  sectors.layOut();
  for (const place of places) ring[sectors.take(place)] = place;
  sectors.coarsen();
  // What a ring does by insertion.
  ring.sort();
  return { sectors, ring };
}

/** How many places lie before one, by counting on from where the sectors say. */
function countBefore({ sectors, ring }: ReturnType<typeof sorted>, place: number): { found: number; steps: number } {
  const near = sectors.near(place);
  let found = near;
  while (found > 0 && Number(ring[found - 1]) >= place) found--;
  while (found < ring.length && Number(ring[found]) < place) found++;
  return { found, steps: Math.abs(found - near) };
}

const hashed = (count: number): number[] => Array.from({ length: count }, (_, index) => avalanche(index + 1));

test('sectors lead to every place, however uneven the places are', () => {
  const place = fc.oneof(fc.integer({ min: 0, max: 0xffffffff }), fc.integer({ min: 0x7ffffff0, max: 0x80000010 }));
  fc.assert(
    fc.property(fc.array(place, { minLength: 1, maxLength: 200 }), place, (places, wanted) => {
      const before = places.filter((one) => one < wanted).length;
      expect(countBefore(sorted(places), wanted).found).toBe(before);
    }),
    { seed: 11, numRuns: 500 },
  );
});

for (const count of [1, 5000, 100_000, 200_000, 600_000]) {
  test(`of ${count} hashed places any is found in a few steps`, () => {
    const places = hashed(count);
    const all = sorted(places);
    const wanted = [0, 0xffffffff, ...places.slice(0, 1000), ...hashed(3000).map((place) => place ^ 0x55555555)];
    const steps = wanted.map((place) => {
      const { found, steps } = countBefore(all, place >>> 0);
      expect(found === 0 || Number(all.ring[found - 1]) < place >>> 0).toBe(true);
      expect(found === count || Number(all.ring[found]) >= place >>> 0).toBe(true);
      return steps;
    });
    expect(steps.reduce((sum, each) => sum + each, 0) / steps.length).toBeLessThan(3);
  });
}

test('places that nearly all fall into one sector of very many are found, too', () => {
  const places = [...hashed(1000), ...Array.from({ length: 270_000 }, (_, index) => 0x12340000 + (index & 0x7fff))];
  const all = sorted(places);
  for (const wanted of [0, 0x12340000, 0x12344000, 0x12347fff, 0x12348000, 0xffffffff]) {
    expect(countBefore(all, wanted).found).toBe(places.filter((place) => place < wanted).length);
  }
});
