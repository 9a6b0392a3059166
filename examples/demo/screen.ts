import type { WriteStream } from 'node:tty';

/**
 * What the demo says. In a terminal a live picture stays below the lines that scroll by; anywhere else there are plain lines
 * only, without a single escape code.
 */
export class Screen implements Disposable {
  readonly isLive: boolean;
  readonly #out: WriteStream;
  readonly #hasColour: boolean;
  /** Height of the picture that is on the screen now. */
  #height = 0;

  constructor(out: WriteStream) {
    this.#out = out;
    this.isLive = out.isTTY === true && process.env['TERM'] !== 'dumb';
    // https://no-color.org
    this.#hasColour = this.isLive && (process.env['NO_COLOR'] ?? '') === '';
  }

  /** A line that stays. */
  say(text: string): void {
    this.#wipe();
    this.#out.write(`${text}\n`);
  }

  /** The picture as it is now; it replaces the one before where the screen is live. */
  draw(lines: readonly string[]): void {
    this.#wipe();
    const { isLive } = this;
    const width = this.#out.columns ?? 80;
    for (const line of lines) this.#out.write(`${isLive ? this.#paint(line.slice(0, width - 1)) : line}\n`);
    if (isLive) this.#height = lines.length;
  }

  /** Leaves the last picture where it is. */
  [Symbol.dispose](): void {
    this.#height = 0;
  }

  #wipe(): void {
    if (this.#height > 0) this.#out.write(`\u001b[${this.#height}A\u001b[J`);
    this.#height = 0;
  }

  #paint(line: string): string {
    if (!this.#hasColour) return line;
    return line.replace(/\b(?:online|draining|error)\b/, (status) => `\u001b[${colours[status]}m${status}\u001b[0m`);
  }
}

const colours: Readonly<Record<string, number>> = { online: 32, draining: 33, error: 31 };
