import { type ClientHello, readClientHello } from './client-hello-message.ts';

const handshake = 22;
const clientHello = 1;
const recordHeaderSize = 5;
const messageHeaderSize = 4;
/** RFC 8446, section 5.1. */
const longestFragment = 16_384;
const firstBuffer = 512;

/**
 * What is wrong: `not-tls` where the first bytes are no TLS record, which another protocol may explain; `malformed` where it is TLS
 * that no server should accept; `too-long` where the limit does not reach.
 */
export type ClientHelloFailure = 'not-tls' | 'malformed' | 'too-long';

/** How far a ClientHello has been read. */
export type ClientHelloProgress =
  | { readonly state: 'more' }
  | { readonly state: 'done'; readonly hello: ClientHello }
  | {
      readonly state: 'failed';
      readonly kind: ClientHelloFailure;
      /** In words, for people; never bytes of the client's. */
      readonly reason: string;
    };

const more: ClientHelloProgress = { state: 'more' };

/**
 * Reads the ClientHello that a TLS connection begins with, however it is cut, by TCP or into TLS records (RFC 8446, section 5.1).
 * It only looks: the bytes are the caller's to keep, and to pass on from the first one. What it holds itself is the message, at most
 * `maximumSize` bytes, in a buffer that grows as bytes arrive.
 *
 * Records of other kinds, empty ones, and bytes behind the ClientHello in its record are refused, as TLS demands; records behind it
 * (early data) are not looked at.
 */
export class ClientHelloReader {
  readonly #maximumSize: number;
  /** Bytes so far, the headers of records included. */
  #seen = 0;
  /** How far the header of the current record has been read. */
  #headerBytes = 0;
  #lengthHigh = 0;
  #recordLeft = 0;
  #message: Uint8Array = new Uint8Array(firstBuffer);
  #length = 0;
  #end: ClientHelloProgress | undefined;

  /**
   * @param maximumSize how many bytes may come, headers of records included, before the ClientHello is complete: 1,024 to 65,536,
   *   16,384 by default. With a post-quantum key share it has about 1,800.
   */
  constructor({ maximumSize = 16_384 }: { readonly maximumSize?: number } = {}) {
    this.#maximumSize = maximumSize;
  }

  /** Takes the next bytes of the connection. Once done or failed it stays so, whatever else comes. */
  push(chunk: Uint8Array): ClientHelloProgress {
    for (let at = 0; at < chunk.length && this.#end === undefined; ) {
      if (this.#recordLeft === 0) this.#takeHeader(chunk[at++] as number);
      else at = this.#takeFragment(chunk, at);
    }
    return this.#end ?? more;
  }

  /** One byte of a record's header: type, version, of which only the first number means anything, and length. */
  #takeHeader(byte: number): void {
    const isFirst = ++this.#seen <= recordHeaderSize;
    switch (this.#headerBytes++) {
      case 0:
        if (byte === handshake) return;
        if (isFirst) this.#fail('not-tls', byte & 0x80 ? 'no TLS record; perhaps one of SSLv2' : 'no TLS record');
        else this.#fail('malformed', 'a ClientHello with a record of another kind in it');
        return;
      case 1:
        if (byte === 3) return;
        this.#fail(isFirst ? 'not-tls' : 'malformed', 'a record of an unknown version of TLS');
        return;
      case 2:
        return;
      case 3:
        this.#lengthHigh = byte;
        return;
      default:
        this.#beginRecord((this.#lengthHigh << 8) | byte);
    }
  }

  #beginRecord(length: number): void {
    this.#headerBytes = 0;
    this.#recordLeft = length;
    if (length === 0) this.#fail('malformed', 'an empty record');
    else if (length > longestFragment) this.#fail('malformed', `a record of more than ${longestFragment} bytes`);
    else if (this.#seen + length > this.#maximumSize) this.#failTooLong();
  }

  /** Takes what the chunk has of the current record, up to what is known of the message, and gives back where that ends. */
  #takeFragment(chunk: Uint8Array, at: number): number {
    const wanted = this.#messageSize() - this.#length;
    const taken = Math.min(wanted, this.#recordLeft, chunk.length - at);
    this.#makeRoom(this.#length + taken);
    this.#message.set(chunk.subarray(at, at + taken), this.#length);
    this.#length += taken;
    this.#seen += taken;
    this.#recordLeft -= taken;
    this.#look();
    return at + taken;
  }

  /** As far as is known: the header of the message tells. */
  #messageSize(): number {
    if (this.#length < messageHeaderSize) return messageHeaderSize;
    const [, high = 0, middle = 0, low = 0] = this.#message;
    return messageHeaderSize + high * 65_536 + middle * 256 + low;
  }

  #makeRoom(size: number): void {
    if (size <= this.#message.length) return;
    const wider = new Uint8Array(Math.min(this.#messageSize(), Math.max(size, 2 * this.#message.length)));
    wider.set(this.#message.subarray(0, this.#length));
    this.#message = wider;
  }

  #look(): void {
    const size = this.#messageSize();
    if (this.#message[0] !== clientHello) this.#fail('malformed', 'a handshake that begins with no ClientHello');
    else if (recordHeaderSize + size > this.#maximumSize) this.#failTooLong();
    else if (this.#length < messageHeaderSize || this.#length < size) return;
    else if (this.#recordLeft > 0) this.#fail('malformed', 'a record with bytes behind its ClientHello');
    else this.#read(this.#message.subarray(messageHeaderSize, size));
  }

  #read(message: Uint8Array): void {
    const hello = readClientHello(message);
    if (typeof hello === 'string') this.#fail('malformed', hello);
    else this.#end = { state: 'done', hello };
  }

  #failTooLong(): void {
    this.#fail('too-long', `a ClientHello of more than ${this.#maximumSize} bytes`);
  }

  #fail(kind: ClientHelloFailure, reason: string): void {
    this.#end = { state: 'failed', kind, reason };
  }
}
