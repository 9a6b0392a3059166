import type { AddressInfo } from 'node:net';
import { createVip, type Member } from 'evenkeel';
import { listen } from 'evenkeel/node';
import { asMember, Backends } from './backends.ts';
import { httpClients } from './http-clients.ts';
import type { Stage } from './stage.ts';
import { type Column, shares, table } from './table.ts';
import { Traffic } from './traffic.ts';

const columns: readonly Column[] = [
  { title: 'active', width: 6, text: ({ activeConnections }) => String(activeConnections) },
  { title: 'requests', width: 8, text: ({ requests }) => String(requests) },
  { title: '2xx', width: 6, text: ({ responses2xx }) => String(responses2xx) },
  { title: 'errors', width: 6, text: ({ requestErrors }) => String(requestErrors) },
  { title: 'connections', width: 11, text: ({ totalConnections }) => String(totalConnections) },
];

/**
 * Requests are balanced: a backend is killed and comes back, then all are replaced, one after the other. No GET may fail, and
 * nothing at all but what was at the killed backend when it died. Resolves with whether that is so.
 */
export async function httpStory(stage: Stage): Promise<boolean> {
  const { signal } = stage;
  await using backends = new Backends('http');
  const started = await Promise.all([backends.start('h1'), backends.start('h2'), backends.start('h3')]);
  const [, h2] = started;
  const vip = createVip({
    name: 'web',
    address: '127.0.0.1',
    port: 0,
    protocol: 'http',
    pool: {
      members: started.map(asMember),
      healthMonitor: { type: 'http', urlPath: '/health', delay: 400, timeout: 300, maxRetries: 2, maxRetriesDown: 3 },
    },
  });
  const { pool, stats } = vip;
  pool.on('member-status', ({ member, from, to, reason }) => {
    stage.say(`  event: ${member.id} ${from} → ${to} (${reason})`);
  });
  await using listener = await listen(vip);
  const { port } = listener.address as AddressInfo;
  stage.say(`HTTP: virtual IP 127.0.0.1:${port} before 3 backend processes, ${pool.strategy.name}`);

  await using traffic = new Traffic(httpClients(port));
  const share = (member: Member): number => member.stats.requests / Math.max(1, pool.stats.requests);
  using _picture = stage.show(() => [...table(pool, columns, share), `  clients served: ${served(traffic)}`, '']);
  await stage.watch(1_500);

  stage.say(`SIGKILL to h2 (process ${h2.pid}) under load`);
  await traffic.outlive('h2', () => backends.kill('h2'));
  await stage.watch(2_000);

  stage.say(`h2 comes back on port ${h2.port}`);
  await backends.start('h2', h2.port);
  await stage.watch(1_500);

  stage.say('one after the other, each backend is drained and replaced');
  let remaining = 0;
  for (const { name } of started) {
    remaining += (await pool.drain(name, { deadline: 5_000, signal })).remaining;
    await backends.kill(name);
    const { port, pid } = await backends.start(name);
    pool.get(name)?.update({ port, enabled: true });
    stage.say(`${name} is process ${pid} on port ${port} now`);
  }
  stage.say(`all are replaced, ${remaining} requests were cut`);
  await stage.watch(500);
  await traffic.finish();
  await listener.close();

  const { responses1xx, responses2xx, responses3xx, responses4xx, responses5xx, timeToFirstByte } = stats;
  const classes = { '1xx': responses1xx, '2xx': responses2xx, '3xx': responses3xx, '4xx': responses4xx };
  const [p50, p99] = [50, 99].map((percent) => `${timeToFirstByte?.percentile(percent).toFixed(1)} ms`);
  const [posts, sockets] = ['POST', 'WebSocket'].map((name) => traffic.count('cut', name));
  stage.conclude({
    'clients served': served(traffic),
    'clients failed': [traffic.count('failed'), ...traffic.failures].join('; '),
    'cut when h2 was killed': `${posts} POST, answered 502 since nobody may send it twice; ${sockets} WebSocket`,
    'tried again elsewhere': `${stats.retries} requests; no client noticed`,
    responses: Object.entries({ ...classes, '5xx': responses5xx })
      .map(([name, count]) => `${name} ${count}`)
      .join(', '),
    'time to first byte': `p50 ${p50}, p99 ${p99}`,
    connections: `${stats.totalConnections} from clients, ${pool.stats.totalConnections} to members`,
    'requests per member': shares(pool, share),
  });
  return traffic.count('failed') === 0 && remaining === 0;
}

function served(traffic: Traffic): string {
  return [...traffic.tallies].map(([name, { served }]) => `${served} ${name}`).join(', ');
}
