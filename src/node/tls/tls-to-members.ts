import type { OnReadOpts, Socket } from 'node:net';
import { type ConnectionOptions, checkServerIdentity, connect, type SecureContext, type TLSSocket } from 'node:tls';
import { isHostName } from '../../core/address.ts';
import { systemClock } from '../../core/clock.ts';
import type { Client } from '../../core/session.ts';
import type { MemberTls } from '../../tls/member-tls.ts';
import { connectOptions } from '../member-socket.ts';
import { carries } from './carrier.ts';
import { outgoingContext } from './outgoing-context.ts';
import { serverNameOf, verifiedName } from './peer-name.ts';

/** Where a connection leads. */
export interface Target {
  readonly address: string;
  readonly port: number;
}

/** A session that a member gave, and what it was given for: nothing else may go on with it, since nothing else was verified. */
interface KeptSession extends Target {
  readonly name: string;
  readonly session: Buffer;
  /** Milliseconds: when the certificate was last looked at. */
  readonly verifiedAt: number;
}

/** A session that is larger is not kept: a certificate of a reasonable size is part of it. */
const largestSession = 65_536;

/**
 * Milliseconds after which the member has to show its certificate again: each session is followed by another one, so that without a
 * bound nobody would notice that a certificate has run out.
 */
const longestTrust = 3_600_000;

/** Links a socket to what it is about, so that all share one set of event handlers. */
const visit = Symbol('evenkeel.visit');

interface Visit extends Target {
  readonly tls: TlsToMembers;
  readonly member: object;
  readonly name: string;
  /** The session that it goes on with, if the member lets it. */
  readonly offered: KeptSession | undefined;
  stands: boolean;
}

type Visiting = Socket & { [visit]: Visit };

/** Node's types do not know these there. */
interface Missing {
  readonly onread?: OnReadOpts;
  readonly allowHalfOpen: true;
}

/**
 * TLS to the members of a pool: one secure context, and of each member the last session that it gave, until the settings change. A
 * member whose address changes, or that is asked for another name, gets a full handshake.
 */
export class TlsToMembers {
  readonly #config: MemberTls;
  readonly #context: SecureContext;
  readonly #sessions = new WeakMap<object, KeptSession>();

  /** Throws `SpecError`, which never shows a secret, where certificates, key or ciphers cannot be used. */
  constructor(config: MemberTls, path: string) {
    this.#config = config;
    this.#context = outgoingContext({ ...config, ...config.secrets() }, path);
  }

  /** Whether members are asked for what the client asked for. */
  get passesServerName(): boolean {
    return this.#config.passServerName;
  }

  /**
   * Starts connecting; `secureConnect` tells that the member has proved who it is.
   *
   * @param connectTimeout milliseconds, 0 for none
   */
  connect(member: Target, client: Client | undefined, connectTimeout: number, onread: OnReadOpts): TLSSocket {
    const { address, port } = member;
    const own: Missing = { onread, allowHalfOpen: true };
    const socket = this.#start(member, client, { ...connectOptions(address, port, connectTimeout), ...own });
    socket.setNoDelay(true);
    return socket;
  }

  /** As `connect()`, over a connection that stands, of which nothing has been read. */
  connectOver(carrier: Socket, member: Target, client: Client | undefined): TLSSocket {
    const socket = this.#start(member, client, { socket: carrier });
    carries(carrier, socket);
    return socket;
  }

  #start(member: Target, client: Client | undefined, by: ConnectionOptions): TLSSocket {
    const { address, port } = member;
    const { verify, alpn, resume } = this.#config;
    const name = this.#nameFor(address, client);
    const kept = this.#sessions.get(member);
    const isSame = kept?.name === name && kept.address === address && kept.port === port;
    const offered = isSame && systemClock.now() - kept.verifiedAt < longestTrust ? kept : undefined;
    const socket = connect({
      ...by,
      secureContext: this.#context,
      rejectUnauthorized: verify,
      servername: serverNameOf(name),
      checkServerIdentity: (_, certificate) => checkServerIdentity(verifiedName(name), certificate),
      ...(alpn.length > 0 && { ALPNProtocols: [...alpn] }),
      ...(offered && { session: offered.session }),
    });
    if (resume) {
      const about = { tls: this, member, address, port, name, offered, stands: false };
      (socket as unknown as Visiting)[visit] = about;
      socket.on('session', sessionGiven);
      socket.on('secureConnect', secured);
      socket.on('error', failed);
    }
    return socket;
  }

  #nameFor(address: string, client: Client | undefined): string {
    const { serverName, passServerName } = this.#config;
    if (passServerName && client !== undefined) {
      const asked = client.tls?.serverName ?? client.proxy?.tlvs.authority;
      if (asked !== undefined && isHostName(asked)) return asked;
    }
    return serverName ?? address;
  }

  /** @internal */
  keep({ member, address, port, name, offered }: Visit, session: Buffer, isResumed: boolean): void {
    if (session.length > largestSession) return;
    const verifiedAt = isResumed && offered !== undefined ? offered.verifiedAt : systemClock.now();
    this.#sessions.set(member, { address, port, name, session, verifiedAt });
  }

  /** @internal the member may have wanted nothing of that session any more */
  forget(member: object): void {
    this.#sessions.delete(member);
  }
}

function sessionGiven(this: TLSSocket, session: Buffer): void {
  const about = (this as unknown as Visiting)[visit];
  about.tls.keep(about, session, this.isSessionReused());
}

function secured(this: Socket): void {
  (this as Visiting)[visit].stands = true;
}

function failed(this: Socket): void {
  const { tls, member, offered, stands } = (this as Visiting)[visit];
  if (offered !== undefined && !stands) tls.forget(member);
}
