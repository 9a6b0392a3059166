import { createServer } from 'node:http';
import { createProxyServer } from 'httpxy';
import { giveUp, serve, serveBehind } from './serve.mjs';

serve(({ member, inserts }) => {
  const target = `http://${member.host}:${member.port}`;
  const proxy = createProxyServer({ target, xfwd: inserts, ws: true });
  const server = createServer((request, response) => {
    proxy.web(request, response).catch(() => giveUp(response));
  });
  server.on('upgrade', (request, socket, head) => {
    // An answer that refuses may still be on its way when this rejects.
    proxy.ws(request, socket, { target }, head).catch(() => {});
  });
  return serveBehind(server);
});
