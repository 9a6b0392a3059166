import type { Socket } from 'node:net';
import { systemClock } from '../../core/clock.ts';
import type { Member } from '../../core/member.ts';
import type { RefusalReason } from '../../core/refusal.ts';
import type { Session } from '../../core/session.ts';
import { ClientHelloReader } from '../../tls/client-hello.ts';
import type { ClientHello } from '../../tls/client-hello-message.ts';
import { BytesAhead } from '../bytes-ahead.ts';
import { reset } from '../member-socket.ts';
import type { ServedClient, Server } from '../vip-server.ts';

/** Links a socket to its arrival, so that all share one set of event handlers. */
const arrival = Symbol('evenkeel.hello-arrival');

type Owned = Socket & { [arrival]: HelloArrival<unknown> };

/** Where a client comes in that is led to a pool by its ClientHello. */
export interface HelloServer<T> extends Server<T> {
  /** The session knows its pool. All that was read is in the socket again. */
  led(socket: Socket, session: Session<T>, by: ServedClient<T>): void;
}

/** A TLS client of which the ClientHello has not come in yet. One that leaves without a word is no error. */
export class HelloArrival<T> implements ServedClient<T> {
  readonly #server: HelloServer<T>;
  readonly #socket: Socket;
  readonly #session: Session<T>;
  readonly #reader = new ClientHelloReader();
  /** What has come in, from its beginning: copied together, since of a client that sends byte by byte each piece is dear. */
  readonly #ahead = new BytesAhead();
  /** When its turn came; undefined before. */
  #since: number | undefined;
  #isOver = false;

  constructor(server: HelloServer<T>, socket: Socket, session: Session<T>) {
    this.#server = server;
    this.#socket = socket;
    this.#session = session;
    (socket as Owned)[arrival] = this as HelloArrival<unknown>;
    socket.on('error', failed);
    socket.on('close', closed);
  }

  start(): void {
    const socket = this.#socket;
    this.#since = systemClock.now();
    // A stage before this one may have seen its end.
    if (socket.readableEnded) return this.ended();
    socket.on('data', sent);
    socket.on('end', ended);
    socket.resume();
  }

  finish(): void {
    this.abort();
  }

  abort(): void {
    this.#leave('aborted');
    reset(this.#socket);
  }

  /** It has nothing on any member. */
  abandon(_member: Member<T>): void {}

  inspect(now: number): void {
    const { hello } = this.#server.vip.timeouts;
    if (this.#since === undefined || hello === 0 || now - this.#since < hello) return;
    this.#refuse('late-client-hello', `no complete ClientHello within ${hello} ms`);
  }

  /** @internal */
  sent(chunk: Buffer): void {
    this.#ahead.add(chunk);
    const progress = this.#reader.push(chunk);
    if (progress.state === 'failed') this.#refuse('bad-client-hello', progress.reason);
    else if (progress.state === 'done') this.#lead(progress.hello);
  }

  /** @internal the client sends no more */
  ended(): void {
    if (this.#ahead.length > 0) return this.#refuse('bad-client-hello', 'a ClientHello that is cut off');
    this.#leave('ignored');
    this.#socket.destroy();
  }

  /** @internal */
  closed(): void {
    this.#leave('aborted');
  }

  #lead({ serverName, alpn }: ClientHello): void {
    this.#isOver = true;
    const socket = this.#socket;
    socket.off('data', sent);
    socket.off('end', ended);
    socket.pause();
    socket.unshift(this.#ahead.bytes);
    this.#session.route(this.#server.vip.poolFor(serverName, alpn));
    this.#server.led(socket, this.#session, this);
    socket.off('error', failed);
    socket.off('close', closed);
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

function sent(this: Socket, chunk: Buffer): void {
  (this as Owned)[arrival].sent(chunk);
}

function ended(this: Socket): void {
  (this as Owned)[arrival].ended();
}

function failed(this: Socket): void {
  // 'close' follows.
}

function closed(this: Socket): void {
  (this as Owned)[arrival].closed();
}
