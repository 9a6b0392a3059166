/** Milliseconds for which nobody is called slow. */
const grace = 5000;

type Whom = 'body' | 'reader' | 'member';

/** Watches whoever is waited for: whether anything moves at all, and on average fast enough. */
export class Pace {
  #whom: Whom | undefined;
  /** Since when that one is waited for, and how much had moved by then. */
  #since: number;
  #base = 0;
  /** When something was last seen to move, and how much had by then. */
  #lastAt: number;
  #last = 0;

  /** @param now milliseconds */
  constructor(now: number) {
    this.#since = this.#lastAt = now;
  }

  /**
   * @param moved bytes in all, which only grows
   * @param pending bytes on their way: how far they have got cannot be seen before they have arrived, so they count as moved fast
   * enough as long as they could be
   * @param timeout milliseconds without a byte, 0 for no limit
   * @param minRate bytes a second, 0 for any
   */
  isTooSlow(whom: Whom, moved: number, pending: number, now: number, timeout: number, minRate: number): boolean {
    if (whom !== this.#whom) {
      this.#whom = whom;
      this.#since = this.#lastAt = now;
      this.#base = this.#last = moved;
    } else if (moved !== this.#last) {
      this.#last = moved;
      this.#lastAt = now;
    }
    if (timeout > 0 && now - this.#lastAt >= timeout) return true;
    const waited = now - this.#since;
    return waited > grace && (moved + pending - this.#base) * 1000 < minRate * waited;
  }
}
