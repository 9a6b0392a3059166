import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { expect, test } from 'vitest';
import { Balancer } from '../../src/index.ts';
import { listen } from '../../src/node/index.ts';
import { Backend } from '../fixtures/node/backend.ts';
import { ask, refusalOf } from '../fixtures/node/client.ts';
import { closedPort, ownHost } from '../fixtures/node/places.ts';
import { until } from '../fixtures/node/until.ts';

/** Somebody else on a port that a virtual IP wants. */
async function squatter(host: string, port: number): Promise<Server> {
  const server = createServer();
  server.listen(port, host);
  await once(server, 'listening');
  return server;
}

test('a virtual IP whose port is taken keeps no other from coming and going', async () => {
  await using backend = await Backend.start({ name: 'a' });
  const host = ownHost();
  const server = await squatter(host, 4009);
  const balancer = new Balancer();
  balancer.createPool({ name: 'a', members: [backend.at] });
  const vip = (port: number) => ({ name: `${port}`, address: host, port, pool: 'a' });
  balancer.createVip(vip(4001));
  await using listener = await listen(balancer);
  const errors: string[] = [];
  listener.on('error', ({ code }) => errors.push(code));

  balancer.createVip(vip(4009));
  balancer.createVip(vip(4002));
  balancer.removeVip('4001');
  await until(() => listener.addresses.has('4002') && !listener.addresses.has('4001'), 'the others are followed');
  expect(await ask({ host, port: 4002 })).toBe('a');
  expect(await refusalOf({ host, port: 4001 })).toBe('ECONNREFUSED');
  expect(new Set(errors)).toEqual(new Set(['ERR_EVENKEEL_LISTEN']));

  server.close();
  balancer.createVip(vip(4003));
  await until(() => listener.addresses.has('4009'), 'the next change tries it again');
  expect(await ask({ host, port: 4009 })).toBe('a');
});

test('a listener that is closed while a change is under way leaves nothing bound', async () => {
  await using backend = await Backend.start({ name: 'a' });
  const host = ownHost();
  const balancer = new Balancer();
  balancer.createPool({ name: 'a', members: [backend.at] });
  const listener = await listen(balancer);
  balancer.createVip({ name: 'one', address: host, port: 4001, pool: 'a' });
  const vips = [4001, 4002, 4003].map((port) => ({ name: `${port}`, address: host, port, pool: 'a' }));
  const applying = balancer.apply({ pools: [{ name: 'a', members: [backend.at] }], vips });
  await listener.close();
  await applying;
  for (const port of [4001, 4002, 4003]) expect(await refusalOf({ host, port })).toBe('ECONNREFUSED');
});

test('a client that comes before the change does is served after it, and sent away where it does not come', async () => {
  await using backend = await Backend.start({ name: 'a' });
  const host = ownHost();
  const pools = [{ name: 'a', members: [backend.at] }];
  const balancer = new Balancer();
  await using listener = await listen(balancer);
  const vips = Array.from({ length: 100 }, (_, index) => ({
    name: `${index}`,
    address: host,
    port: 5000 + index,
    pool: 'a',
  }));
  const early = async (): Promise<string> => {
    for (;;) {
      const answer = await ask({ host, port: 5000 }).catch((error: NodeJS.ErrnoException) => error.code ?? '');
      if (answer !== 'ECONNREFUSED') return answer;
    }
  };
  const served = early();
  await balancer.apply({ pools, vips });
  expect(await served).toBe('a');
  expect(backend.accepted).toBe(1);
  expect(listener.addresses.size).toBe(100);

  await balancer.apply({ pools });
  const server = await squatter(host, 5099);
  const sentAway = early();
  await expect(balancer.apply({ pools, vips })).rejects.toThrow('5099');
  const answered = await Promise.race([sentAway, refusalOf({ host, port: 5000 })]);
  expect(['ECONNRESET', 'ECONNREFUSED']).toContain(answered);
  expect(backend.accepted).toBe(1);
  server.close();
  await balancer.apply({ pools, vips });
  await sentAway;
});

test('the listener of one virtual IP follows it to another pool', async () => {
  await using backend = await Backend.start({ name: 'b' });
  const host = ownHost();
  const balancer = new Balancer();
  const at = { name: 'web', address: host, port: 4001 };
  const vip = balancer.createVip({ ...at, pool: { name: 'a', members: [backend.at] } });
  await using listener = await listen(vip);
  const dead = closedPort();
  const healthMonitor = { type: 'tcp', delay: 20 } as const;
  await balancer.apply({
    pools: [{ name: 'b', members: [backend.at, dead], healthMonitor }],
    vips: [{ ...at, pool: 'b' }],
  });
  await until(() => vip.pool.get(dead)?.status === 'error', 'the new pool is checked');
  expect(await ask({ host, port: 4001 })).toBe('b');
  expect(listener.vip.pool.name).toBe('b');
});
