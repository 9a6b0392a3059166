import type { AddressInfo } from 'node:net';
import { createVip, type Member } from 'evenkeel';
import { listen } from 'evenkeel/node';
import { asMember, Backends } from './backends.ts';
import type { Stage } from './stage.ts';
import { type Column, shares, table } from './table.ts';
import { tcpClients } from './tcp-clients.ts';
import { Traffic } from './traffic.ts';

const columns: readonly Column[] = [
  { title: 'active', width: 6, text: ({ activeConnections }) => String(activeConnections) },
  { title: 'total', width: 6, text: ({ totalConnections }) => String(totalConnections) },
  { title: 'bytes out', width: 9, text: ({ bytesOut }) => `${(bytesOut / 1e6).toFixed(1)} MB` },
  { title: 'connects failed', width: 15, text: ({ connectFailures }) => String(connectFailures) },
];

/** Connections are balanced: a backend is killed and comes back, another joins, one is drained. Resolves with whether all were served. */
export async function tcpStory(stage: Stage): Promise<boolean> {
  const { signal } = stage;
  await using backends = new Backends('tcp');

  // Three backends, and a virtual IP before them that checks each one every 400 ms.
  const [b1, b2, b3] = await Promise.all([backends.start('b1'), backends.start('b2'), backends.start('b3')]);
  const vip = createVip({
    name: 'demo',
    address: '127.0.0.1',
    port: 0,
    pool: {
      strategy: 'least-connections',
      members: [b1, b2, b3].map(asMember),
      healthMonitor: { type: 'tcp', delay: 400, timeout: 300, maxRetries: 2, maxRetriesDown: 3 },
    },
  });
  const { pool, stats } = vip;
  pool.on('member-status', ({ member, from, to, reason }) => {
    stage.say(`  event: ${member.id} ${from} → ${to} (${reason})`);
  });
  await using listener = await listen(vip);
  const { port } = listener.address as AddressInfo;
  stage.say(`TCP: virtual IP 127.0.0.1:${port} before 3 backend processes, ${pool.strategy.name}`);

  // From here on clients come and go.
  await using traffic = new Traffic(tcpClients(port));
  const share = (member: Member): number => member.stats.totalConnections / Math.max(1, pool.stats.totalConnections);
  using _picture = stage.show(() => [
    ...table(pool, columns, share),
    `  clients: ${stats.activeConnections} connected, ${traffic.count('served')} served, ${traffic.count('failed')} failed`,
    '',
  ]);
  await stage.watch(1_500);

  stage.say(`SIGKILL to b2 (process ${b2.pid}) under load`);
  await traffic.outlive('b2', () => backends.kill('b2'));
  await stage.watch(2_000);

  stage.say(`b2 comes back on port ${b2.port}`);
  await backends.start('b2', b2.port);
  await stage.watch(1_500);

  stage.say('b4 joins while clients are served');
  pool.add(asMember(await backends.start('b4')));
  await stage.watch(1_500);

  stage.say('b1 drains: it keeps its clients and gets no new ones');
  const { remaining } = await pool.drain('b1', { deadline: 5_000, signal });
  stage.say(`b1 is drained, ${remaining} connections were cut`);
  await traffic.finish();
  await listener.close();
  stage.draw();

  const { totalConnections, connectFailures, retries } = stats;
  stage.conclude({
    'clients served': `${traffic.count('served')}`,
    'clients failed': [traffic.count('failed'), ...traffic.failures].join('; '),
    connections: `${totalConnections}, of which ${traffic.count('cut')} died with b2; their clients came again`,
    'connects to a dead backend': `${connectFailures}, each tried elsewhere (${retries}) before its client noticed`,
    'connections per member': shares(pool, share),
  });
  return traffic.count('failed') === 0 && remaining === 0;
}
