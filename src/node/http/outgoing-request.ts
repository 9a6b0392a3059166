import type { Socket } from 'node:net';
import type { RequestHead } from '../../http1/request-head.ts';
import { latin1, smallPiece } from './latin1.ts';

/** Small pieces of a request up to this size together are kept until its answer comes, in case they must be sent again. */
const mostKept = 65_536;

/** A request on its way to a member, kept as far as it might have to be sent again. What is written is said in bytes. */
export class OutgoingRequest {
  readonly isIdempotent: boolean;
  readonly hasBody: boolean;
  /** All of it has come in. */
  isComplete = false;
  /** The client sends the body when the member asks for it. */
  awaitsContinue: boolean;
  readonly #isChunked: boolean;
  /** What is to be written next. */
  #out: string;
  /** All that was written; undefined where that may not be sent again, or was too much to be kept. */
  #sent: string | undefined;

  /** @param text the head as it goes on */
  constructor(head: RequestHead, text: string) {
    this.isIdempotent = head.isIdempotent;
    this.hasBody = head.isChunked || head.contentLength > 0;
    this.awaitsContinue = head.expectsContinue;
    this.#isChunked = head.isChunked;
    this.#out = text;
    this.#sent = head.isIdempotent ? '' : undefined;
  }

  /** Whether all of it that has come in is at hand, to be sent from its beginning. */
  get canBeSentAgain(): boolean {
    return this.#sent !== undefined;
  }

  /** Takes a piece of the body. Small ones are written together with what comes next. */
  add(bytes: Uint8Array, socket: Socket): number {
    this.awaitsContinue = false;
    if (bytes.length <= smallPiece) {
      this.#out += latin1(bytes, 0, bytes.length);
      return 0;
    }
    socket.cork();
    const written = this.flush(socket) + bytes.length;
    socket.write(bytes);
    socket.uncork();
    this.#sent = undefined;
    return written;
  }

  /** @param trailer its lines */
  end(trailer: string): void {
    this.isComplete = true;
    if (this.#isChunked) this.#out += `${trailer}\r\n`;
  }

  /** Writes what there is. */
  flush(socket: Socket): number {
    const out = this.#out;
    if (out === '') return 0;
    this.#out = '';
    socket.write(out, 'latin1');
    if (this.#sent !== undefined) {
      const sent = this.#sent + out;
      this.#sent = sent.length > mostKept ? undefined : sent;
    }
    return out.length;
  }

  /** What was written is to be written again. */
  rewind(): void {
    this.#out = `${this.#sent}${this.#out}`;
    this.#sent = '';
  }
}
