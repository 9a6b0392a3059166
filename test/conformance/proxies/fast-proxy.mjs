import { createServer } from 'node:http';
import fastProxy from 'fast-proxy';
import { serve, serveBehind } from './serve.mjs';

serve(({ member }) => {
  const { proxy, close } = fastProxy({ base: `http://${member.host}:${member.port}` });
  const server = createServer((request, response) => proxy(request, response, request.url, {}));
  return serveBehind(server, close);
});
