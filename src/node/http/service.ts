import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { inCidrs } from '../../core/address.ts';
import { EvenkeelError } from '../../core/errors.ts';
import type { HttpConfig } from '../../core/http-settings.ts';
import type { Member } from '../../core/member.ts';
import type { Pool } from '../../core/pool.ts';
import type { MemberStatusChange } from '../../core/pool-events.ts';
import { systemRandom } from '../../core/random.ts';
import type { RefusalReason } from '../../core/refusal.ts';
import type { Client, Session } from '../../core/session.ts';
import { type FailedRequest, plainErrorAnswer } from '../../http1/error-answer.ts';
import { RequestForwarding } from '../../http1/request-forwarding.ts';
import { RequestHead } from '../../http1/request-head.ts';
import { ResponseHead } from '../../http1/response-head.ts';
import type { ServedClient, Server, Service } from '../vip-server.ts';
import type { WayToMembers } from '../way-to-members.ts';
import { ClientConnection } from './client-connection.ts';
import { KeptConnections } from './kept-connections.ts';
import { latin1 } from './latin1.ts';
import { MemberConnection, type MemberUser } from './member-connection.ts';
import { ownAnswer } from './own-answer.ts';
import { RefusedClient } from './refused-client.ts';

/** What follows from a virtual IP's settings, made once for all requests until those change. */
interface Rules {
  readonly config: HttpConfig;
  readonly requestHead: RequestHead;
  readonly responseHead: ResponseHead;
  readonly fromTrusted: RequestForwarding;
  readonly fromOthers: RequestForwarding;
}

/**
 * How many clients over their limit of connections are answered at a time, each for as long as `RefusedClient` says; more are reset.
 * Nobody can make us hold more than this by coming again and again.
 */
const mostRefused = 256;
/** A client for whom connections may be kept that must not serve another. */
export interface PrivateConnections<T> {
  ownKept: KeptConnections<T> | undefined;
}

/** An HTTP virtual IP: each request goes to a member of its own, over connections that are kept for the next ones. */
export class HttpService<T> implements Service<T> {
  readonly server: Server<T>;
  readonly kept: KeptConnections<T> = new KeptConnections<T>();
  readonly #private = new Set<KeptConnections<T>>();
  readonly #pools = new Set<Pool<T>>();
  #rules: Rules;
  #refused = 0;

  constructor(server: Server<T>) {
    this.server = server;
    this.#rules = rulesOf(server.vip.http);
  }

  get rules(): Rules {
    const config = this.server.vip.http;
    if (config !== this.#rules.config) this.#rules = rulesOf(config);
    return this.#rules;
  }

  serve(client: Socket, session: Session<T>): ClientConnection<T> {
    return new ClientConnection(this, client, session);
  }

  /** Who has too many connections is told so. All others who are refused would only be served, and learn no more from 503. */
  refuse(client: Socket, reason: RefusalReason): ServedClient<T> | undefined {
    if (reason !== 'client-connections' || this.#refused >= mostRefused) return undefined;
    this.#refused++;
    return new RefusedClient(this, client, () => this.#refused--);
  }

  /** An answer of our own; the plain one where the user's `errorAnswer` fails, which is told. */
  answer(request: FailedRequest, isLast = true): Buffer {
    try {
      return ownAnswer(request, this.rules.config.errorAnswer, isLast);
    } catch (cause) {
      const message = 'errorAnswer did not make an answer';
      this.server.troubled(new EvenkeelError('ERR_EVENKEEL_ERROR_ANSWER', message, { cause }));
      return ownAnswer(request, plainErrorAnswer, isLast);
    }
  }

  /** How a client's requests go on. */
  forwardingFor(client: { readonly clientAddress: string | undefined }): RequestForwarding {
    const { config, fromTrusted, fromOthers } = this.rules;
    const { blocks } = config.trustedCidrs;
    const isTrusted = blocks.length > 0 && inCidrs(blocks, client.clientAddress ?? '');
    return isTrusted ? fromTrusted : fromOthers;
  }

  /** A connection to a member that waits for a request of this client, and was in use at most so many milliseconds ago. */
  take(
    member: Member<T>,
    way: WayToMembers,
    client: PrivateConnections<T>,
    mostIdle: number,
  ): MemberConnection<T> | undefined {
    return (way.isPrivate ? client.ownKept : this.kept)?.take(member, way, mostIdle);
  }

  /** Starts connecting to a member. */
  connect(member: Member<T>, way: WayToMembers, client: Client, user: MemberUser): MemberConnection<T> {
    const { timeouts, pool } = this.server.vip;
    const { maxAge } = pool.keepAlive;
    // Connections that were opened together do not all end together.
    const age = maxAge === 0 ? Number.POSITIVE_INFINITY : maxAge * (0.9 + 0.2 * systemRandom());
    return new MemberConnection(member, way, client, this.rules.responseHead, user, timeouts.connect, age);
  }

  /** A request is done with its connection, which can serve the next one; see `MemberConnection.putBy()`. */
  keep(connection: MemberConnection<T>, to: Socket, client: PrivateConnections<T>): void {
    connection.putBy(to);
    const { member, way } = connection;
    const { pool } = this.server.vip;
    // The member may have gone, gone down, or begun to drain, while the request ran.
    const isWanted = member.isServing && pool.get(member.id) === member && way.leadsWhere(pool);
    if (!isWanted) connection.close();
    else if (way.isPrivate) this.#keptOf(client).add(connection, pool.keepAlive);
    else this.kept.add(connection, pool.keepAlive);
  }

  /** A client has left: what was kept for it alone goes, too. */
  letGo(client: PrivateConnections<T>): void {
    const { ownKept } = client;
    if (ownKept === undefined) return;
    client.ownKept = undefined;
    this.#private.delete(ownKept);
    ownKept.dropAll();
  }

  #keptOf(client: PrivateConnections<T>): KeptConnections<T> {
    if (client.ownKept === undefined) {
      client.ownKept = new KeptConnections();
      this.#private.add(client.ownKept);
    }
    return client.ownKept;
  }

  follow(pool: Pool<T>): void {
    this.#pools.add(pool);
    pool.on('member-removed', this.#removed);
    pool.on('member-status', this.#changed);
  }

  inspect(now: number): boolean {
    const { pool } = this.server.vip;
    this.kept.expire(now, pool);
    for (const kept of this.#private) kept.expire(now, pool);
    return !this.kept.areNone;
  }

  close(): void {
    for (const pool of this.#pools) {
      pool.off('member-removed', this.#removed);
      pool.off('member-status', this.#changed);
    }
    this.kept.dropAll();
  }

  readonly #removed = ({ member }: { readonly member: Member<T> }): void => this.#drop(member);

  readonly #changed = ({ member, to }: MemberStatusChange<T>): void => {
    if (to === 'error' || to === 'offline' || to === 'draining') this.#drop(member);
  };

  #drop(member: Member<T>): void {
    this.kept.drop(member);
    for (const kept of this.#private) kept.drop(member);
  }
}

function rulesOf(config: HttpConfig): Rules {
  const { limits, insertHeaders } = config;
  return {
    config,
    requestHead: new RequestHead(limits, latin1),
    responseHead: new ResponseHead(limits, latin1),
    fromTrusted: new RequestForwarding(insertHeaders, true, randomUUID),
    fromOthers: new RequestForwarding(insertHeaders, false, randomUUID),
  };
}
