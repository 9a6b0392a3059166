import type { Socket } from 'node:net';
import { isUnix } from '../core/address.ts';
import { systemClock, type Timer } from '../core/clock.ts';
import { Emitter, type ListenerErrorEvent } from '../core/emitter.ts';
import type { EvenkeelError } from '../core/errors.ts';
import type { Member } from '../core/member.ts';
import type { Pool } from '../core/pool.ts';
import type { RefusalReason } from '../core/refusal.ts';
import type { Client, Session } from '../core/session.ts';
import type { VirtualIP } from '../core/virtual-ip.ts';
import { HelloArrival, type HelloServer } from './arrival/hello-arrival.ts';
import { Peer } from './arrival/peer.ts';
import { ProxyArrival, type ProxyServer } from './arrival/proxy-arrival.ts';
import { HttpService } from './http/service.ts';
import { turnAway } from './member-socket.ts';
import { checkSlots } from './probes/check-slots.ts';
import { makeProbe } from './probes/make-probe.ts';
import { tcpService } from './tcp/service.ts';
import type { CertificateFacts, Credentials } from './tls/credentials.ts';
import { Termination } from './tls/termination.ts';
import { TlsHandshake } from './tls/tls-handshake.ts';
import { WaitingClient } from './waiting-client.ts';
import { tlsFor, wayTo } from './way-to-members.ts';

export interface TroubleEvents extends ListenerErrorEvent {
  /**
   * Something failed that is neither a client's nor a member's fault: no file descriptor left, a strategy or an `errorAnswer` that
   * throws. With `tls`, also files of certificates that have changed for the worse, and certificates that are out of date.
   */
  error: [error: EvenkeelError];
}

/** A client that is being served. */
export interface ServedClient<T> {
  /** Its turn has come. */
  start(): void;
  /** Ends it as soon as that hurts nobody: what runs may finish. */
  finish(): void;
  /** Ends it at once; its peers see a reset. */
  abort(): void;
  /** Ends what it has running on a member. */
  abandon(member: Member<T>): void;
  /**
   * Looked at now and then: the place for timeouts.
   *
   * @param now milliseconds
   */
  inspect(now: number): void;
}

/** What a served client asks of the server that it belongs to. */
export interface Server<T> {
  readonly vip: VirtualIP<T>;
  /** Another one serves the client from now on: one stage of its arrival is over, and the next begins. */
  handedOver(from: ServedClient<T>, to: ServedClient<T>): void;
  /** A client is gone. */
  closed(client: ServedClient<T>): void;
  /** Something failed that is nobody's fault but ours. */
  troubled(error: EvenkeelError): void;
}

/** What a virtual IP's protocol makes of its clients. */
export interface Service<T> {
  serve(client: Socket, session: Session<T>): ServedClient<T>;
  /** Tells a client that it is refused; undefined where that cannot be told, and it is to be reset. */
  refuse?(client: Socket, reason: RefusalReason): ServedClient<T> | undefined;
  /** Looked at now and then; says whether there is anything left to look after when there are no clients. */
  inspect(now: number): boolean;
  /** A pool that clients are sent to, perhaps not the first one. */
  follow(pool: Pool<T>): void;
  /** The last client has gone. */
  close(): void;
}

/** Idle connections are looked for at a quarter of the shortest timeout, but no more often and no more seldom than this. */
const shortestSweep = 25;
const longestSweep = 1000;

/** The clients of one virtual IP, wherever they come in; while it runs, the pool is checked. */
export class VipServer<T> extends Emitter<TroubleEvents> implements ProxyServer<T>, HelloServer<T> {
  readonly vip: VirtualIP<T>;
  readonly #service: Service<T>;
  readonly #clients = new Set<ServedClient<T>>();
  readonly #pools = new Set<Pool<T>>();
  /** Of the pools that the virtual IP leads to now. */
  #checks = new Map<Pool<T>, Disposable | undefined>();
  readonly #termination: Termination<T>;
  #sweep: Timer;
  #isClosing = false;
  #whenEmpty: (() => void) | undefined;

  constructor(vip: VirtualIP<T>) {
    super();
    this.vip = vip;
    this.#service = vip.protocol === 'http' ? new HttpService(this) : tcpService(this);
    this.#termination = new Termination(vip, (error) => this.troubled(error));
    try {
      this.#followPools();
    } catch (error) {
      this.#termination[Symbol.dispose]();
      throw error;
    }
    vip.on('pool-changed', this.#followPools);
  }

  /** Watches the pools that the virtual IP leads to now. Clients on one that it led to before are watched until they end. */
  readonly #followPools = (): void => {
    if (this.#isClosing) return;
    const before = this.#checks;
    const isFirst = before.size === 0;
    const checks = new Map<Pool<T>, Disposable | undefined>();
    for (const pool of this.vip.pools) {
      try {
        checks.set(pool, before.has(pool) ? before.get(pool) : attend(pool));
      } catch (error) {
        if (isFirst) {
          for (const check of checks.values()) check?.[Symbol.dispose]();
          throw error;
        }
        // The virtual IP leads there already: it serves unchecked, as far as it can.
        checks.set(pool, undefined);
        this.emit('error', error as EvenkeelError);
      }
    }
    this.#checks = checks;
    for (const [pool, check] of before) if (!checks.has(pool)) check?.[Symbol.dispose]();
    for (const pool of checks.keys()) this.#follow(pool);
  };

  #follow(pool: Pool<T>): void {
    if (this.#pools.has(pool)) return;
    this.#pools.add(pool);
    pool.on('drain-expired', this.#drainExpired);
    this.#service.follow(pool);
  }

  /** Takes a client that a socket server has accepted; it must not be read from yet. */
  readonly accept = (socket: Socket): void => {
    if (this.#isClosing) return turnAway(socket);
    const peer = new Peer(socket);
    const { vip } = this;
    if (vip.acceptProxyProtocol === undefined) return this.#admit(socket, peer);
    // One that has gone already cannot be asked whose it was: nobody to be told of.
    const isGone = peer.address === undefined && !isUnix(vip.address);
    if (isGone || vip.refuseProxy(peer) !== undefined) return turnAway(socket);
    const client = new ProxyArrival(this, socket, peer, vip.acceptProxyProtocol);
    this.#add(client);
    client.start();
  };

  told(socket: Socket, client: Client, by: ServedClient<T>): void {
    this.#admit(socket, client, by);
  }

  /** @param by the stage of its arrival that ends with this, if it had one */
  #admit(socket: Socket, peer: Client, by?: ServedClient<T>): void {
    let waiting: WaitingClient<T> | undefined;
    let isReady = false;
    const session = this.vip.admit(peer, () => {
      isReady = true;
      waiting?.start();
    });
    // Whoever was told of it may have closed the listener.
    if (this.#isClosing) {
      if (!session.refused) session.leave('ignored');
      return this.#turnAway(socket, by);
    }
    if (session.refused) return this.#refuse(socket, session.reason, by);
    if (isReady) return this.#begin(this.#first(socket, session), by);
    // One that speaks neither HTTP nor TLS may have closed its sending half only.
    const speaksTls = this.vip.routes.length > 0 || this.#termination.credentials !== undefined;
    const leavesByEnding = speaksTls || this.vip.protocol === 'http';
    waiting = new WaitingClient(this, socket, session, leavesByEnding, (...next) => this.#first(...next));
    this.#put(waiting, by);
  }

  /** Who looks after a client first once its turn has come. */
  #first(socket: Socket, session: Session<T>): ServedClient<T> {
    const isLed = this.vip.routes.length > 0;
    return isLed ? new HelloArrival(this, socket, session) : this.#serve(socket, session);
  }

  #refuse(socket: Socket, reason: RefusalReason, by: ServedClient<T> | undefined): void {
    // Who comes over TLS would need a handshake first, which costs more than it is told.
    const client = this.#termination.credentials === undefined ? this.#service.refuse?.(socket, reason) : undefined;
    if (client !== undefined) return this.#begin(client, by);
    this.#turnAway(socket, by);
  }

  #turnAway(socket: Socket, by: ServedClient<T> | undefined): void {
    if (by !== undefined) this.closed(by);
    turnAway(socket);
  }

  #begin(client: ServedClient<T>, by: ServedClient<T> | undefined): void {
    this.#put(client, by);
    client.start();
  }

  #put(client: ServedClient<T>, by: ServedClient<T> | undefined): void {
    if (by === undefined) this.#add(client);
    else this.handedOver(by, client);
  }

  led(socket: Socket, session: Session<T>, by: ServedClient<T>): void {
    const client = this.#serve(socket, session);
    this.handedOver(by, client);
    client.start();
  }

  /** Who serves a client at first. */
  #serve(socket: Socket, session: Session<T>): ServedClient<T> {
    const { credentials } = this.#termination;
    if (credentials === undefined) return this.#service.serve(socket, session);
    const latest = (): Credentials => this.#termination.credentials ?? credentials;
    return new TlsHandshake(this, this.#service, socket, session, latest);
  }

  /** The certificates that are served now, in the order of the settings; none without `tls`. */
  get certificates(): readonly CertificateFacts[] {
    return this.#termination.credentials?.certificates ?? [];
  }

  #add(client: ServedClient<T>): void {
    this.#clients.add(client);
    if (this.#sweep === undefined) this.#sweepLater();
  }

  /**
   * Takes no more clients, sends away those that wait, and resolves when those that are served have ended, or the deadline has
   * ended them.
   *
   * @param deadline milliseconds; Infinity for none
   * @param signal ends them at once
   */
  async close(deadline: number, signal?: AbortSignal): Promise<void> {
    if (!this.#isClosing) {
      this.#isClosing = true;
      for (const client of this.#clients) client.finish();
    }
    if (this.#clients.size > 0) await this.#emptied(deadline, signal);
    systemClock.clearTimeout(this.#sweep);
    for (const check of this.#checks.values()) check?.[Symbol.dispose]();
    this.vip.off('pool-changed', this.#followPools);
    for (const pool of this.#pools) pool.off('drain-expired', this.#drainExpired);
    this.#service.close();
    this.#termination[Symbol.dispose]();
  }

  handedOver(from: ServedClient<T>, to: ServedClient<T>): void {
    this.#clients.add(to);
    this.#clients.delete(from);
  }

  closed(client: ServedClient<T>): void {
    this.#clients.delete(client);
    if (this.#clients.size === 0) this.#whenEmpty?.();
  }

  troubled(error: EvenkeelError): void {
    this.emit('error', error);
  }

  async #emptied(deadline: number, signal: AbortSignal | undefined): Promise<void> {
    const abortAll = (): void => {
      for (const client of this.#clients) client.abort();
    };
    if (signal?.aborted) return abortAll();
    signal?.addEventListener('abort', abortAll);
    const timer = Number.isFinite(deadline) ? systemClock.setTimeout(abortAll, deadline) : undefined;
    await new Promise<void>((resolve) => {
      const before = this.#whenEmpty;
      this.#whenEmpty = () => {
        before?.();
        resolve();
      };
    });
    systemClock.clearTimeout(timer);
    signal?.removeEventListener('abort', abortAll);
  }

  readonly #drainExpired = ({ member }: { readonly member: Member<T> }): void => {
    for (const client of this.#clients) client.abandon(member);
  };

  /** One timer looks after all clients: their timeouts cost nothing while bytes flow. */
  #sweepLater(): void {
    const { timeouts: own, acceptProxyProtocol } = this.vip;
    const timeouts = [...Object.values(own), acceptProxyProtocol?.timeout ?? 0].filter((timeout) => timeout > 0);
    const wait = Math.max(shortestSweep, Math.min(longestSweep, ...timeouts.map((timeout) => timeout / 4)));
    this.#sweep = systemClock.setTimeout(() => {
      const now = systemClock.now();
      for (const client of this.#clients) client.inspect(now);
      const hasMore = this.#service.inspect(now);
      this.#sweep = undefined;
      if (this.#clients.size > 0 || hasMore) this.#sweepLater();
    }, wait);
  }
}

/** Has a pool checked, and its changes refused that this machine could not follow. Throws `SpecError` where it cannot already. */
function attend<T>(pool: Pool<T>): Disposable {
  wayTo(pool);
  const checks = pool.startChecks(makeProbe, checkSlots);
  const following = pool.follow(({ tls }) => void (tls && tlsFor(tls)));
  return {
    [Symbol.dispose]: () => {
      checks[Symbol.dispose]();
      following[Symbol.dispose]();
    },
  };
}
