import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { createVip, EvenkeelError } from '../../src/index.ts';
import { listen } from '../../src/node/index.ts';
import { Backend, echoes } from '../fixtures/node/backend.ts';
import { ask, Client, Load, refusalOf, tally } from '../fixtures/node/client.ts';
import { ownFolder, ownHost } from '../fixtures/node/places.ts';
import { Child } from '../fixtures/node/process.ts';
import { Scene } from '../fixtures/node/scene.ts';
import { until } from '../fixtures/node/until.ts';

describe('where a virtual IP listens', () => {
  test('on the address and port that it was given', async () => {
    await using backend = await Backend.start();
    const address = ownHost();
    await using scene = await Scene.open({ members: [backend.at] }, { address, port: 4321 });
    expect(scene.listener.address).toEqual({ address, port: 4321, family: 'IPv4' });
    expect(await ask(scene.place)).toBe('backend');
    await scene.isAtRest();
  });

  test('on a port that the system chooses, where the port is 0', async () => {
    await using backend = await Backend.start();
    await using scene = await Scene.open({ members: [backend.at] });
    expect((scene.listener.address as AddressInfo).port).toBeGreaterThan(0);
    expect(scene.vip.port).toBe(0);
    expect(await ask(scene.place)).toBe('backend');
    await scene.isAtRest();
  });

  test('on IPv6', async () => {
    await using backend = await Backend.start();
    await using scene = await Scene.open({ members: [backend.at] }, { address: '::1' });
    expect(scene.listener.address).toMatchObject({ address: '::1', family: 'IPv6' });
    expect(await ask(scene.place)).toBe('backend');
    await scene.isAtRest();
  });

  test('on :: for IPv4 clients, too, which IPv4 blocks admit', async () => {
    await using backend = await Backend.start();
    await using scene = await Scene.open({ members: [backend.at] }, { address: '::', allowedCidrs: ['127.0.0.0/8'] });
    const { port } = scene.listener.address as AddressInfo;
    expect(await ask({ host: '127.0.0.1', port })).toBe('backend');
    expect(await refusalOf({ host: '::1', port })).toBe('ECONNRESET');
    scene.vip.update({ allowedCidrs: ['::/0'] });
    expect(await refusalOf({ host: '127.0.0.1', port })).toBe('ECONNRESET');
    expect(await ask({ host: '::1', port })).toBe('backend');
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ totalConnections: 2, rejects: 2 });
  });

  test('on :: and on 0.0.0.0 one IPv4 client is one client', async () => {
    await using fleet = await Backend.fleet(8);
    const pool = { members: fleet.members, strategy: 'source-ip' } as const;
    await using dual = await Scene.open(pool, { address: '::' });
    await using single = await Scene.open(pool, { address: '0.0.0.0' });
    for (let host = 1; host <= 16; host++) {
      const localAddress = `127.0.8.${host}`;
      const home = await ask(single.place, { localAddress });
      const { port } = dual.listener.address as AddressInfo;
      expect(await ask({ host: '127.0.0.1', port }, { localAddress })).toBe(home);
    }
    await dual.isAtRest();
    await single.isAtRest();
  });

  test('on a Unix socket, for members on Unix sockets', async () => {
    await using folder = await ownFolder();
    await using m1 = await Backend.start({ name: 'm1', path: folder.socket('m1') });
    await using m2 = await Backend.start({ name: 'm2', path: folder.socket('m2') });
    const path = folder.socket('vip');
    {
      await using scene = await Scene.open(
        { members: [m1.at, m2.at], healthMonitor: { type: 'tcp', delay: 50, maxRetriesDown: 1 } },
        { address: `unix:${path}`, port: null },
      );
      expect(scene.listener.address).toBe(path);
      expect(await tally(scene.place, 20)).toEqual({ m1: 10, m2: 10 });
      await m2.stop();
      await until(() => scene.memberStatuses === 'online,error', 'the death is noticed');
      expect(await tally(scene.place, 5)).toEqual({ m1: 5 });
      scene.vip.update({ allowedCidrs: ['0.0.0.0/0'] });
      expect(await refusalOf(scene.place)).not.toContain('answered');
      await scene.isAtRest();
    }
    expect(existsSync(path)).toBe(false);
  });

  test('a Unix socket’s member that goes during a connection ends that connection only', async () => {
    await using folder = await ownFolder();
    await using backend = await Backend.start({ path: folder.socket('m1'), does: echoes });
    await using scene = await Scene.open({ members: [backend.at] }, { address: `unix:${folder.socket('vip')}` });
    using client = await Client.connect(scene.place);
    await client.isEchoed('hello');
    await backend.stop();
    await client.isLetGo();
    await backend.start();
    using next = await Client.connect(scene.place);
    await next.isEchoed('hello again');
    next.reset();
    await scene.isAtRest();
  });
});

describe('an address that cannot be had', () => {
  test('a port in use rejects with an error that says so', async () => {
    await using taken = await Backend.start();
    const vip = createVip({ address: taken.at.split(':')[0] ?? '', port: taken.port, pool: { members: [] } });
    const error = await listen(vip).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(EvenkeelError);
    expect(error).toMatchObject({ code: 'ERR_EVENKEEL_LISTEN', cause: { code: 'EADDRINUSE' } });
    expect((error as Error).message).toContain(taken.at);
  });

  test.each([
    ['an address of no interface', '192.0.2.1'],
    ['a name that does not resolve', 'no-such-host.invalid'],
    ['a path in no folder', 'unix:/no/such/folder/socket'],
  ])('%s rejects likewise', async (_, address) => {
    const vip = createVip({ address, port: address.startsWith('unix:') ? 0 : 4000, pool: { members: [] } });
    await expect(listen(vip)).rejects.toMatchObject({ code: 'ERR_EVENKEEL_LISTEN', cause: expect.any(Error) });
  });

  test('a failed attempt leaves nothing open, and a later one can succeed', async () => {
    await using backend = await Backend.start();
    const blocker = createServer();
    const host = ownHost();
    await once(blocker.listen(4000, host), 'listening');
    const pool = { members: [backend.at], healthMonitor: { type: 'tcp', delay: 20 } } as const;
    const vip = createVip({ address: host, port: 4000, pool });
    const before = handles();
    for (let turn = 0; turn < 5; turn++) {
      await expect(listen(vip)).rejects.toMatchObject({ code: 'ERR_EVENKEEL_LISTEN' });
    }
    await until(() => handles() <= before, 'no server, socket or timer is left');
    const { accepted } = backend;
    blocker.close();
    await once(blocker, 'close');
    await using listener = await listen(vip);
    expect(backend.accepted).toBe(accepted);
    expect(await ask({ host, port: 4000 })).toBe('backend');
    await listener.close();
  });

  /** Servers and sockets that hold this process. */
  function handles(): number {
    return process.getActiveResourcesInfo().filter((kind) => kind.startsWith('TCP') || kind.startsWith('Pipe')).length;
  }
});

describe('closing a listener', () => {
  test('refuses new clients at once and waits for those that run', async () => {
    await using backend = await Backend.start({ does: echoes });
    await using scene = await Scene.open({ members: [backend.at] });
    const { place } = scene;
    using client = await Client.connect(place);
    await client.isEchoed('hello');
    let isClosed = false;
    const closing = scene.listener.close().then(() => {
      isClosed = true;
    });
    expect(await refusalOf(place)).toBe('ECONNREFUSED');
    await client.isEchoed('still here');
    expect(isClosed).toBe(false);
    client.end();
    await closing;
    await client.closed();
    await scene.isAtRest();
  });

  test('ends what is left at the deadline', async () => {
    await using backend = await Backend.start({ does: echoes });
    await using scene = await Scene.open({ members: [backend.at] });
    using client = await Client.connect(scene.place);
    await client.isEchoed('hello');
    await scene.listener.close({ deadline: 50 });
    expect(await client.closed()).toBe('ECONNRESET');
    await until(() => backend.sockets.size === 0, 'the member is let go');
    await scene.isAtRest();
  });

  test('ends what is left when it is told to by a signal, also by one that has been given before', async () => {
    for (const isEarly of [false, true]) {
      await using backend = await Backend.start({ does: echoes });
      await using scene = await Scene.open({ members: [backend.at] });
      using client = await Client.connect(scene.place);
      await client.isEchoed('hello');
      const controller = new AbortController();
      if (isEarly) controller.abort();
      const closing = scene.listener.close({ deadline: Number.POSITIVE_INFINITY, signal: controller.signal });
      controller.abort();
      await closing;
      expect(await client.closed()).toBe('ECONNRESET');
      await scene.isAtRest();
    }
  });

  test('ends everything at once where the deadline is 0', async () => {
    await using backend = await Backend.start({ does: echoes });
    await using scene = await Scene.open({ members: [backend.at] });
    const clients = await Promise.all(Array.from({ length: 10 }, () => Client.connect(scene.place)));
    for (const client of clients) await client.isEchoed('hello');
    await scene.listener.close({ deadline: 0 });
    expect(scene.vip.stats.activeConnections).toBe(0);
    for (const client of clients) expect(await client.closed()).toBe('ECONNRESET');
    await scene.isAtRest();
  });

  test('twice is as good as once, and the shorter deadline wins', async () => {
    await using backend = await Backend.start({ does: echoes });
    await using scene = await Scene.open({ members: [backend.at] });
    using client = await Client.connect(scene.place);
    await client.isEchoed('hello');
    const patient = scene.listener.close();
    await scene.listener.close({ deadline: 0 });
    await patient;
    await client.closed();
    await scene.listener.close();
    await scene.isAtRest();
  });

  test('happens by itself with await using', async () => {
    await using backend = await Backend.start();
    const vip = createVip({ address: ownHost(), port: 4000, pool: { members: [backend.at] } });
    {
      await using listener = await listen(vip);
      expect(listener.vip).toBe(vip);
      expect(await ask({ host: vip.address, port: 4000 })).toBe('backend');
    }
    expect(await refusalOf({ host: vip.address, port: 4000 })).toBe('ECONNREFUSED');
  });

  test('ends the checks, and listening again starts them again', async () => {
    await using backend = await Backend.start();
    const healthMonitor = { type: 'tcp', delay: 20 } as const;
    const vip = createVip({ address: ownHost(), port: 4000, pool: { members: [backend.at], healthMonitor } });
    await using reference = await Backend.start();
    await using _other = await Scene.open({ members: [reference.at], healthMonitor });
    await using first = await listen(vip);
    await until(() => backend.accepted >= 3, 'checks run');
    await first.close();
    const [accepted, passed] = [backend.accepted, reference.accepted];
    await until(() => reference.accepted >= passed + 5, 'another monitor checks');
    expect(backend.accepted).toBeLessThanOrEqual(accepted + 1);
    await using _second = await listen(vip);
    await until(() => backend.accepted >= accepted + 3, 'checks run again');
  });

  test('under load fails no client that was let in', async () => {
    await using backend = await Backend.start();
    await using scene = await Scene.open({ members: [backend.at] });
    await using load = Load.on(scene.place);
    await load.more(300);
    await scene.listener.close();
    await load.stop();
    const codes = new Set(load.failures.map(({ error }) => (error as NodeJS.ErrnoException).code));
    codes.delete('ECONNREFUSED');
    // Clients that the kernel had completed and we had not yet accepted are reset by it when the socket closes.
    codes.delete('ECONNRESET');
    expect([...codes]).toEqual([]);
    await scene.isAtRest();
    expect(scene.vip.stats.totalConnections).toBe(load.answered);
  });

  test('leaves nothing that keeps the process alive', async () => {
    await using child = Child.run('leaves-nothing.mjs');
    expect(await child.message<string>()).toBe('closed');
    expect(await child.exited()).toBe(0);
    expect(child.output).toBe('');
  });
});
