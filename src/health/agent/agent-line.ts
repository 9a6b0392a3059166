/** The longest line that is waited for, in bytes. */
const longest = 1024;

/** Finds the first line of what an agent sends, wherever it is cut; whatever follows is not looked at. */
export class AgentLine {
  readonly #decoder = new TextDecoder();
  #text = '';
  #left = longest;

  /** The line, once it is there; an error where it takes no end. */
  push(bytes: Uint8Array): string | Error | undefined {
    this.#text += this.#decoder.decode(bytes.subarray(0, this.#left), { stream: true });
    this.#left -= Math.min(this.#left, bytes.length);
    const end = this.#text.search(/[\r\n]/);
    if (end >= 0) return this.#text.slice(0, end);
    return this.#left === 0 ? new Error(`the agent's line has more than ${longest} bytes`) : undefined;
  }

  /** The agent has ended: a line need not be ended, too. */
  end(): string | Error {
    return this.#text === '' ? new Error('the agent closed without a word') : this.#text;
  }
}
