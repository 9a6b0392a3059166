import { expect, test } from 'vitest';
import { Backend } from '../fixtures/node/backend.ts';
import { HAProxy } from '../fixtures/node/http/haproxy.ts';
import { get } from '../fixtures/node/http/node-client.ts';
import { ownHost } from '../fixtures/node/places.ts';
import { Scene } from '../fixtures/node/scene.ts';
import { until } from '../fixtures/node/until.ts';

/** What agents say, in the first answer and in the second. */
const sayings: readonly (readonly [string, string])[] = [
  ['75%,maxconn:30,maint,down', '75%,maxconn:30,maint,down'],
  ['up', 'up'],
  ['100%', '50%'],
  ['0%', '0%'],
  ['0%', '20%'],
  ['150%', '150%'],
  ['99999%', '99999%'],
  ['drain', 'drain'],
  ['drain', 'ready'],
  ['drain', '50%'],
  ['maint', 'maint'],
  ['maint', 'ready up'],
  ['down', 'down'],
  ['down', 'up'],
  ['down', '50%'],
  ['fail #disk', 'fail # disk'],
  ['stopped', 'stopped # for now'],
  ['UP Ready 5%', 'maxconn:7'],
  ['maxconn:7', 'maxconn:0'],
  ['  up \t , 50% ', '\t60%,'],
  ['drain ready 10% 20%', 'ready'],
  ['ready drain', '5%'],
  ['down up', 'up'],
  ['busy 50%', 'certainly'],
  ['down', 'certainly'],
];

/** HAProxy shows the weight of a server in maintenance as if nobody had changed it. */
function shown(status: string, weight: string | number, limit: string | number): string {
  return `${status}, weight ${status === 'offline' ? '' : weight}, limit ${limit}`;
}

/** What is to be seen of a server in HAProxy's statistics, in our words. */
function asOurs(line: string): string {
  const fields = line.split(',');
  const [limit = '', state = '', weight = ''] = [fields[6], fields[17], fields[18]];
  const statuses = { MAINT: 'offline', DRAIN: 'draining', DOWN: 'error' };
  const serving = weight === '0' ? 'draining' : 'no-monitor';
  const status = Object.entries(statuses).find(([word]) => state.startsWith(word))?.[1] ?? serving;
  return shown(status, weight, limit === '0' ? '' : limit);
}

test('agents are understood as HAProxy understands them', async () => {
  let turn = 0;
  const host = ownHost();
  const agents = await Promise.all(
    sayings.map((lines) => Backend.start({ host, does: (socket) => socket.end(`${lines[turn]}\n`) })),
  );
  const servers = agents.map(({ port }, index) => {
    return `  server s${index} ${host}:9 weight 100 agent-check agent-addr ${host} agent-port ${port} agent-inter 50ms`;
  });
  await using haproxy = await HAProxy.start(['  stats enable', '  stats uri /stats', ...servers].join('\n'));
  await using scene = await Scene.open({
    members: agents.map(({ port }, index) => {
      return { id: `s${index}`, address: host, port: 9, weight: 100, agentPort: port };
    }),
    agentCheck: { delay: 50, timeout: 5000 },
  });
  const theirs = async (): Promise<string[]> => {
    const { body } = await get(haproxy.place, '/stats;csv');
    const lines = body
      .toString()
      .split('\n')
      .filter((line) => /^all,s\d+,/.test(line));
    return lines.map((line, index) => `${sayings[index]?.slice(0, turn + 1)}: ${asOurs(line)}`);
  };
  const ours = (): string[] => {
    return scene.pool.members.map(({ status, weight, maxConnections = '' }, index) => {
      return `${sayings[index]?.slice(0, turn + 1)}: ${shown(status, weight, maxConnections)}`;
    });
  };
  for (turn = 0; turn < 2; turn++) {
    const before = agents.map(({ accepted }) => accepted);
    await until(() => agents.every(({ accepted }, index) => accepted >= (before[index] ?? 0) + 6), 'all are asked');
    const isSame = async (): Promise<boolean> => ours().join() === (await theirs()).join();
    await until(isSame, 'both have heard all of them').catch(() => {});
    expect(ours()).toEqual(await theirs());
  }
  for (const agent of agents) await agent.stop();
});
