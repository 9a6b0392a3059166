import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { MemberUser } from '../../../src/node/http/member-connection.ts';
import { HttpService } from '../../../src/node/http/service.ts';
import { VipServer } from '../../../src/node/vip-server.ts';
import { wayTo } from '../../../src/node/way-to-members.ts';
import { ask, fateOf, HttpClient } from '../../fixtures/node/http/client.ts';
import { answer, HttpFleet, HttpMember } from '../../fixtures/node/http/member.ts';
import { httpScene } from '../../fixtures/node/http/scene.ts';
import { ownFolder } from '../../fixtures/node/places.ts';
import { Scene } from '../../fixtures/node/scene.ts';
import { until } from '../../fixtures/node/until.ts';

const nobody: MemberUser = {
  memberConnected: () => {},
  memberSent: () => undefined,
  memberDrained: () => {},
  memberEnded: () => {},
  memberGone: () => {},
};

/** So long that nothing is closed for having waited. */
const keepAlive = { idleTimeout: 600_000 };

describe('connections to members', () => {
  test('serve one request after the other, whichever client it comes from', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    for (let turn = 0; turn < 5; turn++) expect((await client.ask('/')).status).toBe(200);
    for (let turn = 0; turn < 5; turn++) expect((await ask(scene.place)).status).toBe(200);
    expect(member.backend.accepted).toBe(1);
    client.end();
    await scene.isAtRest();
    expect(scene.pool.stats).toMatchObject({ totalConnections: 1, requests: 10, responses2xx: 10, requestErrors: 0 });
    expect(scene.vip.stats).toMatchObject({ totalConnections: 6, requests: 10, responses2xx: 10, requestErrors: 0 });
    expect(scene.vip.stats.timeToFirstByte?.count).toBe(10);
    expect(member.open).toBe(1);
  });

  test('serve one request at a time', async () => {
    await using member = await HttpMember.start({ does: () => {} });
    await using scene = await httpScene([member]);
    using one = await HttpClient.connect(scene.place);
    using two = await HttpClient.connect(scene.place);
    one.request('/one');
    const first = await member.request(1);
    two.request('/two');
    const second = await member.request(2);
    expect(second.wire).not.toBe(first.wire);
    expect(scene.pool.stats.activeConnections).toBe(2);
    second.answer('second');
    expect((await two.answer()).body).toBe('second');
    expect(scene.pool.stats.activeConnections).toBe(1);
    first.answer('first');
    expect((await one.answer()).body).toBe('first');
    one.end();
    two.end();
    await scene.isAtRest();
    expect(member.open).toBe(2);
  });

  test('that were used last are used next', async () => {
    await using member = await HttpMember.start({ does: () => {} });
    await using scene = await httpScene([member]);
    const clients = await Promise.all(Array.from({ length: 3 }, () => HttpClient.connect(scene.place)));
    for (const [index, client] of clients.entries()) {
      client.request('/');
      await member.request(index + 1);
    }
    const [first, second, third] = member.requests.map(({ wire }) => wire);
    // Put by in this order: the third, the first, the second.
    for (const index of [2, 0, 1]) {
      member.requests[index]?.answer();
      await clients[index]?.answer();
    }
    for (const [index, client] of clients.entries()) {
      client.request('/');
      await member.request(index + 4);
    }
    expect(member.requests.slice(3).map(({ wire }) => wire)).toEqual([second, first, third]);
    for (const client of clients) client.socket.destroy();
    await scene.isAtRest();
  });

  test('are not kept where the pool keeps none', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member], { keepAlive: { maxIdle: 0 } });
    using client = await HttpClient.connect(scene.place);
    for (let turn = 0; turn < 4; turn++) await client.ask('/');
    expect(member.backend.accepted).toBe(4);
    await member.isLetGo();
    expect(member.wires.map(({ error }) => error)).toEqual(new Array(4).fill(undefined));
    client.end();
    await scene.isAtRest();
  });

  test('are kept up to as many as the pool says, for each member', async () => {
    await using fleet = await HttpFleet.start(2, () => {});
    await using scene = await httpScene(fleet, { keepAlive: { maxIdle: 2 } });
    const clients = await Promise.all(Array.from({ length: 8 }, () => HttpClient.connect(scene.place)));
    for (const client of clients) client.request('/');
    for (const member of fleet.all) await member.request(4);
    for (const member of fleet.all) for (const request of member.requests) request.answer();
    for (const client of clients) await client.answer();
    for (const member of fleet.all) await member.until(() => member.open === 2, 'two are kept');
    for (const client of clients) client.end();
    await scene.isAtRest();
    expect(fleet.all.map(({ open }) => open)).toEqual([2, 2]);
  });

  test('that are no longer wanted by a change of the pool go at their next use or soon after', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member]);
    await ask(scene.place);
    expect(member.open).toBe(1);
    scene.pool.update({ keepAlive: { maxIdle: 0 } });
    await ask(scene.place);
    await member.isLetGo();
    await scene.isAtRest();
  });

  test('that nobody uses are closed in time', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member], { keepAlive: { idleTimeout: 40 } }, { timeouts: { request: 100 } });
    await ask(scene.place);
    await member.isLetGo();
    expect(member.wires[0]?.error).toBeUndefined();
    expect((await ask(scene.place)).status).toBe(200);
    expect(member.backend.accepted).toBe(2);
    await scene.isAtRest();
  });

  test('are not used for longer than their member says that it keeps them, less a second for what is on its way', async () => {
    await using member = await HttpMember.start({ does: (it) => it.answer('', { fields: ['Keep-Alive: timeout=1'] }) });
    await using scene = await httpScene([member], {}, { timeouts: { request: 100 } });
    await ask(scene.place);
    await ask(scene.place);
    expect(member.backend.accepted).toBe(2);
    await member.isLetGo();
    await scene.isAtRest();
  });

  test.each([
    'timeout=2',
    'timeout=5',
    'max=100, timeout=60',
    'max=1000',
    'nonsense',
    'timeout=',
    'timeout=99999999999999',
  ])('are kept where their member says "Keep-Alive: %s"', async (hint) => {
    await using member = await HttpMember.start({ does: (it) => it.answer('', { fields: [`Keep-Alive: ${hint}`] }) });
    await using scene = await httpScene([member]);
    for (let turn = 0; turn < 3; turn++) expect((await ask(scene.place)).field('Keep-Alive')).toBeUndefined();
    expect(member.backend.accepted).toBe(1);
    await scene.isAtRest();
  });

  test('are not used beyond their greatest age, however busy they are', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member], { keepAlive: { maxAge: 60 } });
    using client = await HttpClient.connect(scene.place);
    await until(async () => {
      await client.ask('/');
      return member.backend.accepted === 4;
    }, 'the fourth connection');
    client.end();
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ requestErrors: 0, retries: 0 });
  });

  test('that are opened together do not all grow old together, but within a tenth of their age', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member], { keepAlive: { maxAge: 10_000 } });
    const service = new HttpService(new VipServer(scene.vip));
    const client = { address: undefined, port: undefined };
    const connect = () => service.connect(scene.member('member'), wayTo(scene.pool), client, nobody);
    const before = performance.now();
    const connections = Array.from({ length: 100 }, () => connect());
    const after = performance.now();
    const ages = connections.map(({ retiresAt }) => retiresAt);
    for (const { socket } of connections) socket.destroy();
    expect(Math.min(...ages)).toBeGreaterThanOrEqual(before + 9000);
    expect(Math.max(...ages)).toBeLessThanOrEqual(after + 11_000);
    expect(Math.max(...ages) - Math.min(...ages)).toBeGreaterThan(500 + after - before);
  });
});

describe('connections to members are dropped', () => {
  test('when their member is removed', async () => {
    await using fleet = await HttpFleet.start(2);
    await using scene = await httpScene(fleet, { keepAlive });
    for (let turn = 0; turn < 2; turn++) await ask(scene.place);
    expect(fleet.all.map(({ open }) => open)).toEqual([1, 1]);
    scene.pool.remove('m1');
    await fleet.of('m1').isLetGo();
    expect(fleet.of('m1').wires[0]?.error).toBeUndefined();
    expect(fleet.of('m2').open).toBe(1);
    await scene.isAtRest();
  });

  test('when their member is disabled', async () => {
    await using fleet = await HttpFleet.start(2);
    await using scene = await httpScene(fleet, { keepAlive });
    for (let turn = 0; turn < 2; turn++) await ask(scene.place);
    scene.member('m1').update({ enabled: false });
    await fleet.of('m1').isLetGo();
    expect(fleet.of('m2').open).toBe(1);
    await scene.isAtRest();
  });

  test('when their member is drained', async () => {
    await using fleet = await HttpFleet.start(2);
    await using scene = await httpScene(fleet, { keepAlive });
    for (let turn = 0; turn < 2; turn++) await ask(scene.place);
    expect(await scene.pool.drain('m1')).toEqual({ remaining: 0 });
    await fleet.of('m1').isLetGo();
    expect(fleet.of('m2').open).toBe(1);
    await scene.isAtRest();
  });

  test('when their member does not pass its checks', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member], { keepAlive });
    await ask(scene.place);
    let isWell = true;
    const probe = async (): Promise<void> => {
      if (!isWell) throw new Error('unwell');
    };
    scene.pool.update({ healthMonitor: { type: { name: 'mood', check: probe }, delay: 10, maxRetriesDown: 1 } });
    await until(() => scene.memberStatuses === 'online', 'it is checked');
    expect(member.open).toBe(1);
    isWell = false;
    await member.isLetGo();
    expect(await fateOf(scene.place)).toBe(503);
    await scene.isAtRest();
  });

  test('when their member has moved', async () => {
    await using before = await HttpMember.start({ name: 'before' });
    await using after = await HttpMember.start({ name: 'after' });
    await using scene = await httpScene([before], { keepAlive }, { timeouts: { request: 100 } });
    expect((await ask(scene.place)).body).toBe('before');
    const { address, port } = after.spec;
    scene.member('before').update({ address, port });
    expect((await ask(scene.place)).body).toBe('after');
    await before.isLetGo();
    await scene.isAtRest();
  });

  test.each(['removed', 'disabled', 'drained', 'moved'])(
    'when the request is over during which their member was %s',
    async (what) => {
      await using member = await HttpMember.start({ does: () => {} });
      await using other = await HttpMember.start({ name: 'other' });
      await using scene = await httpScene([member], { keepAlive }, { timeouts: { request: 100 } });
      using client = await HttpClient.connect(scene.place);
      client.request('/');
      const request = await member.request(1);
      const { id } = member.spec;
      let draining: Promise<unknown> | undefined;
      if (what === 'removed') scene.pool.remove(id);
      else if (what === 'disabled') scene.member(id).update({ enabled: false });
      else if (what === 'moved') scene.member(id).update({ address: other.spec.address, port: other.spec.port });
      else draining = scene.pool.drain(id);
      request.answer('last words');
      expect((await client.answer()).body).toBe('last words');
      await draining;
      await member.isLetGo();
      client.end();
      await scene.isAtRest();
    },
  );

  test('when the listener is closed', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member], { keepAlive });
    await ask(scene.place);
    expect(member.open).toBe(1);
    await scene.listener.close();
    await member.isLetGo();
  });
});

describe('a connection is not used again', () => {
  const whole = answer('hello');
  test.each([
    ['more than one answer came', `${whole}${whole}`],
    ['something came behind the answer', `${whole}x`],
    ['its member says so', answer('hello', { fields: ['Connection: close'] })],
    ['its member says so among other things', answer('hello', { fields: ['Connection: x, Close', 'X: y'] })],
    ['its member speaks HTTP/1.0 and does not say that it stays', whole.replace('1.1', '1.0')],
    ['its member says both', answer('hello', { fields: ['Connection: keep-alive', 'Connection: close'] })],
  ])('where %s', async (_what, text) => {
    await using member = await HttpMember.start({ does: (heard) => heard.say(text) });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    for (let turn = 1; turn <= 3; turn++) {
      expect((await client.ask('/')).body).toBe('hello');
      expect(member.backend.accepted).toBe(turn);
    }
    await member.isLetGo();
    expect(member.faults).toEqual([]);
    client.end();
    await scene.isAtRest();
  });

  test('where the member ends it to end its answer', async () => {
    await using member = await HttpMember.start({
      does: ({ wire }) => wire.socket.end('HTTP/1.1 200 OK\r\n\r\nto the end'),
    });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    for (let turn = 1; turn <= 3; turn++) {
      expect((await client.ask('/')).body).toBe('to the end');
      expect(member.backend.accepted).toBe(turn);
    }
    await member.isLetGo();
    client.end();
    await scene.isAtRest();
  });

  test('where something comes while nobody uses it', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    await client.ask('/');
    member.requests[0]?.say(answer('nobody asked for this'));
    await member.isLetGo();
    expect((await client.ask('/')).body).toBe('member');
    expect(member.backend.accepted).toBe(2);
    client.end();
    await scene.isAtRest();
  });

  test('where the answer came before the request was complete', async () => {
    await using member = await HttpMember.start({ hears: (heard) => heard.answer('enough'), does: () => {} });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    client.send('POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 10\r\n\r\nhello');
    const { body, fields } = await client.answer();
    expect(body).toBe('enough');
    expect(fields).toContainEqual(['Connection', 'close']);
    await client.closed();
    await member.isLetGo();
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ requests: 1, requestErrors: 1, responses2xx: 1 });
  });

  test('a member of HTTP/1.0 that says that it stays is believed', async () => {
    const text = answer('hello', { fields: ['Connection: keep-alive'] }).replace('1.1', '1.0');
    await using member = await HttpMember.start({ does: (heard) => heard.say(text) });
    await using scene = await httpScene([member]);
    for (let turn = 0; turn < 3; turn++) expect((await ask(scene.place)).body).toBe('hello');
    expect(member.backend.accepted).toBe(1);
    await scene.isAtRest();
  });

  test('a member that says that it closes is let go without a reset', async () => {
    await using member = await HttpMember.start({ does: (it) => it.answer('', { fields: ['Connection: close'] }) });
    await using scene = await httpScene([member]);
    for (let turn = 0; turn < 3; turn++) await ask(scene.place);
    await member.isLetGo();
    expect(member.wires.map(({ error }) => error)).toEqual([undefined, undefined, undefined]);
    await scene.isAtRest();
  });
});

describe('a kept connection that turns out dead', () => {
  /** Answers the first request of each connection, and resets it when another one comes. */
  async function forgetful(): Promise<HttpMember> {
    return HttpMember.start({
      does: (heard) => {
        if (heard.wire.requests.length === 1) heard.answer(`${heard.message.method} ${heard.message.body}`);
        else heard.wire.reset();
      },
    });
  }

  test.each([
    ['GET', undefined],
    ['HEAD', undefined],
    ['DELETE', undefined],
    ['OPTIONS', undefined],
    ['TRACE', undefined],
    ['PUT', 'a small body'],
    ['PUT', 'x'.repeat(4000)],
  ])('is replaced without the client noticing: %s', async (method, body) => {
    await using member = await forgetful();
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    for (let turn = 1; turn <= 4; turn++) {
      const options = { method, ...(body !== undefined && { body }) };
      const answer = await client.ask('/', options);
      expect(answer.status).toBe(200);
      if (method !== 'HEAD') expect(answer.body).toBe(`${method} ${body ?? ''}`);
    }
    expect(member.backend.accepted).toBe(4);
    client.end();
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ requests: 4, responses2xx: 4, requestErrors: 0, retries: 0 });
    expect(scene.pool.stats).toMatchObject({ requests: 4, responses2xx: 4, requestErrors: 0, totalConnections: 4 });
    expect(scene.pool.stats.connectFailures).toBe(0);
  });

  test('is replaced also where the body of the request is still coming in', async () => {
    await using member = await forgetful();
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    await client.ask('/');
    member.hears = ({ wire }) => {
      if (wire.requests.length > 1) wire.reset();
    };
    client.send('PUT / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 10\r\n\r\nhello');
    await member.request(3);
    client.send('world');
    expect((await client.answer()).body).toBe('PUT helloworld');
    client.end();
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ requests: 2, responses2xx: 2, requestErrors: 0 });
  });

  test('has more than one after it, if need be', async () => {
    await using member = await HttpMember.start({ does: () => {} });
    await using scene = await httpScene([member]);
    const clients = await Promise.all(Array.from({ length: 5 }, () => HttpClient.connect(scene.place)));
    for (const client of clients) client.request('/');
    await member.request(5);
    for (const request of member.requests) request.answer();
    for (const client of clients) await client.answer();
    member.does = (heard) => {
      if (heard.wire.requests.length > 1) heard.wire.reset();
      else heard.answer('a fresh one');
    };
    for (const client of clients) expect((await client.ask('/')).body).toBe('a fresh one');
    for (const client of clients) client.end();
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ requests: 10, responses2xx: 10, requestErrors: 0, retries: 0 });
  });

  test('fails a request that must not be sent twice', async () => {
    await using member = await forgetful();
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    await client.ask('/');
    expect((await client.ask('/', { body: 'once' })).status).toBe(502);
    await client.closed();
    await scene.isAtRest();
    expect(member.requests).toHaveLength(2);
    expect(scene.vip.stats).toMatchObject({ requests: 2, responses2xx: 1, responses5xx: 1, retries: 0 });
    expect(scene.pool.stats).toMatchObject({ requests: 2, requestErrors: 1 });
  });

  test('fails a request whose body is too long to be kept for a second try', async () => {
    await using member = await forgetful();
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    await client.ask('/');
    expect((await client.ask('/', { method: 'PUT', body: 'x'.repeat(100_000) })).status).toBe(502);
    await client.closed();
    await scene.isAtRest();
  });

  test('fails a request of whose answer something has come', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    await client.ask('/');
    member.does = ({ wire }) => wire.socket.end('HTTP/1.1 200 O');
    expect((await client.ask('/')).status).toBe(502);
    await client.closed();
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ requests: 2, responses5xx: 1, retries: 0 });
    expect(scene.pool.stats.requestErrors).toBe(1);
  });

  test('is found out before it is used where its member closed it', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    await client.ask('/');
    member.wires[0]?.socket.end();
    await member.isLetGo();
    expect((await client.ask('/', { body: 'once' })).status).toBe(200);
    client.end();
    await scene.isAtRest();
    expect(scene.vip.stats.requestErrors).toBe(0);
  });

  test('a request that must not be sent twice gets no connection that was idle for long', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    await client.ask('/');
    await client.ask('/', { body: 'fresh enough' });
    expect(member.backend.accepted).toBe(1);
    await sleep(1050);
    await client.ask('/', { body: 'not fresh enough' });
    expect(member.backend.accepted).toBe(2);
    client.end();
    await scene.isAtRest();
    // It is kept for those who may have it.
    expect(member.open).toBe(2);
  });

  test('whose member is gone altogether fails over to another one', async () => {
    await using fleet = await HttpFleet.start(2);
    await using scene = await httpScene(fleet);
    for (let turn = 0; turn < 2; turn++) await ask(scene.place);
    fleet.of('m1').does = ({ wire }) => {
      wire.reset();
      void fleet.of('m1').stop();
    };
    for (let turn = 0; turn < 4; turn++) expect((await ask(scene.place)).body).toBe('m2');
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ requests: 6, responses2xx: 6, requestErrors: 0 });
  });
});

test('Unix sockets serve on either side', async () => {
  await using folder = await ownFolder();
  await using member = await HttpMember.start({ path: folder.socket('member') });
  await using scene = await Scene.open(
    { members: [member.at] },
    { protocol: 'http', address: `unix:${folder.socket('vip')}`, port: 0, insertHeaders: { 'X-Forwarded-For': true } },
  );
  using client = await HttpClient.connect(scene.place);
  for (let turn = 0; turn < 3; turn++) expect((await client.ask('/')).body).toBe('member');
  expect(member.backend.accepted).toBe(1);
  expect(member.requests[0]?.message.field('x-forwarded-for')).toBeUndefined();
  client.end();
  await scene.isAtRest();
});
