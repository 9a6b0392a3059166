import { setTimeout as sleep } from 'node:timers/promises';
import type { Screen } from './screen.ts';

const redrawEvery = 200;

/** Where a story is told: it has a clock, a picture of what goes on, and an audience that may have enough of it. */
export class Stage {
  /** Aborts when the audience wants to leave. */
  readonly signal: AbortSignal;
  readonly #screen: Screen;
  readonly #start = performance.now();
  #picture: () => readonly string[] = () => [];

  constructor(screen: Screen, signal: AbortSignal) {
    this.#screen = screen;
    this.signal = signal;
  }

  /** A line that stays, with the time before it. */
  say(text: string): void {
    this.#screen.say(`${((performance.now() - this.#start) / 1000).toFixed(1).padStart(5)} s  ${text}`);
  }

  /** What came out of it: lines that stay. */
  conclude(facts: Readonly<Record<string, string>>): void {
    for (const [title, text] of Object.entries(facts)) this.#screen.say(`${title.padEnd(28)}  ${text}`);
    this.#screen.say('');
  }

  /** From here on this is to be seen, until the returned handle is disposed. */
  show(picture: () => readonly string[]): Disposable {
    this.#picture = picture;
    const timer = setInterval(() => {
      if (this.#screen.isLive) this.draw();
    }, redrawEvery);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }

  draw(): void {
    this.#screen.draw(this.#picture());
  }

  /** Lets it go on for so many milliseconds. */
  async watch(duration: number): Promise<void> {
    await sleep(duration, undefined, { signal: this.signal });
    this.draw();
  }
}
