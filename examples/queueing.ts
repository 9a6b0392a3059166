/**
 * Eight requests come at once to a member that takes two at a time. They wait their turn; one client gives up, and what comes when the
 * queue is full is refused.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createVip } from 'evenkeel';
import { listen } from 'evenkeel/node';

let atATime = 0;
let most = 0;
const server = createServer((_, answer) => {
  most = Math.max(most, ++atATime);
  setTimeout(() => {
    atATime--;
    answer.end('served');
  }, 200);
});
await once(server.listen(0, '127.0.0.1'), 'listening');

const vip = createVip({
  address: '127.0.0.1',
  port: 0,
  protocol: 'http',
  pool: {
    members: [{ address: '127.0.0.1', port: (server.address() as AddressInfo).port, maxConnections: 2 }],
    queue: { limit: 6, timeout: 10_000 },
  },
});
const { pool } = vip;
pool.once('queueing', () => console.log('clients begin to wait'));
const listener = await listen(vip);
const url = `http://127.0.0.1:${(listener.address as AddressInfo).port}/`;

const impatient = new AbortController();
const requests = Array.from({ length: 8 }, async (_, index) => {
  try {
    const answer = await fetch(url, { signal: index === 7 ? impatient.signal : null });
    return await answer.text();
  } catch {
    return 'gave up';
  }
});
while (pool.queueStats?.waiting !== 6) await new Promise(setImmediate);
console.log(`the ninth: ${(await fetch(url)).status}`);
impatient.abort();

console.log((await Promise.all(requests)).sort().join(', '));
const { served, abandoned, refused } = pool.queueStats;
console.log(`${served} waited and were served, ${abandoned} gave up, ${refused} refused, ${most} at a time`);

await listener.close();
server.close();
server.closeAllConnections();
