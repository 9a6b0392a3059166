import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Member } from '../../src/core/member.ts';
import { ConsistentRing } from '../../src/strategies/consistent-ring.ts';
import { avalanche, murmur3 } from '../../src/strategies/murmur3.ts';
import { namedMembers } from '../fixtures/hash-tables.ts';

const stride = 0x9e3779b9;

/** The points of a member: 40 for each power of two in its weight, as places and what a unit of distance to them counts. */
function pointsOf({ id, weight }: Member): { id: string; place: number; scale: number }[] {
  return [0, 1, 2, 3, 4, 5, 6, 7, 8]
    .filter((power) => (weight & (2 ** power)) !== 0)
    .flatMap((power) =>
      Array.from({ length: 40 }, (_, point) => ({
        id,
        place: avalanche(murmur3(id, power) + Math.imul(point, stride)),
        scale: 2 ** -power,
      })),
    );
}

/** Whose point lies closest behind either of a key's two places, by looking at each of them. */
function definition(members: readonly Member[]): (hash: number) => string | undefined {
  const points = members.flatMap(pointsOf);
  return (hash) => {
    let closest = Number.POSITIVE_INFINITY;
    let found: string | undefined;
    for (const place of [avalanche(hash), avalanche((hash + stride) | 0)]) {
      for (const point of points) {
        const distance = ((point.place - place) >>> 0) * point.scale;
        if (distance >= closest) continue;
        closest = distance;
        found = point.id;
      }
    }
    return found;
  };
}

const everybody = { accepts: () => true };
const weighted = fc
  .array(fc.oneof(fc.constantFrom(1, 256), fc.integer({ min: 1, max: 256 })), { minLength: 1, maxLength: 12 })
  .map((weights) => namedMembers(Object.fromEntries(weights.map((weight, index) => [`m${index}`, weight]))));

describe('a key goes to the point closest behind either of its two places', () => {
  test('with any weights', () => {
    fc.assert(
      fc.property(weighted, fc.array(fc.integer(), { minLength: 20, maxLength: 20 }), (members, hashes) => {
        const ring = new ConsistentRing(members);
        expect(hashes.map((hash) => ring.find(hash, 0, everybody)?.id)).toEqual(hashes.map(definition(members)));
      }),
      { seed: 31, numRuns: 60 },
    );
  });

  test('as if those who are no candidates were not there', () => {
    fc.assert(
      fc.property(weighted, fc.integer(), fc.integer(), (members, hash, chosen) => {
        const candidates = members.filter((_, index) => ((chosen >>> index) & 1) === 1);
        const found = new ConsistentRing(members).find(hash, 0, { accepts: (member) => candidates.includes(member) });
        expect(found?.id).toBe(definition(candidates)(hash));
      }),
      { seed: 32, numRuns: 100 },
    );
  });

  for (const [name, weightOf] of [
    ['equal', () => 1],
    ['unequal', (index: number) => 1 + ((index * 7919) % 256)],
  ] as const) {
    test(`with some 300,000 points of ${name} weights, where sectors are coarse`, () => {
      const count = name === 'equal' ? 7500 : 1900;
      const members = namedMembers(
        Object.fromEntries(Array.from({ length: count }, (_, index) => [`10.0.0.${index}:80`, weightOf(index)])),
      );
      const ring = new ConsistentRing(members);
      const whose = definition(members);
      for (let key = 0; key < 40; key++) {
        const hash = murmur3(`client ${key}`) | 0;
        expect(ring.find(hash, 0, everybody)?.id).toBe(whose(hash));
      }
    });
  }
});
