/** Counters of one member, pool or virtual IP. Live: each read gives the value of that moment. All but `activeConnections` only grow. */
export interface Stats {
  /** Connections held now (a member's and a pool's include those still being established). */
  readonly activeConnections: number;
  /** Connections established since the beginning. */
  readonly totalConnections: number;
  /** Bytes from clients towards members. */
  readonly bytesIn: number;
  /** Bytes from members towards clients. */
  readonly bytesOut: number;
  /** Tries to connect to a member that failed or timed out. */
  readonly connectFailures: number;
  /** Tries that followed a failed one of the same client. A member counts those that came to it. */
  readonly retries: number;
  /**
   * Clients turned away: by a virtual IP (limit, address, no member), by a pool (no member could take one). A member counts those
   * that its pool turned away while it held `maxConnections`.
   */
  readonly rejects: number;
}

/** The writable side of `Stats`. A class, so that all counters share one hidden class on the hot path. */
export class Counters implements Stats {
  activeConnections = 0;
  totalConnections = 0;
  bytesIn = 0;
  bytesOut = 0;
  connectFailures = 0;
  retries = 0;
  rejects = 0;
}

/** A copy that no longer changes. */
export function snapshot(stats: Stats): Stats {
  return { ...stats };
}

/** The sum of several. */
export function sumStats(all: Iterable<Stats>): Stats {
  const sum = new Counters();
  for (const stats of all) {
    sum.activeConnections += stats.activeConnections;
    sum.totalConnections += stats.totalConnections;
    sum.bytesIn += stats.bytesIn;
    sum.bytesOut += stats.bytesOut;
    sum.connectFailures += stats.connectFailures;
    sum.retries += stats.retries;
    sum.rejects += stats.rejects;
  }
  return sum;
}
