import { expect, test } from 'vitest';
import { crc32, emptyCrc, extendCrc, extendCrcByWord, finishCrc } from '../../../src/strategies/hash/crc32.ts';
import { latin1Bytes } from '../../fixtures/hashes.ts';

test('the standard check value holds', () => {
  expect(crc32('123456789')).toBe(0xcbf43926);
});

test('nothing has the checksum 0', () => {
  expect(crc32('')).toBe(0);
});

test('the bytes 0 to 255 have the checksum that HAProxy gives them', () => {
  let crc = emptyCrc;
  for (let byte = 0; byte < 256; byte += 4) {
    crc = extendCrcByWord(crc, byte | ((byte + 1) << 8) | ((byte + 2) << 16) | ((byte + 3) << 24));
  }
  expect(finishCrc(crc)).toBe(688229491);
});

test('text in pieces has the checksum of the whole', () => {
  expect(finishCrc(extendCrc(extendCrc(emptyCrc, '1234'), '56789'))).toBe(crc32('123456789'));
});

test('text beyond ASCII counts as UTF-8', () => {
  // As zlib has it.
  expect([crc32('Grüße'), crc32('負荷分散😀')]).toEqual([0xfbd37071, 0x45a0997e]);
});

test('text of any length has the checksum of its halves one after the other', () => {
  for (const length of [0, 1, 2, 3, 4, 5, 6, 7, 8, 100, 5458, 5460, 40_000]) {
    for (const text of [latin1Bytes(length), 'ü負'.repeat(length / 2)]) {
      const middle = Math.floor(length / 3);
      const halves = extendCrc(extendCrc(emptyCrc, text.slice(0, middle)), text.slice(middle));
      expect(finishCrc(halves)).toBe(crc32(text));
    }
  }
});
