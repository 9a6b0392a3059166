/**
 * Safeguards of a pool: one member fails and is taken out, is back on trial and passes; retries are a share of the requests; and when
 * every health check fails, the members that can still serve do.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createVip } from 'evenkeel';
import { listen } from 'evenkeel/node';

// Three servers. One of them can be told to fail its clients, all of them to fail their checks.
let isBroken = true;
let areWell = true;
const servers = ['a', 'b', 'c'].map((name) =>
  createServer(({ url }, answer) => {
    if (url === '/health') answer.writeHead(areWell ? 200 : 500).end();
    else answer.writeHead(name === 'c' && isBroken ? 503 : 200).end(name);
  }),
);
for (const server of servers) await once(server.listen(0, '127.0.0.1'), 'listening');

const vip = createVip({
  address: '127.0.0.1',
  port: 0,
  protocol: 'http',
  pool: {
    members: servers.map((server, index) => {
      const { port } = server.address() as AddressInfo;
      return { id: 'abc'.charAt(index), address: '127.0.0.1', port, maxRequests: 100 };
    }),
    healthMonitor: { type: 'http', urlPath: '/health', delay: 50, maxRetries: 1, maxRetriesDown: 1 },
    // Three failures in a row take a member out; afterwards it gets one request at a time until one went well.
    outlierDetection: { consecutiveFailures: 3, baseEjectionTime: 1000, halfOpen: 1 },
    // At most one retry for five requests, and ten a second besides.
    retryBudget: { percent: 20, minPerSecond: 10 },
    // Fewer than half of them healthy: rather all than none.
    panic: { threshold: 50 },
  },
});
const { pool } = vip;
pool.on('member-ejected', ({ member, reason }) => console.log(`${member.id} is out: ${reason}`));
pool.on('member-readmitted', ({ member, isOnTrial }) =>
  console.log(`${member.id} is back${isOnTrial ? ' on trial' : ''}`),
);
pool.on('trial-passed', ({ member }) => console.log(`${member.id} has passed`));
pool.on('panic', ({ isPanicking }) => console.log(isPanicking ? 'panic: all members serve' : 'no more panic'));
const listener = await listen(vip);
const { port } = listener.address as AddressInfo;

// `c` answers its checks and fails its clients: three of them, then no more.
await ask(30);

// It is mended. When its time is over it gets one request, and then its share.
const back = event('trial-passed');
isBroken = false;
await event('member-readmitted');
await ask(3);
await back;
await ask(30);

// The checks say that nobody is healthy. They are wrong, and nobody notices.
areWell = false;
await event('panic');
await ask(30);
console.log(`the pool is ${pool.status}, its members ${pool.members.map(({ status }) => status).join(', ')}`);

const { ejections, ejectionsByCause } = pool.outlierStats ?? {};
console.log(`${ejections} ejection, ${ejectionsByCause?.['consecutive-failures']} for failures in a row`);

await listener.close();
for (const server of servers) server.close();

/** Asks so often, and tells who answered how often, and how many got no good answer. */
async function ask(requests: number): Promise<void> {
  const counts: Record<string, number> = {};
  for (let request = 0; request < requests; request++) {
    const answer = await fetch(`http://127.0.0.1:${port}`);
    const who = answer.ok ? await answer.text() : String(answer.status);
    counts[who] = (counts[who] ?? 0) + 1;
  }
  const told = Object.entries(counts)
    .toSorted()
    .map(([who, count]) => `${count} ${who}`);
  console.log(`${requests} requests: ${told.join(', ')}`);
}

function event(name: 'member-readmitted' | 'trial-passed' | 'panic'): Promise<void> {
  return new Promise((resolve) => pool.once(name, () => resolve()));
}
