import { loadText, words } from './text-words.ts';

/** CRC-32 of ISO 3309 and zlib (polynomial 0xedb88320), over the UTF-8 bytes of a text. Returns an unsigned 32-bit integer. */
export function crc32(text: string): number {
  return finishCrc(extendCrc(emptyCrc, text));
}

/** A checksum in the making: of nothing yet. */
export const emptyCrc = -1;

/** The checksum with the bytes of a text added. */
export function extendCrc(crc: number, text: string): number {
  const length = loadText(text);
  let extended = crc;
  for (let at = 0; at < length; at++) extended = addByte(extended, (words[at >>> 2] as number) >>> ((at & 3) * 8));
  return extended;
}

/** The checksum with a 32-bit integer added, its lowest byte first. */
export function extendCrcByWord(crc: number, word: number): number {
  return addByte(addByte(addByte(addByte(crc, word), word >>> 8), word >>> 16), word >>> 24);
}

export function finishCrc(crc: number): number {
  return ~crc >>> 0;
}

function addByte(crc: number, byte: number): number {
  return (table[(crc ^ byte) & 0xff] as number) ^ (crc >>> 8);
}

const table: Int32Array = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ 0xedb88320;
  return crc;
});
