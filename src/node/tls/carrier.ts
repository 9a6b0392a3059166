import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

/** Links a TLS socket to the socket that carries it. */
const carrier = Symbol('evenkeel.carrier');

type Carried = Socket & { [carrier]?: Socket };

export function carries(socket: Socket, secured: TLSSocket): void {
  (secured as Carried)[carrier] = socket;
}

/** The socket that the system knows: that itself, or the one below the TLS. */
export function carrierOf(socket: Socket): Socket {
  return (socket as Carried)[carrier] ?? socket;
}

/** Whether what is written is encrypted here. */
export function isSecured(socket: Socket): boolean {
  return (socket as Carried)[carrier] !== undefined;
}
