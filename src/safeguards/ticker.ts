import { type Clock, setBackgroundTimeout } from '../core/clock.ts';

/**
 * Ticks in the background once a period, for as long as there is something to expire: so that what is counted on a hot path needs
 * no look at the clock (29 ns). It does not keep the process alive, and it catches up where a tick is late.
 */
export class Ticker {
  /** Ask before `start()` on a hot path: a field costs less than a call. */
  isRunning = false;
  readonly #clock: Clock;
  readonly #period: number;
  readonly #tick: (periods: number) => boolean;
  /** When the last period ended. */
  #last = 0;

  /**
   * @param period milliseconds
   * @param tick is told how many periods have ended since it was last called, 1 or more, and says whether to go on
   */
  constructor(clock: Clock, period: number, tick: (periods: number) => boolean) {
    this.#clock = clock;
    this.#period = period;
    this.#tick = tick;
  }

  /** The first period begins now, unless it runs already. */
  start(): void {
    if (this.isRunning) return;
    this.isRunning = true;
    this.#last = this.#clock.now();
    setBackgroundTimeout(this.#clock, this.#fire, this.#period);
  }

  readonly #fire = (): void => {
    const now = this.#clock.now();
    // A timer may fire a little early; that is a period, too, and the next one is the longer for it.
    const periods = Math.max(1, Math.floor((now - this.#last) / this.#period));
    this.#last += periods * this.#period;
    this.isRunning = this.#tick(periods);
    if (this.isRunning) setBackgroundTimeout(this.#clock, this.#fire, this.#last + this.#period - now);
  };
}
