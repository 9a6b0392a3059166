import { describe, expect, test } from 'vitest';
import type { Strategy } from '../../../src/index.ts';
import { ask, HttpClient, tally } from '../../fixtures/node/http/client.ts';
import { HttpFleet, HttpMember } from '../../fixtures/node/http/member.ts';
import { httpScene } from '../../fixtures/node/http/scene.ts';
import { until } from '../../fixtures/node/until.ts';

describe('requests of one client connection', () => {
  test('are balanced one by one, in equal shares', async () => {
    await using fleet = await HttpFleet.start(2);
    await using scene = await httpScene(fleet);
    using client = await HttpClient.connect(scene.place);
    expect(await tally(() => client.ask('/'), 20)).toEqual({ m1: 10, m2: 10 });
    client.end();
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ totalConnections: 1, requests: 20, responses2xx: 20 });
    expect(scene.pool.members.map(({ stats }) => stats.requests)).toEqual([10, 10]);
    expect(scene.shares).toEqual({ m1: 1, m2: 1 });
  });

  test('follow the weights', async () => {
    await using fleet = await HttpFleet.start(3);
    const members = fleet.members.map((member, index) => ({ ...member, weight: index + 1 }));
    await using scene = await httpScene(fleet, { members });
    using client = await HttpClient.connect(scene.place);
    expect(await tally(() => client.ask('/'), 24)).toEqual({ m1: 4, m2: 8, m3: 12 });
    client.end();
    await scene.isAtRest();
  });

  test.each(['round-robin', 'least-connections', 'random', 'source-ip', 'source-ip-port'] as const)(
    'are all answered with %s',
    async (strategy) => {
      await using fleet = await HttpFleet.start(3);
      await using scene = await httpScene(fleet, { strategy });
      using client = await HttpClient.connect(scene.place);
      const counts = await tally(() => client.ask('/'), 30);
      const isSticky = strategy === 'source-ip' || strategy === 'source-ip-port';
      expect(Object.keys(counts)).toHaveLength(isSticky ? 1 : 3);
      client.end();
      await scene.isAtRest();
      expect(scene.pool.stats).toMatchObject({ requests: 30, responses2xx: 30, retries: 0, rejects: 0 });
    },
  );

  test('stay on one member with source IP, also when they come on several connections', async () => {
    await using fleet = await HttpFleet.start(4);
    await using scene = await httpScene(fleet, { strategy: 'source-ip' });
    const homes = new Set<string>();
    for (let host = 1; host <= 16; host++) {
      const localAddress = `127.0.9.${host}`;
      using client = await HttpClient.connect(scene.place, { localAddress });
      const counts = await tally(() => client.ask('/'), 3);
      const more = await tally(() => ask(scene.place, '/', {}, { localAddress }), 3);
      expect(Object.keys({ ...counts, ...more })).toHaveLength(1);
      homes.add(Object.keys(counts).join());
    }
    expect(homes.size).toBeGreaterThan(1);
    await scene.isAtRest();
  });

  test('go where fewer are under way with least connections', async () => {
    await using fleet = await HttpFleet.start(2, () => {});
    await using scene = await httpScene(fleet, { strategy: 'least-connections' });
    const clients = await Promise.all(Array.from({ length: 6 }, () => HttpClient.connect(scene.place)));
    for (const [index, client] of clients.entries()) {
      client.request('/');
      await until(() => scene.pool.stats.requests === index + 1, 'it is under way');
    }
    const [m1, m2] = fleet.all as [HttpMember, HttpMember];
    expect(scene.pool.members.map(({ stats }) => stats.activeConnections)).toEqual([3, 3]);
    for (const request of m1.requests) request.answer();
    await until(() => scene.pool.stats.activeConnections === 3, 'm1 is done');
    m1.does = (heard) => heard.answer();
    // What is kept open is no load.
    expect(m1.open).toBe(3);
    expect(await tally(() => ask(scene.place), 10)).toEqual({ m1: 10 });
    for (const request of m2.requests) request.answer();
    for (const client of clients) expect((await client.answer()).status).toBe(200);
    for (const client of clients) client.end();
    await scene.isAtRest();
  });

  test('take no more of a member than its limit, and the rest elsewhere', async () => {
    await using fleet = await HttpFleet.start(2, () => {});
    const members = fleet.members.map((member) => (member.id === 'm1' ? { ...member, maxConnections: 1 } : member));
    await using scene = await httpScene(fleet, { members });
    const clients = await Promise.all(Array.from({ length: 6 }, () => HttpClient.connect(scene.place)));
    for (const client of clients) client.request('/');
    await fleet.of('m2').request(5);
    expect(scene.pool.members.map(({ stats }) => stats.activeConnections)).toEqual([1, 5]);
    for (const member of fleet.all) for (const request of member.requests) request.answer();
    for (const client of clients) await client.answer();
    for (const client of clients) client.end();
    await scene.isAtRest();
  });

  test('get 503 where every member has as many as it takes', async () => {
    await using member = await HttpMember.start({ does: () => {} });
    await using scene = await httpScene([member], { members: [{ ...member.spec, maxConnections: 1 }] });
    using one = await HttpClient.connect(scene.place);
    one.request('/');
    const request = await member.request(1);
    const { status, body } = await ask(scene.place);
    expect([status, body]).toEqual([503, '503 Service Unavailable: every member is busy\n']);
    request.answer();
    await one.answer();
    one.end();
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ requests: 2, responses2xx: 1, responses5xx: 1, rejects: 1 });
    expect(scene.member('member').stats).toMatchObject({ requests: 1, rejects: 0 });
    expect(scene.rejected.map(({ reason }) => reason)).toEqual(['members-full']);
  });
});

describe('a strategy of the user’s', () => {
  test('that throws costs the request a 500, and nobody else anything', async () => {
    await using member = await HttpMember.start();
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
    await using scene = await httpScene([member], { strategy: moody });
    using other = await HttpClient.connect(scene.place);
    await other.ask('/');
    isMoody = true;
    const { status, body } = await ask(scene.place);
    expect([status, body]).toEqual([500, '500 Internal Server Error: no member could be chosen\n']);
    isMoody = false;
    expect((await other.ask('/')).status).toBe(200);
    expect(scene.troubles).toMatchObject([{ code: 'ERR_EVENKEEL_STRATEGY', cause: { message: 'not today' } }]);
    other.end();
    await scene.isAtRest();
  });

  test('is told of each request when it begins and when it ends, and how', async () => {
    const told: string[] = [];
    const strategy: Strategy = {
      name: 'listening',
      prepare: (members) => ({
        pick: () => members[0],
        acquired: () => told.push('acquired'),
        released: (_member, _place, outcome) => told.push(outcome),
      }),
    };
    await using member = await HttpMember.start();
    await using scene = await httpScene([member], { strategy });
    using client = await HttpClient.connect(scene.place);
    await client.ask('/');
    await client.ask('/');
    member.does = (heard) => heard.wire.reset();
    await client.ask('/', { body: 'once' });
    await client.closed();
    member.does = () => {};
    using leaver = await HttpClient.connect(scene.place);
    leaver.request('/');
    await member.request(4);
    leaver.reset();
    await scene.isAtRest();
    const ends = ['success', 'success', 'failure', 'aborted'];
    expect(told).toEqual(ends.flatMap((end) => ['acquired', end]));
  });
});
