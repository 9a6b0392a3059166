/**
 * WebSockets through an HTTP virtual IP: which member serves one is decided when it opens, and the member counts it until it
 * closes. A drain waits for that, so nobody is cut off.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createVip, type MemberSpec } from 'evenkeel';
import { listen } from 'evenkeel/node';
import { WebSocket, WebSocketServer } from 'ws';

// Two servers that repeat what they hear, each with its name before it.
const servers: WebSocketServer[] = [];
const members: MemberSpec[] = [];
for (const id of ['a', 'b']) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  server.on('connection', (client) => client.on('message', (words) => client.send(`${id} heard ${words}`)));
  await once(server, 'listening');
  servers.push(server);
  members.push({ id, address: '127.0.0.1', port: (server.address() as AddressInfo).port });
}

const vip = createVip({
  address: '127.0.0.1',
  port: 0,
  protocol: 'http',
  // An upgraded connection on which nothing moves for so long is ended. The default is an hour.
  timeouts: { tunnel: 600_000 },
  // A plain request to a WebSocket server is answered with "Upgrade Required": then it is well.
  pool: { members, healthMonitor: { type: 'http', expectedCodes: '426' } },
});
const { pool } = vip;
const listener = await listen(vip);
const { port } = listener.address as AddressInfo;

const first = await open();
const second = await open();
const third = await open();
show('three are open');

// Before `a` goes down for an update it takes nobody new; who is there may finish.
const drained = pool.drain('a', { deadline: 60_000 });
const fourth = await open();
await say(first, 'hello');
await say(fourth, 'hello');
show('a drains');

first.close();
third.close();
const { remaining } = await drained;
show(`a is drained, ${remaining} were cut off`);
pool.remove('a');
await say(second, 'goodbye');

for (const client of [second, fourth]) client.close();
await listener.close();
for (const server of servers) server.close();

async function open(): Promise<WebSocket> {
  const client = new WebSocket(`ws://127.0.0.1:${port}/chat`);
  await once(client, 'open');
  return client;
}

async function say(client: WebSocket, words: string): Promise<void> {
  client.send(words);
  const [answer] = await once(client, 'message');
  console.log(`${answer}`);
}

function show(title: string): void {
  const counts = pool.members.map(({ id, status, stats }) => `${id} (${status}) has ${stats.activeConnections}`);
  console.log(`${title}: ${counts.join(', ')}`);
}
