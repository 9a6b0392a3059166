import { describe, expect, test } from 'vitest';
import { Backend, echoes } from '../fixtures/node/backend.ts';
import { Client, refusalOf } from '../fixtures/node/client.ts';
import { ownFolder } from '../fixtures/node/places.ts';
import { Scene } from '../fixtures/node/scene.ts';
import { until } from '../fixtures/node/until.ts';

const one = { localAddress: '127.0.8.1' };
const other = { localAddress: '127.0.8.2' };

async function scene(backend: Backend, settings: Parameters<typeof Scene.open>[1]) {
  return await Scene.open({ members: [backend.at] }, settings);
}

const reasons = ({ rejected }: Scene): string[] =>
  rejected.map(({ clientAddress, reason }) => `${clientAddress} ${reason}`);

/** Nobody is known any more. */
const isForgotten = ({ vip }: Scene) => until(() => vip.stats.clientLimits.addresses === 0, 'nobody is known');

describe('connections of an address', () => {
  test('beyond the limit are reset, those of others are not, and one that ends makes room', async () => {
    await using backend = await Backend.start({ does: echoes });
    await using open = await scene(backend, { clientLimits: { maxConnections: 2 } });
    using first = await Client.connect(open.place, one);
    using second = await Client.connect(open.place, one);
    await first.isEchoed('first');
    await second.isEchoed('second');
    expect(await refusalOf(open.place, one)).toBe('ECONNRESET');
    using stranger = await Client.connect(open.place, other);
    await stranger.isEchoed('stranger');
    expect(reasons(open)).toEqual(['127.0.8.1 client-connections']);
    expect(open.vip.stats).toMatchObject({
      activeConnections: 3,
      rejects: 1,
      clientLimits: { connections: 1, rate: 0 },
    });
    expect([open.vip.stats.clientLimits.addresses, backend.accepted]).toEqual([2, 3]);
    second.end();
    await until(() => open.vip.stats.activeConnections === 2, 'it is gone');
    using third = await Client.connect(open.place, one);
    await third.isEchoed('third');
    for (const client of [first, stranger, third]) client.end();
    await open.isAtRest();
    await isForgotten(open);
  });

  test('count while they wait for their turn, and no longer when they leave it', async () => {
    await using backend = await Backend.start({ does: echoes });
    await using open = await scene(backend, { connectionLimit: 1, clientLimits: { maxConnections: 2 } });
    using served = await Client.connect(open.place, other);
    await served.isEchoed('served');
    using waiting = await Client.connect(open.place, one);
    using leaver = await Client.connect(open.place, one);
    await until(() => open.vip.stats.waitingConnections === 2, 'both wait');
    expect(await refusalOf(open.place, one)).toBe('ECONNRESET');
    leaver.reset();
    await until(() => open.vip.stats.waitingConnections === 1, 'it has left');
    using next = await Client.connect(open.place, one);
    await until(() => open.vip.stats.waitingConnections === 2, 'there was room for another');
    served.end();
    await waiting.isEchoed('my turn');
    waiting.end();
    await next.isEchoed('and mine');
    next.end();
    await open.isAtRest();
    await isForgotten(open);
    expect(reasons(open)).toEqual(['127.0.8.1 client-connections']);
  });

  test('of a Unix socket are not limited', async () => {
    await using folder = await ownFolder();
    await using backend = await Backend.start({ does: echoes });
    const address = `unix:${folder.socket('vip')}`;
    await using open = await Scene.open(
      { members: [backend.at] },
      { address, port: null as never, clientLimits: { maxConnections: 1, rate: 0.001 } },
    );
    const clients: Client[] = [];
    for (let client = 0; client < 3; client++) clients.push(await Client.connect(open.place));
    for (const client of clients) await client.isEchoed('here');
    for (const client of clients) client.end();
    await open.isAtRest();
    expect(open.rejected).toEqual([]);
  });

  test('that were there before the limit count, and are not sent away', async () => {
    await using backend = await Backend.start({ does: echoes });
    await using open = await scene(backend, {});
    using first = await Client.connect(open.place, one);
    using second = await Client.connect(open.place, one);
    await first.isEchoed('first');
    await second.isEchoed('second');
    open.vip.update({ clientLimits: { maxConnections: 1 } });
    expect(await refusalOf(open.place, one)).toBe('ECONNRESET');
    await first.isEchoed('still here');
    await second.isEchoed('still here');
    first.end();
    await until(() => open.vip.stats.activeConnections === 1, 'one is gone');
    expect(await refusalOf(open.place, one)).toBe('ECONNRESET');
    open.vip.update({ clientLimits: null });
    using third = await Client.connect(open.place, one);
    await third.isEchoed('third');
    second.end();
    third.end();
    await open.isAtRest();
  });
});

describe('behind a balancer that tells of its clients', () => {
  const told = (address: string): string => `PROXY TCP4 ${address} 10.9.9.9 4711 80\r\n`;

  test('each is limited by its own address, also while it waits', async () => {
    await using backend = await Backend.start({ does: echoes });
    await using open = await scene(backend, {
      acceptProxyProtocol: { trustedCidrs: ['127.0.0.0/8'] },
      connectionLimit: 1,
      clientLimits: { maxConnections: 1 },
    });
    using first = await Client.connect(open.place);
    first.send(`${told('10.0.0.1')}first`);
    await first.receives('first');
    using second = await Client.connect(open.place);
    second.send(`${told('10.0.0.1')}second`);
    expect(await second.closed()).toBe('ECONNRESET');
    using third = await Client.connect(open.place);
    third.send(`${told('10.0.0.2')}third`);
    await until(() => open.vip.stats.waitingConnections === 1, 'it waits');
    using fourth = await Client.connect(open.place);
    fourth.send(`${told('10.0.0.2')}fourth`);
    expect(await fourth.closed()).toBe('ECONNRESET');
    first.end();
    await third.receives('third');
    third.end();
    await open.isAtRest();
    await isForgotten(open);
    expect(reasons(open)).toEqual(['10.0.0.1 client-connections', '10.0.0.2 client-connections']);
  });

  test('those that it speaks of without an address are not limited', async () => {
    await using backend = await Backend.start({ does: echoes });
    await using open = await scene(backend, {
      acceptProxyProtocol: { trustedCidrs: ['127.0.0.0/8'] },
      clientLimits: { maxConnections: 1 },
    });
    // Version 2, from one Unix socket to another.
    const header = Buffer.concat([
      Buffer.from('0d0a0d0a000d0a515549540a213100d8', 'hex'),
      Buffer.concat([Buffer.from('/run/a'), Buffer.alloc(102), Buffer.from('/run/b'), Buffer.alloc(102)]),
    ]);
    const clients: Client[] = [];
    for (let client = 0; client < 3; client++) {
      const each = await Client.connect(open.place);
      each.socket.write(header);
      await each.isEchoed('here');
      clients.push(each);
    }
    for (const each of clients) each.end();
    await open.isAtRest();
    expect(open.rejected).toEqual([]);
  });
});

describe('the rate of an address', () => {
  test('lets a burst of connections in, and resets the rest, however short they are', async () => {
    await using backend = await Backend.start();
    await using open = await scene(backend, { clientLimits: { rate: 0.001, burst: 3 } });
    const fates: string[] = [];
    for (let turn = 0; turn < 5; turn++) fates.push(await refusalOf(open.place, one));
    expect(fates).toEqual([...Array.from({ length: 3 }, () => `answered 'backend'`), 'ECONNRESET', 'ECONNRESET']);
    expect(await refusalOf(open.place, other)).toBe(`answered 'backend'`);
    await open.isAtRest();
    expect(open.vip.stats).toMatchObject({
      totalConnections: 4,
      rejects: 2,
      clientLimits: { connections: 0, rate: 2 },
    });
    // Those whose bucket is not full stay known.
    expect(open.vip.stats.clientLimits.addresses).toBe(2);
    open.vip.update({ clientLimits: { rate: 1_000_000 } });
    expect(await refusalOf(open.place, one)).toBe(`answered 'backend'`);
  });

  // nginx, limit_req.t: "rejects not counted", "negative excess".
  test('lets one in again after a while, though many were refused meanwhile', async () => {
    await using backend = await Backend.start();
    await using open = await scene(backend, { clientLimits: { rate: 2, burst: 1 } });
    expect(await refusalOf(open.place, one)).toBe(`answered 'backend'`);
    await until(async () => (await refusalOf(open.place, one)) === `answered 'backend'`, 'one is let in again');
    await open.isAtRest();
  });
});

test('many addresses have as much each, and those who take too much have no more than that', async () => {
  await using backend = await Backend.start({ does: echoes });
  await using open = await scene(backend, { clientLimits: { maxConnections: 2 } });
  const clients = await Promise.all(
    Array.from({ length: 300 }, async (_, number) => {
      const client = Client.start(open.place, { localAddress: `127.0.7.${1 + (number % 100)}` });
      client.send('here');
      await until(() => client.received !== '' || client.hasClosed, 'it is served or refused');
      return client;
    }),
  );
  const served = clients.filter(({ received }) => received === 'here');
  expect([served.length, open.vip.stats.clientLimits.connections]).toEqual([200, 100]);
  expect(open.vip.stats.clientLimits.addresses).toBe(100);
  for (const client of served) client.reset();
  await open.isAtRest();
  await isForgotten(open);
});

test('clients that reset at once, in thousands, leave nothing behind and reach few members', async () => {
  await using backend = await Backend.start();
  await using open = await scene(backend, { clientLimits: { rate: 0.001, burst: 20, maxConnections: 5 } });
  for (let hundred = 0; hundred < 20; hundred++) {
    const crowd = await Promise.all(
      Array.from({ length: 100 }, () => Client.connect(open.place, one).catch(() => undefined)),
    );
    for (const client of crowd) client?.reset();
  }
  await open.isAtRest();
  expect(open.vip.stats.totalConnections).toBeLessThanOrEqual(20);
  await until(() => open.vip.stats.totalConnections + open.vip.stats.rejects === 2000, 'all were seen');
  expect(backend.accepted).toBeLessThanOrEqual(20);
  expect(open.vip.stats.clientLimits.addresses).toBe(1);
  expect(await refusalOf(open.place, other)).toBe(`answered 'backend'`);
});
