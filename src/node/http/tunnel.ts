import type { Socket } from 'node:net';
import type { Session } from '../../core/session.ts';
import { keepAliveInitialDelay, reset } from '../member-socket.ts';
import { passOn } from '../read-buffers.ts';
import type { MemberConnection, MemberUser } from './member-connection.ts';

/** What a tunnel asks of the client's connection. */
export interface TunnelOwner<T> {
  readonly socket: Socket;
  readonly session: Session<T>;
  /** The member's end is gone. */
  memberLeft(): void;
}

/** A client and a member that have agreed on another protocol: bytes both ways, until both ends are done. */
export class Tunnel<T> implements MemberUser {
  readonly #owner: TunnelOwner<T>;
  readonly #upstream: MemberConnection<T>;
  #seen = 0;
  #since: number;

  /** @param now milliseconds */
  constructor(owner: TunnelOwner<T>, upstream: MemberConnection<T>, now: number) {
    this.#owner = owner;
    this.#upstream = upstream;
    this.#since = now;
    upstream.user = this;
    owner.socket.setKeepAlive(true, keepAliveInitialDelay);
    upstream.socket.setKeepAlive(true, keepAliveInitialDelay);
  }

  clientSent(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#owner.session.countIn(bytes.length);
    if (!this.#upstream.socket.write(bytes)) this.#owner.socket.pause();
  }

  clientEnded(): void {
    this.#upstream.socket.end();
  }

  /**
   * The client's connection is closed.
   *
   * @returns whether the member's is too; where both have ended, it may still have to take what the client sent last
   */
  clientGone(hadError: boolean): boolean {
    const upstream = this.#upstream;
    if (hadError || !upstream.socket.readableEnded) upstream.abort(this.#owner.socket);
    return upstream.socket.destroyed;
  }

  memberConnected(): void {
    // It was, long ago.
  }

  memberSent(bytes: Buffer, isShared: boolean): Socket | undefined {
    const { socket, session } = this.#owner;
    if (socket.destroyed) return undefined;
    session.countOut(bytes.length);
    passOn(socket, bytes, isShared);
    return socket;
  }

  memberDrained(): void {
    this.#owner.socket.resume();
  }

  memberEnded(): void {
    this.#owner.socket.end();
  }

  memberGone(error: NodeJS.ErrnoException | undefined): void {
    const { socket, session } = this.#owner;
    this.#upstream.abort(socket);
    if (error !== undefined) {
      session.finishRequest('failure');
      reset(socket);
    } else if (!this.#upstream.socket.readableEnded || !socket.readableEnded) socket.destroy();
    this.#owner.memberLeft();
  }

  /** Whether nothing has moved for so many milliseconds. */
  isIdle(now: number, timeout: number): boolean {
    const moved = this.#owner.socket.bytesRead + this.#upstream.socket.bytesRead;
    if (moved !== this.#seen) {
      this.#seen = moved;
      this.#since = now;
    }
    return timeout > 0 && now - this.#since >= timeout;
  }
}
