import type { Socket } from 'node:net';

/** How long a member has to close, too, in milliseconds. */
const mostLinger = 1000;
/** How many bytes it may still send meanwhile. */
const mostRest = 65_536;

/**
 * Closes as a client that is done would: a member that greets its clients (SSH, MySQL, SMTP) can send its greeting, where closing
 * at once would reset it in the middle and fill the member's log with errors.
 */
export function leave(socket: Socket): void {
  stayFor(socket);
  socket.end();
}

/**
 * Lets the member close first, for one that was asked to and takes an earlier end for a client that has given up: nginx notes
 * 499, an application its aborted request.
 */
export function leaveLast(socket: Socket): void {
  stayFor(socket);
  socket.on('end', () => socket.end());
}

/** Reads the rest, within bounds, and does not keep the process alive for it. */
function stayFor(socket: Socket): void {
  const timer = setTimeout(() => socket.destroy(), mostLinger).unref();
  socket.on('close', () => clearTimeout(timer));
  let rest = 0;
  socket.on('data', ({ length }) => {
    rest += length;
    if (rest > mostRest) socket.destroy();
  });
  socket.unref();
}
