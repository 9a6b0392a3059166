import { describe, expect, test } from 'vitest';
import { ask, fateOf, HttpClient } from '../../fixtures/node/http/client.ts';
import { HttpMember } from '../../fixtures/node/http/member.ts';
import { httpScene } from '../../fixtures/node/http/scene.ts';
import { until } from '../../fixtures/node/until.ts';

describe('a limit of connections', () => {
  test('lets clients beyond it wait unserved, in order, and refuses those beyond the backlog', async () => {
    await using member = await HttpMember.start({ does: (heard) => heard.answer(heard.target) });
    await using scene = await httpScene([member], {}, { connectionLimit: 2, backlog: 2 });
    const { stats } = scene.vip;
    const clients: HttpClient[] = [];
    for (let number = 1; number <= 4; number++) {
      const client = await HttpClient.connect(scene.place);
      client.request(`/${number}`);
      clients.push(client);
      await until(() => stats.activeConnections + stats.waitingConnections === number, 'it is in');
    }
    const [first, second, third, fourth] = clients as [HttpClient, HttpClient, HttpClient, HttpClient];
    expect((await first.answer()).body).toBe('/1');
    expect((await second.answer()).body).toBe('/2');
    expect(await fateOf(scene.place)).toBe('ECONNRESET');
    expect(scene.rejected.map(({ reason }) => reason)).toEqual(['connection-limit']);
    // A client that is served may ask again: it has its place.
    expect((await first.ask('/again')).body).toBe('/again');
    expect(stats).toMatchObject({ activeConnections: 2, waitingConnections: 2, requests: 3 });
    second.end();
    expect((await third.answer()).body).toBe('/3');
    expect(fourth.answers).toEqual([]);
    first.reset();
    expect((await fourth.answer()).body).toBe('/4');
    third.end();
    fourth.end();
    await scene.isAtRest();
    expect(stats).toMatchObject({ totalConnections: 4, requests: 5, rejects: 1 });
  });

  test('makes room when an idle connection is closed in time', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member], {}, { connectionLimit: 1, timeouts: { keepAlive: 60 } });
    using idle = await HttpClient.connect(scene.place);
    await idle.ask('/');
    expect((await ask(scene.place)).status).toBe(200);
    await idle.closed();
    await scene.isAtRest();
  });

  test('makes room when a request asks for its connection’s end', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member], {}, { connectionLimit: 1, timeouts: { keepAlive: 0 } });
    const turns = Array.from({ length: 20 }, async () => {
      using client = await HttpClient.connect(scene.place);
      const { status } = await client.ask('/', { fields: ['Connection: close'] });
      await client.closed();
      return status;
    });
    expect(new Set(await Promise.all(turns))).toEqual(new Set([200]));
    await scene.isAtRest();
  });

  test('counts a client that reads its refusal as one until it is gone', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member], {}, { connectionLimit: 1 });
    using bad = await HttpClient.connect(scene.place);
    bad.send('nonsense\r\n\r\n');
    expect((await bad.answer()).status).toBe(400);
    using next = await HttpClient.connect(scene.place);
    next.request('/');
    await until(() => scene.vip.stats.waitingConnections === 1, 'it waits');
    bad.end();
    expect((await next.answer()).status).toBe(200);
    next.end();
    await scene.isAtRest();
  });
});

describe('a client meets', () => {
  test('a reset where it is not allowed, and a client that is served stays', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member], {}, { allowedCidrs: ['127.0.9.0/24'] });
    using friend = await HttpClient.connect(scene.place, { localAddress: '127.0.9.1' });
    expect((await friend.ask('/')).status).toBe(200);
    expect(await fateOf(scene.place)).toBe('ECONNRESET');
    scene.vip.update({ allowedCidrs: [] });
    expect((await friend.ask('/')).status).toBe(200);
    friend.end();
    await scene.isAtRest();
    expect(scene.rejected).toEqual([{ clientAddress: '127.0.0.1', reason: 'not-allowed' }]);
  });

  test('a reset where the virtual IP is disabled', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member], {}, { enabled: false });
    expect(await fateOf(scene.place)).toBe('ECONNRESET');
    scene.vip.update({ enabled: true });
    expect(await fateOf(scene.place)).toBe(200);
    await scene.isAtRest();
  });

  test('503 where the pool is disabled, and is served on the same port when that is over', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member], { enabled: false });
    const { status, body, fields } = await ask(scene.place);
    expect([status, body]).toEqual([503, '503 Service Unavailable: the service is disabled\n']);
    expect(fields).toContainEqual(['Connection', 'close']);
    scene.pool.update({ enabled: true });
    expect((await ask(scene.place)).status).toBe(200);
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ requests: 2, responses5xx: 1, responses2xx: 1, rejects: 1 });
    expect(scene.pool.stats).toMatchObject({ requests: 1, rejects: 1 });
    expect(scene.rejected.map(({ reason }) => reason)).toEqual(['disabled']);
  });

  test('503 where every member is disabled or down', async () => {
    await using member = await HttpMember.start({ does: (heard) => heard.answer('', { status: 500 }) });
    const healthMonitor = { type: 'http', delay: 20, maxRetriesDown: 1 } as const;
    const members = [member.spec, { id: 'off', address: '127.0.0.9', port: 9, enabled: false }];
    await using scene = await httpScene([member], { members, healthMonitor });
    await until(() => scene.vip.status === 'error', 'the virtual IP is down');
    expect(await fateOf(scene.place)).toBe(503);
    await scene.isAtRest();
    expect(scene.rejected.at(-1)?.reason).toBe('no-eligible-member');
  });

  test('503 on a connection that served before, in its turn and as the last', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    await client.ask('/');
    scene.pool.update({ enabled: false });
    expect((await client.ask('/', { body: 'x'.repeat(300_000) })).status).toBe(503);
    await client.closed();
    expect(client.error).toBeUndefined();
    await scene.isAtRest();
  });
});
