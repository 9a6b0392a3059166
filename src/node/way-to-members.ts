import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { clientHeader } from '../core/client-header.ts';
import type { Pool } from '../core/pool.ts';
import type { SendProxyProtocol } from '../core/send-proxy-protocol.ts';
import type { Client } from '../core/session.ts';
import { writeProxyHeader } from '../proxy-protocol/write-proxy-header.ts';
import type { MemberTls } from '../tls/member-tls.ts';
import type { MemberReader } from './member-reader.ts';
import { connectTo } from './member-socket.ts';
import { type Target, TlsToMembers } from './tls/tls-to-members.ts';

/** Who has a connection to a member opened. */
export interface Opener {
  /** Reads what the member sends. */
  readonly input: MemberReader;
  /** The connection goes on over this socket, which has to be listened to instead; what it reads comes as 'data'. */
  carriedBy(socket: Socket): void;
}

/** Where the settings of a pool's TLS are, seen from the pool's. */
const path = 'tls';

/** How connections to the members of a pool begin: TCP, a PROXY header where they want one, TLS where they speak it. */
export class WayToMembers {
  readonly #tls: TlsToMembers | undefined;
  readonly #tlsConfig: MemberTls | undefined;
  readonly #proxyProtocol: SendProxyProtocol | undefined;

  constructor(tls: MemberTls | undefined, proxyProtocol: SendProxyProtocol | undefined) {
    this.#tlsConfig = tls;
    this.#tls = tls && tlsFor(tls);
    this.#proxyProtocol = proxyProtocol;
  }

  /** What tells that a connection stands: an event of the socket that carries it then. */
  get standsWith(): 'connect' | 'secureConnect' {
    return this.#tls === undefined ? 'connect' : 'secureConnect';
  }

  /** Whether members are told who the client is. */
  get tellsOfClients(): boolean {
    return this.#proxyProtocol !== undefined;
  }

  /** Whether a connection speaks for one client, so that it must never serve another. */
  get isPrivate(): boolean {
    return this.tellsOfClients || this.#tls?.passesServerName === true;
  }

  /** Whether what is written at first waits for `uncork()`, to leave in one segment. */
  get isCorked(): boolean {
    return this.tellsOfClients && this.#tls === undefined;
  }

  leadsWhere({ tls, proxyProtocol }: Pick<Pool, 'tls' | 'proxyProtocol'>): boolean {
    return tls === this.#tlsConfig && proxyProtocol === this.#proxyProtocol;
  }

  /**
   * Starts connecting. Half-open, since a client may stop sending and still wait for its answer.
   *
   * @param connectTimeout milliseconds, 0 for none; what each address of a host name gets is derived from it
   */
  open(member: Target, client: Client, connectTimeout: number, opener: Opener): Socket {
    const { address, port } = member;
    const tls = this.#tls;
    if (this.#proxyProtocol === undefined) {
      if (tls === undefined) return connectTo(address, port, connectTimeout, opener.input);
      return tls.connect(member, client, connectTimeout, opener.input);
    }
    const header = headerFor(client, this.#proxyProtocol);
    if (tls === undefined) {
      const socket = connectTo(address, port, connectTimeout, opener.input);
      socket.cork();
      socket.write(header);
      return socket;
    }
    const socket = connectTo(address, port, connectTimeout);
    socket.write(header, (error) => {
      if (!error && !socket.destroyed) opener.carriedBy(tls.connectOver(socket, member, client));
    });
    return socket;
  }
}

const directly = new WayToMembers(undefined, undefined);

/** By pool, so that all virtual IPs that lead there have the same. */
const ways = new WeakMap<object, WayToMembers>();

/** Throws `SpecError` where the certificates, key or ciphers of the pool's `tls` cannot be used. */
export function wayTo(pool: Pick<Pool, 'tls' | 'proxyProtocol'>): WayToMembers {
  const { tls, proxyProtocol } = pool;
  if (tls === undefined && proxyProtocol === undefined) return directly;
  const known = ways.get(pool);
  if (known?.leadsWhere(pool)) return known;
  const way = new WayToMembers(tls, proxyProtocol);
  ways.set(pool, way);
  return way;
}

/** By settings: kept while a change is being prepared. */
const tlsOf = new WeakMap<MemberTls, TlsToMembers>();

/** Throws `SpecError` where the certificates, key or ciphers cannot be used. */
export function tlsFor(config: MemberTls): TlsToMembers {
  const known = tlsOf.get(config);
  if (known !== undefined) return known;
  const tls = new TlsToMembers(config, path);
  tlsOf.set(config, tls);
  return tls;
}

/** Ids of clients' connections, where members are told any. */
const uniqueIds = new WeakMap<Client, string>();

function headerFor(client: Client, settings: SendProxyProtocol): Uint8Array {
  return writeProxyHeader(
    settings.version === 'v1' ? 1 : 2,
    clientHeader(client, settings, () => idOf(client)),
  );
}

function idOf(client: Client): string {
  const known = uniqueIds.get(client);
  if (known !== undefined) return known;
  const id = randomUUID();
  uniqueIds.set(client, id);
  return id;
}
