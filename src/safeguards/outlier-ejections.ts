import { type Clock, setBackgroundTimeout, type Timer } from '../core/clock.ts';
import type { MemberState } from '../core/member-state.ts';

/** The longest that timers of the runtime can wait. */
const longest = 2_147_483_647;

/**
 * Members that are ejected, and when each may come back: to the millisecond, where Envoy looks every 10 s. One timer, in the
 * background, and only while there are any.
 */
export class OutlierEjections<T> {
  readonly #clock: Clock;
  readonly #free: (states: readonly MemberState<T>[]) => void;
  readonly #states = new Set<MemberState<T>>();
  #timer: Timer;
  #firesAt = Number.POSITIVE_INFINITY;

  /** @param free is told whose time is over; it deletes them */
  constructor(clock: Clock, free: (states: readonly MemberState<T>[]) => void) {
    this.#clock = clock;
    this.#free = free;
  }

  get size(): number {
    return this.#states.size;
  }

  [Symbol.iterator](): Iterator<MemberState<T>> {
    return this.#states.values();
  }

  add(state: MemberState<T>): void {
    this.#states.add(state);
    this.#wait(state.ejection?.until ?? 0);
  }

  /** The timer may be in vain then, which costs less than to look for whom it is next. */
  delete(state: MemberState<T>): void {
    if (this.#states.delete(state) && this.#states.size === 0) this.#stopWaiting();
  }

  #wait(until: number): void {
    if (until >= this.#firesAt) return;
    this.#stopWaiting();
    this.#firesAt = until;
    const delay = Math.min(longest, Math.max(0, until - this.#clock.now()));
    this.#timer = setBackgroundTimeout(this.#clock, () => this.#fire(), delay);
  }

  #stopWaiting(): void {
    if (this.#firesAt === Number.POSITIVE_INFINITY) return;
    this.#clock.clearTimeout(this.#timer);
    this.#firesAt = Number.POSITIVE_INFINITY;
  }

  #fire(): void {
    this.#firesAt = Number.POSITIVE_INFINITY;
    const now = this.#clock.now();
    const due: MemberState<T>[] = [];
    let next = Number.POSITIVE_INFINITY;
    for (const state of this.#states) {
      const until = state.ejection?.until ?? 0;
      if (until <= now) due.push(state);
      else next = Math.min(next, until);
    }
    this.#wait(next);
    if (due.length > 0) this.#free(due);
  }
}
