import type { Socket } from 'node:net';
import { systemClock, type Timer } from '../../core/clock.ts';
import { Emitter, type ListenerErrorEvent } from '../../core/emitter.ts';
import type { EvenkeelError } from '../../core/errors.ts';
import type { Member } from '../../core/member.ts';
import type { Pool } from '../../core/pool.ts';
import type { Client } from '../../core/session.ts';
import type { VirtualIP } from '../../core/virtual-ip.ts';
import { makeProbe } from '../probes/make-probe.ts';
import { Connection } from './connection.ts';
import { turnAway } from './member-socket.ts';

export interface TroubleEvents extends ListenerErrorEvent {
  /** Something failed that is neither a client's nor a member's fault: no file descriptor left, a strategy that throws. */
  error: [error: EvenkeelError];
}

/** Idle connections are looked for at a quarter of the shortest timeout, but no more often and no more seldom than this. */
const shortestSweep = 25;
const longestSweep = 1000;

/** The clients of one TCP virtual IP, wherever they come in; while it runs, the pool is checked. */
export class TcpServer<T> extends Emitter<TroubleEvents> {
  readonly vip: VirtualIP<T>;
  readonly #connections = new Set<Connection<T>>();
  readonly #pools = new Set<Pool<T>>();
  #checks: Disposable | undefined;
  #checkedPool: Pool<T> | undefined;
  #sweep: Timer;
  #isClosing = false;
  #whenEmpty: (() => void) | undefined;

  constructor(vip: VirtualIP<T>) {
    super();
    this.vip = vip;
    this.#followPool();
    vip.on('pool-changed', this.#followPool);
  }

  /** Watches the pool that the virtual IP leads to now. Connections on one that it led to before are watched until they end. */
  readonly #followPool = (): void => {
    const { pool } = this.vip;
    if (pool === this.#checkedPool || this.#isClosing) return;
    const before = this.#checks;
    this.#checkedPool = pool;
    this.#checks = pool.startChecks(makeProbe);
    before?.[Symbol.dispose]();
    if (this.#pools.has(pool)) return;
    this.#pools.add(pool);
    pool.on('drain-expired', this.#drainExpired);
  };

  /** Takes a client that a socket server has accepted; it must not be read from yet. */
  readonly accept = (client: Socket): void => {
    if (this.#isClosing) return turnAway(client);
    let connection: Connection<T> | undefined;
    let isReady = false;
    const session = this.vip.admit(new Peer(client), () => {
      isReady = true;
      connection?.start();
    });
    if (session.refused) {
      return turnAway(client);
    }
    connection = new Connection(this, client, session);
    this.#connections.add(connection);
    if (this.#sweep === undefined) this.#sweepLater();
    if (isReady) connection.start();
  };

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
      for (const connection of this.#connections) if (connection.isWaiting) connection.abort();
    }
    if (this.#connections.size > 0) await this.#emptied(deadline, signal);
    systemClock.clearTimeout(this.#sweep);
    this.#checks?.[Symbol.dispose]();
    this.vip.off('pool-changed', this.#followPool);
    for (const pool of this.#pools) pool.off('drain-expired', this.#drainExpired);
  }

  /** @internal a connection has ended */
  closed(connection: Connection<T>): void {
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.#whenEmpty?.();
  }

  /** @internal a connection met something that is nobody's fault but ours */
  troubled(error: EvenkeelError): void {
    this.emit('error', error);
  }

  async #emptied(deadline: number, signal: AbortSignal | undefined): Promise<void> {
    const abortAll = (): void => {
      for (const connection of this.#connections) connection.abort();
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
    for (const connection of this.#connections) if (connection.member === member) connection.abort();
  };

  /** One timer looks after all connections: their timeouts cost nothing while bytes flow. */
  #sweepLater(): void {
    const { client, member } = this.vip.timeouts;
    const shortest = Math.min(client || longestSweep * 4, member || longestSweep * 4);
    const wait = Math.max(shortestSweep, Math.min(longestSweep, shortest / 4));
    this.#sweep = systemClock.setTimeout(() => {
      const now = systemClock.now();
      const { timeouts } = this.vip;
      for (const connection of this.#connections) connection.inspect(now, timeouts);
      this.#sweep = undefined;
      if (this.#connections.size > 0) this.#sweepLater();
    }, wait);
  }
}

/** Asks the system for the client's address only when somebody wants to know. */
class Peer implements Client {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  get address(): string | undefined {
    return this.#socket.remoteAddress;
  }

  get port(): number | undefined {
    return this.#socket.remotePort;
  }
}
