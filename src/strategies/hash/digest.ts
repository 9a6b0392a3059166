/**
 * Where a hash function leaves its 64 bits, so that a hash allocates nothing: the upper half and the lower half, each a signed
 * 32-bit integer (which V8 passes about unboxed). Valid until the next hash.
 */
export const digest: Int32Array = new Int32Array(2);

/** Hashes a text, of which the UTF-8 bytes count, into `digest`. */
export type HashFunction = (text: string) => void;

/** At hand: the fewer bytecodes a function has, the more of it V8 inlines. */
const { imul } = Math;

/**
 * The upper 32 bits of the product of two unsigned 32-bit integers, signed; `Math.imul` gives the lower ones. (H. S. Warren,
 * "Hacker's Delight", 8-2.)
 */
export function multiplyHigh(a: number, b: number): number {
  const aHigh = a >>> 16;
  const bHigh = b >>> 16;
  const aLow = a & 0xffff;
  const bLow = b & 0xffff;
  const cross = (imul(aHigh, bLow) + (imul(aLow, bLow) >>> 16)) | 0;
  const middle = (imul(aLow, bHigh) + (cross & 0xffff)) | 0;
  return (imul(aHigh, bHigh) + (cross >>> 16) + (middle >>> 16)) | 0;
}

/** Whether the unsigned sum of 32-bit integers ran over: what to add to the upper half. */
export function carry(sum: number, addend: number): number {
  return sum >>> 0 < addend >>> 0 ? 1 : 0;
}
