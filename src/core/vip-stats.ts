import type { ClientLimits, RefusedClients } from './client-limits.ts';
import { Counters, type Stats, snapshot } from './stats.ts';

export interface VipStats extends Stats {
  /** Clients beyond `connectionLimit` that wait for their turn. */
  readonly waitingConnections: number;
  /** How often each of its timeouts passed; all but `handshake` are of HTTP virtual IPs. */
  readonly timeouts: TimeoutCounts;
  /** Of a virtual IP with `tls`. */
  readonly tlsHandshakes: TlsHandshakeCounts;
  readonly clientLimits: ClientLimitStats;
}

/** What `clientLimits` have done. */
export interface ClientLimitStats {
  /** Clients refused for the connections that their address has. */
  readonly connections: number;
  /** Clients, on HTTP requests, refused for the rate of their address. */
  readonly rate: number;
  /** Addresses known at the moment: those with connections, and those remembered for their rate. */
  readonly addresses: number;
}

export interface TimeoutCounts {
  /** A client's TLS handshake was not complete in time. It counts in `tlsHandshakes.failed`, too. */
  handshake: number;
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

export interface TlsHandshakeCounts {
  full: number;
  /** Of clients that went on with a session of an earlier connection. */
  resumed: number;
  /** Of clients that spoke something else or nothing, agreed to nothing that is offered, left, or had no good certificate. */
  failed: number;
}

/** Counts from the beginning, whatever limits there are at the moment. */
export class ClientLimitCounts implements ClientLimitStats, RefusedClients {
  connections = 0;
  rate = 0;
  #limits: ClientLimits | undefined;

  get addresses(): number {
    return this.#limits?.size ?? 0;
  }

  follow(limits: ClientLimits | undefined): void {
    this.#limits = limits;
  }
}

export class VipCounters extends Counters implements VipStats {
  waitingConnections = 0;
  readonly timeouts: TimeoutCounts = {
    handshake: 0,
    request: 0,
    body: 0,
    response: 0,
    reader: 0,
    keepAlive: 0,
    tunnel: 0,
  };
  readonly tlsHandshakes: TlsHandshakeCounts = { full: 0, resumed: 0, failed: 0 };
  readonly clientLimits: ClientLimitCounts = new ClientLimitCounts();
}

/** A copy that no longer changes. */
export function vipSnapshot(stats: VipStats): VipStats {
  const { waitingConnections, timeouts, tlsHandshakes } = stats;
  const { connections, rate, addresses } = stats.clientLimits;
  return {
    ...snapshot(stats),
    waitingConnections,
    timeouts: { ...timeouts },
    tlsHandshakes: { ...tlsHandshakes },
    clientLimits: { connections, rate, addresses },
  };
}
