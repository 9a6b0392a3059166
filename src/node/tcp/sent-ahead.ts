/** Bytes that a client may send while it waits; more stay in the kernel. */
const most = 65_536;

/** What a client has sent while it waits for a member. It is read because that is the only way to notice that it leaves. */
export class SentAhead {
  /** The client sends no more. */
  hasEnded = false;
  readonly #pieces: Buffer[] = [];
  #size = 0;

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  get isTooMuch(): boolean {
    return this.#size > most;
  }

  get pieces(): readonly Buffer[] {
    return this.#pieces;
  }

  add(bytes: Buffer): void {
    this.#pieces.push(bytes);
    this.#size += bytes.length;
  }
}
