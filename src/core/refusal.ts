/** Why a client gets no member. */
export type RefusalReason =
  /** The virtual IP or the pool is disabled. */
  | 'disabled'
  /** The client's address is in none of the virtual IP's `allowedCidrs`. */
  | 'not-allowed'
  /** `acceptProxyProtocol` does not trust the address that the connection comes from. */
  | 'untrusted-proxy'
  /** The connection did not begin with a PROXY header, or with one that is malformed. */
  | 'bad-proxy-header'
  /** The PROXY header was not complete in time. */
  | 'late-proxy-header'
  /** `sniRouting` was to lead the client by its ClientHello, and what it sent is none. */
  | 'bad-client-hello'
  /** The ClientHello was not complete in time. */
  | 'late-client-hello'
  /** The client's address has as many connections as `clientLimits` permit. */
  | 'client-connections'
  /** The client's address makes more connections, on HTTP requests, than `clientLimits` permit. */
  | 'client-rate'
  /** The virtual IP holds `connectionLimit` clients, and `backlog` more wait. */
  | 'connection-limit'
  /** The pool has no member that is enabled, healthy, not draining and of a weight above 0. */
  | 'no-eligible-member'
  /** Every eligible member that was not tried yet holds `maxConnections`. With a `queue` only who cannot wait is told, or still waits when it goes. */
  | 'members-full'
  /** Every eligible member that was not tried yet is at one of its limits: pending, requests, retries, or on trial after an ejection. */
  | 'circuit-limits'
  /** Every member is busy, and as many clients wait as `queue.limit` allows. */
  | 'queue-full'
  /** Every member was busy for as long as `queue.timeout`. */
  | 'queue-timeout'
  /** Too few members are healthy, and `panic.failTraffic` says to refuse then. */
  | 'panic'
  /** The pool holds as many leases as its adaptive `concurrencyLimit` permits at the moment. */
  | 'concurrency-limit'
  /** A retry that the pool's `retryBudget` does not have. */
  | 'retry-budget'
  /** Every eligible member is among those that the request excludes. */
  | 'members-tried'
  /** The strategy picked none although there was one. */
  | 'none-picked'
  /** The client has left already. */
  | 'client-left'
  /** As many connects failed as `retries` permits. */
  | 'retries-exhausted';

/** The answer of a pool or a virtual IP that cannot take a client. */
export class Refusal {
  readonly reason: RefusalReason;

  /** @internal */
  constructor(reason: RefusalReason) {
    this.reason = reason;
  }

  get refused(): true {
    return true;
  }
}

const refusals = new Map<RefusalReason, Refusal>();

/** Refusals carry nothing but their reason, so one of each is enough: refusing is cheap when it happens often. */
export function refuse(reason: RefusalReason): Refusal {
  let refusal = refusals.get(reason);
  if (refusal === undefined) {
    refusal = Object.freeze(new Refusal(reason));
    refusals.set(reason, refusal);
  }
  return refusal;
}
