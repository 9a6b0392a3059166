import type { Socket } from 'node:net';
import type { AcceptProxyProtocol } from '../../core/accept-proxy-protocol.ts';
import { systemClock } from '../../core/clock.ts';
import { proxiedClient } from '../../core/proxied-client.ts';
import type { RefusalReason } from '../../core/refusal.ts';
import type { Client } from '../../core/session.ts';
import { ProxyHeaderReader } from '../../proxy-protocol/proxy-header-reader.ts';
import { reset } from '../member-socket.ts';
import { hear, hearNoMore, letGo, type SocketStage, watch } from '../stage-socket.ts';
import type { ServedClient, Server } from '../vip-server.ts';

/** Where a connection comes in that is to tell first whose it is. */
export interface ProxyServer<T> extends Server<T> {
  /** The header has told: from here on it is that client's connection. What came behind the header is in the socket again. */
  told(socket: Socket, client: Client, by: ServedClient<T>): void;
}

/**
 * A connection from a balancer in front of which the PROXY header has not come in yet. It counts nowhere and holds nothing but its
 * socket. A balancer that looks whether anybody listens, and leaves without a word, is no error.
 */
export class ProxyArrival<T> implements ServedClient<T>, SocketStage {
  readonly #server: ProxyServer<T>;
  readonly #socket: Socket;
  readonly #peer: Client;
  readonly #timeout: number;
  readonly #reader: ProxyHeaderReader;
  readonly #since: number;
  #hasBegun = false;
  #isOver = false;

  constructor(server: ProxyServer<T>, socket: Socket, peer: Client, settings: AcceptProxyProtocol) {
    this.#server = server;
    this.#socket = socket;
    this.#peer = peer;
    this.#timeout = settings.timeout;
    this.#reader = new ProxyHeaderReader(settings);
    this.#since = systemClock.now();
    watch(socket, this);
  }

  start(): void {
    hear(this.#socket);
  }

  finish(): void {
    this.abort();
  }

  abort(): void {
    this.#leave();
    reset(this.#socket);
  }

  /** It has nothing on any member. */
  abandon(): void {}

  inspect(now: number): void {
    if (now - this.#since < this.#timeout) return;
    this.#refuse('late-proxy-header', `no complete PROXY header within ${this.#timeout} ms`);
  }

  sent(chunk: Buffer): void {
    this.#hasBegun = true;
    const progress = this.#reader.push(chunk);
    if (progress.state === 'more') return;
    if (progress.state === 'failed') return this.#refuse('bad-proxy-header', progress.reason);
    this.#isOver = true;
    const socket = this.#socket;
    hearNoMore(socket);
    if (progress.rest.length > 0) socket.unshift(progress.rest);
    this.#server.told(socket, proxiedClient(this.#peer, progress.header), this);
    letGo(socket);
  }

  /** The peer sends no more */
  ended(): void {
    if (this.#hasBegun) return this.#refuse('bad-proxy-header', 'a PROXY header that is cut off');
    this.#leave();
    this.#socket.destroy();
  }

  closed(): void {
    this.#leave();
  }

  #refuse(reason: RefusalReason, detail: string): void {
    if (this.#isOver) return;
    this.abort();
    this.#server.vip.reject(this.#peer, reason, detail);
  }

  #leave(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#server.closed(this);
  }
}
