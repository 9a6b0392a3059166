import { describe, expect, test } from 'vitest';
import { avalanche, murmur3 } from '../../src/strategies/murmur3.ts';

describe('the published vectors of the 32-bit variant hold', () => {
  for (const [text, seed, hash] of [
    ['', 0, 0],
    ['', 1, 0x514e28b7],
    ['', 0xffffffff, 0x81f16f39],
    ['\u00ff\u00ff\u00ff\u00ff', 0, 0x76293b50],
    ['\u0021\u0043\u0065\u0087', 0, 0xf55b516b],
    ['\u0021\u0043\u0065\u0087', 0x5082edee, 0x2362f9de],
    ['\u0021\u0043\u0065', 0, 0x7e4a8634],
    ['\u0021\u0043', 0, 0xa0f7b07a],
    ['\u0021', 0, 0x72661cf4],
    ['\u0000\u0000\u0000\u0000', 0, 0x2362f9de],
    ['\u0000\u0000\u0000', 0, 0x85f0b427],
    ['\u0000\u0000', 0, 0x30f4c306],
    ['\u0000', 0, 0x514e28b7],
    ['Hello, world!', 0x9747b28c, 0x24884cba],
  ] as const) {
    test(`${JSON.stringify(text)} with seed ${seed.toString(16)}`, () => {
      expect(murmur3(text, seed)).toBe(hash);
    });
  }
});

test('the seed is 0 where none is given', () => {
  expect(murmur3('10.0.0.1')).toBe(murmur3('10.0.0.1', 0));
});

test('text beyond Latin-1 hashes as it always has, or its members would be others', () => {
  expect(['Überlastausgleich für 負荷分散', '負荷分', 'é€😀x'].map((text) => murmur3(text))).toEqual([
    0x206975e4, 0xf03da890, 0x5b6c065d,
  ]);
});

test('text beyond Latin-1 hashes to an unsigned 32-bit integer, too', () => {
  const hash = murmur3('Überlastausgleich für 負荷分散');
  expect(hash >>> 0).toBe(hash);
});

test('the finalizer maps no two of many neighbours to one place', () => {
  expect(new Set(Array.from({ length: 100_000 }, (_, value) => avalanche(value))).size).toBe(100_000);
});
