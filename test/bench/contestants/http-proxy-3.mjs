import { Agent, createServer } from 'node:http';
import { createProxyServer } from 'http-proxy-3';
import { giveUp, nextMember, serve } from './serve.mjs';

const proxy = createProxyServer({ agent: new Agent({ keepAlive: true }) });
proxy.on('error', (_error, _request, target) => giveUp(target));

const server = createServer((request, response) => proxy.web(request, response, { target: nextMember() }));
server.on('upgrade', (request, socket, head) => proxy.ws(request, socket, head, { target: nextMember() }));
serve(server);
