import { createServer } from 'node:http';
import { createProxyServer } from 'http-proxy-3';
import { giveUp, serve, serveBehind } from './serve.mjs';

serve(({ member, inserts }) => {
  const proxy = createProxyServer({ target: `http://${member.host}:${member.port}`, xfwd: inserts });
  proxy.on('error', (_error, _request, target) => giveUp(target));
  const server = createServer((request, response) => proxy.web(request, response));
  server.on('upgrade', (request, socket, head) => proxy.ws(request, socket, head));
  return serveBehind(server);
});
