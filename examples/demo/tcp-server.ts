import { createServer, type Server } from 'node:net';
import { createInterface } from 'node:readline';

const payload = '.'.repeat(4096);

/** Answers each line that it gets with its name and 4 kB of text. */
export function tcpServer(name: string): Server {
  return createServer((socket) => {
    const lines = createInterface(socket);
    // A client that resets its connection is no reason to die; readline repeats its socket's errors.
    for (const emitter of [socket, lines]) emitter.on('error', () => {});
    lines.on('line', () => socket.write(`${name} ${payload}\n`));
    lines.on('close', () => socket.end());
  });
}
