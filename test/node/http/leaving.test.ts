import { describe, expect, test } from 'vitest';
import { ask, HttpClient, request } from '../../fixtures/node/http/client.ts';
import { HttpMember } from '../../fixtures/node/http/member.ts';
import { mebi, pour } from '../../fixtures/node/http/pour.ts';
import { httpScene } from '../../fixtures/node/http/scene.ts';
import { BlackHole } from '../../fixtures/node/process.ts';
import { Scene } from '../../fixtures/node/scene.ts';
import { settled, until } from '../../fixtures/node/until.ts';

const ways: [how: string, leaves: (client: HttpClient) => void][] = [
  ['ends', (client) => client.end()],
  ['closes', (client) => client.socket.destroy()],
  ['resets', (client) => client.reset()],
];

/** None of these is anybody's fault but the client's. */
const nobodysFault = { requestErrors: 0, connectFailures: 0, retries: 0 };

describe.each(ways)('a client that %s', (_how, leaves) => {
  test('before it has asked for anything leaves no trace', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    leaves(client);
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ totalConnections: 1, requests: 0, abortedRequests: 0, requestErrors: 0 });
    expect(member.backend.accepted).toBe(0);
  });

  test('in the middle of its head has asked for nothing', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    client.send('GET / HTTP/1.1\r\nHost: a.exam');
    await until(() => scene.vip.stats.activeConnections === 1, 'it is in');
    leaves(client);
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ requests: 0, abortedRequests: 0 });
    expect(member.backend.accepted).toBe(0);
  });

  test('between two requests leaves its member’s connection to others', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    await client.ask('/');
    leaves(client);
    await scene.isAtRest();
    await ask(scene.place);
    await scene.isAtRest();
    expect(member.backend.accepted).toBe(1);
    expect(scene.vip.stats).toMatchObject({ requests: 2, responses2xx: 2, abortedRequests: 0 });
  });

  test('before it has its answer frees its member at once', async () => {
    await using member = await HttpMember.start({ does: () => {} });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    client.request('/');
    await member.request(1);
    leaves(client);
    await member.isLetGo();
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ requests: 1, abortedRequests: 1, responses5xx: 0, ...nobodysFault });
    expect(scene.pool.stats).toMatchObject({ requests: 1, abortedRequests: 1, ...nobodysFault });
  });

  test('before it has its answer on a kept connection takes that with it', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member]);
    await ask(scene.place);
    member.does = () => {};
    using client = await HttpClient.connect(scene.place);
    client.request('/');
    await member.request(2);
    leaves(client);
    await member.isLetGo();
    await scene.isAtRest();
    expect(scene.pool.stats).toMatchObject({ requests: 2, totalConnections: 1, abortedRequests: 1, ...nobodysFault });
  });

  test('in the middle of its answer frees its member at once', async () => {
    await using member = await HttpMember.start({
      does: (heard) => heard.say('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello'),
    });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    client.request('/');
    await client.hasGot(5);
    leaves(client);
    await member.isLetGo();
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ responses2xx: 1, abortedRequests: 1, ...nobodysFault });
    expect(scene.pool.stats).toMatchObject({ responses2xx: 1, abortedRequests: 1, ...nobodysFault });
  });

  test('in the middle of a download that it takes slowly frees its member at once', async () => {
    await using member = await HttpMember.start({
      does: (heard) => {
        heard.say(`HTTP/1.1 200 OK\r\nContent-Length: ${100 * mebi}\r\n\r\n`);
        void pour(heard.wire.socket, 100 * mebi);
      },
    });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    client.request('/');
    await client.hasGot(1);
    client.socket.pause();
    await settled(() => scene.vip.stats.bytesOut, 'nothing flows');
    leaves(client);
    await member.isLetGo();
    await scene.isAtRest();
    expect(scene.vip.stats.abortedRequests).toBe(1);
  });

  test('in the middle of its body frees its member, which sees that the request is cut', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    client.request('/', { method: 'POST', fields: ['Content-Length: 10'] });
    client.send('hello');
    const { message } = await member.request(1);
    await member.until(() => message.size === 5, 'it arrives');
    leaves(client);
    await member.isLetGo();
    await scene.isAtRest();
    expect(message.isComplete).toBe(false);
    expect(scene.vip.stats).toMatchObject({ requests: 1, abortedRequests: 1, requestErrors: 1, connectFailures: 0 });
    expect(scene.pool.stats).toMatchObject({ requests: 1, abortedRequests: 1, ...nobodysFault });
  });

  test('while its member is being connected to leaves no trace there', async () => {
    await using hole = await BlackHole.open();
    await using scene = await Scene.open({ members: [hole.at] }, { protocol: 'http', timeouts: { connect: 0 } });
    using client = await HttpClient.connect(scene.place);
    client.request('/');
    await until(() => scene.pool.stats.activeConnections === 1, 'it is being connected to');
    leaves(client);
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ requests: 1, abortedRequests: 1, rejects: 0, ...nobodysFault });
    expect(scene.pool.stats).toMatchObject({ requests: 0, totalConnections: 0, ...nobodysFault });
  });

  test('while its member is waited for is not waited for', async () => {
    await using member = await HttpMember.start();
    await member.stop();
    await using scene = await httpScene([member], {}, { retries: 100 });
    using client = await HttpClient.connect(scene.place);
    client.request('/');
    await until(() => scene.vip.stats.connectFailures === 1, 'it is not there');
    leaves(client);
    await scene.isAtRest();
    const { connectFailures } = scene.vip.stats;
    await member.start();
    expect((await ask(scene.place)).status).toBe(200);
    await scene.isAtRest();
    expect(scene.vip.stats.connectFailures).toBe(connectFailures);
    expect(member.backend.accepted).toBe(1);
  });

  test('with more requests on their way has none of them begun', async () => {
    await using member = await HttpMember.start({ does: () => {} });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    client.send(request('/1') + request('/2') + request('/3'));
    await member.request(1);
    leaves(client);
    await member.isLetGo();
    await scene.isAtRest();
    expect(member.targets).toEqual(['/1']);
    expect(scene.vip.stats).toMatchObject({ requests: 1, abortedRequests: 1 });
  });

  test('when it has its last answer leaves nothing undone', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    await client.ask('/', { fields: ['Connection: close'] });
    leaves(client);
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ requests: 1, responses2xx: 1, abortedRequests: 0, ...nobodysFault });
  });
});

describe('a client that vanishes while nobody reads from it', () => {
  test('since its member takes nothing more is noticed when that does', async () => {
    await using member = await HttpMember.start({ hears: ({ wire }) => void wire.socket.pause() });
    await using scene = await httpScene([member], {}, { timeouts: { member: 0, client: 0 } });
    using client = await HttpClient.connect(scene.place);
    client.request('/', { method: 'POST', fields: [`Content-Length: ${100 * mebi}`] });
    void pour(client.socket, 100 * mebi);
    const { wire } = await member.request(1);
    await settled(() => scene.vip.stats.bytesIn, 'nothing flows');
    client.reset();
    wire.socket.resume();
    await member.isLetGo();
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ abortedRequests: 1, requestErrors: 1 });
  });

  test('since its member takes nothing more is gone at the member’s timeout at the latest', async () => {
    await using member = await HttpMember.start({ hears: ({ wire }) => void wire.socket.pause() });
    await using scene = await httpScene([member], {}, { timeouts: { member: 100, client: 0 } });
    using client = await HttpClient.connect(scene.place);
    client.request('/', { method: 'POST', fields: [`Content-Length: ${100 * mebi}`] });
    void pour(client.socket, 100 * mebi);
    await member.request(1);
    await settled(() => scene.vip.stats.bytesIn, 'nothing flows');
    client.reset();
    await scene.isAtRest();
  });

  test('since it waits for its turn is noticed when that comes', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member], {}, { connectionLimit: 1 });
    using served = await HttpClient.connect(scene.place);
    await served.ask('/');
    const waiting = await HttpClient.connect(scene.place);
    waiting.request('/never');
    await until(() => scene.vip.stats.waitingConnections === 1, 'it waits');
    waiting.reset();
    served.end();
    await scene.isAtRest();
    expect(scene.vip.stats.abortedRequests).toBeLessThanOrEqual(1);
  });
});

test('thousands of clients that leave at any point leave nothing behind', async () => {
  await using member = await HttpMember.start({
    does: (heard) => {
      if (heard.target === '/slow') return;
      heard.answer('x'.repeat(20_000));
    },
  });
  await using scene = await httpScene([member]);
  let left = 2000;
  const leaver = async (): Promise<void> => {
    while (left-- > 0) {
      const way = ways[left % ways.length]?.[1] ?? (() => {});
      const target = left % 5 === 0 ? '/slow' : '/';
      const client = await HttpClient.connect(scene.place);
      const text = request(target, left % 2 === 0 ? { body: 'x'.repeat(left % 7 === 0 ? 50_000 : 10) } : {});
      client.send(text.slice(0, left % 11 === 0 ? 10 : left % 13 === 0 ? -5 : undefined));
      for (let wait = left % 4; wait > 0; wait--) await new Promise(setImmediate);
      way(client);
      if (!client.socket.destroyed) await client.closed();
    }
  };
  await Promise.all(Array.from({ length: 40 }, leaver));
  await scene.isAtRest();
  await until(
    () =>
      member.wires.every(
        ({ hasClosed, requests }) => hasClosed || requests.every(({ hasSaidSomething }) => hasSaidSomething),
      ),
    'the member is free',
  );
  expect(scene.troubles).toEqual([]);
  expect((await ask(scene.place)).status).toBe(200);
  await scene.isAtRest();
});

describe('a client that ends its sending half behind its request', () => {
  test('gets the answer of a member that gives it soon', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    const answer = client.ask('/');
    client.end();
    expect((await answer).status).toBe(200);
    await until(() => client.hasEnded, 'nothing else is to come');
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ requests: 1, responses2xx: 1, abortedRequests: 0 });
  });

  test('gets the answers of requests that it has sent ahead', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    const answers = [client.ask('/1'), client.ask('/2'), client.ask('/3')];
    client.end();
    for (const answer of answers) expect((await answer).status).toBe(200);
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ requests: 3, responses2xx: 3, abortedRequests: 0 });
  });
});
