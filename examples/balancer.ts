/**
 * A balancer with several virtual IPs, changed while it serves: `apply()` takes the whole state that shall be, and only what
 * differs changes. Real listeners follow.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { Balancer, type BalancerSpec, SpecError } from 'evenkeel';
import { listen } from 'evenkeel/node';

// Two servers that echo.
const servers = [createServer((client) => client.pipe(client)), createServer((client) => client.pipe(client))];
const ports: number[] = [];
for (const server of servers) {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  ports.push((server.address() as AddressInfo).port);
}
const members = ports.map((port, index) => ({ id: `m${index + 1}`, address: '127.0.0.1', port }));

const balancer = new Balancer({ name: 'shop' });
const listener = await listen(balancer);

// Two virtual IPs share one pool: one set of members, counters and checks.
const today: BalancerSpec = {
  pools: [{ name: 'servers', members, healthMonitor: { type: 'tcp' } }],
  vips: [
    { name: 'public', address: '127.0.0.1', port: 0, pool: 'servers' },
    { name: 'internal', address: '127.0.0.1', port: 0, pool: 'servers' },
  ],
};
await balancer.apply(today);
show('applied');

const client = connect(portOf('public'), '127.0.0.1');
await say('hello');

// Tomorrow: another weight, a new virtual IP, and `internal` is gone. The client's connection does not notice.
const tomorrow: BalancerSpec = {
  pools: [{ name: 'servers', members: members.map((member) => ({ ...member, weight: 10 })) }],
  vips: [
    { name: 'public', address: '127.0.0.1', port: 0, pool: 'servers' },
    { name: 'partners', address: '127.0.0.1', port: 0, pool: 'servers', allowedCidrs: ['127.0.0.0/8'] },
  ],
};
await balancer.apply(tomorrow);
show('applied again');
await say('still there');

// A state with a mistake changes nothing, and the error says where the mistake is.
const mistake = { ...tomorrow, vips: [{ name: 'public', address: '127.0.0.1', port: 99_999, pool: 'servers' }] };
try {
  await balancer.apply(mistake);
} catch (error) {
  if (!(error instanceof SpecError)) throw error;
  console.log(`refused: ${error.message}`);
}
await say('and goodbye');
client.end();

await listener.close();
for (const server of servers) server.close();
console.log(`served ${balancer.stats().totalConnections} connection, ${balancer.stats().activeConnections} left`);

function show(title: string): void {
  const { status, vips, pools } = balancer.statusTree();
  console.log(`${title}: ${balancer.name} is ${status}`);
  for (const vip of vips) console.log(`  ${vip.name} on ${vip.address} → ${vip.pool.name} is ${vip.status}`);
  for (const { members } of pools) {
    for (const member of members) console.log(`    ${member.id} weight ${member.weight} is ${member.status}`);
  }
}

async function say(word: string): Promise<void> {
  client.write(word);
  const [echo] = await once(client, 'data');
  console.log(`the client says and hears: ${echo}`);
}

function portOf(name: string): number {
  return (listener.addresses.get(name) as AddressInfo).port;
}
