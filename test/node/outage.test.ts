import { describe, expect, test } from 'vitest';
import { Backend, echoes } from '../fixtures/node/backend.ts';
import { ask, Client, Load, refusalOf, tally } from '../fixtures/node/client.ts';
import { closedPort } from '../fixtures/node/places.ts';
import { BackendProcess, BlackHole } from '../fixtures/node/process.ts';
import { Scene } from '../fixtures/node/scene.ts';
import { until } from '../fixtures/node/until.ts';

describe('a backend process killed under load', () => {
  test.each(['round-robin', 'least-connections', 'random'] as const)(
    'fails no client that comes afterwards, is noticed, and serves again when restarted, with %s',
    async (strategy) => {
      await using m1 = await BackendProcess.start('m1');
      await using m2 = await BackendProcess.start('m2');
      await using m3 = await BackendProcess.start('m3');
      await using scene = await Scene.open({
        strategy,
        members: [m1.member, m2.member, m3.member],
        healthMonitor: { type: 'tcp', delay: 100, timeout: 1000, maxRetries: 2, maxRetriesDown: 2 },
      });
      await using load = Load.on(scene.place, 48);
      for (const name of ['m1', 'm2', 'm3']) await load.moreOf(name, 100);

      await m2.kill();
      const afterwards = load.mark();
      await load.more(600);
      await until(() => scene.member('m2').status === 'error', 'the death is noticed');
      const servedByDead = load.of('m2');
      await load.more(600);
      expect(load.of('m2')).toBe(servedByDead);
      expect(scene.statuses).toContain('m2 error');

      await m2.start();
      await until(() => scene.member('m2').status === 'online', 'the revival is noticed');
      await load.moreOf('m2', 100);
      await load.stop();

      // Clients that the killed process was serving are lost with it; nobody else is.
      expect(load.complaints(afterwards)).toEqual({});
      expect(load.failures.length).toBeLessThanOrEqual(48);
      expect(scene.vip.stats.rejects).toBe(0);
      expect(scene.statuses.filter((status) => !status.startsWith('m2'))).toEqual(
        expect.not.arrayContaining(['m1 error', 'm3 error']),
      );
      await scene.isAtRest();
    },
  );

  test('fails no new client even where nobody checks', async () => {
    await using m1 = await BackendProcess.start('m1');
    await using m2 = await BackendProcess.start('m2');
    await using scene = await Scene.open({ members: [m1.member, m2.member] });
    await using load = Load.on(scene.place);
    await load.more(200);
    await m1.kill();
    const era = load.mark();
    await load.more(400);
    await m1.start();
    await load.moreOf('m1', 50);
    await load.stop();
    expect(load.complaints(era)).toEqual({});
    expect(scene.member('m1').stats.connectFailures).toBeGreaterThan(0);
    expect(scene.member('m2').stats.connectFailures).toBe(0);
    await scene.isAtRest();
  });
});

describe('redispatch', () => {
  const greeting = `hello ${'x'.repeat(300_000)}`;

  test('a client whose first member refuses is served by another, with every byte it had sent', async () => {
    await using good = await Backend.start({ does: echoes });
    await using scene = await Scene.open({ members: [closedPort(), good.at] });
    using client = Client.start(scene.place);
    client.send(greeting);
    await client.receives(greeting);
    client.end();
    await client.closed();
    expect(client.received).toBe(greeting);
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ connectFailures: 1, retries: 1, totalConnections: 1, rejects: 0 });
    expect(scene.pool.stats).toMatchObject({ connectFailures: 1, retries: 1, totalConnections: 1, rejects: 0 });
    expect(scene.pool.members.map(({ stats }) => [stats.connectFailures, stats.retries])).toEqual([
      [1, 0],
      [0, 1],
    ]);
    expect(scene.connectFailures).toEqual([
      { memberId: scene.pool.members[0]?.id, reason: expect.stringContaining('ECONNREFUSED') },
    ]);
  });

  test('a client whose first member does not answer is served by another, with every byte it had sent', async () => {
    await using hole = await BlackHole.open();
    await using good = await Backend.start({ does: echoes });
    await using scene = await Scene.open({ members: [hole.at, good.at] }, { timeouts: { connect: 150 } });
    using client = Client.start(scene.place);
    client.end(greeting);
    await client.closed();
    expect(client.received).toBe(greeting);
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ connectFailures: 1, retries: 1, totalConnections: 1 });
    expect(scene.connectFailures).toEqual([{ memberId: hole.at, reason: expect.stringContaining('150 ms') }]);
  });

  test('a client is not tried twice on one member while there is another', async () => {
    await using good = await Backend.start({ name: 'good' });
    const bad = [closedPort(), closedPort(), closedPort()];
    await using scene = await Scene.open({ members: [...bad, good.at] }, { retries: 3 });
    expect(await ask(scene.place)).toBe('good');
    expect(scene.connectFailures.map(({ memberId }) => memberId)).toEqual(bad);
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ connectFailures: 3, retries: 3 });
  });

  test('a client is reset when its retries are used up', async () => {
    await using scene = await Scene.open({ members: [closedPort(), closedPort(), closedPort()] }, { retries: 1 });
    expect(await refusalOf(scene.place)).toBe('ECONNRESET');
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ connectFailures: 2, retries: 1, rejects: 1 });
    expect(scene.pool.stats.totalConnections).toBe(0);
    expect(scene.rejected.map(({ reason }) => reason)).toEqual(['retries-exhausted']);
  });

  test('without retries the first failure is the last', async () => {
    await using good = await Backend.start();
    await using scene = await Scene.open({ members: [closedPort(), good.at] }, { retries: 0 });
    expect(await refusalOf(scene.place)).toBe('ECONNRESET');
    expect(await ask(scene.place)).toBe('backend');
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ connectFailures: 1, retries: 0, rejects: 1 });
  });

  test('a single dead member is tried as often as retries permit, with pauses between', async () => {
    await using scene = await Scene.open({ members: [closedPort()] }, { retries: 3, timeouts: { connect: 30 } });
    expect(await refusalOf(scene.place)).toBe('ECONNRESET');
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ connectFailures: 4, retries: 3, rejects: 1 });
  });

  test('a single member that restarts during the pause is reached', async () => {
    await using backend = await Backend.start({ name: 'back again' });
    await backend.stop();
    await using scene = await Scene.open({ members: [backend.at] }, { timeouts: { connect: 200 } });
    scene.vip.once('connect-failed', () => void backend.start());
    expect(await ask(scene.place)).toBe('back again');
    await scene.isAtRest();
    expect(scene.vip.stats.connectFailures).toBeGreaterThanOrEqual(1);
    expect(scene.vip.stats.rejects).toBe(0);
  });

  test('a member that takes the connection and then resets it is no failed connect', async () => {
    await using rude = await Backend.start({
      does: (socket) => void socket.once('data', () => socket.resetAndDestroy()),
    });
    await using scene = await Scene.open({ members: [rude.at] });
    expect(await refusalOf(scene.place)).toBe('ECONNRESET');
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ totalConnections: 1, connectFailures: 0, retries: 0 });
  });

  test('an empty pool resets its clients', async () => {
    await using scene = await Scene.open({ members: [] });
    expect(await refusalOf(scene.place)).toBe('ECONNRESET');
    expect(scene.rejected.map(({ reason }) => reason)).toEqual(['no-eligible-member']);
    await scene.isAtRest();
  });
});

describe('members by name and path', () => {
  test('a member may be named instead of numbered', async () => {
    await using backend = await Backend.start({ name: 'local', host: '127.0.0.1' });
    await using scene = await Scene.open({ members: [`localhost:${backend.port}`] });
    expect(await tally(scene.place, 5)).toEqual({ local: 5 });
    await scene.isAtRest();
  });

  test('a name that does not resolve is told, and its clients are served by other members', async () => {
    await using good = await Backend.start({ name: 'good' });
    await using scene = await Scene.open({ members: ['no-such-member.invalid:80', good.at] });
    expect(await tally(scene.place, 6)).toEqual({ good: 6 });
    await scene.isAtRest();
    expect(scene.connectFailures.length).toBeGreaterThan(0);
    for (const { memberId, reason } of scene.connectFailures) {
      expect(memberId).toBe('no-such-member.invalid:80');
      expect(reason).toMatch(/ENOTFOUND|EAI_AGAIN|within/);
    }
  });

  test('a health monitor finds a name that does not resolve', async () => {
    await using good = await Backend.start({ name: 'good' });
    await using scene = await Scene.open({
      members: ['no-such-member.invalid:80', good.at],
      healthMonitor: { type: 'tcp', delay: 100, timeout: 5000, maxRetriesDown: 1 },
    });
    await until(() => scene.memberStatuses === 'error,online', 'the name is found out');
    await scene.isAtRest();
  });
});
