/** A bounded number of places, handed out in the order in which they are asked for. */
export class Slots {
  #free: number;
  readonly #waiting: ((slot: Disposable) => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** Resolves with a place; disposing it passes it on. */
  take(): Promise<Disposable> {
    if (this.#free === 0) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#free--;
    return Promise.resolve(this.#slot());
  }

  #slot(): Disposable {
    return {
      [Symbol.dispose]: () => {
        const next = this.#waiting.shift();
        if (next === undefined) this.#free++;
        else next(this.#slot());
      },
    };
  }
}
