/**
 * An HTTP virtual IP: requests are what is balanced, also those of one client that keeps its connection. The members learn who
 * asked; clients get an answer worth reading when no member can give one.
 */
import { once } from 'node:events';
import { Agent, createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { createVip } from 'evenkeel';
import { listen } from 'evenkeel/node';

// Two servers that say who they are, and who asked. Both can be told that they are not well.
let areWell = true;
const servers = ['a', 'b'].map((name) =>
  createServer(({ url, headers }, answer) => {
    if (url === '/health') answer.writeHead(areWell ? 200 : 500).end();
    else answer.end(`${name} to ${headers['x-forwarded-for']}, request ${headers['x-request-id']}`);
  }),
);
for (const server of servers) await once(server.listen(0, '127.0.0.1'), 'listening');

const vip = createVip({
  address: '127.0.0.1',
  port: 0,
  protocol: 'http',
  insertHeaders: { 'X-Forwarded-For': true, 'X-Request-Id': true },
  pool: {
    members: servers.map((server) => `127.0.0.1:${(server.address() as AddressInfo).port}`),
    healthMonitor: { type: 'http', urlPath: '/health', expectedCodes: '200', delay: 100, maxRetriesDown: 2 },
  },
  // What is answered where no member did: 503 here; also 400, 502, 504 and the like.
  errorAnswer: ({ status, reason }) => ({
    headers: { 'Content-Type': 'application/json', 'Retry-After': '5' },
    body: JSON.stringify({ status, reason }),
  }),
});
const { pool, stats } = vip;
const listener = await listen(vip);
const { port } = listener.address as AddressInfo;

// One client with one connection, and yet each request goes to the member whose turn it is.
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
for (let request = 1; request <= 4; request++) await ask();
console.log(`4 requests on ${stats.totalConnections} connection`);

// Nobody is believed who claims to speak for somebody else; `trustedCidrs` names those who may.
await ask({ 'X-Forwarded-For': '192.0.2.1' });

// The health monitor asks the members themselves, and soon sees nobody left to send requests to.
areWell = false;
await new Promise<void>((resolve) => pool.on('status', ({ to }) => to === 'error' && resolve()));
for (const { id, status, statusReason } of pool.members) console.log(`${id} is ${status}: ${statusReason}`);
await ask();

console.log('requests by member:', pool.members.map((member) => member.stats.requests).join(' and '));
console.log(`answers: ${stats.responses2xx} of 2xx, ${stats.responses5xx} of 5xx`);
const [p50, p99] = [50, 99].map((percent) => stats.timeToFirstByte?.percentile(percent).toFixed(1));
console.log(`time to the first byte: median ${p50} ms, 99th percentile ${p99} ms`);

agent.destroy();
await listener.close();
for (const server of servers) server.close();

async function ask(headers: Record<string, string> = {}): Promise<void> {
  const [answer] = (await once(get({ host: '127.0.0.1', port, agent, headers }), 'response')) as [IncomingMessage];
  console.log(answer.statusCode, await text(answer));
}
