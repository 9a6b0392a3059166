import type { Socket } from 'node:net';
import { InconclusiveError } from '../../health/inconclusive-error.ts';
import type { Probe } from '../../health/probe.ts';
import { connectTo, isLocalFailure } from '../tcp/member-socket.ts';

/** Passes where a connection can be opened; nothing is sent. */
export function tcpProbe<T = unknown>(): Probe<T> {
  return { name: 'tcp', check: ({ address, port, signal }) => canConnect(address, port, signal) };
}

function canConnect(address: string, port: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connectTo(address, port, 0);
    const abort = (): void => {
      socket.destroy();
      reject(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
    socket.on('connect', () => {
      signal.removeEventListener('abort', abort);
      resolve();
      takeLeave(socket);
    });
    socket.on('error', (error) => {
      reject(isLocalFailure(error) ? new InconclusiveError(error.message, { cause: error }) : error);
    });
    socket.on('close', () => signal.removeEventListener('abort', abort));
  });
}

/** How long a member has to close, too, in milliseconds. */
const mostLinger = 1000;

/**
 * Closes as a client that is done would: a member that greets its clients (SSH, MySQL, SMTP) can send its greeting, where closing
 * at once would reset it in the middle and fill the member's log with errors.
 */
function takeLeave(socket: Socket): void {
  const timer = setTimeout(() => socket.destroy(), mostLinger).unref();
  socket.on('close', () => clearTimeout(timer));
  socket.unref();
  socket.resume();
  socket.end();
}
