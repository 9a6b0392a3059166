import type { OnReadOpts, Socket } from 'node:net';
import { bulk, giveBack, landing, takeBuffer } from './read-buffers.ts';

const nothing = Buffer.alloc(0);

/**
 * Reads from a member and writes to the client, as fast as the client takes it: Node's `onread` with a buffer that follows what
 * the connection moves (`read-buffers.ts` says why).
 *
 * A write that is not done when `write()` returns still needs its bytes. Those from `landing` are copied beforehand; a buffer of
 * our own is left alone, reading stops, and an empty write, which is done when all before it are, starts it again. (Not 'drain':
 * Node emits that only for writes beyond its high-water mark.)
 */
export class MemberReader implements OnReadOpts {
  readonly #client: Socket;
  readonly #count: { countOut(bytes: number): void };
  #member: Socket | undefined;
  /** Where the next read goes: `landing`, or a buffer of this connection's own. */
  #buffer: Buffer = landing;

  /** @param count is told of what was read */
  constructor(client: Socket, count: { countOut(bytes: number): void }) {
    this.#client = client;
    this.#count = count;
  }

  /** The socket that reads with this; to be told before the first read. */
  set member(member: Socket) {
    this.#member = member;
  }

  /** @internal asked by Node before the first read and after each */
  readonly buffer = (): Uint8Array => this.#buffer;

  /** @internal told by Node of each read; returns whether to read on */
  readonly callback = (bytes: number, read: Uint8Array): boolean => {
    const client = this.#client;
    this.#count.countOut(bytes);
    if (client.destroyed) return false;
    const chunk = read.subarray(0, bytes);
    client.write(read === landing ? Buffer.from(chunk) : chunk);
    if (client.writableLength > 0) {
      client.write(nothing, this.#written);
      return false;
    }
    this.#follow(bytes);
    return true;
  };

  /** The connection is over. */
  close(): void {
    if (this.#buffer !== landing) giveBack(this.#buffer, this.#client.writableLength === 0);
    this.#buffer = landing;
    this.#member = undefined;
  }

  readonly #written = (): void => {
    if (this.#member === undefined) return;
    this.#follow(bulk);
    this.#member.resume();
  };

  /** A buffer of its own for a connection that moves bulk; the shared one for all others. */
  #follow(bytes: number): void {
    const isOwn = this.#buffer !== landing;
    if (isOwn === bytes >= bulk) return;
    if (isOwn) giveBack(this.#buffer, true);
    this.#buffer = isOwn ? landing : takeBuffer();
  }
}
