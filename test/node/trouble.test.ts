import { describe, expect, test } from 'vitest';
import type { EvenkeelError, Strategy } from '../../src/index.ts';
import { Backend, echoes } from '../fixtures/node/backend.ts';
import { ask, Client, refusalOf, tally } from '../fixtures/node/client.ts';
import { closedPort } from '../fixtures/node/places.ts';
import { BlackHole, Child } from '../fixtures/node/process.ts';
import { Scene } from '../fixtures/node/scene.ts';
import { until } from '../fixtures/node/until.ts';

describe('a strategy of the user’s that throws', () => {
  test('hurts the client for whom it was asked, and nobody else', async () => {
    await using fleet = await Backend.fleet(1, echoes);
    let isMoody = false;
    const moody: Strategy = {
      name: 'moody',
      prepare: (members) => ({
        pick: () => {
          if (isMoody) throw new Error('not today');
          return members[0];
        },
      }),
    };
    await using scene = await Scene.open({ members: fleet.members, strategy: moody });
    using client = await Client.connect(scene.place);
    await client.isEchoed('hello');
    isMoody = true;
    expect(await refusalOf(scene.place)).toBe('ECONNRESET');
    isMoody = false;
    using next = await Client.connect(scene.place);
    await next.isEchoed('hello');
    await client.isEchoed('still here');
    expect(scene.troubles).toMatchObject([{ code: 'ERR_EVENKEEL_STRATEGY', cause: { message: 'not today' } }]);
    client.end();
    next.end();
    await scene.isAtRest();
  });

  test.each(['prepare', 'acquired', 'released'])(
    'in %s is found out, and neither ends the process nor leaves a connection in the books',
    async (where) => {
      await using child = Child.run('moody-strategy.mjs', [where]);
      const report = await child.message();
      expect(report).toMatchObject({ before: 'fine', after: 'fine', vipActive: 0, poolActive: 0, memberActive: 0 });
      expect(report).toMatchObject({ troubles: expect.toSatisfy((count: number) => count > 0) });
      expect(await child.exited()).toBe(0);
      expect(child.output).toBe('');
    },
  );

  test('a strategy that picks nobody has its client reset', async () => {
    await using fleet = await Backend.fleet(1);
    const strategy: Strategy = { name: 'undecided', prepare: () => ({ pick: () => undefined }) };
    await using scene = await Scene.open({ members: fleet.members, strategy });
    expect(await refusalOf(scene.place)).toBe('ECONNRESET');
    expect(scene.rejected.map(({ reason }) => reason)).toEqual(['none-picked']);
    await scene.isAtRest();
  });

  test('a strategy that insists on a member that refuses does not keep its client from the other', async () => {
    await using good = await Backend.start({ name: 'good' });
    const strategy: Strategy = { name: 'stubborn', prepare: (members) => ({ pick: () => members[0] }) };
    await using scene = await Scene.open({ members: [closedPort(), good.at], strategy });
    expect(await tally(scene.place, 5)).toEqual({ good: 5 });
    await scene.isAtRest();
  });
});

describe('a listener of events that throws', () => {
  test('hurts nobody', async () => {
    await using good = await Backend.start({ name: 'good' });
    await using scene = await Scene.open({ members: [closedPort(), good.at] });
    const { vip, pool } = scene;
    const causes: unknown[] = [];
    const keep = (error: EvenkeelError): void => {
      causes.push((error.cause as Error).message);
    };
    const fail = (what: string) => (): never => {
      throw new Error(what);
    };
    vip.on('listener-error', keep);
    pool.on('listener-error', keep);
    vip.on('connect-failed', fail('connect-failed'));
    vip.on('rejected', fail('rejected'));
    pool.on('member-status', fail('member-status'));
    expect(await ask(scene.place)).toBe('good');
    pool.update({ healthMonitor: { type: 'tcp', delay: 30, maxRetriesDown: 1 } });
    await until(() => scene.memberStatuses === 'error,online', 'the checks go on');
    vip.update({ allowedCidrs: [] });
    expect(await refusalOf(scene.place)).toBe('ECONNRESET');
    vip.update({ allowedCidrs: null });
    expect(await ask(scene.place)).toBe('good');
    await scene.isAtRest();
    expect([...new Set(causes)].sort()).toEqual(['connect-failed', 'member-status', 'rejected']);
  });
});

describe('hostile clients', () => {
  test('ten thousand that connect and reset at once leave nothing behind', async () => {
    await using fleet = await Backend.fleet(2, echoes);
    await using scene = await Scene.open({ members: fleet.members });
    let left = 10_000;
    const attacker = async (): Promise<void> => {
      while (left-- > 0) {
        const client = Client.start(scene.place);
        await new Promise<void>((resolve) => {
          client.socket.on('close', () => resolve());
          client.socket.on('connect', () => client.reset());
        });
      }
    };
    await Promise.all(Array.from({ length: 100 }, attacker));
    await scene.isAtRest();
    await until(() => fleet.backends.every(({ sockets }) => sockets.size === 0), 'the members are let go');
    using client = await Client.connect(scene.place);
    await client.isEchoed('hello');
    client.end();
    await scene.isAtRest();
    expect(scene.troubles).toEqual([]);
  });

  test('clients that connect and end at once leave nothing behind', async () => {
    await using fleet = await Backend.fleet(2, echoes);
    await using scene = await Scene.open({ members: fleet.members });
    for (let round = 0; round < 10; round++) {
      const clients = Array.from({ length: 50 }, () => Client.start(scene.place));
      for (const client of clients) client.end();
      for (const client of clients) expect(await client.closed()).toBeUndefined();
    }
    await scene.isAtRest();
    expect(scene.pool.stats.totalConnections).toBe(500);
  });

  test('clients that never send are let go in time, and nobody else has to wait for them', async () => {
    await using fleet = await Backend.fleet(2);
    await using scene = await Scene.open({ members: fleet.members }, { timeouts: { client: 400, member: 0 } });
    const silent = await Promise.all(Array.from({ length: 200 }, () => Client.connect(scene.place)));
    expect(Object.keys(await tally(scene.place, 10))).toHaveLength(2);
    for (const client of silent) await client.isLetGo();
    await scene.isAtRest();
  });

  test('clients that send and then vanish while their member is being connected to leave nothing behind', async () => {
    await using hole = await BlackHole.open();
    await using good = await Backend.start({ name: 'good', does: echoes });
    await using scene = await Scene.open({ members: [hole.at, good.at] }, { timeouts: { connect: 200 } });
    for (let turn = 0; turn < 20; turn++) {
      const client = await Client.connect(scene.place);
      client.send('is anybody there?');
      if (turn % 2 === 0) client.reset();
      else client.socket.destroy();
    }
    await until(() => scene.vip.stats.totalConnections === 20, 'all were let in');
    await scene.isAtRest();
    await until(() => good.sockets.size === 0, 'the member is let go');
    using client = await Client.connect(scene.place);
    await client.isEchoed('hello');
    client.end();
    await scene.isAtRest();
  });

  test('clients that vanish without a word while they wait for a member that never answers are gone at the last timeout', async () => {
    await using hole = await BlackHole.open();
    await using scene = await Scene.open({ members: [hole.at] }, { retries: 2, timeouts: { connect: 60 } });
    for (let turn = 0; turn < 10; turn++) (await Client.connect(scene.place)).reset();
    await scene.isAtRest();
    expect(scene.pool.stats.totalConnections).toBe(0);
  });

  test('a client that trickles single bytes gets each of them through', async () => {
    await using backend = await Backend.start({ does: echoes });
    await using scene = await Scene.open({ members: [backend.at] });
    using client = await Client.connect(scene.place);
    for (let turn = 0; turn < 200; turn++) await client.isEchoed('x');
    client.end();
    await client.closed();
    expect(client.received).toBe('x'.repeat(200));
    await scene.isAtRest();
  });
});
