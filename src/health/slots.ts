import { integer } from '../core/spec.ts';

/** A bounded number of places, handed out in the order in which they are asked for; for checks that several pools share. */
export class Slots {
  #free: number;
  readonly #waiting: ((slot: Disposable) => void)[] = [];

  /** @param count 1 to 2147483647 */
  constructor(count: number) {
    integer(1, 2_147_483_647)(count, 'count');
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
