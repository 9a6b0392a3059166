import type { Socket } from 'node:net';
import { systemClock, type Timer } from '../../core/clock.ts';
import { EvenkeelError } from '../../core/errors.ts';
import type { Outcome } from '../../core/lease.ts';
import type { Member } from '../../core/member.ts';
import type { RequestAttributes } from '../../core/pick-request.ts';
import type { NextStep, Session } from '../../core/session.ts';
import * as field from '../../http1/field.ts';
import { fieldOf } from '../../http1/field-of.ts';
import { keepAliveHint } from '../../http1/keep-alive-hint.ts';
import { loadReportOf } from '../../http1/load-metrics.ts';
import type { RequestHead } from '../../http1/request-head.ts';
import type { AnswerChanges, ConnectionOption } from '../../http1/response-forwarding.ts';
import type { ResponseHead } from '../../http1/response-head.ts';
import type { HttpPersistence } from '../../persistence/persistence.ts';
import { isLocalFailure, messageOf } from '../member-socket.ts';
import { type WayToMembers, wayTo } from '../way-to-members.ts';
import { AnswerCookies } from './answer-cookies.ts';
import { type Answered, AnswerRelay } from './answer-relay.ts';
import type { MemberConnection, MemberUser } from './member-connection.ts';
import { OutgoingRequest } from './outgoing-request.ts';
import { Pace, type Whom } from './pace.ts';
import type { HttpService, PrivateConnections } from './service.ts';
import { whyRefused } from './why-refused.ts';

/** What an exchange asks of the client's connection that it runs on. */
export interface ExchangeOwner<T> extends PrivateConnections<T> {
  readonly service: HttpService<T>;
  readonly session: Session<T>;
  readonly socket: Socket;
  /** Whether the connection is to end with this answer. */
  readonly isFinishing: boolean;
  /** More of the request can be taken. */
  advance(): void;
  /** The answer is complete, all of it is written. */
  exchanged(stays: boolean): void;
  /** There will be no answer but this one of ours; the request's body, if it has not come in, is of no more use. */
  answer(status: number, reason: string, exchange: Exchange<T>): void;
  /** The client has got a part of an answer that cannot be completed. */
  breakOff(): void;
  /** It speaks another protocol now. */
  switched(upstream: MemberConnection<T>): void;
}

/**
 * A request that cannot be sent twice uses a kept connection only if it was in use so many milliseconds ago: the longer it has been
 * idle, the likelier its member is closing it just now, and then nobody would know what has become of the request.
 */
const mostIdleForUnsafe = 1000;

/**
 * `choosing`: a member is looked for, or connected to. `sending`: it gets the request. `answering`: the head of its final answer has
 * come in. A request that is sent again goes back to `choosing`.
 */
type Phase = 'choosing' | 'sending' | 'answering' | 'over';

/**
 * One request and its answer: finds a member (the next one, where one cannot be connected to or dies before it answers and the
 * request may be sent again), sends the request, and takes the answer to the client.
 */
export class Exchange<T> implements MemberUser, Answered, RequestAttributes {
  readonly method: string;
  readonly target: string;
  readonly accept: string | undefined;
  readonly isForHead: boolean;
  readonly minorVersion: 0 | 1;
  readonly asksForUpgrade: boolean;
  readonly #owner: ExchangeOwner<T>;
  readonly #text: string;
  /** Undefined where the pool's persistence has no part in messages, or there is none. */
  readonly #persistence: HttpPersistence<T> | undefined;
  /** As the client sent them, where that may not be what goes on. */
  readonly #cookies: string | undefined;
  readonly #request: OutgoingRequest;
  readonly #wantsToStay: boolean;
  readonly #startedAt: number;
  readonly #relay: AnswerRelay;
  readonly #pace = new Pace();
  #phase: Phase = 'choosing';
  #upstream: MemberConnection<T> | undefined;
  #timer: Timer;
  /** The present member has counted it. */
  #isCounted = false;
  /** The member has sent something. */
  #hasHeard = false;
  /** What the answer leaves of the two connections. */
  #stays = false;
  #memberStays = false;

  /**
   * @param text the request's head as it goes on
   * @param startedAt milliseconds: when the request's first byte came in
   * @param persistence what the pool has when the request begins, for all of it
   */
  constructor(
    owner: ExchangeOwner<T>,
    head: RequestHead,
    text: string,
    startedAt: number,
    persistence: HttpPersistence<T> | undefined,
  ) {
    this.#owner = owner;
    this.method = head.method;
    this.target = head.target;
    this.accept = head.valueOf(field.accept);
    this.isForHead = head.isHead;
    this.minorVersion = head.minorVersion;
    this.asksForUpgrade = head.asksForUpgrade;
    this.#text = text;
    this.#persistence = persistence;
    this.#cookies = persistence === undefined ? undefined : head.valuesOf(field.cookie, '; ');
    this.#request = new OutgoingRequest(head, text);
    this.#wantsToStay = head.minorVersion === 1 ? !head.saysClose : head.saysKeepAlive && !head.saysClose;
    this.#startedAt = startedAt;
    this.#relay = new AnswerRelay(this, owner.socket);
  }

  get path(): string {
    const query = this.target.indexOf('?');
    return query < 0 ? this.target : this.target.slice(0, query);
  }

  /** Of the request as it goes on: what is not passed to the member is not there, but for the cookies of its persistence. */
  header(name: string): string | undefined {
    if (this.#cookies !== undefined && name === 'cookie') return this.#cookies;
    return fieldOf(this.#text, name);
  }

  /** Whether the next piece of the request can be sent. */
  get takesBody(): boolean {
    return this.#isUnderWay && !this.#request.isComplete;
  }

  /** Whether there is a member that gets the request, or has. */
  get #isUnderWay(): boolean {
    return this.#phase === 'sending' || this.#phase === 'answering';
  }

  /** Whether the member must take what it has got before it gets more. */
  get isClogged(): boolean {
    return this.#upstream?.socket.writableNeedDrain === true;
  }

  start(): void {
    this.#proceed(() => this.#owner.session.begin(this));
  }

  sendBody(bytes: Uint8Array): void {
    const { socket } = this.#upstream as MemberConnection<T>;
    this.#owner.session.countIn(this.#request.add(bytes, socket));
  }

  /** @param trailer its lines */
  endRequest(trailer: string): void {
    this.#request.end(trailer);
    this.flush();
  }

  /** Sends what there is. */
  flush(): void {
    if (!this.#isUnderWay || this.#upstream === undefined) return;
    this.#owner.session.countIn(this.#request.flush(this.#upstream.socket));
  }

  /** The client is gone, or breaks the rules; there is nothing more to do for it. */
  cancel(outcome: Outcome): void {
    if (this.#phase === 'over') return;
    if (outcome === 'aborted' && this.#request.hasBody && !this.#request.isComplete)
      this.#owner.session.countRequestError();
    this.#drop();
    this.#finish(outcome);
  }

  /** The client shall have an answer of ours, or no more of the one that it is getting. */
  fail(status: number, reason: string, outcome: Outcome): void {
    if (this.#phase === 'over') return;
    const { hasBegun } = this.#relay;
    if (this.#upstream !== undefined) this.#hear(this.#upstream);
    this.#drop();
    this.#finish(outcome);
    if (hasBegun) this.#owner.breakOff();
    else this.#owner.answer(status, reason, this);
  }

  /** @param now milliseconds */
  inspect(now: number): void {
    if (!this.#isUnderWay) return;
    const { session, socket, service } = this.#owner;
    const { timeouts, http } = service.server.vip;
    const member = (this.#upstream as MemberConnection<T>).socket;
    const whom = this.#whom(socket, member);
    if (!this.#pace.isTooSlow(whom, socket, member, now, timeouts, http.limits.minRate)) return;
    session.countTimeout(whom === 'member' ? 'response' : whom);
    switch (whom) {
      case 'reader':
        this.cancel('ignored');
        return this.#owner.breakOff();
      case 'body':
        session.countRequestError();
        return this.fail(408, 'the request did not come in in time', 'ignored');
      case 'member':
        return this.fail(504, 'the member did not answer in time', 'failure');
    }
  }

  /** Who is waited for. */
  #whom(client: Socket, member: Socket): Whom {
    if (client.writableLength > 0) return 'reader';
    const { isComplete, awaitsContinue } = this.#request;
    const isClientsTurn = this.#phase === 'sending' && !isComplete && !awaitsContinue && member.writableLength === 0;
    return isClientsTurn ? 'body' : 'member';
  }

  memberConnected(): void {
    systemClock.clearTimeout(this.#timer);
    this.#owner.session.connectedForRequest();
    this.#send();
  }

  memberSent(bytes: Buffer, isShared: boolean): Socket | undefined {
    const upstream = this.#upstream as MemberConnection<T>;
    const { socket, session } = this.#owner;
    if (!this.#hasHeard) this.#hear(upstream);
    session.countOut(bytes.length);
    upstream.reader.push(bytes, 0, bytes.length);
    switch (this.#relay.take(upstream.reader, isShared)) {
      case 'more':
        return socket;
      case 'end':
        this.#complete(upstream);
        return socket;
      case 'switched':
        this.#phase = 'over';
        // That is its answer: how long the tunnel lasts says nothing about the member.
        session.countFirstByte(systemClock.now() - this.#startedAt);
        this.#owner.switched(upstream);
        return socket;
      case 'failed':
        this.fail(502, `the member's answer has ${this.#relay.failure}`, 'failure');
        return undefined;
    }
  }

  memberDrained(): void {
    this.#owner.advance();
  }

  memberEnded(): void {
    const upstream = this.#upstream as MemberConnection<T>;
    if (this.#phase === 'answering' && upstream.reader.mayEnd && !upstream.wasReset) {
      this.#relay.conclude(upstream.reader);
      this.#complete(upstream);
    } else {
      this.#lost('the member closed its connection before its answer was complete');
    }
  }

  memberGone(error: NodeJS.ErrnoException | undefined): void {
    if (this.#phase === 'choosing') return this.#notConnected(error ?? new Error('the connection was closed'));
    this.#lost(error === undefined ? 'the member closed its connection' : messageOf(error));
  }

  interim(status: number): void {
    if (status === 100) this.#request.awaitsContinue = false;
    this.#owner.session.countResponse(status);
  }

  answered(head: ResponseHead, closes: boolean): ConnectionOption {
    const { session } = this.#owner;
    this.#phase = 'answering';
    session.countResponse(head.status);
    session.countFirstByte(systemClock.now() - this.#startedAt);
    const metrics = head.valueOf(field.endpointLoadMetrics);
    if (metrics !== undefined) this.#reportLoad(metrics);
    this.#memberStays = head.minorVersion === 1 ? !head.saysClose : head.saysKeepAlive && !head.saysClose;
    if (this.#memberStays) {
      (this.#upstream as MemberConnection<T>).mayIdleFor = keepAliveHint(head.valueOf(field.keepAlive));
    }
    // What of the request is still to come would be taken for the next one, so there is none.
    this.#stays = this.#wantsToStay && !closes && this.#request.isComplete && !this.#owner.isFinishing;
    if (!this.#stays) return 'close';
    return this.minorVersion === 1 ? '' : 'keep-alive';
  }

  changesOf(head: ResponseHead): AnswerChanges | undefined {
    if (this.#persistence === undefined) return undefined;
    const { isKept } = this.#owner.session;
    const { member } = this.#upstream as MemberConnection<T>;
    return new AnswerCookies(this.#persistence, member, isKept, this, head);
  }

  #reportLoad(metrics: string): void {
    const report = loadReportOf(metrics);
    if (report !== undefined) this.#owner.session.member?.reportLoad(report);
  }

  /** Asks the session what to do next, and does it. */
  #proceed(ask: () => NextStep<T>, status = 503): void {
    let next: NextStep<T>;
    try {
      next = ask();
    } catch (cause) {
      // A user's strategy threw: this request is lost, and nobody else's.
      const { server } = this.#owner.service;
      server.troubled(new EvenkeelError('ERR_EVENKEEL_STRATEGY', 'the strategy threw', { cause }));
      return this.fail(500, 'no member could be chosen', 'ignored');
    }
    if (next.refused) return this.fail(status, whyRefused(next.reason), 'ignored');
    if ('isWaiting' in next) {
      next.whenOver = () => this.#proceed(() => this.#owner.session.next());
    } else if ('pause' in next) {
      this.#timer = systemClock.setTimeout(() => this.#proceed(() => this.#owner.session.next()), next.pause);
    } else {
      this.#use(next.member);
    }
  }

  #use(member: Member<T>): void {
    const { service, session } = this.#owner;
    this.#isCounted = false;
    let way: WayToMembers;
    try {
      way = wayTo(session.pool);
    } catch (cause) {
      const message = 'the members cannot be spoken to as their pool wants';
      service.server.troubled(new EvenkeelError('ERR_EVENKEEL_CERTIFICATE', message, { cause }));
      return this.fail(500, message, 'ignored');
    }
    const mostIdle = this.#request.isIdempotent ? Number.POSITIVE_INFINITY : mostIdleForUnsafe;
    const kept = service.take(member, way, this.#owner, mostIdle);
    if (kept === undefined) return this.#connect(member, way);
    kept.user = this;
    this.#upstream = kept;
    this.#send();
  }

  #connect(member: Member<T>, way: WayToMembers): void {
    const { service, session } = this.#owner;
    const { connect } = service.server.vip.timeouts;
    const upstream = service.connect(member, way, session.client, this);
    this.#upstream = upstream;
    if (connect === 0) return;
    this.#timer = systemClock.setTimeout(() => {
      upstream.socket.destroy(new Error(`no connection to ${member.id} within ${connect} ms`));
    }, connect);
  }

  /** From here on what comes in of the request goes to the member. */
  #send(): void {
    const upstream = this.#upstream as MemberConnection<T>;
    upstream.isForHead = this.isForHead;
    this.#phase = 'sending';
    this.#hasHeard = false;
    if (!this.#isCounted) this.#owner.session.countSentRequest();
    this.#isCounted = true;
    // One that is sent again may have come in completely.
    if (this.#request.isComplete) this.flush();
    else this.#owner.advance();
  }

  /** A kept connection that still works serves this request; of one that does not, nothing is to be counted but the new one. */
  #hear(upstream: MemberConnection<T>): void {
    this.#hasHeard = true;
    if (upstream.isReused) this.#owner.session.resumed();
  }

  #notConnected(error: NodeJS.ErrnoException): void {
    const { service, session } = this.#owner;
    systemClock.clearTimeout(this.#timer);
    this.#upstream = undefined;
    if (isLocalFailure(error)) {
      const message = `cannot connect to a member: ${error.message}`;
      service.server.troubled(new EvenkeelError('ERR_EVENKEEL_LOCAL_RESOURCE', message, { cause: error }));
      this.#proceed(() => session.connectImpossible());
    } else {
      this.#proceed(() => session.connectFailed(messageOf(error)));
    }
  }

  /** The connection is gone, and there is no complete answer. */
  #lost(reason: string): void {
    const { session } = this.#owner;
    const upstream = this.#upstream as MemberConnection<T>;
    const { member, way } = upstream;
    if (!this.#request.canBeSentAgain || this.#hasHeard) return this.fail(502, reason, 'failure');
    this.#drop();
    this.#request.rewind();
    // A kept connection that has died says nothing about its member.
    if (upstream.isReused) this.#connect(member, way);
    else this.#proceed(() => session.requestFailed(), 502);
  }

  /** The answer is complete. */
  #complete(upstream: MemberConnection<T>): void {
    const { service, socket } = this.#owner;
    const { reader } = upstream;
    // More than the answer, or an answer to a request that has not all been sent: what comes next belongs to nobody.
    const isSent = this.#request.isComplete && upstream.socket.writableLength === 0;
    const isClean = reader.framing !== 'close' && reader.unread === 0 && isSent;
    this.#upstream = undefined;
    if (!isClean) upstream.abort(socket);
    else if (this.#memberStays && upstream.isUsable) service.keep(upstream, socket, this.#owner);
    else upstream.close(socket);
    if (!this.#request.isComplete) this.#owner.session.countRequestError();
    this.#finish('success');
    this.#owner.exchanged(this.#stays);
  }

  /** Lets the member's connection go in the middle of something. */
  #drop(): void {
    systemClock.clearTimeout(this.#timer);
    this.#upstream?.abort(this.#owner.socket);
    this.#upstream = undefined;
    this.#phase = 'choosing';
  }

  #finish(outcome: Outcome): void {
    this.#phase = 'over';
    this.#owner.session.finishRequest(outcome);
  }
}
