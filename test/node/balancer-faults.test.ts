import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { expect, test } from 'vitest';
import { Balancer } from '../../src/index.ts';
import { listen } from '../../src/node/index.ts';
import { Backend, echoes } from '../fixtures/node/backend.ts';
import { ask, Client, refusalOf } from '../fixtures/node/client.ts';
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

/** A balancer whose next change waits, once its listener is ready, for somebody else to be so. */
async function hesitant() {
  const backend = await Backend.start({ name: 'a', does: echoes });
  const host = ownHost();
  const balancer = new Balancer();
  const vip = (port: number) => ({ name: `${port}`, address: host, port, pool: 'a' });
  const state = (...ports: number[]) => ({ pools: [{ name: 'a', members: [backend.at] }], vips: ports.map(vip) });
  await balancer.apply(state(4001));
  const listener = await listen(balancer);
  let decide: { resolve(): void; reject(error: Error): void } | undefined;
  const decision = new Promise<void>((resolve, reject) => {
    decide = { resolve, reject };
  });
  let isWaiting = false;
  await balancer.attach({
    prepare: async (placements) => {
      if (placements.length > 1) {
        isWaiting = true;
        await decision;
      }
      return { commit: () => {}, cancel: () => {} };
    },
    failed: () => {},
  });
  const applying = balancer.apply(state(4001, 4002));
  applying.catch(() => {});
  await until(() => isWaiting, 'the listener is ready');
  return { backend, host, listener, applying, decide: decide as NonNullable<typeof decide> };
}

test('a client that comes before the change does waits for it', async () => {
  const { backend, host, listener, applying, decide } = await hesitant();
  using client = await Client.connect({ host, port: 4002 });
  client.send('hello');
  using other = await Client.connect({ host, port: 4001 });
  await other.isEchoed('served meanwhile');
  expect(backend.accepted).toBe(1);
  decide.resolve();
  await applying;
  await client.receives('hello');
  expect(backend.accepted).toBe(2);
  await listener.close({ deadline: 0 });
  await backend.stop();
});

test('a client that comes before a change that does not happen is sent away', async () => {
  const { backend, host, listener, applying, decide } = await hesitant();
  using client = await Client.connect({ host, port: 4002 });
  decide.reject(new Error('somebody else cannot'));
  await expect(applying).rejects.toThrow('somebody else cannot');
  expect(await client.closed()).toBe('ECONNRESET');
  expect(await refusalOf({ host, port: 4002 })).toBe('ECONNREFUSED');
  expect(backend.accepted).toBe(0);
  await listener.close({ deadline: 0 });
  await backend.stop();
});

test('closing while a change is under way lets running connections finish', async () => {
  const { backend, host, listener, applying, decide } = await hesitant();
  using client = await Client.connect({ host, port: 4001 });
  await client.isEchoed('hello');
  const closing = listener.close();
  decide.resolve();
  await applying;
  await client.isEchoed('still here');
  expect(await refusalOf({ host, port: 4002 })).toBe('ECONNREFUSED');
  client.end();
  await closing;
  await backend.stop();
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
