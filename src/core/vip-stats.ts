import { Counters, type Stats, snapshot } from './stats.ts';

export interface VipStats extends Stats {
  /** Clients beyond `connectionLimit` that wait for their turn. */
  readonly waitingConnections: number;
  /** Of an HTTP virtual IP, how often each of its timeouts passed. */
  readonly timeouts: TimeoutCounts;
}

export interface TimeoutCounts {
  /** A request's head was not complete in time (408). */
  request: number;
  /** A request's body stood still, or was slower than `limits.minRate` (408). */
  body: number;
  /** A member did not answer in time (504), or its answer stood still. */
  response: number;
  /** A client did not take its answer, or was slower than `limits.minRate`. */
  reader: number;
  /** A connection was not used again. */
  keepAlive: number;
  /** An upgraded connection stood still. */
  tunnel: number;
}

export class VipCounters extends Counters implements VipStats {
  waitingConnections = 0;
  readonly timeouts: TimeoutCounts = { request: 0, body: 0, response: 0, reader: 0, keepAlive: 0, tunnel: 0 };
}

/** A copy that no longer changes. */
export function vipSnapshot(stats: VipStats): VipStats {
  const { waitingConnections, timeouts } = stats;
  return { ...snapshot(stats), waitingConnections, timeouts: { ...timeouts } };
}
