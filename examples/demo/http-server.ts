import { createServer, type Server } from 'node:http';
import { WebSocketServer } from 'ws';

const payload = '.'.repeat(4096);
/** Milliseconds that an answer takes, so that at any moment some are under way. */
const work = 15;

/** Answers GET with its name and 4 kB of text, POST with its name and how much it got, and each WebSocket message with its name. */
export function httpServer(name: string): Server {
  const server = createServer((request, answer) => {
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
    });
    request.on('end', () => {
      setTimeout(() => answer.end(`${name} ${request.method === 'POST' ? size : payload}\n`), work);
    });
  });
  new WebSocketServer({ server }).on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', () => socket.send(name));
  });
  return server;
}
