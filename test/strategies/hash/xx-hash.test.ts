import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadText, words } from '../../../src/strategies/hash/text-words.ts';
import { xxHash64, xxHash64OfWords } from '../../../src/strategies/hash/xx-hash.ts';
import { digestOf, latin1Bytes, xxHash64Of } from '../../fixtures/hashes.ts';

describe('the vectors of Envoy hold', () => {
  for (const [text, hash] of [
    ['', 17241709254077376921n],
    ['foo', 3728699739546630719n],
    ['bar', 5234164152756840025n],
    ['foo\nbar', 8917841378505826757n],
    ['lyft', 4400747396090729504n],
  ] as const) {
    test(JSON.stringify(text), () => {
      expect(digestOf(() => xxHash64(text))).toBe(hash);
    });
  }
});

test('the bytes 0 to 255 hash as HAProxy has them, with two seeds', () => {
  const length = loadText('x'.repeat(256));
  for (let at = 0; at < length; at += 4) words[at / 4] = at | ((at + 1) << 8) | ((at + 2) << 16) | ((at + 3) << 24);
  const hashes = [0, 1].map((seed) =>
    BigInt.asIntN(
      64,
      digestOf(() => xxHash64OfWords(length, seed)),
    ),
  );
  expect(hashes).toEqual([2282408585429094475n, -4689339368900765961n]);
});

test('any text hashes as its UTF-8 bytes do, with any seed', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 120 }), fc.nat(0xffffffff), (text, seed) => {
      expect(digestOf(() => xxHash64(text, seed))).toBe(xxHash64Of(new TextEncoder().encode(text), BigInt(seed)));
    }),
    { seed: 1, numRuns: 500 },
  );
});

test('ASCII of every length up to four stripes hashes right', () => {
  for (let length = 0; length <= 130; length++) {
    const text = latin1Bytes(length);
    expect(digestOf(() => xxHash64(text))).toBe(xxHash64Of(new TextEncoder().encode(text), 0n));
  }
});

test('a lone surrogate counts as U+FFFD', () => {
  for (const [text, same] of [
    ['a\ud800', 'a\ufffd'],
    ['\udc00b', '\ufffdb'],
    ['\ud800\ud83d\ude00', '\ufffd\ud83d\ude00'],
  ] as const) {
    expect(digestOf(() => xxHash64(text))).toBe(digestOf(() => xxHash64(same)));
  }
});

test('a short text after a very long one hashes as before', () => {
  const before = digestOf(() => xxHash64('foo'));
  xxHash64('x'.repeat(100_000));
  xxHash64('é'.repeat(100_000));
  expect(digestOf(() => xxHash64('foo'))).toBe(before);
});

test('text too long to be kept hashes the same, and so does what comes after it', () => {
  for (const length of [5457, 5458, 5459, 9000, 3]) {
    for (const text of [latin1Bytes(length), '負'.repeat(length)]) {
      expect(digestOf(() => xxHash64(text, 1))).toBe(xxHash64Of(new TextEncoder().encode(text), 1n));
    }
  }
});
