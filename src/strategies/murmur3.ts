/**
 * MurmurHash3, the 32-bit x86 variant (Austin Appleton, public domain, `MurmurHash3.cpp`), over the UTF-16 code units of a
 * text, low byte first in a unit below 256 and nothing else: for ASCII the result is that of the bytes.
 * Not for secrets: whoever knows the function can choose keys that collide.
 *
 * @returns an unsigned 32-bit integer
 */
export function murmur3(text: string, seed = 0): number {
  const { length } = text;
  let hash = seed | 0;
  let index = 0;
  for (; index + 3 < length; index += 4) {
    const low = byteAt(text, index) | (byteAt(text, index + 1) << 8);
    const high = byteAt(text, index + 2) | (byteAt(text, index + 3) << 8);
    hash ^= scramble(low | (high << 16));
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  if (index < length) {
    let block = 0;
    for (let shift = 0; index < length; index++, shift += 8) block |= byteAt(text, index) << shift;
    hash ^= scramble(block);
  }
  return avalanche(hash ^ length);
}

/** A unit beyond Latin-1 would need two bytes; folding them keeps to one byte a unit. */
function byteAt(text: string, index: number): number {
  const unit = text.charCodeAt(index);
  return (unit ^ (unit >>> 8)) & 0xff;
}

function scramble(block: number): number {
  const mixed = Math.imul(block, 0xcc9e2d51);
  return Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
}

/** MurmurHash3's finalizer: every input bit changes every output bit with probability one half. */
export function avalanche(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
