/** The polynomial of Castagnoli with its bits in reverse, as RFC 3720 and RFC 9260 (appendix A) use it. */
const polynomial = 0x82f63b78;

const table = Int32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ (rest & 1 ? polynomial : 0);
  return rest;
});

/**
 * CRC32c of bytes, one table look-up a byte.
 *
 * @param hole where four bytes count as zeros, whatever they are: a checksum that is part of what it protects
 * @returns an unsigned 32-bit integer
 */
export function crc32c(bytes: Uint8Array, hole: number = bytes.length): number {
  let rest = -1;
  for (let at = 0; at < bytes.length; at++) {
    const byte = at >= hole && at < hole + 4 ? 0 : (bytes[at] as number);
    rest = (rest >>> 8) ^ (table[(rest ^ byte) & 0xff] as number);
  }
  return ~rest >>> 0;
}
