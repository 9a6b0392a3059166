import type { Socket } from 'node:net';
import { isUnix } from '../../core/address.ts';
import { systemClock, type Timer } from '../../core/clock.ts';
import { EvenkeelError } from '../../core/errors.ts';
import type { Outcome } from '../../core/lease.ts';
import type { Member } from '../../core/member.ts';
import type { Client, NextStep, Session } from '../../core/session.ts';
import { BytesAhead } from '../bytes-ahead.ts';
import { type MemberListener, MemberReader } from '../member-reader.ts';
import { isLocalFailure, keepAliveInitialDelay, messageOf, reset } from '../member-socket.ts';
import { passOn } from '../read-buffers.ts';
import type { ServedClient, Server } from '../vip-server.ts';
import { type Opener, type WayToMembers, wayTo } from '../way-to-members.ts';

/** Bytes that a client may send while it waits for a member; more stay in the kernel. */
const mostAhead = 65_536;

/** Links a socket to its connection, so that all connections share one set of event handlers instead of a dozen closures each. */
const connection = Symbol('evenkeel.connection');

type Owned = Socket & { [connection]: Connection<unknown> };

/**
 * One client of a TCP virtual IP: waits for its turn, finds a member (the next one, where one cannot be connected to), then moves
 * bytes both ways until both ends are done. Nothing goes to a member before it is connected, so a failed connect loses nothing; each
 * side is read only as fast as the other takes it.
 */
export class Connection<T> implements ServedClient<T>, MemberListener, Opener {
  readonly #server: Server<T>;
  readonly #client: Socket;
  readonly #session: Session<T>;
  /** @internal */
  readonly input: MemberReader;
  #way: WayToMembers | undefined;
  #upstream: Socket | undefined;
  /** Of a client that has had to wait; undefined where nothing was read before the member was connected. */
  #ahead: BytesAhead | undefined;
  /** It sends no more than that. */
  #hasEnded = false;
  #isConnected = false;
  #isClosed = false;
  #isWatched = false;
  #outcome: Outcome = 'success';
  /** For the connect under way, or the pause before the next. */
  #timer: Timer;
  /** Bytes that each side has sent or taken, as last seen, and when that last changed: `inspect` compares. */
  #clientSeen = 0;
  #clientSince = 0;
  #memberSeen = 0;
  #memberSince = 0;

  constructor(server: Server<T>, client: Socket, session: Session<T>) {
    this.#server = server;
    this.#client = client;
    this.#session = session;
    this.input = new MemberReader(this);
    (client as Owned)[connection] = this as Connection<unknown>;
    client.on('error', clientFailed);
    client.on('close', clientClosed);
  }

  /** Looks for a member. */
  start(): void {
    this.#try(() => this.#session.next());
  }

  finish(): void {
    // It ends by itself.
  }

  abandon(member: Member<T>): void {
    if (this.#session.member === member) this.abort();
  }

  /** Ends it at once, both peers see a reset. */
  abort(): void {
    this.#outcome = 'aborted';
    reset(this.#client);
    this.#close();
  }

  /**
   * Looked at now and then. Ends the connection where one side has neither sent nor taken a byte for as long as its timeout says,
   * and lets the system watch both peers of one that lives long; most end before that would be worth the system calls.
   */
  inspect(now: number): void {
    const { timeouts } = this.#server.vip;
    const upstream = this.#upstream;
    if (!this.#isConnected || upstream === undefined) return;
    if (!this.#isWatched) {
      this.#isWatched = true;
      this.#client.setKeepAlive(true, keepAliveInitialDelay);
      upstream.setKeepAlive(true, keepAliveInitialDelay);
    }
    const clientMoved = moved(this.#client);
    if (clientMoved !== this.#clientSeen) {
      this.#clientSeen = clientMoved;
      this.#clientSince = now;
    }
    const memberMoved = moved(upstream);
    if (memberMoved !== this.#memberSeen) {
      this.#memberSeen = memberMoved;
      this.#memberSince = now;
    }
    const isClientIdle = timeouts.client > 0 && now - this.#clientSince >= timeouts.client;
    const isMemberIdle = timeouts.member > 0 && now - this.#memberSince >= timeouts.member;
    if (!isClientIdle && !isMemberIdle) return;
    this.#outcome = 'ignored';
    this.#client.destroy();
    upstream.destroy();
  }

  /** Asks the session what to do next, and does it. */
  #try(ask: () => NextStep<T>): void {
    let next: NextStep<T>;
    try {
      next = ask();
    } catch (cause) {
      // A user's strategy threw: this client is lost, and nobody else.
      this.#server.troubled(new EvenkeelError('ERR_EVENKEEL_STRATEGY', 'the strategy threw', { cause }));
      return this.abort();
    }
    if (next.refused) return this.abort();
    if ('isWaiting' in next) {
      next.whenOver = () => this.#try(() => this.#session.next());
      if (this.#ahead === undefined) this.#listenAhead();
    } else if ('pause' in next) {
      this.#timer = systemClock.setTimeout(() => this.#try(() => this.#session.next()), next.pause);
    } else {
      this.#connect(next.member);
    }
  }

  #listenAhead(): void {
    this.#ahead = new BytesAhead();
    this.#readClient();
  }

  #readClient(): void {
    const client = this.#client;
    client.on('data', clientSent);
    client.on('end', clientEnded);
    // A stage of its arrival that read from it may have seen its end.
    if (client.readableEnded) this.clientDone();
    client.resume();
  }

  #connect(member: Member<T>): void {
    const timeout = this.#server.vip.timeouts.connect;
    const { client } = this.#session;
    let way: WayToMembers;
    try {
      way = wayTo(this.#session.pool);
    } catch (cause) {
      const message = 'the members cannot be spoken to as their pool wants';
      this.#server.troubled(new EvenkeelError('ERR_EVENKEEL_CERTIFICATE', message, { cause }));
      return this.abort();
    }
    // Reset before anybody asked whose it was: there is nobody to tell members of.
    if (way.tellsOfClients && isNobody(client, this.#server.vip.address)) return this.abort();
    this.#way = way;
    this.#listenTo(way.open(member, client, timeout, this));
    if (timeout > 0) {
      this.#timer = systemClock.setTimeout(() => {
        this.#upstream?.destroy(new Error(`no connection to ${member.id} within ${timeout} ms`));
      }, timeout);
    }
  }

  #listenTo(upstream: Socket): void {
    this.input.member = upstream;
    (upstream as Owned)[connection] = this as Connection<unknown>;
    this.#upstream = upstream;
    upstream.on(this.#way?.standsWith ?? 'connect', memberConnected);
    upstream.on('error', memberFailed);
    upstream.on('close', memberClosed);
  }

  /** @internal */
  carriedBy(socket: Socket): void {
    if (this.#isClosed) return reset(socket);
    this.#listenTo(socket);
    socket.on('data', memberTold);
  }

  /** @internal */
  memberConnected(): void {
    const upstream = this.#upstream as Socket;
    systemClock.clearTimeout(this.#timer);
    this.#isConnected = true;
    this.#session.connected();
    this.#clientSince = this.#memberSince = systemClock.now();
    upstream.on('drain', memberDrained);
    upstream.on('end', memberEnded);
    if (this.#ahead === undefined) this.#sendPutBack();
    else this.#sendAhead(this.#ahead);
    if (this.#way?.isCorked) upstream.uncork();
  }

  /** What a stage of its arrival has put back goes at once: to a member that is told of the client, in one segment with that. */
  #sendPutBack(): void {
    const client = this.#client;
    const bytes = client.readableLength > 0 ? (client.read() as Buffer | null) : null;
    if (bytes !== null) this.fromClient(bytes);
    if (!client.destroyed) this.#readClient();
  }

  #sendAhead(ahead: BytesAhead): void {
    this.#ahead = undefined;
    if (ahead.length > 0) this.fromClient(ahead.bytes);
    if (this.#hasEnded) this.clientDone();
    else if (this.#upstream?.writableNeedDrain === false) this.#client.resume();
  }

  /** @internal */
  memberFailed(socket: Socket, error: NodeJS.ErrnoException): void {
    if (socket !== this.#upstream || this.#isClosed) return;
    if (this.#isConnected) {
      this.#outcome = 'failure';
      return reset(this.#client);
    }
    systemClock.clearTimeout(this.#timer);
    this.#upstream = undefined;
    if (isLocalFailure(error)) {
      const message = `cannot connect to a member: ${error.message}`;
      this.#server.troubled(new EvenkeelError('ERR_EVENKEEL_LOCAL_RESOURCE', message, { cause: error }));
      this.#try(() => this.#session.connectImpossible());
    } else {
      this.#try(() => this.#session.connectFailed(messageOf(error)));
    }
  }

  /** @internal */
  fromClient(chunk: Buffer): void {
    if (this.#ahead !== undefined) {
      this.#ahead.add(chunk);
      if (this.#ahead.length > mostAhead) this.#client.pause();
      return;
    }
    this.#session.countIn(chunk.length);
    if (this.#upstream?.write(chunk) === false) this.#client.pause();
  }

  /** @internal */
  memberSent(bytes: Buffer, isShared: boolean): Socket | undefined {
    const client = this.#client;
    this.#session.countOut(bytes.length);
    if (client.destroyed) return undefined;
    passOn(client, bytes, isShared);
    return client;
  }

  /** @internal */
  clientFailed(): void {
    // 'close' follows, and takes the member's side along.
    this.#outcome = 'aborted';
  }

  /** @internal */
  clientDone(): void {
    if (this.#ahead !== undefined) {
      // One that has asked for something may close its half and wait for the answer; who has not wants none.
      if (this.#ahead.length === 0) return this.abort();
      this.#hasEnded = true;
      return;
    }
    this.#upstream?.end();
  }

  /** @internal */
  memberDone(): void {
    this.#client.end();
  }

  /** @internal */
  memberDrained(): void {
    this.#client.resume();
  }

  /** @internal one of the two sockets is closed: when both are, so is the connection */
  socketClosed(socket: Socket, hadError: boolean): void {
    if (this.#isClosed || (socket !== this.#client && socket !== this.#upstream)) return;
    const other = socket === this.#client ? this.#upstream : this.#client;
    if (other === undefined || other.closed) return this.#close();
    // A socket that closed before both directions had ended takes the other with it.
    if (hadError) reset(other);
    else if (!socket.readableEnded || !socket.writableFinished) other.destroy();
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    systemClock.clearTimeout(this.#timer);
    if (this.#upstream !== undefined) reset(this.#upstream);
    this.input.release(this.#client);
    this.#session.leave(this.#outcome);
    this.#server.closed(this);
  }
}

function moved(socket: Socket): number {
  return socket.bytesRead + (socket.bytesWritten ?? 0) - socket.writableLength;
}

/** Whether a client has no address although it had one. */
function isNobody({ address, proxy }: Client, vipAddress: string): boolean {
  return address === undefined && !isUnix(vipAddress) && proxy?.family !== 'unix';
}

function clientSent(this: Socket, chunk: Buffer): void {
  (this as Owned)[connection].fromClient(chunk);
}

function clientEnded(this: Socket): void {
  (this as Owned)[connection].clientDone();
}

function clientFailed(this: Socket): void {
  (this as Owned)[connection].clientFailed();
}

function clientClosed(this: Socket, hadError: boolean): void {
  (this as Owned)[connection].socketClosed(this, hadError);
}

function memberConnected(this: Socket): void {
  (this as Owned)[connection].memberConnected();
}

function memberDrained(this: Socket): void {
  (this as Owned)[connection].memberDrained();
}

function memberEnded(this: Socket): void {
  (this as Owned)[connection].memberDone();
}

function memberTold(this: Socket, bytes: Buffer): void {
  (this as Owned)[connection].input.took(bytes);
}

function memberFailed(this: Socket, error: NodeJS.ErrnoException): void {
  (this as Owned)[connection].memberFailed(this, error);
}

function memberClosed(this: Socket, hadError: boolean): void {
  (this as Owned)[connection].socketClosed(this, hadError);
}
