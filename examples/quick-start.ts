/** The README's example on ports that are free, and what clients see of it. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createVip } from 'evenkeel';
import { listen } from 'evenkeel/node';

// Two servers that say who they are. Yours run somewhere already.
const servers = ['first', 'second'].map((name) => createServer((_, answer) => answer.end(`from the ${name}`)));
for (const server of servers) await once(server.listen(0, '127.0.0.1'), 'listening');

// One address before them.
const vip = createVip({
  address: '127.0.0.1',
  port: 0,
  protocol: 'http',
  pool: {
    members: servers.map((server) => `127.0.0.1:${(server.address() as AddressInfo).port}`),
    healthMonitor: { type: 'http', delay: 1000 },
  },
});
vip.pool.on('member-status', ({ member, to, reason }) => console.log(member.id, to, reason));
const listener = await listen(vip);
const { port } = listener.address as AddressInfo;

// Clients know only that one. Each request goes to the member whose turn it is.
for (let request = 1; request <= 4; request++) {
  const answer = await fetch(`http://127.0.0.1:${port}`);
  console.log(`request ${request}: ${await answer.text()}`);
}
console.log('requests:', vip.pool.members.map(({ stats }) => stats.requests).join(' and '));

await listener.close();
for (const server of servers) server.close();
