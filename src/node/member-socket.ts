import { connect, isIP, type OnReadOpts, type Socket } from 'node:net';
import { isUnix } from '../core/address.ts';
import { carrierOf } from './tls/carrier.ts';

/** Milliseconds of silence after which the system probes a connection's peer; what HAProxy's `tcp-ka` leaves to the system. */
export const keepAliveInitialDelay = 60_000;

/**
 * Starts connecting to a member. Half-open, since a client may stop sending and still wait for its answer.
 *
 * @param connectTimeout milliseconds, 0 for none; what each address of a host name gets is derived from it
 */
export function connectTo(address: string, port: number, connectTimeout: number, onread?: OnReadOpts): Socket {
  const options = { allowHalfOpen: true, ...(onread === undefined ? undefined : { onread }) };
  if (isUnix(address)) return connect({ ...options, path: address.slice('unix:'.length) });
  const tcp = { ...options, host: address, port, noDelay: true };
  if (isIP(address) !== 0) return connect(tcp);
  // Node gives each address of a name 250 ms by default, too little for a far member; two get a fair share of the timeout.
  const autoSelectFamilyAttemptTimeout = connectTimeout > 0 ? Math.max(250, Math.floor(connectTimeout / 2)) : 5000;
  return connect({ ...tcp, autoSelectFamily: true, autoSelectFamilyAttemptTimeout });
}

const localCodes = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL']);

/** Whether a connect failed for want of something on this machine, which says nothing about the member. */
export function isLocalFailure(error: NodeJS.ErrnoException): boolean {
  return error.code !== undefined && localCodes.has(error.code);
}

/** Why a connect failed, also where several addresses of one name all failed. */
export function messageOf(error: Error): string {
  if (error instanceof AggregateError) return error.errors.map((each: Error) => each.message).join('; ');
  return error.message;
}

/** Ends a socket with a reset, so that the peer sees a failure and not a clean end; where there are no resets, by closing. */
export function reset(socket: Socket): void {
  if (socket.destroyed) return;
  // A Unix socket has no reset, and Node throws at the attempt; one that is still connecting has nobody to tell.
  // Nor can one be reset whose end is just being sent (libuv answers EINVAL, and Node then loses the descriptor).
  const isEnding = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0;
  const carrier = carrierOf(socket);
  if (socket.connecting || isEnding || carrier.remoteAddress === undefined) socket.destroy();
  // A TLS socket closes with the one that carries it.
  else carrier.resetAndDestroy();
}

/** Resets a client that nobody serves. */
export function turnAway(client: Socket): void {
  client.on('error', () => {
    // It may fail as it likes.
  });
  reset(client);
}
