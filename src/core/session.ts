import type { ProxyHeader } from '../proxy-protocol/proxy-header.ts';
import type { ClientTls } from '../tls/client-tls.ts';
import { canonicalAddress } from './address.ts';
import type { Lease, Outcome } from './lease.ts';
import type { Member } from './member.ts';
import type { AcquireRequest, RequestAttributes } from './pick-request.ts';
import type { Pool } from './pool.ts';
import { type Refusal, type RefusalReason, refuse } from './refusal.ts';
import type { TimeoutCounts, VipCounters } from './vip-stats.ts';
import type { VirtualIP } from './virtual-ip.ts';
import type { Wait } from './wait.ts';

/** Who connected; where a balancer in front told in a PROXY header, what that says. */
export interface Client {
  /** An IP address; undefined for a client of a Unix socket. */
  readonly address: string | undefined;
  readonly port: number | undefined;
  /** The IP address that the client connected to: one of ours, or of the balancer in front. Undefined for a Unix socket. */
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  /** The PROXY header that the connection began with, where `acceptProxyProtocol` asks for one: its TLVs tell of TLS and more. */
  readonly proxy?: ProxyHeader | undefined;
  /** Known once its handshake is over, where the virtual IP ends its TLS; the adapter sets it. */
  tls?: ClientTls | undefined;
}

/** The virtual IP's books, as a session sees them. */
export interface SessionKeeper<T> {
  readonly counters: VipCounters;
  left(session: Session<T>): void;
  turnedAway(client: Client, reason: RefusalReason): void;
  connectFailed(memberId: string, reason: string): void;
  handshakeFailed(client: Client, reason: string): void;
  /** As `Session.requestDelay()`. */
  requestDelay(session: Session<T>): number;
}

/** Try again, after `pause` milliseconds. */
export interface Pause {
  readonly refused: false;
  readonly pause: number;
}

/** What to do for a client: connect to the lease's member, pause, ask again when a wait is over, or send it away. */
export type NextStep<T> = Lease<T> | Pause | Wait<T> | Refusal;

/** The longest pause before members that failed are tried again, in milliseconds (HAProxy's). */
const longestPause = 1000;

/**
 * One client of a virtual IP, from its admission until it leaves, and the member that serves it, or its present request. What an
 * adapter tells it is accounted on virtual IP, pool and member alike; what to do after a failed connect is decided here.
 */
export class Session<T = unknown> implements AcquireRequest<T> {
  readonly client: Client;
  /** @internal the address under which `clientLimits` count it; undefined where they do not */
  limitedAs: string | undefined = undefined;
  readonly #vip: VirtualIP<T>;
  readonly #keeper: SessionKeeper<T>;
  readonly #ready: (session: Session<T>) => void;
  readonly #tried: Member<T>[] = [];
  /** Where a route leads it; else it goes where the virtual IP leads at each pick. */
  #pool: Pool<T> | undefined;
  /** Where the member was picked. */
  #pickedFrom: Pool<T> | undefined;
  #lease: Lease<T> | undefined;
  #wait: Wait<T> | undefined;
  #request: RequestAttributes | undefined;
  #failures = 0;
  #hasLeft = false;

  /** @internal sessions are made by `vip.admit()` */
  constructor(vip: VirtualIP<T>, keeper: SessionKeeper<T>, client: Client, ready: (session: Session<T>) => void) {
    this.#vip = vip;
    this.#keeper = keeper;
    this.#ready = ready;
    this.client = client;
  }

  get refused(): false {
    return false;
  }

  /** Whether the pool's `persistence` has led the client, or its request, to its member. */
  get isKept(): boolean {
    return this.#lease?.isKept === true;
  }

  /** The member that serves the client, or is being connected to. */
  get member(): Member<T> | undefined {
    return this.#lease?.member;
  }

  /** The pool that its member is of, or will be. */
  get pool(): Pool<T> {
    return this.#pickedFrom ?? this.#pool ?? this.#vip.pool;
  }

  /** As strategies see it: an IPv4 client of a dual-stack listener has its IPv4 address. */
  get clientAddress(): string | undefined {
    const { address } = this.client;
    return address === undefined ? undefined : canonicalAddress(address);
  }

  get clientPort(): number | undefined {
    return this.client.port;
  }

  get path(): string | undefined {
    return this.#request?.path;
  }

  header(name: string): string | undefined {
    return this.#request?.header(name);
  }

  /** Members that failed this client; undefined at its first try. */
  get exclude(): readonly Member<T>[] | undefined {
    return this.#failures > 0 ? this.#tried : undefined;
  }

  /** @internal its turn has come */
  enter(): void {
    this.#ready(this);
  }

  /** Leads it to this pool instead of the virtual IP's own, from the next pick on. */
  route(pool: Pool<T>): void {
    this.#pool = pool;
  }

  /**
   * A member to connect to, not one of those that failed this client; a pause, when all have and tries are left; a wait, while all
   * are busy: its `whenOver` is to ask again; or a refusal: then the adapter sends the client away and calls `leave()`. A member that
   * was not connected to is let go.
   */
  next(): NextStep<T> {
    const { retries } = this.#vip;
    const pool = this.#pool ?? this.#vip.pool;
    if (this.#hasLeft) return refuse('client-left');
    const waited = this.#wait?.result;
    if (waited === undefined) this.#wait?.cancel();
    this.#wait = undefined;
    this.#end('ignored');
    if (this.#failures > retries) return this.#giveUp('retries-exhausted');
    if (waited === undefined) this.#pickedFrom = pool;
    const result = waited ?? pool.acquireOrWait(this);
    if ('isWaiting' in result) {
      this.#wait = result;
      return result;
    }
    if (!result.refused) {
      // A strategy may have ended the client while it was choosing for it.
      if (this.#hasLeft) {
        result.release('ignored');
        return refuse('client-left');
      }
      if (this.#failures > 0) this.#keeper.counters.retries++;
      this.#lease = result;
      return result;
    }
    return result.reason === 'members-tried' ? this.#pause() : this.#giveUp(result.reason);
  }

  /** A member for a request, as `next()`. What strategies may want to know of the request they ask while it lasts. */
  begin(request: RequestAttributes): NextStep<T> {
    this.#request = request;
    return this.next();
  }

  /** The member of the last `next()` is connected. */
  connected(): void {
    this.#lease?.connected();
  }

  /** As `connected()`, of a member that gets a request, by whose answer it is to be judged. */
  connectedForRequest(): void {
    this.#lease?.connectedForRequest();
  }

  /** The member of the last `next()` could not be connected to: what to try now. */
  connectFailed(reason: string): NextStep<T> {
    const { member } = this;
    this.#failures++;
    this.#keeper.counters.connectFailures++;
    this.#end('failure');
    if (member !== undefined) {
      this.#tried.push(member);
      this.#keeper.connectFailed(member.id, reason);
    }
    return this.next();
  }

  /** A connection to the member was kept from an earlier request, and serves this one. */
  resumed(): void {
    this.#lease?.resumed();
  }

  /** The member was connected and failed before it answered a request that may be sent again: where to send it now. */
  requestFailed(): NextStep<T> {
    const { member } = this;
    this.#failures++;
    this.#lease?.countRequestError();
    this.#end('failure');
    if (member !== undefined) this.#tried.push(member);
    return this.next();
  }

  /** A request is over, one way or another; the client stays and may send another one. */
  finishRequest(outcome: Outcome): void {
    if (outcome === 'failure') this.#lease?.countRequestError();
    if (outcome === 'aborted') {
      this.#keeper.counters.abortedRequests++;
      this.#lease?.countAborted();
    }
    this.#end(outcome);
    this.#failures = this.#tried.length = 0;
    this.#request = undefined;
  }

  /**
   * Seconds, from 1 up, until the client may make another request, where it makes more than its virtual IP's `clientLimits` permit;
   * 0 where it may make one now, which counts.
   */
  requestDelay(): number {
    return this.#keeper.requestDelay(this);
  }

  /** A request's head has come in. */
  countRequest(): void {
    this.#keeper.counters.requests++;
  }

  /** It goes to the member. */
  countSentRequest(): void {
    this.#lease?.countRequest();
  }

  /** A request that is the client's fault, or was given up before all of it had come in. */
  countRequestError(): void {
    this.#keeper.counters.requestErrors++;
  }

  /** The member has answered. */
  countResponse(status: number): void {
    this.#keeper.counters.countResponse(status);
    this.#lease?.countResponse(status);
  }

  /** The client got an answer of our own. */
  countOwnResponse(status: number): void {
    this.#keeper.counters.countResponse(status);
  }

  /** @param milliseconds from the request's head to that of the member's answer */
  countFirstByte(milliseconds: number): void {
    this.#keeper.counters.countFirstByte(milliseconds);
    this.#lease?.countFirstByte(milliseconds);
  }

  /** The client's TLS handshake is over. */
  secured(tls: ClientTls): void {
    this.client.tls = tls;
    if (tls.isResumed) this.#keeper.counters.tlsHandshakes.resumed++;
    else this.#keeper.counters.tlsHandshakes.full++;
  }

  /** The client's TLS handshake came to nothing. */
  handshakeFailed(reason: string): void {
    this.#keeper.counters.tlsHandshakes.failed++;
    this.#keeper.handshakeFailed(this.client, reason);
  }

  countTimeout(kind: keyof TimeoutCounts): void {
    this.#keeper.counters.timeouts[kind]++;
  }

  /** We could not even try (no file descriptor left, say), which says nothing about the member: what to try now. */
  connectImpossible(): Pause | Refusal {
    this.#failures++;
    this.#end('ignored');
    return this.#failures > this.#vip.retries ? this.#giveUp('retries-exhausted') : this.#pause();
  }

  countIn(bytes: number): void {
    this.#keeper.counters.bytesIn += bytes;
    this.#lease?.countIn(bytes);
  }

  countOut(bytes: number): void {
    this.#keeper.counters.bytesOut += bytes;
    this.#lease?.countOut(bytes);
  }

  /** The client is gone, or was sent away. Needed once; more are ignored. */
  leave(outcome: Outcome = 'success'): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    this.#end(outcome);
    this.#keeper.left(this);
  }

  #end(outcome: Outcome): void {
    this.#wait?.cancel();
    this.#wait = undefined;
    this.#lease?.release(outcome);
    this.#lease = undefined;
  }

  #pause(): Pause {
    this.#tried.length = 0;
    const { connect } = this.#vip.timeouts;
    return { refused: false, pause: connect === 0 ? longestPause : Math.min(connect, longestPause) };
  }

  #giveUp(reason: RefusalReason): Refusal {
    this.#keeper.turnedAway(this.client, reason);
    return refuse(reason);
  }
}
