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
      socket.destroy();
      resolve();
    });
    socket.on('error', (error) => {
      reject(isLocalFailure(error) ? new InconclusiveError(error.message, { cause: error }) : error);
    });
    socket.on('close', () => signal.removeEventListener('abort', abort));
  });
}
