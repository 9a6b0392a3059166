import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { isUnix } from '../../core/address.ts';
import { systemClock } from '../../core/clock.ts';
import { printable } from '../../core/errors.ts';
import type { Member } from '../../core/member.ts';
import type { Client } from '../../core/session.ts';
import { MessageReader, responseFraming } from '../../http1/message-reader.ts';
import type { ResponseHead } from '../../http1/response-head.ts';
import { type MemberListener, MemberReader } from '../member-reader.ts';
import { reset } from '../member-socket.ts';
import { carrierOf } from '../tls/carrier.ts';
import type { Opener, WayToMembers } from '../way-to-members.ts';

/** Who has the use of a connection to a member: a request, or the tunnel that it became. */
export interface MemberUser {
  memberConnected(): void;
  /** Something has come in; as `MemberListener.memberSent()`. */
  memberSent(bytes: Buffer, isShared: boolean): Socket | undefined;
  /** It takes more now. */
  memberDrained(): void;
  /** It sends no more. */
  memberEnded(): void;
  /** It is gone; where `error` is undefined, without having said why. */
  memberGone(error: NodeJS.ErrnoException | undefined): void;
}

/** Links a socket to its connection, so that all share one set of event handlers. */
const owner = Symbol('evenkeel.member-connection');

type Owned = Socket & { [owner]: MemberConnection<unknown> };

/** A connection to a member, which serves one request after the other. */
export class MemberConnection<T> implements MemberListener, Opener {
  readonly member: Member<T>;
  /** How it was opened. */
  readonly way: WayToMembers;
  readonly reader: MessageReader<ResponseHead>;
  /** @internal */
  readonly input: MemberReader;
  /** Nobody while it is kept for the next one. */
  user: MemberUser | undefined;
  /** Set by its user before the answer is read: whether that is to HEAD. */
  isForHead = false;
  /** It has served a request before the present one. */
  isReused = false;
  /** Milliseconds: when it was last put by. */
  idleSince = 0;
  /** Milliseconds for which the member keeps it, as its last answer said. */
  mayIdleFor: number = Number.POSITIVE_INFINITY;
  /** Milliseconds: from when on it is not used again, whatever happens. */
  readonly retiresAt: number;
  /** Milliseconds: from when on it is not used again, if it is not until then. */
  expiresAt = 0;
  readonly #address: string;
  readonly #port: number;
  #socket: Socket;
  #error: NodeJS.ErrnoException | undefined;

  /**
   * Starts connecting.
   *
   * @param connectTimeout milliseconds, 0 for none
   * @param maxAge milliseconds
   */
  constructor(
    member: Member<T>,
    way: WayToMembers,
    client: Client,
    head: ResponseHead,
    user: MemberUser,
    connectTimeout: number,
    maxAge: number,
  ) {
    this.member = member;
    this.way = way;
    this.user = user;
    this.reader = new MessageReader(head, (response) => responseFraming(response, this.isForHead));
    this.retiresAt = systemClock.now() + maxAge;
    this.#address = member.address;
    this.#port = member.port;
    this.input = new MemberReader(this);
    this.#socket = way.open(member, client, connectTimeout, this);
    this.#listen();
  }

  get socket(): Socket {
    return this.#socket;
  }

  carriedBy(socket: Socket): void {
    this.#socket = socket;
    this.#listen();
    socket.on('data', told);
  }

  #listen(): void {
    const socket = this.#socket;
    this.input.member = socket;
    (socket as Owned)[owner] = this as MemberConnection<unknown>;
    socket.on(this.way.standsWith, connected);
    socket.on('drain', drained);
    socket.on('end', ended);
    socket.on('error', failed);
    socket.on('close', closed);
  }

  /** Whether it leads where the member is now, and can be written to. */
  get isUsable(): boolean {
    const { socket, member } = this;
    if (socket.destroyed || socket.readableEnded || !socket.writable) return false;
    return member.address === this.#address && member.port === this.#port;
  }

  /**
   * When the member has ended: whether it did so with a reset after all. One that comes close behind data is reported by libuv as a
   * proper end, but then there is no peer any more, as long as nobody has asked for it before: Node remembers. (A Unix socket's never
   * has an address, and no reset either.)
   */
  get wasReset(): boolean {
    return carrierOf(this.socket).remoteAddress === undefined && !isUnix(this.#address);
  }

  memberSent(bytes: Buffer, isShared: boolean): Socket | undefined {
    // What nobody asked for belongs to no request: the connection cannot be trusted with the next one.
    if (this.user === undefined) return void this.close();
    return this.user.memberSent(bytes, isShared);
  }

  /**
   * Its user is done with it; within `memberSent`.
   *
   * @param to where what was read was written to
   */
  putBy(to: Socket): void {
    this.user = undefined;
    this.isReused = true;
    this.idleSince = systemClock.now();
    this.input.handOver(to);
  }

  /**
   * Closes one that nobody uses any more.
   *
   * @param to where what was read was written to, if that may not have been taken yet
   */
  close(to?: Socket): void {
    this.user = undefined;
    this.input.release(to);
    // Over TLS who is done says so; else a member may take it for an attack, and log it.
    if ('encrypted' in this.socket) this.socket.destroySoon();
    else this.socket.destroy();
  }

  /**
   * Ends one in the middle of something, with a reset unless the member has ended it; its user hears no more of it.
   *
   * @param to where what was read was written to
   */
  abort(to: Socket): void {
    this.user = undefined;
    this.input.release(to);
    if (this.socket.readableEnded) this.socket.destroy();
    else reset(this.socket);
  }

  /** @internal all of it stands */
  connected(): void {
    const { socket, user } = this;
    const { alpnProtocol } = socket as Partial<TLSSocket>;
    if (alpnProtocol && alpnProtocol !== 'http/1.1' && alpnProtocol !== 'http/1.0') {
      socket.destroy(new Error(`the member chose to speak ${printable(alpnProtocol)}, which is not spoken here`));
      return;
    }
    user?.memberConnected();
    if (this.way.isCorked) socket.uncork();
  }

  /** @internal */
  ended(socket: Socket): void {
    if (socket !== this.#socket) return;
    if (this.user === undefined) this.close();
    else this.user.memberEnded();
  }

  /** @internal */
  failed(error: NodeJS.ErrnoException): void {
    this.#error ??= error;
  }

  /** @internal */
  closed(socket: Socket): void {
    if (socket === this.#socket) this.user?.memberGone(this.#error);
  }
}

function connected(this: Socket): void {
  (this as Owned)[owner].connected();
}

function told(this: Socket, bytes: Buffer): void {
  (this as Owned)[owner].input.took(bytes);
}

function drained(this: Socket): void {
  (this as Owned)[owner].user?.memberDrained();
}

function ended(this: Socket): void {
  (this as Owned)[owner].ended(this);
}

function failed(this: Socket, error: NodeJS.ErrnoException): void {
  (this as Owned)[owner].failed(error);
}

function closed(this: Socket): void {
  (this as Owned)[owner].closed(this);
}
