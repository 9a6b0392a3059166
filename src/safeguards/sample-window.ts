/** A window that is over has so many samples at least, or stays open (Netflix, `WindowedLimit`). */
const minSamples = 10;
/** A microsecond: what took no time that the clock could see took at least that. */
const leastTime = 0.001;

/**
 * Samples put together for an algorithm that moves once a window, as Netflix's `WindowedLimit` with its average sample window: it
 * takes the end of the window from the samples' own times, so that it reads no clock.
 *
 * Two differences. What was dropped is counted apart and does not go into the mean, since a server that refuses at once would look
 * fast. And a window with too few samples stays open where Netflix throws it away: two hundred requests that take a minute each
 * are three samples a second, and that is when a limit is needed.
 */
export class SampleWindow {
  readonly #length: number;
  #end: number | undefined;
  #sum = 0;
  #succeeded = 0;
  #dropped = 0;
  #maxInFlight = 0;
  #isOver = false;

  /** @param length milliseconds; 0: each sample is a window of its own */
  constructor(length: number) {
    this.#length = length;
  }

  /** Says whether the window is now over; then it is to be read before the next sample. */
  add(milliseconds: number, inFlight: number, wasDropped: boolean, now: number): boolean {
    if (this.#isOver) this.#clear();
    this.#end ??= now + this.#length;
    if (wasDropped) {
      this.#dropped++;
    } else {
      this.#succeeded++;
      this.#sum += Math.max(leastTime, milliseconds);
    }
    if (inFlight > this.#maxInFlight) this.#maxInFlight = inFlight;
    this.#isOver = this.#length === 0 || (now >= this.#end && this.#succeeded + this.#dropped >= minSamples);
    if (this.#isOver) this.#end = now + this.#length;
    return this.#isOver;
  }

  /** Mean time of what succeeded, milliseconds above 0; undefined where nothing did. */
  get mean(): number | undefined {
    return this.#succeeded === 0 ? undefined : this.#sum / this.#succeeded;
  }

  /** The most requests that were under way with one. */
  get maxInFlight(): number {
    return this.#maxInFlight;
  }

  /** 0 to 1. */
  get shareDropped(): number {
    return this.#dropped / (this.#succeeded + this.#dropped);
  }

  #clear(): void {
    this.#sum = 0;
    this.#succeeded = 0;
    this.#dropped = 0;
    this.#maxInFlight = 0;
  }
}
