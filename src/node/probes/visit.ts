import type { Socket } from 'node:net';
import { InconclusiveError } from '../../health/inconclusive-error.ts';
import type { ProbeTarget } from '../../health/probe.ts';
import { localHeader } from '../../proxy-protocol/proxy-header.ts';
import { writeProxyHeader } from '../../proxy-protocol/write-proxy-header.ts';
import { connectTo, isLocalFailure, messageOf } from '../member-socket.ts';

/** Says what a visit found: nothing where the member is fine, else what is wrong with it. Only the first one counts. */
export type Verdict = (failure?: Error) => void;

/** Where a check knocks, and with what. */
export type Visited = Pick<ProbeTarget, 'address' | 'port' | 'proxyProtocol' | 'signal'>;

/**
 * Connects to a member, says whose the connection is where it wants to know, and lets `talk` find out the rest, and leave once it has. Where there is no verdict when `signal` aborts,
 * the connection is cut. A failure of this machine says nothing about the member: it is an `InconclusiveError`.
 */
export function visit(
  { address, port, proxyProtocol, signal }: Visited,
  talk: (socket: Socket, verdict: Verdict) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = connectTo(address, port, 0);
    const abort = (): void => {
      socket.destroy();
      reject(signal.reason);
    };
    const verdict: Verdict = (failure) => {
      signal.removeEventListener('abort', abort);
      if (failure === undefined) resolve();
      else reject(asReason(failure));
    };
    signal.addEventListener('abort', abort, { once: true });
    if (proxyProtocol === undefined) socket.on('connect', () => talk(socket, verdict));
    else socket.write(headers[proxyProtocol], (error) => error ?? talk(socket, verdict));
    socket.on('error', verdict);
    socket.on('close', () => verdict(new Error('closed without an answer')));
  });
}

/** Nobody is behind a check. */
const headers = { v1: writeProxyHeader(1, localHeader), v2: writeProxyHeader(2, localHeader) };

/** What a check rejects with for a failure of a socket. */
export function asReason(failure: Error): Error {
  if (isLocalFailure(failure)) return new InconclusiveError(failure.message, { cause: failure });
  // All addresses of a name failed, of which Node's error says nothing, or a handshake, of which it says too much.
  if (messageOf(failure) === failure.message) return failure;
  return new Error(messageOf(failure), { cause: failure });
}
