import { connect, isIP, type NetConnectOpts, type OnReadOpts, type Socket } from 'node:net';
import { isUnix } from '../core/address.ts';
import { carrierOf } from './tls/carrier.ts';
import { tlsReasonOf } from './tls/tls-reason.ts';

/** Milliseconds of silence after which the system probes a connection's peer; what HAProxy's `tcp-ka` leaves to the system. */
export const keepAliveInitialDelay = 60_000;

/**
 * Starts connecting to a member. Half-open, since a client may stop sending and still wait for its answer.
 *
 * @param connectTimeout milliseconds, 0 for none; what each address of a host name gets is derived from it
 */
export function connectTo(address: string, port: number, connectTimeout: number, onread?: OnReadOpts): Socket {
  const own = { allowHalfOpen: true, ...(onread === undefined ? undefined : { onread }) };
  return connect({ ...connectOptions(address, port, connectTimeout), ...own });
}

/** @param connectTimeout milliseconds, 0 for none */
export function connectOptions(address: string, port: number, connectTimeout: number): NetConnectOpts {
  if (isUnix(address)) return { path: address.slice('unix:'.length) };
  const tcp = { host: address, port, noDelay: true };
  if (isIP(address) !== 0) return tcp;
  // Node gives each address of a name 250 ms by default, too little for a far member; two get a fair share of the timeout.
  const autoSelectFamilyAttemptTimeout = connectTimeout > 0 ? Math.max(250, Math.floor(connectTimeout / 2)) : 5000;
  return { ...tcp, autoSelectFamily: true, autoSelectFamilyAttemptTimeout };
}

const localCodes = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL']);

/** Whether a connect failed for want of something on this machine, which says nothing about the member. */
export function isLocalFailure(error: NodeJS.ErrnoException): boolean {
  return error.code !== undefined && localCodes.has(error.code);
}

/** Why a connect failed, also where several addresses of one name all failed. */
export function messageOf(error: Error): string {
  if (error instanceof AggregateError) return error.errors.map((each: Error) => each.message).join('; ');
  return tlsReasonOf(error) ?? error.message;
}

/** Ends a socket with a reset, so that the peer sees a failure and not a clean end; where there are no resets, by closing. */
export function reset(socket: Socket): void {
  if (socket.destroyed) return;
  // A Unix socket has no reset, and Node throws at the attempt; one that is still connecting has nobody to tell.
  // Nor can one be reset whose end is just being sent (libuv answers EINVAL, and Node then loses the descriptor).
  const isEnding = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0;
  const carrier = carrierOf(socket);
  if (socket.connecting || isEnding || carrier.remoteAddress === undefined) socket.destroy();
  else if ('encrypted' in carrier) resetTls(carrier);
  // A TLS socket closes with the one that carries it.
  else carrier.resetAndDestroy();
}

/** The system's half of a socket that connected by itself and speaks TLS, as Node keeps it. */
interface TcpHandle {
  /** Both say whether they cannot (0: they can), and call back when it is closed. */
  reset(closed: () => void): number;
  close(closed: () => void): void;
}

/** Node resets no TLS sockets. Where it keeps the handle elsewhere than all versions so far have, the connection is closed. */
function resetTls(socket: Socket): void {
  const handle = (socket as { readonly _handle?: { readonly _parent?: Partial<TcpHandle> } | null })._handle?._parent;
  if (typeof handle?.reset === 'function' && typeof handle.close === 'function') {
    const close = handle.close.bind(handle);
    handle.close = (closed) => {
      if (handle.reset?.(closed) !== 0) close(closed);
    };
  }
  socket.destroy();
}

/** Resets a client that nobody serves. */
export function turnAway(client: Socket): void {
  client.on('error', () => {
    // It may fail as it likes.
  });
  reset(client);
}
