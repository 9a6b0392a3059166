import type { Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';
import { systemClock } from '../../core/clock.ts';
import type { Session } from '../../core/session.ts';
import { ClientHelloReader } from '../../tls/client-hello.ts';
import { BytesAhead } from '../bytes-ahead.ts';
import { reset } from '../member-socket.ts';
import type { ServedClient, Server, Service } from '../vip-server.ts';
import { carries } from './carrier.ts';
import { clientFacts, whyNotVerified } from './client-facts.ts';
import type { Credentials } from './credentials.ts';
import { reasonOf } from './material.ts';

/** Links a socket to its handshake, so that all share one set of event handlers. */
const owner = Symbol('evenkeel.handshake');

type Owned = Socket & { [owner]: TlsHandshake<unknown> };

/**
 * A client whose TLS ends here, until it has agreed with us upon everything; its service then serves it over the TLS socket.
 *
 * Where there are several certificates, the name that the client asks for is read from its ClientHello beforehand. (Node's own way,
 * `SNICallback`, replaces only one certificate of the default's, so that a client may be shown that of another name after all.)
 */
export class TlsHandshake<T> implements ServedClient<T> {
  readonly #server: Server<T>;
  readonly #service: Service<T>;
  readonly #socket: Socket;
  readonly #session: Session<T>;
  readonly #credentials: () => Credentials;
  #secured: TLSSocket | undefined;
  #reader: ClientHelloReader | undefined;
  readonly #peeked = new BytesAhead();
  #wantsCertificate = false;
  /** Milliseconds; undefined before its turn. */
  #startedAt: number | undefined;
  #isFinishing = false;
  #isOver = false;

  /** @param credentials asked for when its turn has come */
  constructor(
    server: Server<T>,
    service: Service<T>,
    socket: Socket,
    session: Session<T>,
    credentials: () => Credentials,
  ) {
    this.#server = server;
    this.#service = service;
    this.#socket = socket;
    this.#session = session;
    this.#credentials = credentials;
    (socket as Owned)[owner] = this as TlsHandshake<unknown>;
    socket.on('error', failed);
    socket.on('close', left);
  }

  start(): void {
    this.#startedAt = systemClock.now();
    // Asked for while it can be told, since those who fail are mostly gone by then; it is remembered.
    this.#session.client.address;
    // A stage before this one may have seen its end.
    if (this.#socket.destroyed || this.#socket.readableEnded) return this.left();
    const credentials = this.#credentials();
    if (credentials.byName === undefined) return this.#shakeHands(credentials, credentials.fallback);
    this.#reader = new ClientHelloReader();
    this.#socket.on('data', said);
    this.#socket.on('end', left);
    this.#socket.resume();
  }

  /** What has begun may go on: the service decides what to make of it. */
  finish(): void {
    this.#isFinishing = true;
    if (this.#startedAt === undefined) this.abort();
  }

  abort(): void {
    if (this.#isOver) return;
    reset(this.#secured ?? this.#socket);
    this.#end();
  }

  abandon(): void {
    // It has no member yet.
  }

  inspect(now: number): void {
    const { handshake } = this.#server.vip.timeouts;
    if (this.#isOver || this.#startedAt === undefined || handshake === 0 || now - this.#startedAt < handshake) return;
    this.#session.countTimeout('handshake');
    this.#fail(`not complete within ${handshake} ms`);
  }

  /** @internal the client has sent a part of its ClientHello, or all */
  said(bytes: Buffer): void {
    const progress = this.#reader?.push(bytes);
    this.#peeked.add(bytes);
    if (progress === undefined || progress.state === 'more') return;
    const socket = this.#socket;
    socket.pause();
    socket.off('data', said);
    socket.off('end', left);
    socket.unshift(this.#peeked.bytes);
    const credentials = this.#credentials();
    // With what is no ClientHello OpenSSL knows best what to say to it.
    const found = progress.state === 'done' ? credentials.byName?.find(progress.hello.serverName) : undefined;
    this.#shakeHands(credentials, found ?? credentials.fallback);
  }

  #shakeHands({ alpn, asksForCertificate, wantsCertificate }: Credentials, secureContext: SecureContext): void {
    const socket = this.#socket;
    const secured = new TLSSocket(socket, {
      isServer: true,
      secureContext,
      requestCert: asksForCertificate,
      rejectUnauthorized: wantsCertificate,
      ...(alpn !== undefined && { ALPNProtocols: alpn }),
    });
    this.#secured = secured;
    this.#wantsCertificate = wantsCertificate;
    carries(socket, secured);
    // From here on Node listens to the socket, and tells of it on the other.
    socket.off('error', failed);
    socket.off('close', left);
    (secured as unknown as Owned)[owner] = this as TlsHandshake<unknown>;
    secured.on('secure', agreed);
    secured.on('_tlsError', failed);
    secured.on('error', failed);
    secured.on('end', left);
    secured.on('close', left);
  }

  /** @internal the handshake is over; Node calls this from within OpenSSL */
  agreed(): void {
    const secured = this.#secured;
    if (this.#isOver || secured === undefined) return;
    const certificate = secured.getPeerX509Certificate();
    if (certificate === undefined && this.#wantsCertificate) return this.#fail('no certificate');
    const fault = certificate && whyNotVerified(secured);
    if (fault !== undefined) return this.#fail(`a certificate that is not good: ${fault}`);
    this.#isOver = true;
    this.#session.secured(clientFacts(secured, certificate));
    secured.off('secure', agreed);
    secured.off('_tlsError', failed);
    secured.off('error', failed);
    secured.off('end', left);
    secured.off('close', left);
    // Node tells of what breaks later only to its own servers; here, nobody else would close the socket.
    secured.on('_tlsError', broken);
    const next = this.#service.serve(secured, this.#session);
    this.#server.handedOver(this, next);
    next.start();
    if (this.#isFinishing) next.finish();
  }

  /** @internal Node closes what has failed, after it has told the client why */
  failed(error: Error): void {
    if (this.#isOver) return;
    this.#session.handshakeFailed(reasonOf(error));
    this.#end();
  }

  /** @internal the client has left, or sends no more */
  left(): void {
    this.#fail('the client has left');
  }

  #fail(reason: string): void {
    if (this.#isOver) return;
    this.#session.handshakeFailed(reason);
    reset(this.#secured ?? this.#socket);
    this.#end();
  }

  #end(): void {
    this.#isOver = true;
    this.#session.leave('ignored');
    this.#server.closed(this);
  }
}

function said(this: Socket, bytes: Buffer): void {
  (this as Owned)[owner].said(bytes);
}

function agreed(this: Socket): void {
  (this as Owned)[owner].agreed();
}

function failed(this: Socket, error: Error): void {
  (this as Owned)[owner].failed(error);
}

function left(this: Socket): void {
  (this as Owned)[owner].left();
}

function broken(this: Socket, error: Error): void {
  this.destroy(error);
}
