import type { Socket } from 'node:net';

/**
 * Where bytes from members are read to. Node lets the reader of a socket that it opened bring its own buffer (`onread`), which
 * saves an allocation a read, and allows larger reads than the 64 KiB that Node allocates: on bulk both together halve the CPU.
 *
 * Most connections are idle or exchange small messages, and share `landing`; what arrives there is copied out at once, since the
 * next connection reads into it. A connection that moves bulk takes a buffer of its own, and what it reads is written from there
 * without a copy.
 */

/** Reads of at least this many bytes are bulk: copying them would cost more than the bookkeeping of a buffer. */
export const bulk = 16_384;

const small = 65_536;

/**
 * Measured (Node 24, download, CPU a GiB against a bare relay): 64 KiB 0.78, 128 KiB 0.57, 256 KiB 0.54, 512 KiB 0.48. A client
 * that stalls keeps its connection's buffer, so only so many are large at a time: 16 MiB in all.
 */
const large = 262_144;
const mostLarge = 64;

export const landing: Buffer = Buffer.allocUnsafeSlow(small);

/** Buffers that no connection uses, kept for the next one. */
const shelves = { small: [] as Buffer[], large: [] as Buffer[] };
const mostShelvedSmall = 64;
let largeInUse = 0;

export function takeBuffer(): Buffer {
  if (largeInUse === mostLarge) return shelves.small.pop() ?? Buffer.allocUnsafeSlow(small);
  largeInUse++;
  return shelves.large.pop() ?? Buffer.allocUnsafeSlow(large);
}

/** Whether it is one of the few large ones, so that a connection that is idle may keep it for its next bulk. */
export function isLarge(buffer: Buffer): boolean {
  return buffer.length === large;
}

/**
 * Writes what was read.
 *
 * @param isShared whether the bytes are in `landing`: then a copy is written, since the next read overwrites them
 */
export function passOn(to: Socket, bytes: Uint8Array, isShared: boolean): void {
  if (!isShared) {
    to.write(bytes);
  } else if (bytes.length < bulk) {
    to.write(Buffer.from(bytes));
  } else {
    const copy = shelves.small.pop() ?? Buffer.allocUnsafeSlow(small);
    copy.set(bytes);
    to.write(copy.subarray(0, bytes.length), (error) => giveBack(copy, !error));
  }
}

/** @param isFree false where a write from it may still be under way: then it is not used again */
export function giveBack(buffer: Buffer, isFree: boolean): void {
  if (buffer.length === large) {
    largeInUse--;
    if (isFree) shelves.large.push(buffer);
  } else if (isFree && shelves.small.length < mostShelvedSmall) {
    shelves.small.push(buffer);
  }
}
