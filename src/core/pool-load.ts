import type { Stats } from './stats.ts';

/** Clients that wait for a member. */
interface Waiting {
  /** How many wait, beside the one for which a member is looked for at the moment. */
  readonly others: number;
}

/**
 * How busy a pool is, as members with `minConnections` see it: by it they stretch from there to `maxConnections`, which they reach
 * when the pool has `fullConnections`. Nothing follows the load: a limit is worked out when a member that holds `minConnections` is
 * asked for more, so that a load that goes up and down costs nothing.
 *
 * Source: HAProxy's `minconn` and `fullconn` (`srv_dynamic_maxconn()` in its `src/queue.c`). Its load, too, counts those who wait and
 * the client in question.
 */
export class PoolLoad {
  /** Undefined where members do not stretch. */
  fullConnections: number | undefined;
  queue: Waiting | undefined;
  /** Clients that have come, and let those who wait go first. */
  arriving = 0;
  readonly #stats: Stats;

  constructor(stats: Stats) {
    this.#stats = stats;
  }

  /** The most connections that a member may hold, as one more client would find it. */
  limitOf(least: number, most: number): number {
    const { fullConnections } = this;
    if (fullConnections === undefined) return most;
    const load = this.#stats.activeConnections + (this.queue?.others ?? 0) + this.arriving + 1;
    return load >= fullConnections ? most : Math.max(least, Math.floor((load * most) / fullConnections));
  }
}
