import { describe, expect, test } from 'vitest';
import type { PoolSpec, VipSpec } from '../../../src/index.ts';
import { HttpClient } from '../../fixtures/node/http/client.ts';
import { type Handler, HttpMember } from '../../fixtures/node/http/member.ts';
import { ProxyEntrance } from '../../fixtures/node/members/proxy-entrance.ts';
import { Scene } from '../../fixtures/node/scene.ts';
import { Authority } from '../../fixtures/node/tls/authority.ts';
import { TlsEntrance } from '../../fixtures/node/tls/entrance.ts';
import { until } from '../../fixtures/node/until.ts';

interface Stage extends AsyncDisposable {
  readonly entrance: ProxyEntrance;
  readonly member: HttpMember;
  readonly scene: Scene;
  /** The port of the client of each connection, as the member was told. */
  readonly ports: (number | undefined)[];
}

interface Wanted {
  readonly pool?: PoolSpec;
  readonly vip?: Partial<VipSpec>;
  readonly does?: Handler;
  readonly tls?: TlsEntrance;
}

/** An HTTP member that demands the PROXY protocol, and a virtual IP in front of it. */
async function stageOf({ pool = {}, vip = {}, does, tls }: Wanted = {}): Promise<Stage> {
  const entrance = new ProxyEntrance();
  const member = await HttpMember.start({
    ...(does && { does }),
    behind: (then) => entrance.before(tls === undefined ? then : tls.before(then)),
  });
  const scene = await Scene.open(
    { members: [member.spec], proxyProtocol: 'v2', ...pool },
    { protocol: 'http', ...vip },
  );
  return {
    entrance,
    member,
    scene,
    get ports() {
      return entrance.announcements.map(({ header }) => header.source?.port);
    },
    async [Symbol.asyncDispose]() {
      await scene[Symbol.asyncDispose]();
      await member.stop();
    },
  };
}

function portOf(client: HttpClient): number | undefined {
  return client.socket.localPort;
}

describe.each(['v1', 'v2'] as const)('a PROXY header %s to an HTTP member', (proxyProtocol) => {
  test('tells of the client, ahead of its request', async () => {
    await using stage = await stageOf({ pool: { proxyProtocol } });
    using client = await HttpClient.connect(stage.scene.place);
    expect((await client.ask('/a')).body).toBe('member');
    expect(stage.ports).toEqual([portOf(client)]);
    expect(stage.entrance.announcements[0]?.ahead).toMatch(/^GET \/a HTTP\/1\.1\r\n/);
    expect(stage.scene.pool.stats.bytesIn).toBe(stage.entrance.announcements[0]?.ahead.length);
  });

  test('stands for all requests of that client', async () => {
    await using stage = await stageOf({ pool: { proxyProtocol } });
    using client = await HttpClient.connect(stage.scene.place);
    for (const path of ['/a', '/b', '/c']) await client.ask(path);
    expect(stage.ports).toEqual([portOf(client)]);
    expect(stage.member.targets).toEqual(['/a', '/b', '/c']);
  });

  test('never stands for a request of another client', async () => {
    await using stage = await stageOf({ pool: { proxyProtocol } });
    using a = await HttpClient.connect(stage.scene.place);
    using b = await HttpClient.connect(stage.scene.place);
    for (const path of ['/1', '/2', '/3']) {
      await a.ask(`/a${path}`);
      await b.ask(`/b${path}`);
    }
    expect(stage.ports).toEqual([portOf(a), portOf(b)]);
    const [first, second] = stage.member.wires.map(({ requests }) => requests.map(({ target }) => target));
    expect([first, second]).toEqual([
      ['/a/1', '/a/2', '/a/3'],
      ['/b/1', '/b/2', '/b/3'],
    ]);
  });

  test('goes with its client', async () => {
    await using stage = await stageOf({ pool: { proxyProtocol, keepAlive: { idleTimeout: 60_000 } } });
    const a = await HttpClient.connect(stage.scene.place);
    await a.ask('/a');
    expect(stage.member.open).toBe(1);
    a.end();
    await stage.member.isLetGo();
    using b = await HttpClient.connect(stage.scene.place);
    await b.ask('/b');
    expect(stage.ports).toHaveLength(2);
    expect(stage.ports[1]).toBe(portOf(b));
  });

  test('is of the new kind after an update, also for a client of before', async () => {
    await using stage = await stageOf({ pool: { proxyProtocol } });
    using client = await HttpClient.connect(stage.scene.place);
    await client.ask('/a');
    stage.scene.pool.update({ proxyProtocol: proxyProtocol === 'v1' ? 'v2' : 'v1' });
    await client.ask('/b');
    expect(stage.entrance.announcements).toHaveLength(2);
    stage.scene.pool.update({ proxyProtocol: proxyProtocol === 'v1' ? 'v2' : 'v1' });
    await client.ask('/c');
    expect(stage.entrance.announcements.map(({ version }) => version)).toEqual(
      proxyProtocol === 'v1' ? [1, 2] : [2, 1],
    );
    await until(() => stage.member.open === 1, 'the first connection is closed');
  });
});

describe('connections that told of their client', () => {
  test('are kept no longer than others', async () => {
    await using stage = await stageOf({ pool: { keepAlive: { idleTimeout: 50 } } });
    using client = await HttpClient.connect(stage.scene.place);
    await client.ask('/a');
    await stage.member.isLetGo();
    await client.ask('/b');
    expect(stage.ports).toEqual([portOf(client), portOf(client)]);
  });

  test('are dropped when their member begins to drain', async () => {
    await using stage = await stageOf({ pool: { keepAlive: { idleTimeout: 60_000 } } });
    using client = await HttpClient.connect(stage.scene.place);
    await client.ask('/a');
    stage.scene.member('member').update({ weight: 0 });
    await stage.member.isLetGo();
  });

  test('are as many as the client’s members', async () => {
    await using stage = await stageOf();
    const other = await HttpMember.start({ name: 'other', behind: stage.entrance.before });
    stage.scene.pool.add(other.spec);
    using client = await HttpClient.connect(stage.scene.place);
    for (let turn = 0; turn < 6; turn++) await client.ask('/');
    expect([stage.member.requests.length, other.requests.length]).toEqual([3, 3]);
    expect(stage.ports).toEqual([portOf(client), portOf(client)]);
    client.end();
    await Promise.all([stage.member.isLetGo(), other.isLetGo()]);
    await other.stop();
  });

  test('are not the only ones that the virtual IP keeps after it leads to another pool', async () => {
    await using stage = await stageOf();
    stage.scene.pool.update({ proxyProtocol: null });
    await using plain = await HttpMember.start({ name: 'plain' });
    stage.scene.pool.update({ members: [plain.spec] });
    for (let turn = 0; turn < 2; turn++) {
      using client = await HttpClient.connect(stage.scene.place);
      await client.ask('/');
    }
    expect(plain.wires).toHaveLength(1);
  });

  test('serve pipelined requests in order', async () => {
    await using stage = await stageOf();
    using client = await HttpClient.connect(stage.scene.place);
    for (const path of ['/1', '/2', '/3', '/4']) client.request(path);
    for (let turn = 0; turn < 4; turn++) expect((await client.answer()).status).toBe(200);
    expect(stage.member.targets).toEqual(['/1', '/2', '/3', '/4']);
    expect(stage.ports).toEqual([portOf(client)]);
  });

  test('tell one id of one client, whatever member they lead to', async () => {
    const proxyProtocol = { version: 'v2', tlvs: { uniqueId: true } } as const;
    await using stage = await stageOf({ pool: { proxyProtocol, keepAlive: { maxIdle: 0 } } });
    using client = await HttpClient.connect(stage.scene.place);
    for (let turn = 0; turn < 2; turn++) await client.ask('/');
    using other = await HttpClient.connect(stage.scene.place);
    await other.ask('/');
    const ids = stage.entrance.announcements.map(({ header }) => Buffer.from(header.tlvs.uniqueId ?? []).toString());
    expect(ids).toHaveLength(3);
    expect(ids[1]).toBe(ids[0]);
    expect(ids[2]).not.toBe(ids[0]);
  });

  test('may speak TLS, too', async () => {
    const authority = new Authority();
    const { cert, key } = authority.issue({ serverNames: ['m.example'] });
    const tls = new TlsEntrance({ cert, key });
    await using stage = await stageOf({ tls, pool: { tls: { ca: authority.cert, serverName: 'm.example' } } });
    using a = await HttpClient.connect(stage.scene.place);
    using b = await HttpClient.connect(stage.scene.place);
    for (const path of ['/1', '/2']) for (const client of [a, b]) expect((await client.ask(path)).status).toBe(200);
    expect(stage.ports).toEqual([portOf(a), portOf(b)]);
    expect(tls.greetings.map(({ isResumed }) => isResumed)).toEqual([false, true]);
    const body = 'x'.repeat(500_000);
    stage.member.does = (heard) => heard.answer(heard.message.body);
    expect((await a.ask('/', { method: 'POST', body })).body.length).toBe(body.length);
  });

  test('may become tunnels', async () => {
    await using stage = await stageOf({
      does: (heard) => {
        heard.switch();
        const { socket } = heard.wire;
        socket.on('data', (chunk) => socket.write(`<${chunk}>`)).on('end', () => socket.end());
      },
    });
    using client = await HttpClient.connect(stage.scene.place);
    client.request('/', { fields: ['Connection: Upgrade', 'Upgrade: echo'] });
    expect((await client.answer()).status).toBe(101);
    client.send('hello');
    await client.receives('<hello>');
    client.end();
    await client.closed();
    await stage.member.isLetGo();
    await stage.scene.isAtRest();
  });
});
