import { cr, hexValue, lf, semicolon, valueByte } from './bytes.ts';
import type { Limits } from './limits.ts';
import { MessageError } from './message-error.ts';

/** More digits than this are no size that anybody means, and leading zeros are no reason to read on for ever. */
const mostDigits = 13;

const inSize = 0;
const inExtension = 1;
const afterSize = 2;
const inData = 3;
const afterData = 4;
const afterDataCr = 5;
const done = 6;

/**
 * Reads a chunked body (RFC 9112, section 7.1) without holding any of it. What comes out is either the data alone or, for a
 * recipient that gets it chunked, the bytes as they came, up to the last chunk's line, with chunk extensions left out: those are
 * hop-by-hop, nobody uses them, and parsers disagree about them.
 */
export class ChunkedBody {
  /** The bytes that the last `read` found: part of the body, perhaps none. */
  start = 0;
  end = 0;
  error: MessageError | undefined;
  readonly #limits: Limits;
  #state = inSize;
  #size = 0;
  #digits = 0;
  #extensionBytes = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  begin(): void {
    this.#state = inSize;
    this.#size = this.#digits = this.#extensionBytes = 0;
    this.error = undefined;
  }

  /** Whether the last chunk has been read, so that the trailer is next. */
  get isDone(): boolean {
    return this.#state === done;
  }

  /**
   * Reads on from `at`, as far as it finds bytes that belong together (`start` to `end`).
   *
   * @param keepsFraming whether sizes and line ends belong to what comes out
   * @returns where to read on, or -1 with `error` set
   */
  read(bytes: Uint8Array, at: number, stop: number, keepsFraming: boolean): number {
    let next = this.#state === inExtension ? this.#skipExtension(bytes, at, stop) : at;
    if (next < 0) return -1;
    this.start = next;
    while (next < stop && this.#state !== done) {
      if (this.#state === inData) {
        if (!keepsFraming) return this.#readData(next, stop);
        const size = Math.min(this.#size, stop - next);
        next += size;
        this.#size -= size;
        if (this.#size === 0) this.#state = afterData;
      } else if (!this.#take(bytes[next] as number)) {
        return -1;
      } else if (this.#state === inExtension) {
        this.#found(next, keepsFraming);
        return next + 1;
      } else {
        next++;
      }
    }
    this.#found(next, keepsFraming);
    return next;
  }

  /** What was read up to here is framing, with data at most in between where framing is kept. */
  #found(end: number, keepsFraming: boolean): void {
    if (!keepsFraming) this.start = end;
    this.end = end;
  }

  #readData(at: number, stop: number): number {
    const size = Math.min(this.#size, stop - at);
    this.#size -= size;
    if (this.#size === 0) this.#state = afterData;
    this.start = at;
    this.end = at + size;
    return this.end;
  }

  /** Up to the CR, where the size line goes on. */
  #skipExtension(bytes: Uint8Array, at: number, stop: number): number {
    let next = at;
    while (next < stop && valueByte[bytes[next] as number] === 1) next++;
    this.#extensionBytes += next - at;
    const { chunkExtensionSize } = this.#limits;
    if (this.#extensionBytes > chunkExtensionSize) {
      return this.#refuse(`chunk extensions of more than ${chunkExtensionSize} bytes`);
    }
    if (next < stop) {
      if (bytes[next] !== cr) return this.#refuse('a control character in a chunk extension');
      this.#state = inSize;
    }
    return next;
  }

  /** One byte of framing. */
  #take(byte: number): boolean {
    switch (this.#state) {
      case inSize: {
        const value = hexValue[byte] as number;
        if (value < 16) {
          this.#size = this.#size * 16 + value;
          if (++this.#digits > mostDigits) return this.#refuses('a chunk size that is too long');
          return true;
        }
        if (this.#digits === 0) return this.#refuses('a chunk without a size');
        if (byte === cr) this.#state = afterSize;
        else if (byte === semicolon) this.#state = inExtension;
        else return this.#refuses('a malformed chunk size');
        return true;
      }
      case afterSize:
        if (byte !== lf) return this.#refuses('a chunk size that does not end in CR and LF');
        this.#digits = 0;
        this.#state = this.#size === 0 ? done : inData;
        return true;
      case afterData:
        if (byte !== cr) return this.#refuses('a chunk that is longer than its size');
        this.#state = afterDataCr;
        return true;
      default:
        if (byte !== lf) return this.#refuses('a chunk that does not end in CR and LF');
        this.#state = inSize;
        return true;
    }
  }

  #refuse(reason: string): -1 {
    this.error = new MessageError(400, reason);
    return -1;
  }

  #refuses(reason: string): false {
    this.#refuse(reason);
    return false;
  }
}
