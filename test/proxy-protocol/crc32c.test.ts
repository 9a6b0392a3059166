import { describe, expect, test } from 'vitest';
import { crc32c } from '../../src/proxy-protocol/crc32c.ts';
import { ascii, concat } from './wire.ts';

describe('CRC32c', () => {
  test('is what the catalogue of CRCs says of "123456789"', () => {
    expect(crc32c(ascii('123456789')).toString(16)).toBe('e3069283');
  });

  // RFC 3720, appendix B.4, whose bytes are in the order of the wire there: lowest first.
  for (const [what, bytes, expected] of [
    ['32 zeros', new Uint8Array(32), '8a9136aa'],
    ['32 bytes of ones', new Uint8Array(32).fill(0xff), '62a8ab43'],
    ['32 bytes that count up', Uint8Array.from({ length: 32 }, (_, at) => at), '46dd794e'],
    ['32 bytes that count down', Uint8Array.from({ length: 32 }, (_, at) => 31 - at), '113fdb5c'],
  ] as const) {
    test(`is what RFC 3720 says of ${what}`, () => {
      expect(crc32c(bytes).toString(16)).toBe(expected);
    });
  }

  // HAProxy, reg-tests/sample_fetches/hashes.vtc.
  test('is what HAProxy has for the bytes 00 to ff', () => {
    expect(crc32c(Uint8Array.from({ length: 256 }, (_, at) => at))).toBe(2_621_708_363);
  });

  test('of nothing is 0', () => {
    expect(crc32c(new Uint8Array(0))).toBe(0);
  });

  test('takes the four bytes of a hole for zeros', () => {
    const [before, after] = [ascii('before'), ascii('after')];
    const whole = concat(before, Uint8Array.of(1, 2, 3, 4), after);
    expect(crc32c(whole, 6)).toBe(crc32c(concat(before, new Uint8Array(4), after)));
    expect(crc32c(whole)).not.toBe(crc32c(whole, 6));
  });
});
