import { Histogram } from './histogram.ts';

/**
 * Counters of one member, pool or virtual IP. Live: each read gives the value of that moment. All but `activeConnections` only
 * grow. What concerns requests stays 0 where the traffic is not HTTP.
 */
export interface Stats {
  /**
   * Connections held now (a member's and a pool's include those still being established). A member's or a pool's connections that
   * are kept for a later request do not count.
   */
  readonly activeConnections: number;
  /** Connections established since the beginning. */
  readonly totalConnections: number;
  /** Bytes from clients towards members. */
  readonly bytesIn: number;
  /** Bytes from members towards clients. */
  readonly bytesOut: number;
  /** Tries to connect to a member that failed or timed out. */
  readonly connectFailures: number;
  /** Tries that followed a failed one of the same client or request. A member counts those that came to it. */
  readonly retries: number;
  /**
   * Clients or requests turned away: by a virtual IP (limit, address, no member), by a pool (no member could take one). A member
   * turns nobody away: 0.
   */
  readonly rejects: number;
  /** Requests whose head has come in. A member and a pool count those that were sent to a member. */
  readonly requests: number;
  /**
   * Requests that went wrong: of a virtual IP by the client's fault (malformed, too slow, given up before it was sent), of a member
   * and a pool by the member's (no answer, a malformed one, one that broke off).
   */
  readonly requestErrors: number;
  /** Requests whose client left before it had its answer. */
  readonly abortedRequests: number;
  /** Interim answers; 101 is one. */
  readonly responses1xx: number;
  /** Final answers by class. A virtual IP's include its own (400, 502, …). */
  readonly responses2xx: number;
  readonly responses3xx: number;
  readonly responses4xx: number;
  /** 500 and above. */
  readonly responses5xx: number;
  /** From a request's head to its answer's, in milliseconds, of members' answers; undefined before the first one. */
  readonly timeToFirstByte: Histogram | undefined;
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
  requests = 0;
  requestErrors = 0;
  abortedRequests = 0;
  responses1xx = 0;
  responses2xx = 0;
  responses3xx = 0;
  responses4xx = 0;
  responses5xx = 0;
  timeToFirstByte: Histogram | undefined = undefined;

  countResponse(status: number): void {
    if (status < 200) this.responses1xx++;
    else if (status < 300) this.responses2xx++;
    else if (status < 400) this.responses3xx++;
    else if (status < 500) this.responses4xx++;
    else this.responses5xx++;
  }

  countFirstByte(milliseconds: number): void {
    this.timeToFirstByte ??= new Histogram();
    this.timeToFirstByte.record(milliseconds);
  }
}

/** A copy that no longer changes. */
export function snapshot(stats: Stats): Stats {
  return { ...stats, timeToFirstByte: stats.timeToFirstByte?.copy() };
}

const summed = [
  'activeConnections',
  'totalConnections',
  'bytesIn',
  'bytesOut',
  'connectFailures',
  'retries',
  'rejects',
  'requests',
  'requestErrors',
  'abortedRequests',
  'responses1xx',
  'responses2xx',
  'responses3xx',
  'responses4xx',
  'responses5xx',
] as const satisfies readonly (keyof Stats)[];

/** The sum of several. */
export function sumStats(all: Iterable<Stats>): Stats {
  const sum = new Counters();
  for (const stats of all) {
    for (const name of summed) sum[name] += stats[name];
    if (stats.timeToFirstByte === undefined) continue;
    sum.timeToFirstByte ??= new Histogram();
    sum.timeToFirstByte.add(stats.timeToFirstByte);
  }
  return sum;
}
