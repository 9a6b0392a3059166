/**
 * A backend of the demo, a process of its own. Started by backends.ts with its protocol, its name and, to come back where it was,
 * its port.
 */
import { httpServer } from './http-server.ts';
import { tcpServer } from './tcp-server.ts';

const [protocol, name = 'backend', port = '0'] = process.argv.slice(2);

const server = protocol === 'http' ? httpServer(name) : tcpServer(name);
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
