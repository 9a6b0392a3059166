import fastifyHttpProxy from '@fastify/http-proxy';
import fastify from 'fastify';
import { origins } from './serve.mjs';

/** With undici, its default; the target is chosen by the hook there is for it. */
let turn = 0;
function getUpstream() {
  turn = (turn + 1) % origins.length;
  return origins[turn];
}

const server = fastify();
server.register(fastifyHttpProxy, {
  upstream: '',
  websocket: true,
  replyOptions: { getUpstream },
});
await server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 });

process.on('disconnect', () => process.exit());
process.send({ port: server.server.address().port });
