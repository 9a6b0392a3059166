/**
 * HalfSipHash-1-3 with 32 bits (Aumasson and Bernstein, https://github.com/veorq/SipHash; Linux has it as `hsiphash`, for hash
 * tables): whoever does not know the key cannot choose texts that collide. Not for secrets.
 *
 * @param words the bytes, four to a word, the first one lowest; zeros behind the last one up to the end of its word
 * @param at where they start in `words`
 * @param length how many bytes
 * @returns a signed 32-bit integer
 */
export function halfSipHash(words: Int32Array, at: number, length: number, key0: number, key1: number): number {
  let v0 = key0;
  let v1 = key1;
  let v2 = 0x6c796765 ^ key0;
  let v3 = 0x74656462 ^ key1;
  const whole = at + (length >>> 2);
  const last = ((length & 3) === 0 ? 0 : (words[whole] as number)) | (length << 24);
  for (let index = at; index <= whole; index++) {
    const block = index === whole ? last : (words[index] as number);
    v3 ^= block;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= block;
  }
  v2 ^= 0xff;
  for (let round = 0; round < 3; round++) {
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
  }
  return v1 ^ v3;
}

/** A key that nobody outside knows, as far as `random` does not tell. */
export function randomKey(random: () => number): number {
  return Math.floor(random() * 0x1_0000_0000) | 0;
}
