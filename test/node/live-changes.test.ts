import { describe, expect, test } from 'vitest';
import { Balancer } from '../../src/index.ts';
import { listen } from '../../src/node/index.ts';
import { Backend, echoes, type Service } from '../fixtures/node/backend.ts';
import { Client, Load } from '../fixtures/node/client.ts';
import { ownHost } from '../fixtures/node/places.ts';
import { booksAgree, membersEver, Scene } from '../fixtures/node/scene.ts';
import { soon, until } from '../fixtures/node/until.ts';

/** Slow enough that under load there are always connections on every member. */
const takesItsTime: Service = (socket, { name }) => {
  socket.once('data', () => setTimeout(() => socket.end(name), 3));
};

describe('drain', () => {
  test.each(['round-robin', 'least-connections', 'source-ip-port'] as const)(
    'drops no connection under load, and takes no new one, with %s',
    async (strategy) => {
      await using fleet = await Backend.fleet(3, takesItsTime);
      await using scene = await Scene.open({ members: fleet.members, strategy });
      await using load = Load.on(scene.place);
      await load.moreOf('m2', 50);
      const drained = await soon(scene.pool.drain('m2', { deadline: 10_000 }), 'the drain');
      expect(drained).toEqual({ remaining: 0 });
      expect(scene.member('m2').stats.activeConnections).toBe(0);
      expect(scene.member('m2').status).toBe('draining');
      const { totalConnections } = scene.member('m2').stats;
      await load.more(300);
      expect(scene.member('m2').stats.totalConnections).toBe(totalConnections);
      scene.member('m2').update({ enabled: true });
      await load.moreOf('m2', 50);
      await load.stop();
      expect(load.complaints()).toEqual({});
      await scene.isAtRest();
      expect(scene.vip.stats.totalConnections).toBe(load.answered);
    },
  );

  test('waits for a long connection and resolves when it ends', async () => {
    await using fleet = await Backend.fleet(2, echoes);
    await using scene = await Scene.open({ members: fleet.members });
    using client = await Client.connect(scene.place);
    await client.isEchoed('hello');
    const draining = scene.pool.drain('m1');
    await client.isEchoed('still here');
    client.end();
    expect(await soon(draining, 'the drain')).toEqual({ remaining: 0 });
    await scene.isAtRest();
  });

  test('cuts what is left at the deadline, on that member only', async () => {
    await using fleet = await Backend.fleet(2, echoes);
    await using scene = await Scene.open({ members: fleet.members });
    using one = await Client.connect(scene.place);
    await one.isEchoed('hello');
    using two = await Client.connect(scene.place);
    await two.isEchoed('hello');
    const expired: unknown[] = [];
    scene.pool.on('drain-expired', ({ member, remaining }) => expired.push([member.id, remaining]));
    expect(await soon(scene.pool.drain('m1', { deadline: 50 }), 'the drain')).toEqual({ remaining: 1 });
    expect(await one.closed()).toBe('ECONNRESET');
    expect(expired).toEqual([['m1', 1]]);
    await two.isEchoed('still here');
    two.end();
    await scene.isAtRest();
    await until(() => fleet.backends[0]?.sockets.size === 0, 'the member is let go');
  });

  test('of a whole pool, one member after the other, is what a rolling restart needs', async () => {
    await using fleet = await Backend.fleet(3, takesItsTime);
    await using scene = await Scene.open({ members: fleet.members });
    await using load = Load.on(scene.place);
    for (const backend of fleet.backends) {
      await load.moreOf(backend.name, 20);
      await soon(scene.pool.drain(backend.name), 'the drain');
      await until(() => backend.sockets.size === 0, 'the backend is idle');
      await backend.stop();
      await load.more(100);
      await backend.start();
      scene.member(backend.name).update({ enabled: true });
      await load.moreOf(backend.name, 20);
    }
    await load.stop();
    expect(load.complaints()).toEqual({});
    await scene.isAtRest();
    expect(scene.vip.stats.connectFailures).toBe(0);
  });
});

describe('members come and go under load', () => {
  test('a member that is added serves, one that is removed serves no more, and no client fails', async () => {
    await using fleet = await Backend.fleet(3, takesItsTime);
    const [m1, m2, m3] = fleet.members as [{ id: string; address: string; port: number }, never, never];
    await using scene = await Scene.open<string>({ members: [m1] });
    await using load = Load.on(scene.place);
    await load.moreOf('m1', 100);
    expect(load.of('m2')).toBe(0);

    scene.pool.add(m2);
    scene.pool.add(m3);
    await load.moreOf('m2', 100);
    await load.moreOf('m3', 100);

    const removed = scene.member('m1');
    expect(scene.pool.remove('m1')).toBe(true);
    const { totalConnections } = removed.stats;
    await load.more(300);
    expect(removed.stats.totalConnections - totalConnections).toBeLessThanOrEqual(load.of('m1'));
    await until(() => removed.stats.activeConnections === 0, 'its last client is served');
    const served = load.of('m1');
    await load.more(200);
    expect(load.of('m1')).toBe(served);

    await load.stop();
    expect(load.complaints()).toEqual({});
    await scene.isAtRest();
    expect(scene.shares).toEqual(Object.fromEntries(load.answers));
  });

  test('a member that is removed keeps the connection that it has', async () => {
    await using fleet = await Backend.fleet(2, echoes);
    await using scene = await Scene.open({ members: fleet.members });
    using client = await Client.connect(scene.place);
    await client.isEchoed('hello');
    scene.pool.remove('m1');
    await client.isEchoed('still here');
    expect(scene.pool.stats.activeConnections).toBe(1);
    client.end();
    await scene.isAtRest();
    expect(scene.pool.stats.totalConnections).toBe(1);
  });

  test('weights, strategy and monitor change a hundred times, and no client fails', async () => {
    await using fleet = await Backend.fleet(3, takesItsTime);
    await using scene = await Scene.open({ members: fleet.members });
    await using load = Load.on(scene.place);
    const strategies = ['round-robin', 'least-connections', 'random', 'source-ip', 'source-ip-port'] as const;
    for (let turn = 0; turn < 100; turn++) {
      scene.member(`m${1 + (turn % 3)}`).update({ weight: turn % 7 });
      scene.pool.update({
        strategy: strategies[turn % strategies.length] ?? null,
        healthMonitor: turn % 4 === 0 ? null : { type: 'tcp', delay: 10 + turn },
      });
      if (scene.pool.members.every(({ weight }) => weight === 0)) scene.member('m1').update({ weight: 1 });
      await load.more(10);
    }
    await load.stop();
    expect(load.complaints()).toEqual({});
    await scene.isAtRest();
  });

  test('a member that moves takes new clients at its new place', async () => {
    await using old = await Backend.start({ name: 'old', does: takesItsTime });
    await using next = await Backend.start({ name: 'next', does: takesItsTime });
    const [address, port] = old.at.split(':') as [string, string];
    await using scene = await Scene.open({ members: [{ id: 'm1', address, port: Number(port) }] });
    await using load = Load.on(scene.place);
    await load.moreOf('old', 50);
    const [nextAddress, nextPort] = next.at.split(':') as [string, string];
    scene.member('m1').update({ address: nextAddress, port: Number(nextPort) });
    await load.moreOf('next', 50);
    const served = load.of('old');
    await load.more(200);
    expect(load.of('old')).toBe(served);
    await load.stop();
    expect(load.complaints()).toEqual({});
    await scene.isAtRest();
  });
});

describe('balancer.apply() under load', () => {
  test('members are swapped, weighted and brought back, and no client fails', async () => {
    await using fleet = await Backend.fleet(4, takesItsTime);
    const [m1, m2, m3, m4] = fleet.members as [never, never, never, never];
    const balancer = new Balancer();
    const vip = { name: 'web', address: ownHost(), port: 4000, pool: 'web' };
    const state = (members: object[], strategy: 'round-robin' | 'least-connections' = 'round-robin') => ({
      pools: [{ name: 'web', members: members as never[], strategy }],
      vips: [vip],
    });
    await balancer.apply(state([m1, m2]));
    const pool = balancer.pools.get('web');
    const web = balancer.vips.get('web');
    if (pool === undefined || web === undefined) throw new Error('not applied');
    const members = membersEver(pool);
    await using listener = await listen(balancer);
    await using load = Load.on({ host: vip.address, port: vip.port });
    await load.moreOf('m1', 50);
    const kept = pool.get('m2');
    for (let turn = 0; turn < 10; turn++) {
      await balancer.apply(state([m2, m3, m4], 'least-connections'));
      await load.moreOf('m4', 10);
      await balancer.apply(state([{ ...(m2 as object), weight: 3 }, m1]));
      await load.moreOf('m1', 10);
    }
    await load.stop();
    expect(load.complaints()).toEqual({});
    expect(pool.get('m2')).toBe(kept);
    expect(balancer.pools.get('web')).toBe(pool);
    await booksAgree(web, members);
    expect(web.stats.totalConnections).toBe(load.answered);
    expect(balancer.stats()).toMatchObject({ activeConnections: 0, totalConnections: load.answered, rejects: 0 });
    await listener.close();
  });
});
