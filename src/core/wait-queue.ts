import { Ticker } from '../safeguards/ticker.ts';
import type { Clock, Timer } from './clock.ts';
import { Histogram } from './histogram.ts';
import type { Acquired } from './lease.ts';
import type { QueueSettings } from './queue-spec.ts';
import { type RefusalReason, refuse } from './refusal.ts';
import type { Wait } from './wait.ts';

/** A pool's queue. All but `waiting` only grow. */
export interface QueueStats {
  /** Clients that wait now. */
  readonly waiting: number;
  /** Clients that have waited and got a member. */
  readonly served: number;
  /** Clients that have waited in vain for as long as `timeout`. */
  readonly timedOut: number;
  /** Clients that did not even wait, since `limit` others did. */
  readonly refused: number;
  /** Clients that left while they waited. */
  readonly abandoned: number;
  /** How long those waited that got a member, in milliseconds; undefined before the first one. */
  readonly waitTime: Histogram | undefined;
}

/** What a queue asks of its pool. */
export interface QueueHost<T> {
  /** Tries to get a member for one that waits. */
  attempt(wait: Wait<T>): Acquired<T>;
  /** A client was refused after all. */
  refused(reason: RefusalReason): void;
  /** Clients have begun to wait, or none has for a second. */
  told(isQueueing: boolean): void;
  /** Who waited threw when it was told. */
  failed(message: string, cause: unknown): void;
}

/**
 * Clients that wait because every member is busy: first come, first served. One that cannot take what has become free, since it
 * has tried that member already, does not hold up those behind it.
 *
 * Cost: O(1) to join, to leave, and for each lease that ends while nobody can be served; one timer, for the one that has waited
 * for longest.
 */
export class WaitQueue<T> {
  readonly #clock: Clock;
  readonly #host: QueueHost<T>;
  readonly #waiting = new Set<Wait<T>>();
  /** Whether there was anybody since the last tick. */
  #hadWaiting = false;
  readonly #ticker: Ticker;
  #settings: QueueSettings;
  #timer: Timer;
  #isServing = false;
  #isTrying = false;
  /** Something has become free while somebody was being served. */
  #isToServeAgain = false;
  #served = 0;
  #timedOut = 0;
  #refused = 0;
  #abandoned = 0;
  #waitTime: Histogram | undefined;

  constructor(settings: QueueSettings, clock: Clock, host: QueueHost<T>) {
    this.#settings = settings;
    this.#clock = clock;
    this.#host = host;
    this.#ticker = new Ticker(clock, 1000, () => this.#look());
  }

  get settings(): QueueSettings {
    return this.#settings;
  }

  /** Those that wait have waited for as long as they have: a shorter timeout may be over already. */
  set settings(settings: QueueSettings) {
    this.#settings = settings;
    this.#watch();
  }

  /** How many wait, beside the one for which a member is looked for at the moment. */
  get others(): number {
    return this.#isTrying ? this.#waiting.size - 1 : this.#waiting.size;
  }

  get stats(): QueueStats {
    return {
      waiting: this.#waiting.size,
      served: this.#served,
      timedOut: this.#timedOut,
      refused: this.#refused,
      abandoned: this.#abandoned,
      waitTime: this.#waitTime?.copy(),
    };
  }

  /** Whether time may help one that was refused for this reason. */
  static isWorthWaiting(reason: RefusalReason): boolean {
    return reason === 'members-full' || reason === 'circuit-limits';
  }

  /** Whether one that waits already goes on waiting: `concurrencyLimit` turns clients away at the door, and not those inside. */
  static #isWorthStaying(reason: RefusalReason): boolean {
    return WaitQueue.isWorthWaiting(reason) || reason === 'concurrency-limit';
  }

  /** Takes one in; false where there is no room for it. */
  join(wait: Wait<T>): boolean {
    if (this.#waiting.size >= this.#settings.limit) {
      this.#refused++;
      return false;
    }
    wait.since = this.#clock.now();
    wait.waitsIn(() => this.#abandon(wait));
    this.#waiting.add(wait);
    if (this.#waiting.size === 1) this.#watch();
    this.#hadWaiting = true;
    if (!this.#ticker.isRunning) {
      this.#ticker.start();
      this.#host.told(true);
    }
    return true;
  }

  /** Something may have become free. */
  serve(): void {
    this.#isToServeAgain = true;
    if (this.#isServing || this.#waiting.size === 0) return;
    this.#isServing = true;
    while (this.#isToServeAgain) {
      this.#isToServeAgain = false;
      this.#serveInTurn();
    }
    this.#isServing = false;
    if (this.#waiting.size === 0) this.#watch();
  }

  /** The pool has no queue any more. */
  close(): void {
    for (const wait of this.#waiting) this.#turnAway(wait, 'members-full');
    this.#watch();
  }

  #serveInTurn(): void {
    for (const wait of this.#waiting) {
      let result: Acquired<T>;
      try {
        this.#isTrying = true;
        result = this.#host.attempt(wait);
      } catch (cause) {
        // A user's strategy threw, at a moment that is another client's.
        this.#host.failed('the strategy threw', cause);
        result = refuse('none-picked');
      } finally {
        this.#isTrying = false;
      }
      if (wait.isOver) {
        wait.end(result);
        continue;
      }
      if (result.refused && WaitQueue.#isWorthStaying(result.reason)) {
        if (wait.request.exclude === undefined) return;
        continue;
      }
      if (!result.refused) {
        this.#served++;
        this.#waitTime ??= new Histogram();
        this.#waitTime.record(this.#clock.now() - wait.since);
      }
      this.#end(wait, result);
    }
  }

  #end(wait: Wait<T>, result: Acquired<T>): void {
    this.#waiting.delete(wait);
    if (result.refused) this.#host.refused(result.reason);
    try {
      wait.end(result);
    } catch (cause) {
      this.#host.failed('a client that had waited threw', cause);
    }
  }

  #turnAway(wait: Wait<T>, reason: RefusalReason): void {
    this.#end(wait, refuse(reason));
  }

  #abandon(wait: Wait<T>): void {
    if (!this.#waiting.delete(wait)) return;
    this.#abandoned++;
    if (this.#waiting.size === 0) this.#watch();
  }

  /** Turns away those that have waited for too long, and sets the timer for the one that has waited for longest. */
  #watch(): void {
    const { timeout } = this.#settings;
    const now = this.#clock.now();
    for (const wait of this.#waiting) {
      if (wait.since + timeout > now) break;
      this.#timedOut++;
      this.#turnAway(wait, 'queue-timeout');
    }
    this.#clock.clearTimeout(this.#timer);
    const [first] = this.#waiting;
    this.#timer = first && this.#clock.setTimeout(() => this.#watch(), first.since + timeout - now);
  }

  #look(): boolean {
    const goesOn = this.#hadWaiting;
    this.#hadWaiting = this.#waiting.size > 0;
    if (!goesOn) this.#host.told(false);
    return goesOn;
  }
}
