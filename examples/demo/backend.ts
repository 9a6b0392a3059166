/**
 * A backend of the demo, a process of its own: answers each line that it gets with its name and 4 kB of text.
 * Started by backends.ts with its name and, to come back where it was, its port.
 */
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

const [name = 'backend', port = '0'] = process.argv.slice(2);
const payload = '.'.repeat(4096);

const server = createServer((socket) => {
  const lines = createInterface(socket);
  // A client that resets its connection is no reason to die; readline repeats its socket's errors.
  for (const emitter of [socket, lines]) emitter.on('error', () => {});
  lines.on('line', () => socket.write(`${name} ${payload}\n`));
  lines.on('close', () => socket.end());
});

server.on('error', (error) => {
  console.error(`${name}: ${error.message}`);
  process.exit(1);
});
server.listen(Number(port), '127.0.0.1', () => {
  process.send?.(server.address());
});

// The demo ends its backends itself, also after Ctrl-C, which reaches every process of a terminal; and none outlives it.
process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit());
