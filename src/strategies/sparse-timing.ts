import type { Clock } from '../core/clock.ts';

/** Leases in a millisecond from which on not all are timed. */
const busy = 20;

/** Of how many leases one then is. */
const spacing = 16;

/**
 * Which leases to time: all, up to 20,000 in a second; beyond, one in 16. By then that is samples enough, and two readings of the
 * clock would cost more than all else that is done for a lease (and with many members make the processor wait for what it fetches
 * from memory).
 *
 * Cost: O(1).
 */
export class SparseTiming {
  #isBusy = false;
  /** How many leases are still to go untimed. */
  #untimed = 0;
  /** Of the leases since `#since`, how many were timed: 16 of them, or one that stands for 16, tell how many there are in a second. */
  #timed = 0;
  #since = Number.NEGATIVE_INFINITY;
  /** The last time that was read, and how often it was given since. */
  #time = 0;
  #given = 0;

  /** Whether to time the next lease. */
  wants(): boolean {
    if (!this.#isBusy || --this.#untimed < 0) {
      this.#untimed = spacing - 1;
      return true;
    }
    return false;
  }

  /** The clock's time; where not all leases are timed it can be one that was read up to 16 leases ago. */
  now(clock: Clock): number {
    if (this.#isBusy && ++this.#given < spacing) return this.#time;
    this.#given = 0;
    this.#time = clock.now();
    if ((this.#time - this.#since) * busy >= spacing) this.#isBusy = false;
    return this.#time;
  }

  /** A lease was timed. */
  timed(now: number): void {
    this.#time = now;
    this.#given = 0;
    if (!this.#isBusy && ++this.#timed < spacing) return;
    this.#isBusy = (now - this.#since) * busy < spacing;
    this.#since = now;
    this.#timed = 0;
  }
}
