import type { Clock } from '../core/clock.ts';
import { Ticker } from './ticker.ts';

/** Which safeguard sheds load. */
export type SheddingCause = 'concurrency-limit' | 'retry-budget';

/** A pool has begun to turn load away, or has turned none away for a second. */
export interface SheddingChange {
  readonly cause: SheddingCause;
  readonly isShedding: boolean;
}

const second = 1000;

/**
 * Whether a pool sheds load, and how much it has shed. At a limit, refusals and admissions alternate by the request; so shedding
 * begins with the first refusal and ends with the first second that has none.
 *
 * Cost: nothing but at a refusal. While it sheds, a background timer runs once a second.
 */
export class Shedding {
  readonly #told: (change: SheddingChange) => void;
  readonly #ticker: Ticker;
  readonly #total: Record<SheddingCause, number> = { 'concurrency-limit': 0, 'retry-budget': 0 };
  /** The causes that are at work, with what they have refused in this second. */
  readonly #current = new Map<SheddingCause, number>();

  constructor(clock: Clock, told: (change: SheddingChange) => void) {
    this.#told = told;
    this.#ticker = new Ticker(clock, second, () => this.#look());
  }

  /** Those at work. */
  get causes(): SheddingCause[] {
    return [...this.#current.keys()];
  }

  /** How many leases a cause has refused since the beginning. */
  totalOf(cause: SheddingCause): number {
    return this.#total[cause];
  }

  refused(cause: SheddingCause): void {
    this.#total[cause]++;
    const before = this.#current.get(cause);
    this.#current.set(cause, (before ?? 0) + 1);
    if (!this.#ticker.isRunning) this.#ticker.start();
    if (before === undefined) this.#told({ cause, isShedding: true });
  }

  #look(): boolean {
    const over = this.causes.filter((cause) => this.#current.get(cause) === 0);
    for (const cause of over) this.#current.delete(cause);
    for (const cause of this.#current.keys()) this.#current.set(cause, 0);
    for (const cause of over) this.#told({ cause, isShedding: false });
    return this.#current.size > 0;
  }
}
