import type { Socket } from 'node:net';
import { systemClock } from '../../core/clock.ts';
import * as field from '../../http1/field.ts';
import { MessageReader, requestFraming } from '../../http1/message-reader.ts';
import type { RequestHead } from '../../http1/request-head.ts';
import { reset } from '../member-socket.ts';
import { hear, type SocketStage, watch } from '../stage-socket.ts';
import type { ServedClient } from '../vip-server.ts';
import type { HttpService } from './service.ts';

/** Milliseconds that the client has to take its answer and close. */
const mostLinger = 5000;

/**
 * A client whose address has too many connections already. It gets 429 for its first request rather than a reset, which clients take for
 * a failure of the network, and rather than an unasked-for answer, which some take for no answer. It counts as none of the virtual IP's
 * connections. What it holds is bounded: so many of these, for so long, with a head of a request each (see `HttpService`).
 */
export class RefusedClient<T> implements ServedClient<T>, SocketStage {
  readonly #service: HttpService<T>;
  readonly #socket: Socket;
  readonly #gone: () => void;
  readonly #reader: MessageReader<RequestHead>;
  #since = systemClock.now();
  #isAnswered = false;

  constructor(service: HttpService<T>, socket: Socket, gone: () => void) {
    this.#service = service;
    this.#socket = socket;
    this.#gone = gone;
    this.#reader = new MessageReader(service.rules.requestHead, requestFraming);
    watch(socket, this);
  }

  start(): void {
    hear(this.#socket);
  }

  finish(): void {
    if (!this.#isAnswered) this.abort();
  }

  abort(): void {
    reset(this.#socket);
  }

  abandon(): void {
    // No member has anything to do with it.
  }

  inspect(now: number): void {
    const { request } = this.#service.server.vip.timeouts;
    const patience = this.#isAnswered ? mostLinger : request;
    if (patience > 0 && now - this.#since >= patience) this.abort();
  }

  sent(bytes: Buffer): void {
    if (this.#isAnswered) return;
    this.#reader.push(bytes, 0, bytes.length);
    if (this.#reader.next() === 'more') return;
    this.#isAnswered = true;
    this.#since = systemClock.now();
    const { head, error } = this.#reader;
    const { method, target } = error === undefined ? head : { method: undefined, target: undefined };
    const accept = error === undefined ? head.valueOf(field.accept) : undefined;
    const reason = 'there are too many connections from this address';
    // A connection that is closed with bytes unread is reset, and the answer may be lost: so the rest is read and thrown away.
    this.#socket.end(this.#service.answer({ status: 429, reason, method, target, accept }));
    this.#service.server.vip.countRefused(429);
  }

  /** The client sends no more */
  ended(): void {
    if (!this.#isAnswered) this.#socket.destroy();
  }

  closed(): void {
    this.#gone();
    this.#service.server.closed(this);
  }
}
