import type { OnReadOpts, Socket } from 'node:net';
import { bulk, giveBack, isLarge, landing, takeBuffer } from './read-buffers.ts';

const nothing = Buffer.alloc(0);

/**
 * After a read that filled its buffer libuv reads on, up to 32 times, before it looks at any other connection: with large reads the
 * others would wait for 8 MiB. Half of that costs nothing that can be measured; 1 MiB made bulk a quarter dearer.
 */
const mostFullReads = 16;

/** Bytes that may wait for a client while its member is read on, where they need no buffer of ours. */
const mostPending = 131_072;

/** Who gets what a member sends. */
export interface MemberListener {
  /**
   * Passes on what was read. Bytes that are shared must be copied where they are needed after the call; others may be written as
   * they are.
   *
   * @returns the socket that they were written to, which must have taken them before more is read; undefined to read no more
   */
  memberSent(bytes: Buffer, isShared: boolean): Socket | undefined;
}

/**
 * Reads from a member as fast as the other side takes it: Node's `onread` with a buffer that follows what the connection moves
 * (`read-buffers.ts` says why).
 *
 * A write that is not done when `write()` returns still needs its bytes. Those from `landing` are copied beforehand; a buffer of
 * our own is left alone, reading stops, and an empty write, which is done when all before it are, starts it again. (Not 'drain':
 * Node emits that only for writes beyond its high-water mark.)
 */
export class MemberReader implements OnReadOpts {
  readonly #listener: MemberListener;
  #member: Socket | undefined;
  /** Where the next read goes: `landing`, or a buffer of this connection's own. */
  #buffer: Buffer = landing;
  /** Reads in a row that filled their buffer. */
  #fullReads = 0;
  /** Counts releases: what was waited for before one no longer matters. */
  #turn = 0;
  /** The turn in which a write is being waited for. */
  #waitsIn = -1;
  /**
   * Over TLS Node reads 64 KiB, decrypts at most 16 KiB at a time, and does not stop in between. So a large buffer would be of no use,
   * and one of our own would be overwritten: all goes through `landing`.
   */
  #isDecrypted = false;

  constructor(listener: MemberListener) {
    this.#listener = listener;
  }

  /** The socket that reads with this; to be told before the first read. */
  set member(member: Socket) {
    this.#member = member;
    this.#isDecrypted = 'encrypted' in member;
  }

  /** @internal asked by Node before the first read and after each */
  readonly buffer = (): Uint8Array => this.#buffer;

  /** @internal told by Node of each read; returns whether to read on */
  readonly callback = (size: number, read: Uint8Array): boolean => {
    const turn = this.#turn;
    const to = this.#listener.memberSent((read as Buffer).subarray(0, size), read === landing);
    if (to === undefined) return false;
    if (turn !== this.#turn) return true;
    if (to.writableLength > 0) {
      this.#wait(to, size);
      return false;
    }
    this.#follow(size);
    this.#fullReads = size < read.length ? 0 : this.#fullReads + 1;
    if (this.#fullReads < mostFullReads) return true;
    this.#fullReads = 0;
    setImmediate(() => this.#readOn(turn));
    return false;
  };

  /** As `callback`, of a socket that allocates what it reads to: nobody else uses the bytes. */
  took(bytes: Buffer): void {
    const turn = this.#turn;
    const to = this.#listener.memberSent(bytes, false);
    const isEnough = to === undefined || (turn === this.#turn && to.writableLength > mostPending);
    if (!isEnough) return;
    this.#member?.pause();
    if (to !== undefined) this.#wait(to, bytes.length);
  }

  /**
   * What is read from now on is for somebody else; within `memberSent`, since Node asks for a buffer only after that. A connection
   * that moved bulk is likely to do so again, and keeps its buffer.
   *
   * @param to where what was read was written to
   */
  handOver(to: Socket): void {
    if (isLarge(this.#buffer) && to.writableLength === 0) this.#turn++;
    else this.release(to);
  }

  /**
   * The connection is over.
   *
   * @param to where what was read was written to, if that is still there; a buffer is not used again before it has taken all of it
   */
  release(to: Socket | undefined): void {
    this.#turn++;
    const buffer = this.#buffer;
    if (buffer === landing) return;
    this.#buffer = landing;
    if (to === undefined || to.writableLength === 0) giveBack(buffer, true);
    else if (to.destroyed || to.writableEnded) giveBack(buffer, false);
    else to.write(nothing, (error) => giveBack(buffer, !error));
  }

  /** Reads on when all that was written to a socket is done. */
  #wait(to: Socket, size: number): void {
    const turn = this.#turn;
    if (this.#waitsIn === turn) return;
    this.#waitsIn = turn;
    to.write(nothing, () => {
      if (turn !== this.#turn) return;
      this.#waitsIn = -1;
      if (this.#isDecrypted && to.writableLength > 0 && !to.destroyed) return this.#wait(to, size);
      // To a client over TLS no write is done at once, however small.
      this.#follow(size);
      this.#readOn(turn);
    });
  }

  #readOn(turn: number): void {
    if (turn === this.#turn) this.#member?.resume();
  }

  /** A buffer of its own for a connection that moves bulk; the shared one for all others. */
  #follow(size: number): void {
    if (this.#isDecrypted) return;
    const isOwn = this.#buffer !== landing;
    if (isOwn === size >= bulk) return;
    if (isOwn) giveBack(this.#buffer, true);
    this.#buffer = isOwn ? landing : takeBuffer();
  }
}
