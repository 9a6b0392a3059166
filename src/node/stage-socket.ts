import type { Socket } from 'node:net';

/** Who looks after a client that is not served yet, and hears what its socket tells. */
export interface SocketStage {
  sent(bytes: Buffer): void;
  /** The client sends no more. */
  ended(): void;
  /** It is gone. */
  closed(): void;
}

/** Links a socket to its stage, so that all share one set of event handlers. */
const stage = Symbol('evenkeel.stage');

type Staged = Socket & { [stage]: SocketStage };

/** The stage hears when the socket closes. One that hands over to the next lets go afterwards, so that there always is somebody. */
export function watch(socket: Socket, by: SocketStage): void {
  (socket as Staged)[stage] = by;
  socket.on('error', failed);
  socket.on('close', closed);
}

export function letGo(socket: Socket): void {
  socket.off('error', failed);
  socket.off('close', closed);
}

/** It also hears the end, once the stream comes to it. */
export function hearEnd(socket: Socket): void {
  socket.on('end', ended);
}

/** It also hears what the client sends. */
export function hear(socket: Socket): void {
  hearEnd(socket);
  socket.on('data', sent);
  socket.resume();
}

/** It hears of neither any more, and the socket rests. */
export function hearNoMore(socket: Socket): void {
  socket.pause();
  socket.off('data', sent);
  socket.off('end', ended);
}

function sent(this: Socket, bytes: Buffer): void {
  (this as Staged)[stage].sent(bytes);
}

function ended(this: Socket): void {
  (this as Staged)[stage].ended();
}

function failed(this: Socket): void {
  // 'close' follows.
}

function closed(this: Socket): void {
  (this as Staged)[stage].closed();
}
