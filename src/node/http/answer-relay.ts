import type { Socket } from 'node:net';
import type { Framing, MessageReader } from '../../http1/message-reader.ts';
import { type AnswerChanges, type ConnectionOption, responseHead } from '../../http1/response-forwarding.ts';
import type { ResponseHead } from '../../http1/response-head.ts';
import { passOn } from '../read-buffers.ts';
import { latin1, smallPiece } from './latin1.ts';

/** What a relay asks of the request that it answers. */
export interface Answered {
  readonly isForHead: boolean;
  /** Of HTTP/1.x, the client's x. */
  readonly minorVersion: 0 | 1;
  readonly asksForUpgrade: boolean;
  /** An interim answer goes on. */
  interim(status: number): void;
  /**
   * The final answer's head has come in.
   *
   * @param closes whether only the connection's end can tell the client where the body ends
   * @returns what to tell the client of its connection
   */
  answered(head: ResponseHead, closes: boolean): ConnectionOption;
  /** What is to be changed in the final answer, or in a 101; undefined: nothing. */
  changesOf(head: ResponseHead): AnswerChanges | undefined;
}

/**
 * What has become of an answer: `more` is to come, it is at its `end`, the member has `switched` to another protocol, or the answer
 * `failed` to make sense.
 */
export type Progress = 'more' | 'end' | 'switched' | 'failed';

/** Takes a member's answer to the client as it comes in, framed as the client can read it. */
export class AnswerRelay {
  /** Whether the client has got any of the final answer. */
  hasBegun = false;
  /** What is wrong with an answer that failed, in words. */
  failure = '';
  readonly #request: Answered;
  readonly #client: Socket;
  /** How the body goes to the client. */
  #framing: Framing = 'none';
  #isInterim = false;
  /** What goes to the client next. */
  #out = '';

  constructor(request: Answered, client: Socket) {
    this.#request = request;
    this.#client = client;
  }

  /**
   * Passes on what the reader finds.
   *
   * @param isShared whether bytes must be copied where they are needed after this
   */
  take(reader: MessageReader<ResponseHead>, isShared: boolean): Progress {
    for (;;) {
      switch (reader.next()) {
        case 'more':
          this.#flush();
          return 'more';
        case 'head':
          if (!this.#begin(reader)) return 'failed';
          if (reader.head.status === 101) {
            this.#flush();
            return 'switched';
          }
          break;
        case 'body':
          this.#piece(reader, isShared);
          break;
        case 'end':
          if (this.#isInterim) {
            this.#isInterim = false;
            break;
          }
          this.#end(reader);
          return 'end';
        case 'failed':
          // What came before is good.
          this.#flush();
          this.failure = reader.error?.reason ?? '';
          return 'failed';
      }
    }
  }

  /** The member has ended an answer that only its connection's end could end. */
  conclude(reader: MessageReader<ResponseHead>): void {
    this.#end(reader);
  }

  #begin(reader: MessageReader<ResponseHead>): boolean {
    const { head } = reader;
    const { isForHead, minorVersion, asksForUpgrade } = this.#request;
    if (head.status < 200) {
      if (head.status === 101 && !(asksForUpgrade && head.saysUpgrade && head.upgradeAt >= 0)) {
        this.failure = 'an upgrade that nobody asked for';
        return false;
      }
      this.#isInterim = head.status !== 101;
      this.#request.interim(head.status);
      // RFC 9110, section 15.2: clients of HTTP/1.0 do not know interim answers.
      if (minorVersion === 1) {
        const changes = this.#isInterim ? undefined : this.#request.changesOf(head);
        this.#out += responseHead(head, 'none', '', changes);
      }
      return true;
    }
    const { framing } = reader;
    this.#framing = framing;
    if (framing === 'close' && minorVersion === 1) this.#framing = 'chunked';
    if (framing === 'chunked' && minorVersion === 0) this.#framing = 'close';
    reader.keepsFraming = this.#framing === 'chunked';
    const option = this.#request.answered(head, this.#framing === 'close');
    // An answer to HEAD, and 304, tell of a body that does not follow.
    const isToldChunked =
      framing === 'none' && head.isChunked && minorVersion === 1 && (isForHead || head.status === 304);
    const told = isToldChunked ? 'chunked' : this.#framing;
    this.#out += responseHead(head, told, option, this.#request.changesOf(head));
    this.hasBegun = true;
    return true;
  }

  #piece(reader: MessageReader<ResponseHead>, isShared: boolean): void {
    const { start, end } = reader;
    const needsFrame = this.#framing === 'chunked' && reader.framing === 'close';
    if (needsFrame) this.#out += `${(end - start).toString(16)}\r\n`;
    if (end - start <= smallPiece) {
      this.#out += latin1(reader.bytes, start, end);
    } else {
      const client = this.#client;
      client.cork();
      this.#flush();
      passOn(client, reader.bytes.subarray(start, end), isShared);
      client.uncork();
    }
    if (needsFrame) this.#out += '\r\n';
  }

  #end(reader: MessageReader<ResponseHead>): void {
    if (this.#framing === 'chunked') {
      if (reader.framing === 'close') this.#out += '0\r\n';
      this.#out += `${reader.trailer}\r\n`;
    }
    this.#flush();
  }

  #flush(): void {
    if (this.#out === '') return;
    this.#client.write(this.#out, 'latin1');
    this.#out = '';
  }
}
