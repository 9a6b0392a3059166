/**
 * A probe of one's own: a member is fine where it answers `GET /ready` with 200. A server that says that it is not ready gets no
 * clients until it is, although connections to it would succeed.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createVip, type MemberSpec, type MemberStatus, type Pool, type Probe } from 'evenkeel';
import { listen } from 'evenkeel/node';

const readiness: Probe = {
  name: 'readiness',
  async check({ address, port, signal }) {
    // The signal aborts after the monitor's timeout. What is thrown takes the member down, its message is the reason.
    const response = await fetch(`http://${address}:${port}/ready`, { signal });
    await response.body?.cancel();
    if (response.status !== 200) throw new Error(`not ready (${response.status})`);
  },
};

// Two web servers; the second can be told that it is not ready.
let isReady = true;
const servers: Server[] = [];
const members: MemberSpec[] = [];
for (const id of ['a', 'b']) {
  const server = createServer((request, response) => {
    if (request.url === '/ready') response.statusCode = id === 'b' && !isReady ? 503 : 200;
    response.end(`server ${id}`);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  servers.push(server);
  members.push({ id, address: '127.0.0.1', port: (server.address() as AddressInfo).port });
}

const vip = createVip({
  address: '127.0.0.1',
  port: 0,
  pool: { members, healthMonitor: { type: readiness, delay: 100, timeout: 5000, maxRetries: 2, maxRetriesDown: 2 } },
});
const listener = await listen(vip);
const { port } = listener.address as AddressInfo;

console.log('both ready:', await askAFewTimes());
isReady = false;
console.log('b is', await becomes(vip.pool, 'error'));
console.log('b not ready:', await askAFewTimes());
isReady = true;
console.log('b is', await becomes(vip.pool, 'online'));
console.log('both ready:', await askAFewTimes());

await listener.close({ deadline: 0 });
for (const server of servers) {
  server.closeAllConnections();
  server.close();
}

/** Who answers four clients, each with a connection of its own. */
async function askAFewTimes(): Promise<string> {
  const answers: string[] = [];
  for (let client = 0; client < 4; client++) {
    const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } });
    answers.push(await response.text());
  }
  return answers.sort().join(', ');
}

/** The status of the next member that changes to it, and why it did. */
function becomes(pool: Pool, status: MemberStatus): Promise<string> {
  return new Promise((resolve) => {
    pool.on('member-status', ({ to, reason }) => {
      if (to === status) resolve(`${to}: ${reason}`);
    });
  });
}
