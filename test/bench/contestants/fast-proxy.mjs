import { createServer } from 'node:http';
import fastProxy from 'fast-proxy';
import { origins, serve } from './serve.mjs';

/** With undici, as its README advises for throughput. A proxy of it has one target. */
const proxies = origins.map((base) => fastProxy({ base, undici: { connections: 128, pipelining: 1 } }));
let turn = 0;

serve(
  createServer((request, response) => {
    const { proxy } = proxies[turn];
    turn = (turn + 1) % proxies.length;
    proxy(request, response, request.url, {});
  }),
);
