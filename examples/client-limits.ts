/**
 * A client that asks too often gets 429 and is told when to come back; when it does, it is served. Another address has its own rate, and
 * connections are limited as well.
 */
import { once } from 'node:events';
import { Agent, createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createVip } from 'evenkeel';
import { listen } from 'evenkeel/node';

const server = createServer((_, answer) => answer.end('served'));
await once(server.listen(0, '127.0.0.1'), 'listening');

const vip = createVip({
  address: '127.0.0.1',
  port: 0,
  protocol: 'http',
  clientLimits: { rate: 0.5, burst: 3, maxConnections: 2 },
  pool: { members: [{ address: '127.0.0.1', port: (server.address() as AddressInfo).port }] },
});
vip.once('rejected', ({ clientAddress, reason }) => console.log(`${clientAddress} is refused: ${reason}`));
const listener = await listen(vip);
const { port } = listener.address as AddressInfo;

// Five requests at once where three are permitted, all on one connection.
const hasty = new Agent({ keepAlive: true, maxSockets: 1 });
const answers = await Promise.all(Array.from({ length: 5 }, () => ask('127.0.0.2', hasty)));
console.log(`the hasty one gets ${answers.map(({ statusCode }) => statusCode).join(', ')}`);

// Somebody else does not notice.
const other = new Agent({ keepAlive: true });
console.log(`another one gets ${(await ask('127.0.0.3', other)).statusCode}`);

// It waits for as long as it was told, and goes on where it was.
const seconds = Number(answers[4]?.headers['retry-after']);
console.log(`told to come back in ${seconds} s`);
await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
console.log(
  `then it gets ${(await ask('127.0.0.2', hasty)).statusCode}, on ${vip.stats.totalConnections} connections in all`,
);

// A third connection at a time is one too many. It is told so, too.
vip.update({ clientLimits: { maxConnections: 2 } });
const many = new Agent({ keepAlive: true });
const statuses = await Promise.all(Array.from({ length: 3 }, async () => (await ask('127.0.0.4', many)).statusCode));
console.log(`three connections at once get ${statuses.sort().join(', ')}`);

const { rate, connections } = vip.stats.clientLimits;
console.log(`refused: ${rate} for the rate, ${connections} for connections`);

for (const agent of [hasty, other, many]) agent.destroy();
await listener.close();
server.close();
server.closeAllConnections();

async function ask(localAddress: string, agent: Agent): Promise<IncomingMessage> {
  const [answer] = (await once(get({ host: '127.0.0.1', port, localAddress, agent }), 'response')) as [IncomingMessage];
  answer.resume();
  await once(answer, 'end');
  return answer;
}
