import * as texts from './text-words.ts';

// Constants of this module, see `xxHash64`.
const { loadText, longest, words } = texts;

/** CRC-32 of ISO 3309 and zlib (polynomial 0xedb88320), over the UTF-8 bytes of a text. Returns an unsigned 32-bit integer. */
export function crc32(text: string): number {
  return finishCrc(extendCrc(emptyCrc, text));
}

/** A checksum in the making: of nothing yet. */
export const emptyCrc = -1;

/** The checksum with the bytes of a text added. */
export function extendCrc(crc: number, text: string): number {
  const from = text.length <= longest ? words : texts.wordsFor(text);
  return addBytes(crc, from, loadText(text, from));
}

/** The checksum with a 32-bit integer added, its lowest byte first. */
export function extendCrcByWord(crc: number, word: number): number {
  return addWord(crc, word);
}

export function finishCrc(crc: number): number {
  return ~crc >>> 0;
}

function addBytes(crc: number, from: Int32Array, length: number): number {
  let extended = crc;
  const end = length >>> 2;
  for (let word = 0; word < end; word++) extended = addWord(extended, from[word] as number);
  let rest = from[end] as number;
  for (let bytes = length & 3; bytes > 0; bytes--, rest >>>= 8) {
    extended = (table[(extended ^ rest) & 0xff] as number) ^ (extended >>> 8);
  }
  return extended;
}

/** Four bytes at once: "slicing-by-4" (M. E. Kounavis and F. L. Berry, 2005). */
function addWord(crc: number, word: number): number {
  const mixed = crc ^ word;
  return (
    (table[768 + (mixed & 0xff)] as number) ^
    (table[512 + ((mixed >>> 8) & 0xff)] as number) ^
    (table[256 + ((mixed >>> 16) & 0xff)] as number) ^
    (table[mixed >>> 24] as number)
  );
}

/** What each byte comes to; and then, what with one, two and three others behind it. */
const table = new Int32Array(4 * 256);
for (let byte = 0; byte < 256; byte++) {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ 0xedb88320;
  table[byte] = crc;
}
for (let at = 256; at < table.length; at++) {
  const shorter = table[at - 256] as number;
  table[at] = (table[shorter & 0xff] as number) ^ (shorter >>> 8);
}
