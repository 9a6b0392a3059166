import fastifyHttpProxy from '@fastify/http-proxy';
import fastify from 'fastify';
import { serve } from './serve.mjs';

serve(async ({ member }) => {
  const server = fastify({ forceCloseConnections: true });
  server.register(fastifyHttpProxy, { upstream: `http://${member.host}:${member.port}`, websocket: true });
  await server.listen({ host: '127.0.0.1', port: 0 });
  return { port: server.server.address().port, close: () => server.close() };
});
