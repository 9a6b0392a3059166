import type { StrategyContext } from '../strategies/strategy.ts';
import type { TlsConfig } from '../tls/tls-config.ts';
import { type AcceptProxyProtocol, isTrustedProxy } from './accept-proxy-protocol.ts';
import { inCidrs, isUnix } from './address.ts';
import type { ClientLimitsSettings } from './client-limits-spec.ts';
import type { Destinations } from './destinations.ts';
import { Emitter, type ListenerErrorEvent } from './emitter.ts';
import type { HttpConfig } from './http-settings.ts';
import { LimitedClients } from './limited-clients.ts';
import { unlimited } from './member-spec.ts';
import type { Pool } from './pool.ts';
import { type Refusal, type RefusalReason, refuse } from './refusal.ts';
import { type Client, Session, type SessionKeeper } from './session.ts';
import type { SniRoute } from './sni-routing-spec.ts';
import type { OperatingStatus, StatusChange } from './status.ts';
import {
  keepingWhatIsSame,
  type Protocol,
  readVipUpdate,
  refuseBoth,
  type Timeouts,
  type VipConfig,
  type VipSettings,
  type VipSettingsConfig,
} from './vip-spec.ts';
import { VipCounters, type VipStats } from './vip-stats.ts';

/** A client that was turned away. */
export interface Rejection {
  /** Of a connection whose PROXY header was not accepted, the balancer's in front. */
  readonly clientAddress: string | undefined;
  readonly reason: RefusalReason;
  /** What was wrong with what it sent, in words, where the reason leaves that open. */
  readonly detail?: string;
}

export interface VipEvents extends ListenerErrorEvent {
  /** It leads to other pools now, or by other routes. */
  'pool-changed': [];
  status: [change: StatusChange<OperatingStatus>];
  /** A member could not be connected to; the client is tried elsewhere, as far as `retries` permits. */
  'connect-failed': [failure: { readonly memberId: string; readonly reason: string }];
  /** A client was turned away, at the door or because no member could be had. */
  rejected: [rejection: Rejection];
  /** A client's TLS handshake came to nothing; the reason in words, none of them the client's. */
  'handshake-failed': [failure: { readonly clientAddress: string | undefined; readonly reason: string }];
}

/** @internal What an adapter must be able to do before a virtual IP's settings may change. */
export interface SettingsFollower {
  /** Gets ready for settings that may come into force. Throws `SpecError` where it cannot do what they want. */
  prepare(settings: VipSettingsConfig): void;
  /** The settings have changed. */
  changed(): void;
}

/**
 * The address, port and protocol that clients connect to. It decides who comes in and hands each client to its pool; a real
 * socket comes from an adapter (`listen()` in `evenkeel/node`).
 */
export class VirtualIP<T = unknown> extends Emitter<VipEvents> {
  readonly name: string;
  readonly protocol: Protocol;
  /** Live counters. `activeConnections` are the clients served now; those that wait count in `waitingConnections`. */
  readonly stats: VipStats;
  readonly #counters = new VipCounters();
  readonly #clients: LimitedClients<T>;
  /** Clients beyond the limit, first come first served. */
  readonly #waiting = new Set<Session<T>>();
  #isAdmitting = false;
  readonly #followers = new Set<SettingsFollower>();
  readonly #keeper: SessionKeeper<T>;
  #address: string;
  #port: number;
  #settings: VipSettingsConfig;
  #destinations: Destinations<T>;
  /** The status that the last event told. */
  #toldStatus: OperatingStatus;

  /** @internal virtual IPs are made by `createVip()` and `Balancer` */
  constructor(config: Omit<VipConfig<T>, 'pool' | 'routes'>, destinations: Destinations<T>, context: StrategyContext) {
    super();
    this.name = config.name;
    this.protocol = config.protocol;
    this.stats = this.#counters;
    this.#address = config.address;
    this.#port = config.port;
    this.#settings = config.settings;
    this.#destinations = destinations;
    const rated = this.protocol === 'http' ? 'requests' : 'connections';
    this.#clients = new LimitedClients(rated, this.#counters.clientLimits, context);
    this.#clients.follow(config.settings.clientLimits);
    this.#keeper = {
      counters: this.#counters,
      left: (session) => this.#left(session),
      turnedAway: this.#turnedAway,
      handshakeFailed: ({ address }, reason) => this.emit('handshake-failed', { clientAddress: address, reason }),
      connectFailed: (memberId, reason) => this.emit('connect-failed', { memberId, reason }),
      requestDelay: (session) => this.#requestDelay(session),
    };
    this.#toldStatus = this.status;
    for (const pool of destinations.pools) this.#follow(pool);
  }

  /** As the spec says; where the port is 0, the listener knows the real one. */
  get address(): string {
    return this.#address;
  }

  get port(): number {
    return this.#port;
  }

  get pool(): Pool<T> {
    return this.#destinations.pool;
  }

  /** `sniRouting`, checked; empty where every client goes to `pool`. */
  get routes(): readonly SniRoute<Pool<T>>[] {
    return this.#destinations.routes;
  }

  /** Every pool that clients may be led to, `pool` first. */
  get pools(): ReadonlySet<Pool<T>> {
    return this.#destinations.pools;
  }

  /** The pool for a TLS client that asks for this name and offers these protocols. */
  poolFor(serverName: string | undefined, alpn: readonly string[]): Pool<T> {
    return this.#destinations.find(serverName, alpn);
  }

  get enabled(): boolean {
    return this.#settings.enabled;
  }

  /** Undefined where there is no limit. */
  get connectionLimit(): number | undefined {
    const { connectionLimit } = this.#settings;
    return connectionLimit === unlimited ? undefined : connectionLimit;
  }

  get backlog(): number {
    return this.#settings.backlog;
  }

  /** Undefined where every client is allowed. */
  get allowedCidrs(): readonly string[] | undefined {
    return this.#settings.allowedCidrs?.text;
  }

  /** Undefined where clients connect themselves. */
  get acceptProxyProtocol(): AcceptProxyProtocol | undefined {
    return this.#settings.acceptProxyProtocol;
  }

  /** Undefined where there are none. In it, 2147483647 and Infinity stand for no limit. */
  get clientLimits(): ClientLimitsSettings | undefined {
    return this.#settings.clientLimits;
  }

  /** Milliseconds; 0 means no limit. */
  get timeouts(): Timeouts {
    return this.#settings.timeouts;
  }

  get retries(): number {
    return this.#settings.retries;
  }

  /** How the clients' TLS ends here, without what is secret; undefined where it does not. One object until it is changed. */
  get tls(): TlsConfig | undefined {
    return this.#settings.tls;
  }

  /** What an HTTP virtual IP is told of headers, limits and answers, checked. One object until it is changed. */
  get http(): HttpConfig {
    return this.#settings.http;
  }

  /**
   * `offline` where it or its pool is disabled; `error` where its pool is; `degraded` where its pool is or as many clients as
   * `connectionLimit` allows are served; else `online`. With routes to several pools, those that are disabled do not count unless all
   * are, and it is `error` only where none of the others can serve.
   */
  get status(): OperatingStatus {
    const { enabled, connectionLimit } = this.#settings;
    if (!enabled) return 'offline';
    const { status } = this.#destinations;
    if (status !== 'online') return status;
    return this.#counters.activeConnections >= connectionLimit ? 'degraded' : 'online';
  }

  /**
   * Changes what is named and keeps the rest. Clients that are served already are not affected; those that wait
   * are let in, or not, by what was in force when they came, and are served by what is when their turn comes. Throws `SpecError` and
   * changes nothing where a value is bad.
   */
  update(change: VipSettings): void {
    const settings = readVipUpdate(change, this.protocol, this.#settings);
    refuseBoth(settings, this.routes, 'tls');
    this.prepareChange(settings);
    this.configure(settings);
  }

  /** @internal has an adapter take part in changes of settings until the returned handle is disposed */
  follow(follower: SettingsFollower): Disposable {
    this.#followers.add(follower);
    return { [Symbol.dispose]: () => this.#followers.delete(follower) };
  }

  /** @internal throws `SpecError` where an adapter cannot do what the settings want; else, nothing changes yet */
  prepareChange(wanted: VipSettingsConfig): void {
    const settings = keepingWhatIsSame(this.#settings, wanted);
    for (const follower of this.#followers) follower.prepare(settings);
  }

  /** @internal a client that was refused got an answer all the same */
  countRefused(status: number): void {
    this.#counters.requests++;
    this.#counters.countResponse(status);
  }

  /** @internal the second half of `update()`; a balancer may also move a virtual IP and give it another pool */
  configure(
    settings: VipSettingsConfig,
    { address, port, destinations }: VipPlace<T> = {
      address: this.address,
      port: this.port,
      destinations: this.#destinations,
    },
  ): void {
    this.#settings = keepingWhatIsSame(this.#settings, settings);
    for (const follower of this.#followers) follower.changed();
    this.#clients.follow(settings.clientLimits);
    this.#address = address;
    this.#port = port;
    const before = this.#destinations;
    if (!destinations.isSame(before)) {
      this.retire();
      this.#destinations = destinations;
      for (const pool of destinations.pools) this.#follow(pool);
      this.emit('pool-changed');
    }
    this.#admitWaiting();
    this.#review();
  }

  /** @internal it leads to its pools no more: its balancer has removed it */
  retire(): void {
    for (const pool of this.#destinations.pools) {
      pool.ledTo(this.protocol, false);
      pool.off('status', this.#review);
    }
  }

  /**
   * Lets a client in, or says why not. Beyond `connectionLimit` the client waits: `ready` is called when its turn comes, at once
   * where there is room.
   */
  admit(client: Client, ready: (session: Session<T>) => void): Session<T> | Refusal {
    const { enabled, allowedCidrs, connectionLimit, backlog } = this.#settings;
    if (!enabled) return this.reject(client, 'disabled');
    if (allowedCidrs !== undefined && !inCidrs(allowedCidrs.blocks, client.address ?? '')) {
      return this.reject(client, 'not-allowed');
    }
    const hasRoom = this.#counters.activeConnections < connectionLimit && this.#waiting.size === 0;
    if (!hasRoom && this.#waiting.size >= backlog) return this.reject(client, 'connection-limit');
    const session = new Session(this, this.#keeper, client, ready);
    // Of a client that has no address: it may be one of those that never have one, or it is gone.
    const mayHaveNone = isUnix(this.#address) || this.#settings.acceptProxyProtocol !== undefined;
    const against = this.#clients.enter(session, mayHaveNone);
    if (against !== undefined) return this.reject(client, against);
    if (hasRoom) {
      this.#enter(session);
    } else {
      this.#waiting.add(session);
      this.#counters.waitingConnections++;
    }
    return session;
  }

  /**
   * Asked about a connection that is to begin with a PROXY header, before any of it is read: undefined where it may. `admit()` is for
   * the client that the header names.
   */
  refuseProxy(peer: Client): Refusal | undefined {
    const { enabled, acceptProxyProtocol } = this.#settings;
    if (!enabled) return this.reject(peer, 'disabled');
    if (acceptProxyProtocol === undefined || isTrustedProxy(acceptProxyProtocol, peer.address)) return undefined;
    return this.reject(peer, 'untrusted-proxy');
  }

  /** Counts and tells that a client was turned away before it was admitted. An adapter that has found a reason calls it. */
  reject(client: Client, reason: RefusalReason, detail?: string): Refusal {
    this.#turnedAway(client, reason, detail);
    return refuse(reason);
  }

  #follow(pool: Pool<T>): void {
    pool.ledTo(this.protocol, true);
    pool.on('status', this.#review);
  }

  #enter(session: Session<T>): void {
    this.#counters.activeConnections++;
    this.#counters.totalConnections++;
    if (this.#counters.activeConnections === this.#settings.connectionLimit) this.#review();
    try {
      session.enter();
    } catch (error) {
      session.leave('ignored');
      throw error;
    }
  }

  #left(session: Session<T>): void {
    this.#clients.left(session);
    if (this.#waiting.delete(session)) {
      this.#counters.waitingConnections--;
      return;
    }
    this.#counters.activeConnections--;
    if (this.#counters.activeConnections === this.#settings.connectionLimit - 1) {
      this.#admitWaiting();
      this.#review();
    }
  }

  /** One that enters may leave at once and so make room for the next: a loop, since as recursion it could be thousands deep. */
  #admitWaiting(): void {
    if (this.#isAdmitting) return;
    this.#isAdmitting = true;
    try {
      for (const session of this.#waiting) {
        if (this.#counters.activeConnections >= this.#settings.connectionLimit) break;
        this.#waiting.delete(session);
        this.#counters.waitingConnections--;
        this.#enter(session);
      }
    } finally {
      this.#isAdmitting = false;
    }
  }

  #requestDelay(session: Session<T>): number {
    const delay = this.#clients.requestDelay(session);
    if (delay > 0) this.#turnedAway(session.client, 'client-rate');
    return delay;
  }

  readonly #turnedAway = (client: Client, reason: RefusalReason, detail?: string): void => {
    this.#counters.rejects++;
    const rejection = { clientAddress: client.address, reason };
    this.emit('rejected', detail === undefined ? rejection : { ...rejection, detail });
  };

  readonly #review = (): void => {
    const from = this.#toldStatus;
    const to = this.status;
    this.#toldStatus = to;
    if (to !== from) this.emit('status', { from, to });
  };
}

/** Where a virtual IP is and where it leads. */
export interface VipPlace<T> {
  readonly address: string;
  readonly port: number;
  readonly destinations: Destinations<T>;
}
