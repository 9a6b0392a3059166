import { cr, lf } from './bytes.ts';
import { ChunkedBody } from './chunked-body.ts';
import * as field from './field.ts';
import { FieldLines } from './field-lines.ts';
import type { Head } from './head.ts';
import { MessageError } from './message-error.ts';
import type { RequestHead } from './request-head.ts';
import type { ResponseHead } from './response-head.ts';

/** How a message's body ends. */
export type Framing = 'none' | 'length' | 'chunked' | 'close';

/** What a reader comes upon next. */
export type Found = 'more' | 'head' | 'body' | 'end' | 'failed';

const nothing = new Uint8Array(0);

/**
 * Reads one message after the other from the bytes of a connection, wherever they are cut. It keeps no byte of a body: `body`
 * says where in the bytes that were pushed last a piece of it is.
 *
 * ```
 * reader.push(bytes, 0, bytes.length);
 * for (let found = reader.next(); found !== 'more'; found = reader.next()) …
 * ```
 *
 * After `more` it has no more use for what was pushed. After `failed` (`error` says why) it is of no more use itself.
 */
export class MessageReader<H extends Head> {
  readonly head: H;
  /** How the body of the message that is being read ends. */
  framing: Framing = 'none';
  /** Whether a chunked body comes out as it came, for a recipient that gets it chunked, or its data alone. */
  keepsFraming = true;
  bytes: Uint8Array = nothing;
  /** The piece of body in `bytes` that was found last. */
  start = 0;
  end = 0;
  /** The lines of the trailer that may be passed on, each with its CR and LF. */
  trailer = '';
  error: MessageError | undefined;
  readonly #framingOf: (head: H) => Framing;
  readonly #body: ChunkedBody;
  #at = 0;
  #stop = 0;
  /** How many of the bytes that are not read were looked at already: not a whole head or trailer yet. */
  #seen = 0;
  /** Whether `bytes` is a copy of our own, which nobody overwrites. */
  #isOwn = false;
  #isInHead = true;
  /** Bytes of the body that are to come. */
  #left = 0;
  /** Made when a trailer comes: few messages have one. */
  #trailerLines: FieldLines | undefined;

  constructor(head: H, framingOf: (head: H) => Framing) {
    this.head = head;
    this.#framingOf = framingOf;
    this.#body = new ChunkedBody(head.limits);
  }

  /** Whether it is between two messages and has not seen a byte of the next one. */
  get isIdle(): boolean {
    return this.#isInHead && this.#at === this.#stop;
  }

  /** How many bytes it has that it was not asked for yet. */
  get unread(): number {
    return this.#stop - this.#at;
  }

  /** Hands over what came in. What was pushed before and not read yet is copied to stand before it. */
  push(bytes: Uint8Array, start: number, stop: number): void {
    const unread = this.#stop - this.#at;
    if (unread === 0) {
      this.bytes = bytes;
      this.#at = start;
      this.#stop = stop;
      this.#seen = 0;
      this.#isOwn = false;
      return;
    }
    const joined = new Uint8Array(unread + stop - start);
    joined.set(this.bytes.subarray(this.#at, this.#stop));
    joined.set(bytes.subarray(start, stop), unread);
    this.bytes = joined;
    this.#at = 0;
    this.#stop = joined.length;
    this.#isOwn = true;
  }

  /** The bytes that were not read, for whoever goes on where this reader stops. */
  rest(): Uint8Array {
    const rest = this.bytes.subarray(this.#at, this.#stop);
    this.#at = this.#stop;
    return rest;
  }

  next(): Found {
    if (this.error !== undefined) return 'failed';
    if (this.#isInHead) return this.#readHead();
    switch (this.framing) {
      case 'none':
        return this.#conclude();
      case 'length':
        return this.#left === 0 ? this.#conclude() : this.#readData(this.#left);
      case 'close':
        return this.#readData(this.#stop - this.#at);
      case 'chunked':
        return this.#readChunked();
    }
  }

  /** No bytes will follow: whether the message may end here. */
  get mayEnd(): boolean {
    return this.#isInHead ? this.#at === this.#stop : this.framing === 'close';
  }

  #readHead(): Found {
    if (this.#at === this.#stop || this.#isLineOpen(this.head.limits.headSize)) return this.#hold();
    const end = this.head.read(this.bytes, this.#at, this.#stop);
    if (end < 0) return this.#fail(this.head.error);
    if (end === 0) return this.#hold();
    this.#at = end;
    this.#seen = 0;
    this.#isInHead = false;
    this.trailer = '';
    this.framing = this.#framingOf(this.head);
    if (this.framing === 'length') this.#left = this.head.contentLength;
    else if (this.framing === 'chunked') this.#body.begin();
    return 'head';
  }

  #readData(most: number): Found {
    const size = Math.min(most, this.#stop - this.#at);
    if (size === 0) return 'more';
    this.start = this.#at;
    this.end = this.#at += size;
    if (this.framing === 'length') this.#left -= size;
    return 'body';
  }

  #readChunked(): Found {
    const body = this.#body;
    while (!body.isDone && this.#at < this.#stop) {
      const next = body.read(this.bytes, this.#at, this.#stop, this.keepsFraming);
      if (next < 0) return this.#fail(body.error);
      this.#at = next;
      if (body.end === body.start) continue;
      this.start = body.start;
      this.end = body.end;
      return 'body';
    }
    return body.isDone ? this.#readTrailer() : 'more';
  }

  #readTrailer(): Found {
    const { bytes } = this;
    const at = this.#at;
    if (this.#stop - at >= 2 && bytes[at] === cr && bytes[at + 1] === lf) {
      this.#at += 2;
      return this.#conclude();
    }
    const { head } = this;
    const { trailerSize, headerCount } = head.limits;
    if (this.#isLineOpen(trailerSize + 2)) return this.#hold();
    this.#trailerLines ??= new FieldLines(headerCount);
    const lines = this.#trailerLines;
    const end = lines.read(bytes, at, at, Math.min(this.#stop, at + trailerSize + 2));
    if (end < 0) return this.#fail(lines.error);
    if (end === 0) {
      if (this.#stop - at < trailerSize + 2) return this.#hold();
      return this.#fail(new MessageError(431, `a trailer of more than ${trailerSize} bytes`));
    }
    for (let index = 0; index < lines.count; index++) {
      if (lines.kind[index] !== field.other) continue;
      const lineStart = at + (lines.nameStart[index] as number);
      if (!field.mayTrail(head.decode(bytes, lineStart, at + (lines.nameEnd[index] as number)))) continue;
      this.trailer += head.decode(bytes, lineStart, at + lines.lineEnd(index));
    }
    this.#at = end;
    this.#seen = 0;
    return this.#conclude();
  }

  #conclude(): Found {
    this.#isInHead = true;
    return 'end';
  }

  /** Keeps what there is of a head, since the bytes may be overwritten when the caller goes on. */
  #hold(): Found {
    this.#seen = this.#stop - this.#at;
    if (this.#seen > 0 && !this.#isOwn) {
      this.bytes = new Uint8Array(this.bytes.subarray(this.#at, this.#stop));
      this.#stop -= this.#at;
      this.#at = 0;
      this.#isOwn = true;
    }
    return 'more';
  }

  /**
   * Whether what has come in since the last look completes no line, and so no head and no trailer: what trickles in is not read
   * anew for each byte. What was looked at is a copy that ends where the bytes end.
   *
   * @param most so many bytes are one too many
   */
  #isLineOpen(most: number): boolean {
    return this.#seen > 0 && this.unread < most && this.bytes.indexOf(lf, this.#at + this.#seen) < 0;
  }

  #fail(error: MessageError | undefined): Found {
    this.error = error;
    return 'failed';
  }
}

/** RFC 9112, section 6.3, for requests: without either field there is no body. */
export function requestFraming(head: RequestHead): Framing {
  if (head.isChunked) return 'chunked';
  return head.contentLength > 0 ? 'length' : 'none';
}

/** The same for an answer, which ends with its connection where it does not say otherwise. */
export function responseFraming(head: ResponseHead, isForHead: boolean): Framing {
  const { status } = head;
  if (isForHead || status < 200 || status === 204 || status === 304) return 'none';
  if (head.isChunked) return 'chunked';
  if (head.contentLength < 0) return 'close';
  return head.contentLength > 0 ? 'length' : 'none';
}
