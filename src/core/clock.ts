/** A timer that a `Clock` has set; opaque to everybody but that clock. */
export type Timer = unknown;

/**
 * Where evenkeel gets its time from. Give a pool or a virtual IP a clock of your own to test or to simulate it in
 * virtual time (`VirtualClock` is one).
 */
export interface Clock {
  /** Milliseconds since some fixed instant; never goes back. */
  now(): number;
  /** Calls `callback` once, `delay` milliseconds from now. */
  setTimeout(callback: () => void, delay: number): Timer;
  /** Forgets a timer; one that has fired or was forgotten is ignored. */
  clearTimeout(timer: Timer): void;
}

/** The monotonic clock and the timers of the runtime. */
export const systemClock: Clock = {
  now: () => performance.now(),
  setTimeout: (callback, delay) => setTimeout(callback, delay),
  clearTimeout: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
};

/** As `clock.setTimeout()`, but where the runtime permits the timer does not keep the process alive. */
export function setBackgroundTimeout(clock: Clock, callback: () => void, delay: number): Timer {
  const timer = clock.setTimeout(callback, delay);
  (timer as { unref?: () => void } | null)?.unref?.();
  return timer;
}

interface VirtualTimer {
  readonly due: number;
  /** Timers due at the same instant fire in the order in which they were set. */
  readonly order: number;
  readonly callback: () => void;
}

/**
 * Time that moves only when told to: what makes every timed behaviour of evenkeel testable without waiting, and a
 * simulation repeatable.
 */
export class VirtualClock implements Clock {
  #now = 0;
  #order = 0;
  readonly #timers = new Set<VirtualTimer>();

  now(): number {
    return this.#now;
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#timers.size;
  }

  setTimeout(callback: () => void, delay: number): Timer {
    const timer = { due: this.#now + Math.max(0, delay), order: this.#order++, callback };
    this.#timers.add(timer);
    return timer;
  }

  clearTimeout(timer: Timer): void {
    this.#timers.delete(timer as VirtualTimer);
  }

  /**
   * Moves time on by `duration` milliseconds and fires, in order, what falls due on the way, also timers that the
   * fired ones set. Promises settle between two timers.
   */
  async advance(duration: number): Promise<void> {
    const end = this.#now + duration;
    await settle();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#timers.delete(next);
      this.#now = next.due;
      next.callback();
      await settle();
    }
    this.#now = end;
  }

  #next(end: number): VirtualTimer | undefined {
    let next: VirtualTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.due > end) continue;
      if (next === undefined || timer.due < next.due || (timer.due === next.due && timer.order < next.order)) {
        next = timer;
      }
    }
    return next;
  }
}

/** Lets chains of promises run to their end; sixteen links is more than any chain in evenkeel has. */
async function settle(): Promise<void> {
  for (let link = 0; link < 16; link++) await undefined;
}
