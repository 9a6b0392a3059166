import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { murmur2 } from '../../../src/strategies/hash/murmur2.ts';
import { digestOf, latin1Bytes, murmur2Of } from '../../fixtures/hashes.ts';

describe('the vectors of Envoy hold, with the seed of libstdc++', () => {
  for (const [text, hash] of [
    ['', 6142509188972423790n],
    ['foo', 9631199822919835226n],
    ['bar', 11474628671133349555n],
    ['foo\nbar', 16306510975912980159n],
    ['lyft', 12847078931730529320n],
  ] as const) {
    test(JSON.stringify(text), () => {
      expect(digestOf(() => murmur2(text))).toBe(hash);
    });
  }
});

test('any text hashes as its UTF-8 bytes do, with any seed', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), fc.nat(0xffffffff), (text, seed) => {
      expect(digestOf(() => murmur2(text, seed))).toBe(murmur2Of(new TextEncoder().encode(text), BigInt(seed)));
    }),
    { seed: 2, numRuns: 500 },
  );
});

test('ASCII of every length up to 40 hashes right', () => {
  for (let length = 0; length <= 40; length++) {
    const text = latin1Bytes(length);
    expect(digestOf(() => murmur2(text))).toBe(murmur2Of(new TextEncoder().encode(text), 0xc70f6907n));
  }
});

test('text too long to be kept hashes the same, and so does what comes after it', () => {
  for (const length of [5457, 5458, 5459, 9000, 3]) {
    for (const text of [latin1Bytes(length), '負'.repeat(length)]) {
      expect(digestOf(() => murmur2(text, 1))).toBe(murmur2Of(new TextEncoder().encode(text), 1n));
    }
  }
});
