import type { Socket } from 'node:net';
import { isUnix } from '../../core/address.ts';
import { systemClock, type Timer } from '../../core/clock.ts';
import type { Member } from '../../core/member.ts';
import type { Session } from '../../core/session.ts';
import * as field from '../../http1/field.ts';
import { MessageReader, requestFraming } from '../../http1/message-reader.ts';
import type { Hop } from '../../http1/request-forwarding.ts';
import type { RequestHead } from '../../http1/request-head.ts';
import type { ClientCertificate } from '../../tls/client-certificate.ts';
import { reset } from '../member-socket.ts';
import { isSecured } from '../tls/carrier.ts';
import type { ServedClient } from '../vip-server.ts';
import { Exchange, type ExchangeOwner } from './exchange.ts';
import type { KeptConnections } from './kept-connections.ts';
import type { MemberConnection } from './member-connection.ts';
import type { HttpService } from './service.ts';
import { Tunnel, type TunnelOwner } from './tunnel.ts';

/** Bytes that a client may send ahead of what is asked for; more stay in the kernel. */
const mostUnread = 65_536;

/** Milliseconds for which a client that is told to close may go on sending (nginx's `lingering_timeout`). */
const mostLinger = 5000;

/**
 * Milliseconds that a client has to get its answer after it has sent its last byte. Who closes only the sending half, as a script
 * with `nc` does, cannot be told from who has left; nearly all have left, and their members are wanted elsewhere.
 */
const mostHalfClosed = 200;

/** Links a socket to its connection, so that all share one set of event handlers. */
const owner = Symbol('evenkeel.client-connection');

type Owned = Socket & { [owner]: ClientConnection<unknown> };

/**
 * `lingering`: it has got its last answer, and what it still sends is thrown away until it closes, since a connection that is closed
 * with bytes unread is reset, and with it the answer may be lost.
 */
type State = 'open' | 'tunnel' | 'lingering' | 'closed';

/** A client of an HTTP virtual IP: reads its requests, one after the other, and sees to it that each gets its answer in turn. */
export class ClientConnection<T> implements ServedClient<T>, ExchangeOwner<T>, TunnelOwner<T>, Hop {
  readonly service: HttpService<T>;
  readonly session: Session<T>;
  readonly socket: Socket;
  /** Connections to members that told of this client. */
  ownKept: KeptConnections<T> | undefined;
  readonly #reader: MessageReader<RequestHead>;
  #state: State = 'open';
  #exchange: Exchange<T> | undefined;
  #tunnel: Tunnel<T> | undefined;
  #isFinishing = false;
  /** Milliseconds: the beginning of what `#state` and `#exchange` say; of a request, when its first byte came in. */
  #since = 0;
  #hasServed = false;
  /** A request was turned back whose body is still coming, and thrown away. */
  #isDiscarding = false;
  #isCorked = false;
  #isAdvancing = false;
  /** The client sends no more; when it is taken to have left. */
  #hasEnded = false;
  #departure: Timer;
  #isPaused = false;
  #clientAddress: string | undefined;
  /** Clients of a Unix socket have no address. */
  readonly #isUnix: boolean;

  constructor(service: HttpService<T>, socket: Socket, session: Session<T>) {
    this.service = service;
    this.#isUnix = isUnix(service.server.vip.address) || session.client.proxy?.family === 'unix';
    this.session = session;
    this.socket = socket;
    this.#reader = new MessageReader(service.rules.requestHead, requestFraming);
    (socket as Owned)[owner] = this as ClientConnection<unknown>;
    socket.on('error', failed);
    socket.on('close', closed);
  }

  get clientAddress(): string | undefined {
    this.#clientAddress ??= this.session.clientAddress;
    return this.#clientAddress;
  }

  /** No request follows the present one. */
  get isFinishing(): boolean {
    return this.#isFinishing || !this.service.server.vip.enabled;
  }

  get localAddress(): string | undefined {
    return this.session.client.localAddress;
  }

  get localPort(): number | undefined {
    return this.session.client.localPort;
  }

  /** What the client speaks; a balancer in front that took its TLS off tells of it. */
  get protocol(): 'http' | 'https' {
    const { tls, proxy } = this.session.client;
    return tls !== undefined || proxy?.tlvs.tls?.isOverTls === true ? 'https' : 'http';
  }

  get certificate(): ClientCertificate | undefined {
    return this.session.client.tls?.certificate;
  }

  start(): void {
    const { socket } = this;
    this.#state = 'open';
    this.#since = systemClock.now();
    socket.on('data', sent);
    socket.on('end', ended);
    socket.on('drain', drained);
    socket.resume();
    // A stage of its arrival that read from it may have seen its end.
    if (socket.readableEnded) this.ended();
  }

  finish(): void {
    this.#isFinishing = true;
    if (this.#state === 'open' && this.#exchange === undefined && this.#reader.isIdle) this.#closeIdle();
  }

  abort(): void {
    this.#exchange?.cancel('ignored');
    this.#tunnel?.clientGone(true);
    reset(this.socket);
    this.#close();
  }

  abandon(member: Member<T>): void {
    if (this.session.member !== member) return;
    if (this.#exchange === undefined) this.abort();
    else this.#exchange.fail(503, 'the member is going out of service', 'ignored');
  }

  inspect(now: number): void {
    const { timeouts } = this.service.server.vip;
    const waited = now - this.#since;
    if (this.#state === 'lingering') {
      this.#inspectLingering(waited, timeouts.client);
    } else if (this.#tunnel !== undefined) {
      if (!this.#tunnel.isIdle(now, timeouts.tunnel)) return;
      this.session.countTimeout('tunnel');
      this.abort();
    } else if (this.#exchange !== undefined) {
      this.#exchange.inspect(now);
    } else if (this.#state === 'open') {
      if (this.#isDiscarding) this.#inspectDiscarded(waited, timeouts.client);
      else if (this.socket.writableLength > 0) this.#inspectReader(waited, timeouts.client);
      else this.#inspectIdle(waited, timeouts.request, this.#hasServed ? timeouts.keepAlive : timeouts.request);
    }
  }

  #inspectLingering(waited: number, client: number): void {
    if (!this.socket.writableFinished) this.#inspectReader(waited, client);
    else if (waited >= mostLinger) this.socket.destroy();
  }

  /** It still has to take the end of its last answer. */
  #inspectReader(waited: number, client: number): void {
    if (client === 0 || waited < client) return;
    this.session.countTimeout('reader');
    this.abort();
  }

  /** It has its answer, so there is nothing more to say. */
  #inspectDiscarded(waited: number, client: number): void {
    if (client === 0 || waited < client) return;
    this.session.countTimeout('body');
    this.abort();
  }

  #inspectIdle(waited: number, request: number, keepAlive: number): void {
    if (this.#reader.isIdle) {
      if (keepAlive === 0 || waited < keepAlive) return;
      this.session.countTimeout(this.#hasServed ? 'keepAlive' : 'request');
      this.#closeIdle();
    } else if (request > 0 && waited >= request) {
      this.session.countTimeout('request');
      this.session.countRequestError();
      this.answer(408, 'the request did not come in in time');
    }
  }

  /** Reads on, as far as what has come in and the present exchange permit. */
  advance(): void {
    if (this.#isAdvancing) return;
    this.#isAdvancing = true;
    while (this.#step());
    this.#isAdvancing = false;
    if (this.#isCorked) {
      this.#isCorked = false;
      this.socket.uncork();
    }
    this.#regulate();
  }

  exchanged(stays: boolean): void {
    this.#exchange = undefined;
    this.#hasServed = true;
    if (!stays || this.#isFinishing) return this.#linger();
    this.#since = systemClock.now();
    this.advance();
    if (this.#hasEnded && this.#state === 'open' && this.#exchange === undefined) this.#closeIdle();
  }

  answer(status: number, reason: string, exchange?: Exchange<T>): void {
    const { method, target, accept } = exchange ?? { method: undefined, target: undefined, accept: undefined };
    const text = this.service.answer({ status, reason, method, target, accept });
    this.#exchange = undefined;
    this.session.countOwnResponse(status);
    this.socket.write(text);
    this.#linger();
  }

  breakOff(): void {
    this.#exchange = undefined;
    reset(this.socket);
  }

  switched(upstream: MemberConnection<T>): void {
    this.#state = 'tunnel';
    this.#exchange = undefined;
    const tunnel = new Tunnel(this, upstream, systemClock.now());
    this.#tunnel = tunnel;
    // Both may have sent ahead.
    const fromMember = upstream.reader.rest();
    if (fromMember.length > 0) this.socket.write(Buffer.from(fromMember));
    tunnel.clientSent(this.#reader.rest());
    if (this.#hasEnded) tunnel.clientEnded();
    if (this.#isPaused) this.socket.resume();
  }

  memberLeft(): void {
    if (this.socket.closed) this.#close();
  }

  /** @internal */
  sent(bytes: Buffer): void {
    if (this.#state === 'tunnel') return this.#tunnel?.clientSent(bytes);
    if (this.#state !== 'open') return;
    if (this.#exchange === undefined && this.#reader.isIdle) this.#since = systemClock.now();
    this.#reader.push(bytes, 0, bytes.length);
    this.advance();
  }

  /** @internal the client sends no more */
  ended(): void {
    if (this.#state === 'tunnel') return this.#tunnel?.clientEnded();
    if (this.#exchange === undefined) return this.#closeIdle();
    this.#hasEnded = true;
    this.#departure = systemClock.setTimeout(() => this.#left(), mostHalfClosed);
  }

  /** @internal the client has taken what was written */
  drained(): void {
    if (this.#state !== 'open') return;
    if (this.#exchange === undefined) this.#since = systemClock.now();
    this.advance();
  }

  /** @internal */
  closed(hadError: boolean): void {
    this.#exchange?.cancel('aborted');
    if (this.#tunnel?.clientGone(hadError) !== false) this.#close();
  }

  /** Says whether there may be more to do. */
  #step(): boolean {
    const exchange = this.#exchange;
    if (this.#state !== 'open') return false;
    if (exchange === undefined) {
      // A client that does not take its answers gets no more of them.
      if (this.socket.writableNeedDrain) return false;
    } else if (!exchange.takesBody) {
      return false;
    }
    const reader = this.#reader;
    switch (reader.next()) {
      case 'more':
        exchange?.flush();
        return false;
      case 'head':
        this.#begin();
        return true;
      case 'body':
        exchange?.sendBody(reader.bytes.subarray(reader.start, reader.end));
        return true;
      case 'end':
        exchange?.endRequest(reader.trailer);
        if (this.#isDiscarding) this.#discarded();
        return true;
      case 'failed':
        this.#refuse();
        return false;
    }
  }

  #begin(): void {
    const { service, session } = this;
    const { head } = this.#reader;
    session.countRequest();
    if (this.#hasReset) {
      session.finishRequest('aborted');
      return this.abort();
    }
    const delay = session.requestDelay();
    if (delay > 0) return this.#turnBack(head, delay);
    const { httpPersistence } = service.server.vip.pool;
    const out = service.forwardingFor(this).head(head, this, httpPersistence);
    const exchange = new Exchange(this, head, out, this.#since, httpPersistence);
    this.#exchange = exchange;
    exchange.start();
  }

  /**
   * Whether the client sent a request and reset its connection before anybody asked where it comes from: then nobody can tell, and
   * what it sent shall not reach a member as if it came from nowhere.
   */
  get #hasReset(): boolean {
    return !this.#isUnix && this.clientAddress === undefined;
  }

  /**
   * The client asks more often than it may. Its connection stays where that is safe: a client that heeds `Retry-After` has use for it,
   * and one that does not costs less here than if it came anew each time.
   */
  #turnBack(head: RequestHead, retryAfter: number): void {
    const { method, target } = head;
    const { framing } = this.#reader;
    // Of a body only a little is read for nothing; one that waits for our consent may come or not.
    const isDone =
      framing === 'none' || (framing === 'length' && !head.expectsContinue && head.contentLength <= mostUnread);
    const stays = isDone && head.minorVersion === 1 && !head.saysClose && !this.isFinishing && !this.#hasEnded;
    const reason = 'requests come too often';
    const accept = head.valueOf(field.accept);
    const text = this.service.answer({ status: 429, reason, method, target, accept, retryAfter }, !stays);
    this.session.countOwnResponse(429);
    if (stays && !this.#isCorked) {
      // All that were sent ahead get their answers with one system call, and no more at a time than the socket holds.
      this.#isCorked = true;
      this.socket.cork();
    }
    this.socket.write(text);
    if (!stays) return this.#linger();
    this.#hasServed = true;
    this.#since = systemClock.now();
    this.#isDiscarding = framing !== 'none';
  }

  #discarded(): void {
    this.#isDiscarding = false;
    this.#since = systemClock.now();
    if (this.isFinishing) this.#linger();
  }

  /** What the client sent cannot be read, and so neither can what follows it. */
  #refuse(): void {
    const { error } = this.#reader;
    const exchange = this.#exchange;
    const { status, reason } = error ?? { status: 400, reason: 'no meaning' };
    const why = `the request has ${reason}`;
    this.session.countRequestError();
    if (exchange !== undefined) return exchange.fail(status, why, 'ignored');
    this.session.countRequest();
    this.answer(status, why);
  }

  /** Keeps a client from sending more than is of use. */
  #regulate(): void {
    const isTooMuch = this.#reader.unread > mostUnread || this.#exchange?.isClogged === true;
    if (isTooMuch === this.#isPaused || this.#state !== 'open') return;
    this.#isPaused = isTooMuch;
    if (isTooMuch) this.socket.pause();
    else this.socket.resume();
  }

  #linger(): void {
    this.#state = 'lingering';
    this.#since = systemClock.now();
    this.socket.end(() => {
      this.#since = systemClock.now();
    });
    if (this.#isPaused) this.socket.resume();
  }

  /** The client wants no answer any more. */
  #left(): void {
    if (this.#exchange === undefined) return;
    this.#exchange.cancel('aborted');
    this.abort();
  }

  /** Nothing is under way, so nothing is lost. */
  #closeIdle(): void {
    // TLS says goodbye, lest the client take this for an attack.
    if (this.socket.writableLength > 0 || isSecured(this.socket)) this.#linger();
    else this.socket.destroy();
  }

  #close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    systemClock.clearTimeout(this.#departure);
    this.service.letGo(this);
    this.session.leave();
    this.service.server.closed(this);
  }
}

function sent(this: Socket, bytes: Buffer): void {
  (this as Owned)[owner].sent(bytes);
}

function ended(this: Socket): void {
  (this as Owned)[owner].ended();
}

function drained(this: Socket): void {
  (this as Owned)[owner].drained();
}

function failed(this: Socket): void {
  // 'close' follows.
}

function closed(this: Socket, hadError: boolean): void {
  (this as Owned)[owner].closed(hadError);
}
