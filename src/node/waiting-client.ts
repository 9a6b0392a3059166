import type { Socket } from 'node:net';
import type { Session } from '../core/session.ts';
import { BytesAhead } from './bytes-ahead.ts';
import { reset } from './member-socket.ts';
import { hear, hearEnd, hearNoMore, letGo, type SocketStage, watch } from './stage-socket.ts';
import type { ServedClient, Server } from './vip-server.ts';

/** Bytes that a waiting client may send ahead; more stay in the kernel. */
const mostAhead = 16_384;

/**
 * A client beyond `connectionLimit`, until its turn comes. It is listened to, so that it gives up its place when it leaves: with a reset
 * or without a word in any case, with an end behind what it has said where its protocol has no use for one that ends before it is
 * served. What it sends meanwhile is put back.
 */
export class WaitingClient<T> implements ServedClient<T>, SocketStage {
  readonly #server: Server<T>;
  readonly #socket: Socket;
  readonly #session: Session<T>;
  readonly #serve: (socket: Socket, session: Session<T>) => ServedClient<T>;
  readonly #ahead = new BytesAhead();
  /** Whether what it sends is taken out of its stream. */
  readonly #isHeard: boolean;
  #isOver = false;

  /**
   * @param leavesByEnding whether it has left when it ends; of a TCP client that has said something nobody can tell, as it may only
   * have closed its sending half
   * @param serve who goes on when its turn comes
   */
  constructor(
    server: Server<T>,
    socket: Socket,
    session: Session<T>,
    leavesByEnding: boolean,
    serve: (socket: Socket, session: Session<T>) => ServedClient<T>,
  ) {
    this.#server = server;
    this.#socket = socket;
    this.#session = session;
    this.#serve = serve;
    this.#isHeard = leavesByEnding;
    watch(socket, this);
    if (socket.readableEnded) {
      // A stage before this one has seen its end, with nothing before it.
      socket.destroy();
    } else if (leavesByEnding) {
      hear(socket);
    } else {
      hearEnd(socket);
      // The stream reads as much as it likes to hold and keeps it, and an end behind it; a reset comes through.
      socket.read(0);
    }
  }

  start(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const socket = this.#socket;
    hearNoMore(socket);
    if (this.#ahead.length > 0) socket.unshift(this.#ahead.bytes);
    const next = this.#serve(socket, this.#session);
    letGo(socket);
    this.#server.handedOver(this, next);
    next.start();
  }

  /** It has not begun, so there is nothing to finish. */
  finish(): void {
    this.abort();
  }

  abort(): void {
    reset(this.#socket);
    this.closed();
  }

  abandon(): void {
    // It has none.
  }

  /** It waits for as long as it likes. But an end with nothing before it comes out only if it is asked for. */
  inspect(): void {
    const socket = this.#socket;
    socket.read(0);
    if (this.#isHeard || socket.readableLength === 0) return;
    // What the stream keeps becomes one piece, since it keeps each as it came in: see `BytesAhead`.
    const bytes: Buffer | null = socket.read();
    if (bytes !== null) socket.unshift(bytes);
  }

  sent(bytes: Buffer): void {
    this.#ahead.add(bytes);
    if (this.#ahead.length >= mostAhead) this.#socket.pause();
  }

  /** It has left, where it is heard at all */
  ended(): void {
    this.#socket.destroy();
  }

  closed(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#session.leave('aborted');
    this.#server.closed(this);
  }
}
