import type { ProxyHeader } from './proxy-header.ts';
import { longestLine, readLine } from './version-1.ts';
import { commandError, fixedSize, longestBlock, readHeader, signature } from './version-2.ts';

const cr = 13;
const lf = 10;

/** How both spellings of version 1 begin. */
const lineStart = Uint8Array.from('PROXY ', (character) => character.charCodeAt(0));

/** How far a header has been read. */
export type ProxyHeaderProgress =
  | { readonly state: 'more' }
  | {
      readonly state: 'done';
      readonly version: 1 | 2;
      readonly header: ProxyHeader;
      /** What came behind the header, a view of the last chunk: the connection's own first bytes. */
      readonly rest: Uint8Array;
    }
  | {
      readonly state: 'failed';
      /** In words, for people; never bytes of the sender's. */
      readonly reason: string;
    };

const nothing = new Uint8Array(0);

const more: ProxyHeaderProgress = { state: 'more' };

/**
 * Reads the PROXY protocol header that a connection begins with, of version 1 or 2, however it is cut (HAProxy,
 * doc/proxy-protocol.txt, section 2). It refuses as early as it can, guesses nothing, and keeps no more than the header: 107 bytes,
 * or 16 and the block that version 2 announces. To read UDP, give a datagram to a reader of its own.
 *
 * Whom to believe is for the caller to know: anybody can write a header.
 */
export class ProxyHeaderReader {
  readonly #maximumBlock: number;
  #bytes: Uint8Array = nothing;
  #length = 0;
  /** Bytes of the header; 0 while unknown. */
  #size = 0;
  #failure: ProxyHeaderProgress | undefined;

  /** @param maximumBlock the longest block of addresses and TLVs that is accepted: 0 to 65,535 bytes, 4,096 by default */
  constructor({ maximumBlock = longestBlock }: { readonly maximumBlock?: number } = {}) {
    this.#maximumBlock = maximumBlock;
  }

  /**
   * Takes the next bytes of the connection. After `failed` it fails on; after `done` there is nothing for it to read.
   *
   * @param chunk free to be used again afterwards, but for `rest`
   */
  push(chunk: Uint8Array): ProxyHeaderProgress {
    if (this.#failure !== undefined) return this.#failure;
    return this.#length === 0 ? this.#pushFirst(chunk) : this.#pushOn(chunk);
  }

  /** Nearly always the first chunk has all of it, and nothing needs to be kept. */
  #pushFirst(chunk: Uint8Array): ProxyHeaderProgress {
    const size = this.#measure(chunk.subarray(0, longestLine));
    if (typeof size === 'string') return this.#fail(size);
    if (size === 0 || chunk.length < size) return this.#pushOn(chunk);
    // What a header of version 2 says are views of it, and the chunk is its owner's.
    const header = chunk[0] === signature[0] ? new Uint8Array(chunk.subarray(0, size)) : chunk.subarray(0, size);
    return this.#read(header, chunk.subarray(size));
  }

  #pushOn(chunk: Uint8Array): ProxyHeaderProgress {
    let at = 0;
    do {
      at = this.#keep(chunk, at);
      const size = this.#size === 0 ? this.#measure(this.#bytes.subarray(0, this.#length)) : this.#size;
      if (typeof size === 'string') return this.#fail(size);
      this.#size = size;
      if (size > 0 && this.#length >= size) {
        return this.#read(this.#bytes.subarray(0, size), chunk.subarray(at - (this.#length - size)));
      }
    } while (at < chunk.length);
    return more;
  }

  /** Keeps what belongs to the header as far as is known, and gives back where it ends. */
  #keep(chunk: Uint8Array, at: number): number {
    const wanted = this.#size === 0 ? longestLine : this.#size;
    if (wanted > this.#bytes.length) {
      const wider = new Uint8Array(wanted);
      wider.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = wider;
    }
    const end = Math.min(chunk.length, at + wanted - this.#length);
    this.#bytes.set(chunk.subarray(at, end), this.#length);
    this.#length += end - at;
    return end;
  }

  /** The header's size, 0 if more bytes have to tell, or what is wrong already. */
  #measure(bytes: Uint8Array): number | string {
    if (bytes[0] !== signature[0]) return startsLike(bytes, lineStart) ? lineSize(bytes) : 'no PROXY header';
    if (!startsLike(bytes, signature)) return 'no PROXY header';
    const error = bytes.length > 12 ? commandError(bytes[12] as number) : undefined;
    if (error !== undefined || bytes.length < fixedSize) return error ?? 0;
    const block = ((bytes[14] as number) << 8) | (bytes[15] as number);
    if (block > this.#maximumBlock) return `a PROXY header of more than ${fixedSize + this.#maximumBlock} bytes`;
    return fixedSize + block;
  }

  #read(bytes: Uint8Array, rest: Uint8Array): ProxyHeaderProgress {
    const version = bytes[0] === signature[0] ? 2 : 1;
    const header = version === 2 ? readHeader(bytes) : readLine(String.fromCharCode(...bytes.subarray(0, -2)));
    return typeof header === 'string' ? this.#fail(header) : { state: 'done', version, header, rest };
  }

  #fail(reason: string): ProxyHeaderProgress {
    this.#failure = { state: 'failed', reason };
    return this.#failure;
  }
}

function startsLike(bytes: Uint8Array, start: Uint8Array): boolean {
  const length = Math.min(bytes.length, start.length);
  for (let at = 0; at < length; at++) {
    if (bytes[at] !== start[at]) return false;
  }
  return true;
}

/** The size of a line with its CR and LF, which stand together or not at all. */
function lineSize(line: Uint8Array): number | string {
  for (let at = 0; at < line.length; at++) {
    if (line[at] === lf) return 'a PROXY line that ends in a bare LF';
    if (line[at] !== cr || at + 1 === line.length) continue;
    return line[at + 1] === lf ? at + 2 : 'a PROXY line with a bare CR';
  }
  return line.length < longestLine ? 0 : `a PROXY line of more than ${longestLine} bytes`;
}
