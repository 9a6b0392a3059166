const nothing = Buffer.alloc(0);

/**
 * What a client has sent before it is known where it goes, in one piece: a client that sends byte by byte would make us hold many
 * times as much with a buffer for each.
 */
export class BytesAhead {
  #buffer: Buffer = nothing;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Good until the next `add()`. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** The first piece, mostly the only one, is kept as it is. */
  add(piece: Buffer): void {
    const length = this.#length + piece.length;
    if (this.#length === 0) {
      this.#buffer = piece;
    } else {
      if (length > this.#buffer.length) {
        const wider = Buffer.allocUnsafe(Math.max(length, 2 * this.#length));
        this.#buffer.copy(wider, 0, 0, this.#length);
        this.#buffer = wider;
      }
      piece.copy(this.#buffer, this.#length);
    }
    this.#length = length;
  }
}
