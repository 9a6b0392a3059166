import { describe, expect, test } from 'vitest';
import { Backend, echoes } from '../fixtures/node/backend.ts';
import { ask, Client, refusalOf } from '../fixtures/node/client.ts';
import { fateOf, HttpClient, ask as request } from '../fixtures/node/http/client.ts';
import { HttpFleet, HttpMember } from '../fixtures/node/http/member.ts';
import { httpScene } from '../fixtures/node/http/scene.ts';
import { closedPort } from '../fixtures/node/places.ts';
import { Scene } from '../fixtures/node/scene.ts';
import { until } from '../fixtures/node/until.ts';

const one = { maxConnections: 1 };

/** So many clients, each in the queue before the next one comes, all of whom have said who they are. */
async function line(scene: Scene, count: number): Promise<Client[]> {
  const clients: Client[] = [];
  for (let number = 1; number <= count; number++) {
    const client = await Client.connect(scene.place);
    client.send(`I am ${number}`);
    clients.push(client);
    await until(() => scene.pool.queueStats?.waiting === number, 'it waits');
  }
  return clients;
}

async function busy(queue: object) {
  const backend = await Backend.start({ does: echoes });
  const { host, port } = backend.place as { host: string; port: number };
  const scene = await Scene.open({ queue, members: [{ id: 'm', address: host, port, ...one }] });
  const first = await Client.connect(scene.place);
  await first.isEchoed('first');
  return {
    backend,
    scene,
    first,
    async [Symbol.asyncDispose]() {
      first.socket.destroy();
      await scene[Symbol.asyncDispose]();
      await backend[Symbol.asyncDispose]();
    },
  };
}

describe('TCP clients of a pool that is full', () => {
  test('wait and are served in order, and what they have sent meanwhile reaches the member', async () => {
    await using it = await busy({});
    const clients = await line(it.scene, 3);
    expect(it.backend.accepted).toBe(1);
    it.first.end();
    for (const [index, client] of clients.entries()) {
      await client.receives(`I am ${index + 1}`);
      expect(it.scene.pool.queueStats?.waiting).toBe(2 - index);
      client.end();
    }
    await it.scene.isAtRest();
    expect(it.scene.pool.queueStats).toMatchObject({ served: 3, timedOut: 0, refused: 0, abandoned: 0 });
    expect(it.scene.vip.stats).toMatchObject({ totalConnections: 4, rejects: 0 });
  });

  test('are refused beyond the limit, and when their time is up', async () => {
    await using it = await busy({ limit: 1, timeout: 300 });
    const [waiting] = (await line(it.scene, 1)) as [Client];
    expect(await refusalOf(it.scene.place)).toBe('ECONNRESET');
    expect(await waiting.closed()).toBe('ECONNRESET');
    expect(it.scene.rejected.map(({ reason }) => reason)).toEqual(['queue-full', 'queue-timeout']);
    it.first.end();
    await it.scene.isAtRest();
  });

  test('leave the queue when they reset', async () => {
    await using it = await busy({});
    const [leaver, stayer] = (await line(it.scene, 2)) as [Client, Client];
    leaver.reset();
    await until(() => it.scene.pool.queueStats?.abandoned === 1, 'it is noticed at once');
    it.first.end();
    await stayer.receives('I am 2');
    stayer.end();
    await it.scene.isAtRest();
    expect(it.backend.accepted).toBe(2);
  });

  test('leave it when they close having said nothing', async () => {
    await using it = await busy({});
    using client = await Client.connect(it.scene.place);
    await until(() => it.scene.pool.queueStats?.waiting === 1, 'it waits');
    client.end();
    await until(() => it.scene.pool.queueStats?.abandoned === 1, 'it has left');
    it.first.end();
    await it.scene.isAtRest();
    expect(it.backend.accepted).toBe(1);
  });

  test('keep their place when they have asked for something and close their half', async () => {
    await using it = await busy({});
    using client = await Client.connect(it.scene.place);
    await until(() => it.scene.pool.queueStats?.waiting === 1, 'it waits');
    client.end('question');
    it.first.end();
    await client.receives('question');
    await it.scene.isAtRest();
    expect(it.scene.pool.queueStats).toMatchObject({ served: 1, abandoned: 0 });
  });

  test('may send more than is kept for them while they wait', async () => {
    await using it = await busy({});
    using client = await Client.connect(it.scene.place);
    await until(() => it.scene.pool.queueStats?.waiting === 1, 'it waits');
    const much = 'x'.repeat(4_000_000);
    client.send(much);
    await until(() => client.socket.bytesWritten > 100_000, 'it has sent as much as it can');
    it.first.end();
    await until(() => client.received.length === much.length, 'all of it comes back');
    client.end();
    await it.scene.isAtRest();
    expect(it.scene.vip.stats.bytesIn).toBe(much.length + 'first'.length);
  });

  test('are sent on to another member where theirs cannot be connected to', async () => {
    await using backend = await Backend.start({ name: 'good' });
    const { host, port } = backend.place as { host: string; port: number };
    await using scene = await Scene.open({ queue: {}, members: [{ id: 'good', address: host, port, ...one }] });
    const [deadHost = '', deadPort] = (await closedPort()).split(':');
    scene.pool.add({ id: 'dead', address: deadHost, port: Number(deadPort), ...one });
    const names = await Promise.all(Array.from({ length: 12 }, () => ask(scene.place)));
    expect(new Set(names)).toEqual(new Set(['good']));
    await scene.isAtRest();
    expect(scene.rejected).toEqual([]);
  });

  test('end with their listener, when its deadline is over', async () => {
    await using it = await busy({ timeout: 60_000 });
    const [client] = (await line(it.scene, 1)) as [Client];
    await it.scene.listener.close({ deadline: 0 });
    expect(await client.closed()).toBe('ECONNRESET');
    await it.scene.isAtRest();
  });
});

describe('HTTP requests to a pool that is full', () => {
  test('wait one by one, whatever connections they come by', async () => {
    await using fleet = await HttpFleet.start(1);
    const member = fleet.of('m1');
    member.does = () => {};
    await using scene = await httpScene([], { queue: {}, members: [{ ...member.spec, ...one }] });
    using first = await HttpClient.connect(scene.place);
    first.request('/1');
    const heard = await member.request(1);
    using second = await HttpClient.connect(scene.place);
    second.request('/2');
    await until(() => scene.pool.queueStats?.waiting === 1, 'the second waits');
    using third = await HttpClient.connect(scene.place);
    third.request('/3');
    await until(() => scene.pool.queueStats?.waiting === 2, 'the third waits');
    expect(member.requests.length).toBe(1);
    heard.answer('one');
    expect((await first.answer()).body).toBe('one');
    (await member.request(2)).answer('two');
    expect((await second.answer()).body).toBe('two');
    (await member.request(3)).answer('three');
    expect((await third.answer()).body).toBe('three');
    for (const client of [first, second, third]) client.end();
    await scene.isAtRest();
    expect(member.requests.map(({ target }) => target)).toEqual(['/1', '/2', '/3']);
    expect(scene.pool.queueStats).toMatchObject({ served: 2 });
  });

  test('get 503 beyond the limit, and when their time is up', async () => {
    await using member = await HttpMember.start({ does: () => {} });
    await using scene = await httpScene([], {
      queue: { limit: 1, timeout: 300 },
      members: [{ ...member.spec, ...one }],
    });
    using first = await HttpClient.connect(scene.place);
    first.request('/');
    const heard = await member.request(1);
    const waiting = request(scene.place);
    await until(() => scene.pool.queueStats?.waiting === 1, 'one waits');
    const { status, body } = await request(scene.place);
    expect([status, body]).toEqual([503, '503 Service Unavailable: every member is busy\n']);
    expect((await waiting).status).toBe(503);
    expect(scene.rejected.map(({ reason }) => reason)).toEqual(['queue-full', 'queue-timeout']);
    heard.answer();
    await first.answer();
    first.end();
    await scene.isAtRest();
    expect(member.requests.length).toBe(1);
  });

  // HAProxy's reg-tests/http-messaging/http_abortonclose.vtc: the request of a client that has gone is never sent.
  test('are not sent when their client has gone while they waited', async () => {
    await using member = await HttpMember.start({ does: () => {} });
    await using scene = await httpScene([], { queue: {}, members: [{ ...member.spec, ...one }] });
    using first = await HttpClient.connect(scene.place);
    first.request('/first');
    const heard = await member.request(1);
    using leaver = await HttpClient.connect(scene.place);
    leaver.request('/leaver');
    await until(() => scene.pool.queueStats?.waiting === 1, 'it waits');
    leaver.end();
    await until(() => scene.pool.queueStats?.abandoned === 1, 'it has left');
    using resetter = await HttpClient.connect(scene.place);
    resetter.request('/resetter');
    await until(() => scene.pool.queueStats?.waiting === 1, 'it waits');
    resetter.reset();
    await until(() => scene.pool.queueStats?.abandoned === 2, 'it has left');
    heard.answer();
    await first.answer();
    first.end();
    await scene.isAtRest();
    expect(member.requests.map(({ target }) => target)).toEqual(['/first']);
    expect(scene.vip.stats).toMatchObject({ abortedRequests: 2, requests: 3 });
  });

  test('carry their bodies along, also long ones', async () => {
    await using member = await HttpMember.start({ does: (heard) => heard.answer(`${heard.message.body.length}`) });
    await using scene = await httpScene([], { queue: {}, members: [{ ...member.spec, ...one }] });
    const sizes = [10, 70_000, 3_000_000, 0, 200_000];
    const answers = await Promise.all(
      sizes.map(async (size) => {
        using client = await HttpClient.connect(scene.place);
        const { body } = await client.ask('/', { method: 'POST', body: 'x'.repeat(size) });
        return Number(body);
      }),
    );
    expect(answers).toEqual(sizes);
    await scene.isAtRest();
  });

  test('all get through a storm, and no member ever has more than its limit', async () => {
    await using fleet = await HttpFleet.start(3);
    let most = 0;
    const active = new Map<string, number>();
    for (const name of ['m1', 'm2', 'm3']) {
      fleet.of(name).does = (heard) => {
        const now = (active.get(name) ?? 0) + 1;
        active.set(name, now);
        most = Math.max(most, now);
        setImmediate(() => {
          active.set(name, now - 1);
          heard.answer();
        });
      };
    }
    const members = fleet.members.map((member) => ({ ...member, ...one }));
    await using scene = await httpScene([], { queue: { timeout: 60_000 }, members });
    const answers = await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        using client = await HttpClient.connect(scene.place);
        const statuses: number[] = [];
        for (let turn = 0; turn < 10; turn++) {
          if (turn === 5 && index % 8 === 0) {
            client.reset();
            return statuses;
          }
          statuses.push((await client.ask('/')).status);
        }
        client.end();
        return statuses;
      }),
    );
    expect(new Set(answers.flat())).toEqual(new Set([200]));
    expect(most).toBe(1);
    await scene.isAtRest();
    expect(scene.pool.queueStats).toMatchObject({ waiting: 0, timedOut: 0, refused: 0 });
    expect(scene.rejected).toEqual([]);
  });

  test('reach the member by a kept connection, also in the queue', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([], { queue: {}, members: [{ ...member.spec, ...one }] });
    expect(await Promise.all(Array.from({ length: 10 }, () => fateOf(scene.place)))).toEqual(Array(10).fill(200));
    await scene.isAtRest();
    expect(member.wires.length).toBeLessThan(10);
  });
});
