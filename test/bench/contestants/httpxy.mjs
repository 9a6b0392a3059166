import { createServer } from 'node:http';
import { createProxyServer } from 'httpxy';
import { giveUp, nextMember, serve } from './serve.mjs';

// Its own agent, the default, keeps connections.
const proxy = createProxyServer({ ws: true });

const server = createServer((request, response) => {
  proxy.web(request, response, { target: nextMember() }).catch(() => giveUp(response));
});
server.on('upgrade', (request, socket, head) => {
  proxy.ws(request, socket, { target: nextMember() }, head).catch(() => giveUp(socket));
});
serve(server);
