import type { Socket } from 'node:net';
import { InconclusiveError } from '../../health/inconclusive-error.ts';
import type { ProbeTarget } from '../../health/probe.ts';
import { connectTo, isLocalFailure, messageOf } from '../member-socket.ts';

/** Says what a visit found: nothing where the member is fine, else what is wrong with it. Only the first one counts. */
export type Verdict = (failure?: Error) => void;

/**
 * Connects to a member and lets `talk` find out the rest, and leave once it has. Where there is no verdict when `signal` aborts,
 * the connection is cut. A failure of this machine says nothing about the member: it is an `InconclusiveError`.
 */
export function visit(
  { address, port, signal }: Pick<ProbeTarget, 'address' | 'port' | 'signal'>,
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
    socket.on('connect', () => talk(socket, verdict));
    socket.on('error', verdict);
    socket.on('close', () => verdict(new Error('closed without an answer')));
  });
}

/** What a check rejects with for a failure of a socket. */
export function asReason(failure: Error): Error {
  if (isLocalFailure(failure)) return new InconclusiveError(failure.message, { cause: failure });
  if (!(failure instanceof AggregateError)) return failure;
  // All addresses of a name failed; Node's error for that has no message.
  return new Error(messageOf(failure), { cause: failure });
}
