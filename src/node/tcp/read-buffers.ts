/**
 * Where bytes from members are read to. Node lets the reader of a socket that it opened bring its own buffer (`onread`), which
 * saves an allocation of 64 KiB a read: on bulk a third of the CPU.
 *
 * Most connections are idle or exchange small messages, and share `landing`; what arrives there is copied out at once, since the
 * next connection reads into it. A connection that moves bulk takes a buffer of its own from the shelf, and what it reads is
 * written from there without a copy.
 */

/** What libuv reads at most in one go. */
const size = 65_536;

/** Reads of at least this many bytes are bulk: copying them would cost more than the bookkeeping of a buffer. */
export const bulk = 16_384;

export const landing: Buffer = Buffer.allocUnsafeSlow(size);

/** Buffers that no connection uses, kept for the next one: 4 MiB at most. */
const shelf: Buffer[] = [];
const mostShelved = 64;

export function takeBuffer(): Buffer {
  return shelf.pop() ?? Buffer.allocUnsafeSlow(size);
}

/** Gives a buffer back. Only when nothing that was written from it is still under way. */
export function giveBack(buffer: Buffer): void {
  if (shelf.length < mostShelved) shelf.push(buffer);
}
