import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Member } from '../../../src/core/member.ts';
import { HighestRandomWeight } from '../../../src/strategies/hash/highest-random-weight.ts';
import { idFor, namedMembers } from '../../fixtures/hash-tables.ts';
import { xxHash64Of } from '../../fixtures/hashes.ts';

const mask = (1n << 64n) - 1n;

/** Envoy's rendezvous_hash_lb.cc as it is written, on BigInt, but for its approximate logarithm. */
function scoreOf({ id, weight }: Member, hash: bigint): number {
  let x = hash ^ xxHash64Of(new TextEncoder().encode(id), 0n);
  x ^= x >> 12n;
  x = (x ^ (x << 25n)) & mask;
  x ^= x >> 27n;
  const u = Number((x * 2685821657736338717n) & ((1n << 53n) - 1n)) / 2 ** 53;
  return -weight / Math.log(u);
}

function expected(members: readonly Member[], hash: bigint): string | undefined {
  const scores = members.map((member) => scoreOf(member, hash));
  return members[scores.indexOf(Math.max(...scores))]?.id;
}

const hashes = fc.bigInt({ min: 0n, max: mask });

describe("the choice is that of Envoy's definition", () => {
  test('for equal weights', () => {
    const members = namedMembers(
      Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`10.0.0.${index}:80`, 4])),
    );
    const table = new HighestRandomWeight(members);
    fc.assert(
      fc.property(hashes, (hash) => {
        expect(idFor(table, hash)).toBe(expected(members, hash));
      }),
      { seed: 5, numRuns: 500 },
    );
  });

  test('for any weights', () => {
    const weights = fc.array(fc.integer({ min: 1, max: 256 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(weights, hashes, (each, hash) => {
        const members = namedMembers(Object.fromEntries(each.map((weight, index) => [`m${index}`, weight])));
        expect(idFor(new HighestRandomWeight(members), hash)).toBe(expected(members, hash));
      }),
      { seed: 6, numRuns: 300 },
    );
  });
});

test('a client that its member cannot take goes to the one with the next highest score', () => {
  const members = namedMembers({ a: 1, b: 2, c: 3, d: 4 });
  const table = new HighestRandomWeight(members);
  for (let hash = 1n; hash < 1n << 60n; hash *= 3n) {
    const byScore = [...members].sort((a, b) => scoreOf(b, hash) - scoreOf(a, hash)).map(({ id }) => id);
    const found = byScore.map((_, index) => idFor(table, hash, byScore.slice(0, index)));
    expect(found).toEqual(byScore);
  }
});

test('nobody is found where nobody is a candidate', () => {
  expect(idFor(new HighestRandomWeight(namedMembers({ a: 1, b: 2 })), 5n, ['a', 'b'])).toBe(undefined);
});

test('a member whose number is 0, the least of all, still serves whoever can go to nobody else', () => {
  const own = xxHash64Of(new TextEncoder().encode('a'), 0n);
  for (const weights of [
    { a: 1, b: 1 },
    { a: 1, b: 2 },
  ]) {
    expect(idFor(new HighestRandomWeight(namedMembers(weights)), own, ['b'])).toBe('a');
  }
});
