/**
 * The demo: three real backend processes behind a virtual IP, real clients all the time, and a quarter of a minute in which
 * a backend is killed and comes back, another joins and one is drained. No client may fail. Run it with `npm run demo`.
 */
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createVip } from 'evenkeel';
import { listen } from 'evenkeel/node';
import { type Backend, Backends } from './demo/backends.ts';
import { Screen } from './demo/screen.ts';
import { percent, shareOf, table } from './demo/table.ts';
import { Traffic } from './demo/traffic.ts';

const redrawEvery = 200;

/** Tells the story; resolves with whether every client was served. */
async function demo(signal: AbortSignal): Promise<boolean> {
  const start = performance.now();
  await using backends = new Backends();
  using screen = new Screen(process.stdout);
  const say = (text: string): void => {
    screen.say(`${((performance.now() - start) / 1000).toFixed(1).padStart(5)} s  ${text}`);
  };

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
  const { pool } = vip;
  let events = 0;
  pool.on('member-status', ({ member, from, to, reason }) => {
    events++;
    say(`  event: ${member.id} ${from} → ${to} (${reason})`);
  });
  await using listener = await listen(vip);
  const { port } = listener.address as AddressInfo;
  say(`virtual IP 127.0.0.1:${port} before 3 backend processes, ${pool.strategy.name}`);

  // From here on clients come and go.
  await using traffic = new Traffic(port);
  const { tally } = traffic;
  const draw = (): void => {
    const { activeConnections } = vip.stats;
    const clients = `  clients: ${activeConnections} connected, ${tally.served} served, ${tally.failed} failed`;
    screen.draw([...table(pool), clients, '']);
  };
  using _redraw = every(redrawEvery, () => {
    if (screen.isLive) draw();
  });
  const watch = async (duration: number): Promise<void> => {
    await sleep(duration, undefined, { signal });
    draw();
  };
  await watch(2_500);

  say(`SIGKILL to b2 (process ${b2.pid}) under load`);
  await traffic.outlive('b2', () => backends.kill('b2'));
  await watch(2_500);

  say(`b2 comes back on port ${b2.port}`);
  await backends.start('b2', b2.port);
  await watch(2_500);

  say('b4 joins while clients are served');
  pool.add(asMember(await backends.start('b4')));
  await watch(2_000);

  say('b1 drains: it keeps its clients and gets no new ones');
  const { remaining } = await pool.drain('b1', { deadline: 5_000, signal });
  say(`b1 is drained, ${remaining} connections were cut`);
  await watch(1_000);

  await traffic.finish();
  await listener.close();
  draw();

  const { totalConnections, connectFailures, retries } = vip.stats;
  const shares = pool.members.map((member) => `${member.id} ${percent(shareOf(member, pool)).trim()}`);
  screen.say(`clients served                ${tally.served}`);
  screen.say(`clients failed                ${tally.failed}`);
  screen.say(
    `connections                   ${totalConnections}, of which ${tally.cut} died with b2; their clients came again`,
  );
  screen.say(
    `connects to a dead backend    ${connectFailures}, each tried elsewhere (${retries}) before its client noticed`,
  );
  screen.say(`shares                        ${shares.join(', ')}`);
  screen.say(`member status events          ${events}`);
  for (const failure of traffic.failures) screen.say(`failed: ${failure}`);
  return tally.failed === 0 && remaining === 0;
}

function asMember({ name, address, port }: Backend): { id: string; address: string; port: number } {
  return { id: name, address, port };
}

function every(delay: number, callback: () => void): Disposable {
  const timer = setInterval(callback, delay);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

// Ctrl-C ends the story early; what `using` holds is given back on the way out, the backend processes above all.
const interrupt = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupt.abort());
try {
  process.exitCode = (await demo(interrupt.signal)) ? 0 : 1;
} catch (error) {
  if (!interrupt.signal.aborted) throw error;
  process.exitCode = 130;
}
