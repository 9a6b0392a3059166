/**
 * Reads numbers and vectors as TLS writes them (RFC 8446, section 3), highest byte first. Reading past the end yields nothing and
 * sets `isBroken`, so that a whole structure can be read before that is asked once.
 */
export class ByteCursor {
  readonly #bytes: Uint8Array;
  #at: number;
  readonly #end: number;
  isBroken = false;

  constructor(bytes: Uint8Array, at: number = 0, end: number = bytes.length) {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
  }

  /** How many bytes there still are. */
  get left(): number {
    return this.#end - this.#at;
  }

  /** A number of so many bytes, 1 to 3. */
  number(size: number): number {
    const start = this.skip(size);
    let value = 0;
    for (let at = start; at < this.#at; at++) value = value * 256 + (this.#bytes[at] as number);
    return value;
  }

  /** Passes over so many bytes, and tells where they begin. */
  skip(size: number): number {
    const start = this.#at;
    if (size > this.left) {
      this.isBroken = true;
      this.#at = this.#end;
      return this.#end;
    }
    this.#at += size;
    return start;
  }

  /** What stands behind a length of so many bytes. */
  vector(lengthSize: number): ByteCursor {
    const length = this.number(lengthSize);
    const start = this.skip(length);
    return new ByteCursor(this.#bytes, start, this.#at);
  }

  /** What is left as text of which each character is a byte. */
  text(): string {
    let text = '';
    while (this.#at < this.#end) text += String.fromCharCode(this.#bytes[this.#at++] as number);
    return text;
  }
}
