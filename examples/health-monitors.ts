/**
 * Members that say how they are. Each has a health page, which must say `UP`, on a port of its own, and an agent, which says in a line
 * how much of its share a member wants. What clients meet counts, too: a member whose door is shut is out before its next check.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createAgent, type Server } from 'node:net';
import { createVip, type MemberSpec, type MemberStatusChange } from 'evenkeel';
import { listen } from 'evenkeel/node';

const health = new Map([
  ['a', 'UP'],
  ['b', 'UP'],
]);
const wishes = new Map([
  ['a', '100%'],
  ['b', '100%'],
]);
const doors = new Map<string, Server>();
const servers: Server[] = [];

const members: MemberSpec[] = [];
for (const id of health.keys()) {
  const door = createServer((_, response) => response.end(id));
  const page = createServer((_, response) => response.end(`{"status":"${health.get(id)}"}`));
  const agent = createAgent((socket) => socket.on('error', () => {}).end(`${wishes.get(id)}\n`));
  doors.set(id, door);
  members.push({
    id,
    address: '127.0.0.1',
    port: await opened(door),
    monitorPort: await opened(page),
    agentPort: await opened(agent),
    weight: 100,
  });
}

const vip = createVip({
  address: '127.0.0.1',
  port: 0,
  pool: {
    members,
    healthMonitor: {
      type: 'http',
      expectBody: /"status":"UP"/,
      // Seldom while all is well, soon when something is about to change.
      delay: 300,
      fastDelay: 30,
      downDelay: 100,
      observe: 'connect',
      errorLimit: 2,
      onError: 'mark-down',
    },
    agentCheck: { delay: 50 },
  },
});
const { pool } = vip;
const listener = await listen(vip);
const { port } = listener.address as AddressInfo;

await reached(() => pool.get('a')?.agent !== undefined && pool.get('b')?.agent !== undefined);
console.log('both are fine:', await shares());

wishes.set('b', '50%');
await reached(() => pool.get('b')?.weight === 50);
console.log('b wants half:', await shares());

wishes.set('b', 'drain 100%');
await reached(() => pool.get('b')?.status === 'draining');
console.log(`b is ${pool.get('b')?.statusReason}:`, await shares());

wishes.set('b', 'ready');
await reached(() => pool.get('b')?.status === 'online');
health.set('b', 'DOWN');
await reached(() => pool.get('b')?.status === 'error');
console.log(`b is ${pool.get('b')?.statusReason}:`, await shares());

health.set('b', 'UP');
await reached(() => pool.get('b')?.status === 'online');
const news = new Promise<MemberStatusChange<unknown>>((resolve) => pool.on('member-status', resolve));
doors.get('b')?.close();
console.log('b has shut its door:', await shares());
const { member, to, reason } = await news;
console.log(`${member.id} is ${to}: ${reason}`);

await listener.close({ deadline: 0 });
for (const server of servers) server.close();

async function opened(server: Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  servers.push(server);
  return (server.address() as AddressInfo).port;
}

/** Who answers twelve clients, each with a connection of its own. */
async function shares(): Promise<string> {
  const counts: Record<string, number> = {};
  for (let client = 0; client < 12; client++) {
    const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } });
    const id = await response.text();
    counts[id] = (counts[id] ?? 0) + 1;
  }
  return Object.keys(counts)
    .sort()
    .map((id) => `${counts[id]} by ${id}`)
    .join(', ');
}

async function reached(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}
