import type { Socket } from 'node:net';
import { systemClock } from '../../core/clock.ts';
import type { RefusalReason } from '../../core/refusal.ts';
import type { Session } from '../../core/session.ts';
import { ClientHelloReader } from '../../tls/client-hello.ts';
import type { ClientHello } from '../../tls/client-hello-message.ts';
import { BytesAhead } from '../bytes-ahead.ts';
import { reset } from '../member-socket.ts';
import { hear, hearNoMore, letGo, type SocketStage, watch } from '../stage-socket.ts';
import type { ServedClient, Server } from '../vip-server.ts';

/** Where a client comes in that is led to a pool by its ClientHello. */
export interface HelloServer<T> extends Server<T> {
  /** The session knows its pool. All that was read is in the socket again. */
  led(socket: Socket, session: Session<T>, by: ServedClient<T>): void;
}

/** A TLS client of which the ClientHello has not come in yet. One that leaves without a word is no error. */
export class HelloArrival<T> implements ServedClient<T>, SocketStage {
  readonly #server: HelloServer<T>;
  readonly #socket: Socket;
  readonly #session: Session<T>;
  readonly #reader = new ClientHelloReader();
  /** What has come in, from its beginning. */
  readonly #ahead = new BytesAhead();
  /** When its turn came; undefined before. */
  #since: number | undefined;
  #isOver = false;

  constructor(server: HelloServer<T>, socket: Socket, session: Session<T>) {
    this.#server = server;
    this.#socket = socket;
    this.#session = session;
    watch(socket, this);
  }

  start(): void {
    this.#since = systemClock.now();
    // A stage before this one may have seen its end.
    if (this.#socket.readableEnded) return this.ended();
    hear(this.#socket);
  }

  finish(): void {
    this.abort();
  }

  abort(): void {
    this.#leave('aborted');
    reset(this.#socket);
  }

  /** It has nothing on any member. */
  abandon(): void {}

  inspect(now: number): void {
    const { hello } = this.#server.vip.timeouts;
    if (this.#since === undefined || hello === 0 || now - this.#since < hello) return;
    this.#refuse('late-client-hello', `no complete ClientHello within ${hello} ms`);
  }

  sent(chunk: Buffer): void {
    this.#ahead.add(chunk);
    const progress = this.#reader.push(chunk);
    if (progress.state === 'failed') this.#refuse('bad-client-hello', progress.reason);
    else if (progress.state === 'done') this.#lead(progress.hello);
  }

  /** The client sends no more */
  ended(): void {
    if (this.#ahead.length > 0) return this.#refuse('bad-client-hello', 'a ClientHello that is cut off');
    this.#leave('ignored');
    this.#socket.destroy();
  }

  closed(): void {
    this.#leave('aborted');
  }

  #lead({ serverName, alpn }: ClientHello): void {
    this.#isOver = true;
    const socket = this.#socket;
    hearNoMore(socket);
    socket.unshift(this.#ahead.bytes);
    this.#session.route(this.#server.vip.poolFor(serverName, alpn));
    this.#server.led(socket, this.#session, this);
    letGo(socket);
  }

  #refuse(reason: RefusalReason, detail: string): void {
    if (this.#isOver) return;
    this.#leave('ignored');
    reset(this.#socket);
    this.#server.vip.reject(this.#session.client, reason, detail);
  }

  #leave(outcome: 'aborted' | 'ignored'): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#session.leave(outcome);
    this.#server.closed(this);
  }
}
