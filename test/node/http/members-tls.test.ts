import type { TlsOptions } from 'node:tls';
import { describe, expect, test } from 'vitest';
import type { PoolSpec, VipSpec } from '../../../src/index.ts';
import type { Service } from '../../fixtures/node/backend.ts';
import { ask, HttpClient } from '../../fixtures/node/http/client.ts';
import { answer, type Handler, HttpMember } from '../../fixtures/node/http/member.ts';
import { ProxyEntrance } from '../../fixtures/node/members/proxy-entrance.ts';
import { Scene } from '../../fixtures/node/scene.ts';
import { Authority } from '../../fixtures/node/tls/authority.ts';
import { TlsClient } from '../../fixtures/node/tls/client.ts';
import { TlsEntrance } from '../../fixtures/node/tls/entrance.ts';
import { settled, until } from '../../fixtures/node/until.ts';

const authority = new Authority();
const { cert, key } = authority.issue({ serverNames: ['m.example', '*.example.org'] });
const own = authority.issue({ serverNames: ['a.example.org', 'b.example.org'] });
const tls = { ca: authority.cert, serverName: 'm.example' };
const versions = ['TLSv1.2', 'TLSv1.3'] as const;

interface Secure extends AsyncDisposable {
  readonly member: HttpMember;
  readonly entrance: TlsEntrance;
  readonly scene: Scene;
}

interface Wanted {
  readonly does?: Handler;
  readonly hears?: Handler;
  readonly options?: TlsOptions;
  readonly pool?: PoolSpec;
  readonly vip?: Partial<VipSpec>;
}

/** An HTTP member that speaks TLS, and a virtual IP in front of it. */
async function secure({ options = {}, pool = {}, vip = {}, ...handlers }: Wanted = {}): Promise<Secure> {
  const entrance = new TlsEntrance({ cert, key, ...options });
  const member = await HttpMember.start({ ...handlers, behind: entrance.before });
  const scene = await Scene.open({ members: [member.spec], tls, ...pool }, { protocol: 'http', ...vip });
  return {
    member,
    entrance,
    scene,
    async [Symbol.asyncDispose]() {
      await scene[Symbol.asyncDispose]();
      await member.stop();
    },
  };
}

describe.each(versions)('an HTTP member that speaks %s', (version) => {
  const options = { minVersion: version, maxVersion: version };

  test('serves one request after the other, of all clients, over one connection', async () => {
    await using stage = await secure({ options });
    for (let turn = 0; turn < 3; turn++) {
      using client = await HttpClient.connect(stage.scene.place);
      for (const path of ['/a', '/b']) expect((await client.ask(path)).body).toBe('member');
    }
    expect(stage.member.targets).toEqual(['/a', '/b', '/a', '/b', '/a', '/b']);
    expect(stage.entrance.greetings).toMatchObject([{ serverName: 'm.example', version }]);
    expect(stage.scene.pool.stats).toMatchObject({ totalConnections: 1, requests: 6, responses2xx: 6 });
  });

  test('takes and gives bodies of all sizes', async () => {
    const body = 'x'.repeat(1_000_000);
    await using stage = await secure({ options, does: (heard) => heard.answer(heard.message.body) });
    using client = await HttpClient.connect(stage.scene.place);
    for (const size of [0, 1, 16_383, 16_384, 16_385, 300_000, body.length]) {
      expect((await client.ask('/', { method: 'POST', body: body.slice(0, size) })).body.length).toBe(size);
    }
    expect(stage.entrance.greetings).toHaveLength(1);
  });

  test('may switch to another protocol', async () => {
    await using stage = await secure({
      options,
      does: (heard) => {
        heard.switch('echo', 'ahead');
        const { socket } = heard.wire;
        socket.on('data', (chunk) => socket.write(`<${chunk}>`)).on('end', () => socket.end());
      },
    });
    using client = await HttpClient.connect(stage.scene.place);
    client.request('/', { fields: ['Connection: Upgrade', 'Upgrade: echo'] });
    expect((await client.answer()).status).toBe(101);
    await client.receives('ahead');
    client.send('hello');
    await client.receives('<hello>');
    client.end();
    await client.closed();
    await stage.member.isLetGo();
    await stage.scene.isAtRest();
  });

  test('may end an answer with its connection', async () => {
    await using stage = await secure({
      options,
      does: ({ wire }) => wire.socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end'),
    });
    using client = await HttpClient.connect(stage.scene.place);
    expect((await client.ask('/')).body).toBe('to the end');
    expect((await client.ask('/')).body).toBe('to the end');
    expect(stage.entrance.greetings.map(({ isResumed }) => isResumed)).toEqual([false, true]);
  });

  test('that is reset in the middle of an answer breaks it off', async () => {
    await using stage = await secure({
      options,
      does: (heard) => {
        heard.say('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nnot to the');
        setTimeout(() => {
          for (const socket of stage.member.backend.sockets) socket.resetAndDestroy();
        }, 20);
      },
    });
    using client = await HttpClient.connect(stage.scene.place);
    client.request('/');
    await client.isCut();
  });

  test('that is reset right behind a piece of its answer breaks it off', async () => {
    await using stage = await secure({
      options,
      does: ({ wire: { socket } }) => {
        socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nnot to the', () => {
          for (const each of stage.member.backend.sockets) each.resetAndDestroy();
        });
      },
    });
    for (let turn = 0; turn < 20; turn++) {
      using client = await HttpClient.connect(stage.scene.place);
      client.request('/', { method: 'POST', body: 'x' });
      // It may get nothing at all, but never an answer that seems complete.
      const answer = await client.answer().catch(() => undefined);
      expect(answer?.body).not.toBe('not to the');
    }
  });

  test('is reset where its client leaves before it has answered', async () => {
    await using stage = await secure({ options, does: () => {} });
    const client = await HttpClient.connect(stage.scene.place);
    client.request('/');
    await stage.member.request(1);
    client.socket.resetAndDestroy();
    await stage.member.isLetGo();
    expect(stage.member.wires[0]?.error).toMatchObject({ code: 'ECONNRESET' });
    await stage.scene.isAtRest();
  });

  test('that closes a kept connection costs the next request nothing', async () => {
    await using stage = await secure({ options });
    using client = await HttpClient.connect(stage.scene.place);
    await client.ask('/a');
    stage.member.wires[0]?.socket.end();
    await stage.member.isLetGo();
    expect((await client.ask('/b')).status).toBe(200);
    expect(stage.entrance.greetings.map(({ isResumed }) => isResumed)).toEqual([false, true]);
    expect(stage.scene.vip.stats).toMatchObject({ retries: 0, requestErrors: 0 });
  });
});

describe('an HTTP member that speaks TLS', () => {
  test('that does not prove who it is gets no request, and the client 503', async () => {
    const stranger = new Authority('somebody else').issue({ serverNames: ['m.example'] });
    await using stage = await secure({
      options: { cert: stranger.cert, key: stranger.key },
      vip: { retries: 0 },
    });
    expect(await ask(stage.scene.place, '/')).toMatchObject({ status: 503 });
    expect(stage.member.requests).toEqual([]);
    expect(stage.scene.connectFailures).toMatchObject([{ memberId: 'member' }]);
  });

  test('may agree upon HTTP/1.1, and must not upon anything else', async () => {
    await using fine = await secure({
      pool: { tls: { ...tls, alpn: ['http/1.1'] } },
      options: { ALPNProtocols: ['http/1.1'] },
    });
    expect(await ask(fine.scene.place, '/')).toMatchObject({ status: 200 });
    expect(fine.entrance.greetings).toMatchObject([{ alpn: 'http/1.1' }]);
    await using stage = await secure({
      pool: { tls: { ...tls, alpn: ['h2', 'http/1.1'] } },
      options: { ALPNProtocols: ['h2'] },
      vip: { retries: 0 },
    });
    expect(await ask(stage.scene.place, '/')).toMatchObject({ status: 503 });
    expect(stage.scene.connectFailures).toMatchObject([
      { reason: 'the member chose to speak h2, which is not spoken here' },
    ]);
  });

  test.each([undefined, 'v2'] as const)(
    'is told when its connection is not wanted any more, with proxyProtocol %s',
    async (proxyProtocol) => {
      const proxy = new ProxyEntrance();
      const entrance = new TlsEntrance({ cert, key });
      // Counts what TLS itself does not show: the alert that says goodbye (at least 24 bytes).
      const received: number[] = [];
      const before = (does: Service): Service => {
        const over = entrance.before(does);
        const behind = proxyProtocol === undefined ? over : proxy.before(over);
        return (socket, backend) => {
          socket.on('close', () => received.push(socket.bytesRead));
          behind(socket, backend);
        };
      };
      let atAnswer = 0;
      await using member = await HttpMember.start({
        behind: before,
        does: (heard) => {
          atAnswer = Math.max(...[...member.backend.sockets].map(({ bytesRead }) => bytesRead));
          heard.answer();
        },
      });
      const spec: PoolSpec = { members: [member.spec], tls, ...(proxyProtocol && { proxyProtocol }) };
      await using scene = await Scene.open({ ...spec, keepAlive: { idleTimeout: 600_000 } }, { protocol: 'http' });
      using client = await HttpClient.connect(scene.place);
      await client.ask('/');
      scene.member('member').update({ weight: 0 });
      await member.isLetGo();
      expect(received).toHaveLength(1);
      expect(received[0]).toBeGreaterThanOrEqual(atAnswer + 24);
    },
  );

  test.each([
    ['tls', { tls: { maxVersion: 'TLSv1.2' } }],
    ['proxyProtocol', { proxyProtocol: 'v2' }],
  ] as const)('does not wait for long when nobody comes after an update of %s', async (_, change) => {
    await using stage = await secure({ pool: { keepAlive: { idleTimeout: 600_000 } } });
    using client = await HttpClient.connect(stage.scene.place);
    await client.ask('/a');
    stage.scene.pool.update({ strategy: 'random' });
    expect(stage.member.open).toBe(1);
    stage.scene.pool.update(change);
    await stage.member.isLetGo();
  });

  test('hears no more of connections of before an update', async () => {
    await using stage = await secure();
    using client = await HttpClient.connect(stage.scene.place);
    await client.ask('/a');
    stage.scene.pool.update({ tls: { maxVersion: 'TLSv1.2' } });
    await client.ask('/b');
    expect(stage.entrance.greetings).toHaveLength(2);
    stage.scene.pool.update({ tls: { maxVersion: 'TLSv1.2' } });
    await client.ask('/c');
    expect(stage.entrance.greetings.map(({ version }) => version)).toEqual(['TLSv1.3', 'TLSv1.2']);
    await until(() => stage.member.open === 1, 'the first connection is closed');
  });

  test('is let go after the answer that it gives while an update comes', async () => {
    await using stage = await secure({ pool: { keepAlive: { idleTimeout: 60_000 } }, does: () => {} });
    using client = await HttpClient.connect(stage.scene.place);
    client.request('/a');
    const heard = await stage.member.request(1);
    stage.scene.pool.update({ tls: { maxVersion: 'TLSv1.2' } });
    heard.answer();
    expect((await client.answer()).status).toBe(200);
    await stage.member.isLetGo();
  });

  test('is offered a session only for the name that it was given for', async () => {
    const offers: boolean[] = [];
    const entrance = new TlsEntrance({ cert, key, maxVersion: 'TLSv1.2' });
    // RFC 5077, section 3.2: without a ticket the extension is empty.
    const noTicket = Buffer.from([0, 35, 0, 0]);
    await using member = await HttpMember.start({
      behind: (does) => (socket, backend) => {
        socket.once('data', (hello: Buffer) => {
          offers.push(!hello.includes(noTicket));
          socket.pause();
          socket.unshift(hello);
          entrance.before(does)(socket, backend);
        });
      },
    });
    const vip = { protocol: 'http', tls: { certificates: { cert: own.cert, key: own.key } } } as const;
    await using scene = await Scene.open({ members: [member.spec], tls: { ...tls, passServerName: true } }, vip);
    for (const servername of ['a.example.org', 'b.example.org', 'a.example.org', 'a.example.org']) {
      using client = await TlsClient.connect(scene.place, { servername });
      client.send('GET / HTTP/1.0\r\n\r\n');
      await client.ended();
    }
    expect(offers).toEqual([false, false, false, true]);
  });

  test('is asked for the name that the client asked for where that is wanted, and by no other client’s connection', async () => {
    await using stage = await secure({
      pool: { tls: { ...tls, passServerName: true } },
      vip: { tls: { certificates: { cert: own.cert, key: own.key } } },
    });
    const fetch = async (client: TlsClient, path: string): Promise<void> => {
      client.send(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      const answers = client.received.split('HTTP/1.1 200').length;
      await until(() => client.received.split('HTTP/1.1 200').length > answers, 'an answer');
    };
    using a = await TlsClient.connect(stage.scene.place, { servername: 'a.example.org' });
    using b = await TlsClient.connect(stage.scene.place, { servername: 'b.example.org' });
    using none = await TlsClient.connect(stage.scene.place);
    for (const path of ['/1', '/2']) for (const client of [a, b, none]) await fetch(client, path);
    expect(stage.entrance.greetings.map(({ serverName }) => serverName)).toEqual([
      'a.example.org',
      'b.example.org',
      'm.example',
    ]);
    expect(stage.member.targets).toEqual(['/1', '/1', '/1', '/2', '/2', '/2']);
  });

  test('gets a request again that a connection of before lost, over a new one', async () => {
    let isFirst = true;
    await using stage = await secure({
      does: (heard) => {
        if (heard.target !== '/b' || !isFirst) return heard.answer();
        isFirst = false;
        for (const socket of stage.member.backend.sockets) socket.resetAndDestroy();
      },
    });
    using client = await HttpClient.connect(stage.scene.place);
    await client.ask('/a');
    expect((await client.ask('/b')).status).toBe(200);
    expect(stage.member.targets).toEqual(['/a', '/b', '/b']);
  });

  test('pours an answer no faster than its client takes it', async () => {
    const piece = 'x'.repeat(1024 * 1024);
    let written = 0;
    await using stage = await secure({
      does: ({ wire: { socket } }) => {
        socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n');
        const pour = (): void => {
          while (written < 512 * piece.length) {
            written += piece.length;
            if (!socket.write(piece)) return void socket.once('drain', pour);
          }
        };
        pour();
      },
    });
    using client = await HttpClient.connect(stage.scene.place);
    client.request('/');
    await client.answerBegun();
    client.socket.pause();
    await settled(() => written, 'the member has to wait');
    expect(written).toBeLessThan(64 * piece.length);
  });

  test('that answers in many small pieces loses none', async () => {
    const pieces = Array.from({ length: 3000 }, (_, index) => `${index};`);
    await using stage = await secure({
      does: (heard) => {
        heard.say(answer(pieces.join('')).replace(/\r\n\r\n.*/s, '\r\n\r\n'));
        for (const piece of pieces) heard.say(piece);
      },
    });
    using client = await HttpClient.connect(stage.scene.place);
    expect((await client.ask('/')).body).toBe(pieces.join(''));
  });
});
