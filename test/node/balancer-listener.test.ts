import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { Balancer, type BalancerSpec, type EvenkeelError } from '../../src/index.ts';
import { type BalancerListener, listen } from '../../src/node/index.ts';
import { Backend, echoes } from '../fixtures/node/backend.ts';
import { ask, Client, Load, refusalOf, tally } from '../fixtures/node/client.ts';
import { ownHost } from '../fixtures/node/places.ts';
import { isEmpty } from '../fixtures/node/scene.ts';
import { until } from '../fixtures/node/until.ts';

/** A balancer with two pools of one backend each, and an address of its own. */
class House implements AsyncDisposable {
  readonly balancer = new Balancer();
  readonly host = ownHost();
  readonly a: Backend;
  readonly b: Backend;
  readonly pools: NonNullable<BalancerSpec['pools']>;
  #listener: BalancerListener | undefined;

  private constructor(a: Backend, b: Backend) {
    this.a = a;
    this.b = b;
    this.pools = [
      { name: 'a', members: [a.at] },
      { name: 'b', members: [b.at] },
    ];
  }

  static async open(spec: (house: House) => BalancerSpec, does?: typeof echoes): Promise<House> {
    const service = does === undefined ? {} : { does };
    const a = await Backend.start({ name: 'a', ...service });
    const b = await Backend.start({ name: 'b', ...service });
    const house = new House(a, b);
    await house.balancer.apply(spec(house));
    house.#listener = await listen(house.balancer);
    return house;
  }

  get listener(): BalancerListener {
    if (this.#listener === undefined) throw new Error('nobody listens');
    return this.#listener;
  }

  vip(name: string, port: number, pool = name) {
    return { name, address: this.host, port, pool };
  }

  at(port: number) {
    return { host: this.host, port };
  }

  async isAtRest(): Promise<void> {
    for (const vip of this.balancer.vips.values()) await isEmpty(vip, vip.pool);
    for (const pool of this.balancer.pools.values()) expect(pool.stats.activeConnections).toBe(0);
    expect(this.balancer.stats().activeConnections).toBe(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener?.close({ deadline: 0 });
    await this.a.stop();
    await this.b.stop();
  }
}

describe('a listener of a balancer', () => {
  test('serves every virtual IP that there is', async () => {
    await using house = await House.open((it) => ({ pools: it.pools, vips: [it.vip('a', 4001), it.vip('b', 0)] }));
    const { addresses } = house.listener;
    expect([...addresses.keys()]).toEqual(['a', 'b']);
    expect(addresses.get('a')).toEqual({ address: house.host, port: 4001, family: 'IPv4' });
    expect(await ask(house.at(4001))).toBe('a');
    expect(await ask(house.at((addresses.get('b') as AddressInfo).port))).toBe('b');
    await house.isAtRest();
  });

  test('rejects where one of them cannot be bound, and leaves none open', async () => {
    await using taken = await Backend.start();
    const balancer = new Balancer();
    const host = ownHost();
    const [takenHost, takenPort] = taken.at.split(':') as [string, string];
    balancer.createPool({ name: 'p' });
    balancer.createVip({ name: 'free', address: host, port: 4001, pool: 'p' });
    balancer.createVip({ name: 'taken', address: takenHost, port: Number(takenPort), pool: 'p' });
    await expect(listen(balancer)).rejects.toMatchObject({
      code: 'ERR_EVENKEEL_LISTEN',
      cause: { code: 'EADDRINUSE' },
    });
    expect(await refusalOf({ host, port: 4001 })).toBe('ECONNREFUSED');
    balancer.removeVip('taken');
    await using listener = await listen(balancer);
    expect([...listener.addresses.keys()]).toEqual(['free']);
  });

  test('has bound a new virtual IP before apply resolves', async () => {
    await using house = await House.open((it) => ({ pools: it.pools, vips: [it.vip('a', 4001)] }));
    await house.balancer.apply({ pools: house.pools, vips: [house.vip('a', 4001), house.vip('b', 4002)] });
    expect(await ask(house.at(4002))).toBe('b');
    expect(await ask(house.at(4001))).toBe('a');
    await house.isAtRest();
  });

  test('refuses a change whose port is in use, and then nothing at all has changed', async () => {
    await using taken = await Backend.start();
    const [takenHost, takenPort] = taken.at.split(':') as [string, string];
    await using house = await House.open((it) => ({ pools: it.pools, vips: [it.vip('a', 4001), it.vip('b', 4002)] }));
    const { balancer, host } = house;
    await ask(house.at(4001));
    await house.isAtRest();
    const events: string[] = [];
    for (const name of ['vip-added', 'vip-removed', 'pool-added', 'pool-removed'] as const) {
      balancer.on(name, () => events.push(name));
    }
    for (const pool of balancer.pools.values()) {
      for (const name of ['member-added', 'member-removed', 'member-status', 'status'] as const) {
        pool.on(name, () => events.push(name));
      }
    }
    const picture = () => ({
      tree: balancer.statusTree(),
      stats: balancer.stats(),
      vips: [...balancer.vips.values()],
      pools: [...balancer.pools.values()],
      members: [...balancer.pools.values()].map(({ members }) => members),
      places: [...house.listener.addresses],
      pool: balancer.vips.get('a')?.pool,
      limit: balancer.vips.get('a')?.connectionLimit,
      strategies: [...balancer.pools.values()].map(({ strategy }) => strategy),
    });
    const before = picture();

    const change = balancer.apply({
      pools: [
        { name: 'a', members: [{ address: '127.0.0.9', port: 9, weight: 7 }], strategy: 'random', enabled: false },
        { name: 'new', members: ['127.0.0.9:9'], healthMonitor: { type: 'tcp', delay: 10 } },
      ],
      vips: [
        { ...house.vip('a', 4001, 'new'), connectionLimit: 5, enabled: false },
        house.vip('free', 4003, 'new'),
        { name: 'taken', address: takenHost, port: Number(takenPort), pool: 'new' },
        house.vip('free too', 4004, 'a'),
      ],
    });
    await expect(change).rejects.toMatchObject({ code: 'ERR_EVENKEEL_LISTEN', cause: { code: 'EADDRINUSE' } });

    expect(picture()).toEqual(before);
    expect(picture().pools.every((pool, index) => pool === before.pools[index])).toBe(true);
    expect(events).toEqual([]);
    for (const port of [4003, 4004]) expect(await refusalOf({ host, port })).toBe('ECONNREFUSED');
    expect(await ask(house.at(4001))).toBe('a');
    expect(await ask(house.at(4002))).toBe('b');

    await taken.stop();
    await balancer.apply({ pools: house.pools, vips: [house.vip('a', 4001), house.vip('free', 4003, 'b')] });
    expect(await ask(house.at(4003))).toBe('b');
    await house.isAtRest();
  });

  test('drains a virtual IP that is removed, while its connection lives on', async () => {
    await using house = await House.open(
      (it) => ({ pools: it.pools, vips: [it.vip('a', 4001), it.vip('b', 4002)] }),
      echoes,
    );
    using client = await Client.connect(house.at(4001));
    await client.isEchoed('hello');
    const vip = house.balancer.vips.get('a');
    const pool = house.balancer.pools.get('a');
    await house.balancer.apply({ pools: house.pools.slice(1), vips: [house.vip('b', 4002)] });
    expect(await refusalOf(house.at(4001))).toBe('ECONNREFUSED');
    await client.isEchoed('still here');
    expect(house.balancer.stats().activeConnections).toBe(1);
    expect([...house.listener.addresses.keys()]).toEqual(['b']);
    client.end();
    await until(() => vip?.stats.activeConnections === 0, 'its last client has gone');
    expect(pool?.stats.activeConnections).toBe(0);
    expect(house.balancer.stats()).toMatchObject({ activeConnections: 0, totalConnections: 1 });
    await house.isAtRest();
  });

  test('keeps the socket of a virtual IP that is renamed, so that no client is refused under load', async () => {
    await using house = await House.open((it) => ({ pools: it.pools, vips: [it.vip('a', 4001)] }));
    await using load = Load.on(house.at(4001));
    await load.more(100);
    for (let turn = 0; turn < 20; turn++) {
      await house.balancer.apply({ pools: house.pools, vips: [house.vip(`name ${turn}`, 4001, 'a')] });
      await load.more(20);
    }
    await load.stop();
    expect(load.complaints()).toEqual({});
    await house.isAtRest();
    expect(house.balancer.stats().totalConnections).toBe(load.answered);
  });

  test('lets two virtual IPs swap their ports, and fails no client under load', async () => {
    await using house = await House.open((it) => ({ pools: it.pools, vips: [it.vip('a', 4001), it.vip('b', 4002)] }));
    await using first = Load.on(house.at(4001), 16);
    await using second = Load.on(house.at(4002), 16);
    await first.moreOf('a', 50);
    await second.moreOf('b', 50);
    await house.balancer.apply({ pools: house.pools, vips: [house.vip('a', 4002), house.vip('b', 4001)] });
    expect(house.listener.addresses.get('a')).toMatchObject({ port: 4002 });
    await first.moreOf('b', 50);
    await second.moreOf('a', 50);
    expect(await tally(house.at(4001), 3)).toEqual({ b: 3 });
    await first.stop();
    await second.stop();
    expect({ ...first.complaints(), ...second.complaints() }).toEqual({});
    await house.isAtRest();
  });

  test('moves a virtual IP to another port: connections of the old one live on', async () => {
    await using house = await House.open((it) => ({ pools: it.pools, vips: [it.vip('a', 4001)] }), echoes);
    using client = await Client.connect(house.at(4001));
    await client.isEchoed('hello');
    await house.balancer.apply({ pools: house.pools, vips: [house.vip('a', 4002)] });
    expect(await refusalOf(house.at(4001))).toBe('ECONNREFUSED');
    using next = await Client.connect(house.at(4002));
    await next.isEchoed('hello');
    await client.isEchoed('still here');
    expect(house.balancer.vips.get('a')?.stats.activeConnections).toBe(2);
    client.end();
    next.end();
    await house.isAtRest();
  });

  test('sends new clients to the pool that a virtual IP leads to now, and leaves the others where they are', async () => {
    await using house = await House.open((it) => ({ pools: it.pools, vips: [it.vip('a', 4001)] }), echoes);
    using client = await Client.connect(house.at(4001));
    await client.isEchoed('hello');
    await house.balancer.apply({ pools: house.pools, vips: [house.vip('a', 4001, 'b')] });
    using next = await Client.connect(house.at(4001));
    await next.isEchoed('hello');
    await client.isEchoed('still here');
    expect([house.a.sockets.size, house.b.sockets.size]).toEqual([1, 1]);
    // A drain of the pool before still reaches the connection that it has.
    const [member] = house.balancer.pools.get('a')?.members ?? [];
    await member?.drain({ deadline: 20 });
    expect(await client.closed()).toBe('ECONNRESET');
    await next.isEchoed('still here');
    await house.balancer.pools.get('b')?.members[0]?.drain({ deadline: 20 });
    expect(await next.closed()).toBe('ECONNRESET');
    await house.isAtRest();
  });

  test('has the pool checked that a virtual IP leads to now, and no more the one before', async () => {
    await using house = await House.open((it) => ({ pools: it.pools, vips: [it.vip('a', 4001)] }));
    const pools = house.pools.map((pool) => ({ ...pool, healthMonitor: { type: 'tcp', delay: 30 } as const }));
    await house.balancer.apply({ pools, vips: [house.vip('a', 4001)] });
    await until(() => house.a.accepted >= 3, 'the first pool is checked');
    expect(house.b.accepted).toBe(0);
    await house.balancer.apply({ pools, vips: [house.vip('a', 4001, 'b')] });
    const { accepted } = house.a;
    await until(() => house.b.accepted >= 5, 'the second pool is checked');
    expect(house.a.accepted).toBeLessThanOrEqual(accepted + 1);
    await house.isAtRest();
  });

  test('keeps a port that the system chose, whatever else is applied', async () => {
    await using house = await House.open((it) => ({ pools: it.pools, vips: [it.vip('a', 0)] }));
    const before = house.listener.addresses.get('a');
    await house.balancer.apply({ pools: house.pools, vips: [house.vip('a', 0), house.vip('b', 0)] });
    expect(house.listener.addresses.get('a')).toEqual(before);
    const b = house.listener.addresses.get('b') as AddressInfo;
    expect(await ask(house.at(b.port))).toBe('b');
    const both = [...house.listener.addresses];
    await house.balancer.apply({ pools: house.pools, vips: [house.vip('b', 0), house.vip('a', 0)] });
    expect(new Map(house.listener.addresses)).toEqual(new Map(both));
    expect(await ask(house.at(b.port))).toBe('b');
    await house.isAtRest();
  });

  test('follows createVip and removeVip', async () => {
    await using house = await House.open((it) => ({ pools: it.pools, vips: [it.vip('a', 4001)] }));
    house.balancer.createVip(house.vip('b', 4002));
    await until(async () => (await refusalOf(house.at(4002))) === "answered 'b'", 'the new one serves');
    house.balancer.removeVip('a');
    await until(async () => (await refusalOf(house.at(4001))) === 'ECONNREFUSED', 'the old one is gone');
    expect(await ask(house.at(4002))).toBe('b');
    house.balancer.createVip(house.vip('a again', 4001, 'a'));
    house.balancer.createVip(house.vip('c', 4003, 'a'));
    house.balancer.removeVip('c');
    await house.balancer.apply({ pools: house.pools, vips: [house.vip('a again', 4001, 'a')] });
    expect([...house.listener.addresses.keys()]).toEqual(['a again']);
    expect(await ask(house.at(4001))).toBe('a');
    for (const port of [4002, 4003]) expect(await refusalOf(house.at(port))).toBe('ECONNREFUSED');
    await house.isAtRest();
  });

  test('says so where it cannot follow createVip', async () => {
    await using taken = await Backend.start();
    await using house = await House.open((it) => ({ pools: it.pools, vips: [it.vip('a', 4001)] }));
    const errors: EvenkeelError[] = [];
    house.listener.on('error', (error) => errors.push(error));
    const [address, port] = taken.at.split(':') as [string, string];
    house.balancer.createVip({ name: 'taken', address, port: Number(port), pool: 'b' });
    await until(() => errors.length > 0, 'it says so');
    expect(errors.map(({ code }) => code)).toEqual(['ERR_EVENKEEL_LISTEN']);
    expect(await ask(house.at(4001))).toBe('a');
    house.balancer.removeVip('taken');
    await house.balancer.apply({ pools: house.pools, vips: [house.vip('a', 4001), house.vip('b', 4002)] });
    expect(await ask(house.at(4002))).toBe('b');
    await house.isAtRest();
  });

  test('carries out changes that come at once one after the other, and the last one stands', async () => {
    await using house = await House.open((it) => ({ pools: it.pools, vips: [] }));
    const changes = Array.from({ length: 20 }, (_, turn) =>
      house.balancer.apply({ pools: house.pools, vips: [house.vip(`v${turn}`, 4001 + (turn % 3), 'a')] }),
    );
    await Promise.all(changes);
    expect([...house.listener.addresses.keys()]).toEqual(['v19']);
    expect(await ask(house.at(4001 + (19 % 3)))).toBe('a');
    for (const port of [4001, 4003]) expect(await refusalOf(house.at(port))).toBe('ECONNREFUSED');
    await house.isAtRest();
  });

  test('has a shared pool checked once, however many virtual IPs lead to it', async () => {
    await using shared = await Backend.start();
    await using single = await Backend.start();
    const healthMonitor = { type: 'tcp', delay: 40 } as const;
    const balancer = new Balancer();
    const host = ownHost();
    const vip = (name: string, port: number, pool: string) => ({ name, address: host, port, pool });
    await balancer.apply({
      pools: [
        { name: 'shared', members: [shared.at], healthMonitor },
        { name: 'single', members: [single.at], healthMonitor },
      ],
      vips: [vip('a', 4001, 'shared'), vip('b', 4002, 'shared'), vip('c', 4003, 'shared'), vip('d', 4004, 'single')],
    });
    await using listener = await listen(balancer);
    await until(() => single.accepted >= 15, 'the pool of one is checked fifteen times');
    expect(shared.accepted).toBeGreaterThanOrEqual(12);
    expect(shared.accepted).toBeLessThanOrEqual(18);

    // Two of the three go, and the checks go on.
    balancer.removeVip('a');
    balancer.removeVip('b');
    const { accepted } = shared;
    await until(() => shared.accepted >= accepted + 3, 'checks go on');
    await listener.close();
    await isEmpty(balancer.vips.get('c') as never, balancer.pools.get('shared') as never);
  });

  test('closes all of them, waits for their clients, and follows the balancer no more', async () => {
    await using house = await House.open(
      (it) => ({ pools: it.pools, vips: [it.vip('a', 4001), it.vip('b', 4002)] }),
      echoes,
    );
    using one = await Client.connect(house.at(4001));
    using two = await Client.connect(house.at(4002));
    await one.isEchoed('hello');
    await two.isEchoed('hello');
    const closing = house.listener.close();
    for (const port of [4001, 4002]) expect(await refusalOf(house.at(port))).toBe('ECONNREFUSED');
    await one.isEchoed('still here');
    one.end();
    two.end();
    await closing;
    await house.balancer.apply({ pools: house.pools, vips: [house.vip('b', 4003)] });
    expect(await refusalOf(house.at(4003))).toBe('ECONNREFUSED');
    await house.isAtRest();
  });

  test('ends what is left at the deadline, also of virtual IPs that went before', async () => {
    await using house = await House.open(
      (it) => ({ pools: it.pools, vips: [it.vip('a', 4001), it.vip('b', 4002)] }),
      echoes,
    );
    using one = await Client.connect(house.at(4001));
    using two = await Client.connect(house.at(4002));
    await one.isEchoed('hello');
    await two.isEchoed('hello');
    house.balancer.removeVip('a');
    await until(async () => (await refusalOf(house.at(4001))) === 'ECONNREFUSED', 'it is gone');
    await one.isEchoed('still here');
    await house.listener.close({ deadline: 20 });
    expect(await one.closed()).toBe('ECONNRESET');
    expect(await two.closed()).toBe('ECONNRESET');
    await house.isAtRest();
  });
});
