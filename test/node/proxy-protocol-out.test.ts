import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import type { PoolSpec, ProxyHeader, VipSpec } from '../../src/index.ts';
import { writeProxyHeader } from '../../src/proxy-protocol/write-proxy-header.ts';
import { Backend, echoes, type Service } from '../fixtures/node/backend.ts';
import { ask, Client, refusalOf } from '../fixtures/node/client.ts';
import { noiseOf } from '../fixtures/node/http/noise.ts';
import { ProxyEntrance } from '../fixtures/node/members/proxy-entrance.ts';
import { ownFolder, ownHost, type Place } from '../fixtures/node/places.ts';
import { Scene } from '../fixtures/node/scene.ts';
import { Authority } from '../fixtures/node/tls/authority.ts';
import { TlsClient } from '../fixtures/node/tls/client.ts';
import { TlsEntrance } from '../fixtures/node/tls/entrance.ts';
import { settled, until } from '../fixtures/node/until.ts';

const authority = new Authority();
const member = authority.issue({ serverNames: ['m.example'] });
const own = authority.issue({ name: 'a.example', serverNames: ['a.example'] });
const versions = ['v1', 'v2'] as const;

interface Stage extends AsyncDisposable {
  readonly entrance: ProxyEntrance;
  readonly backend: Backend;
  readonly scene: Scene;
}

const saysHi: Service = (socket) => void socket.once('data', () => socket.end('hi'));

/** A member that demands the PROXY protocol, and a virtual IP in front of it. */
async function stageOf(
  pool: PoolSpec,
  { does = saysHi, vip = {} }: { readonly does?: Service; readonly vip?: Partial<VipSpec> } = {},
): Promise<Stage> {
  const entrance = new ProxyEntrance();
  const backend = await Backend.start({ does: entrance.before(does) });
  const scene = await Scene.open({ members: [backend.at], ...pool }, vip);
  return {
    entrance,
    backend,
    scene,
    async [Symbol.asyncDispose]() {
      await scene[Symbol.asyncDispose]();
      await backend.stop();
    },
  };
}

function ends(client: Client | TlsClient, place: Place): Pick<ProxyHeader, 'command' | 'source' | 'destination'> {
  if ('path' in place) throw new Error('a port');
  const { localAddress = '', localPort = 0 } = client.socket;
  return {
    command: 'proxy',
    source: { address: localAddress.replace('::ffff:', ''), port: localPort },
    destination: { address: place.host, port: place.port },
  };
}

describe.each(versions)('a PROXY header %s to a TCP member', (version) => {
  test('tells of the client and of what it connected to, and then comes what the client sends', async () => {
    await using stage = await stageOf({ proxyProtocol: version }, { does: echoes });
    const { scene, entrance } = stage;
    using client = await Client.connect(scene.place, { localAddress: ownHost() });
    await client.isEchoed('hello');
    expect(entrance.announcements).toMatchObject([
      { version: version === 'v1' ? 1 : 2, header: { family: 'tcp4', ...ends(client, scene.place) } },
    ]);
    expect(scene.pool.stats).toMatchObject({ bytesIn: 5, bytesOut: 5 });
  });

  test('comes before the client has said anything', async () => {
    await using stage = await stageOf({ proxyProtocol: version }, { does: (socket) => socket.write('220 ready') });
    using client = await Client.connect(stage.scene.place);
    await client.receives('220 ready');
    expect(stage.entrance.announcements).toHaveLength(1);
  });

  test('tells of IPv6', async () => {
    await using stage = await stageOf({ proxyProtocol: version }, { vip: { address: '::1' } });
    using client = await Client.connect(stage.scene.place);
    client.send('x');
    await client.receives('hi');
    expect(stage.entrance.announcements).toMatchObject([
      { header: { family: 'tcp6', ...ends(client, stage.scene.place) } },
    ]);
  });

  test('tells of IPv4 where an IPv4 client came to a dual-stack socket', async () => {
    await using stage = await stageOf({ proxyProtocol: version }, { vip: { address: '::' } });
    const { address } = stage.scene.listener;
    const place = { host: '127.0.0.1', port: typeof address === 'object' ? (address?.port ?? 0) : 0 };
    using client = await Client.connect(place);
    client.send('x');
    await client.receives('hi');
    expect(stage.entrance.announcements).toMatchObject([{ header: { family: 'tcp4', ...ends(client, place) } }]);
  });

  test('tells of nobody where the client came by a Unix socket', async () => {
    await using folder = await ownFolder();
    await using stage = await stageOf({ proxyProtocol: version }, { vip: { address: `unix:${folder.path}/vip` } });
    expect(await ask(stage.scene.place)).toBe('hi');
    const [announcement] = stage.entrance.announcements;
    expect(announcement?.header).toMatchObject({ source: undefined, destination: undefined });
    expect(announcement?.header.command).toBe(version === 'v1' ? 'proxy' : 'local');
  });

  test('goes to a Unix socket, too', async () => {
    await using folder = await ownFolder();
    const entrance = new ProxyEntrance();
    const path = `${folder.path}/member`;
    await using _backend = await Backend.start({ path, does: entrance.before(saysHi) });
    await using scene = await Scene.open({ members: [`unix:${path}`], proxyProtocol: version });
    using client = await Client.connect(scene.place);
    client.send('x');
    await client.receives('hi');
    expect(entrance.announcements).toMatchObject([{ header: { family: 'tcp4', ...ends(client, scene.place) } }]);
  });

  test('goes to each member that is tried', async () => {
    await using stage = await stageOf({ proxyProtocol: version });
    const { scene, backend } = stage;
    scene.pool.update({ strategy: 'first', members: [{ id: 'gone', address: ownHost(), port: 9 }, backend.at] });
    expect(await ask(scene.place)).toBe('hi');
    expect(scene.connectFailures).toHaveLength(1);
    expect(stage.entrance.announcements).toHaveLength(1);
  });

  test('leaves 4 MiB behind it as they are', async () => {
    const bytes = noiseOf(4 * 1024 * 1024);
    const pieces: Buffer[] = [];
    await using stage = await stageOf(
      { proxyProtocol: version },
      { does: (socket) => socket.on('data', (chunk: Buffer) => pieces.push(chunk)).on('end', () => socket.end()) },
    );
    using client = await Client.connect(stage.scene.place);
    client.socket.end(bytes);
    await client.ended();
    expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
  });

  test('is of the new kind for new connections after an update', async () => {
    await using stage = await stageOf({ proxyProtocol: version }, { does: echoes });
    const { scene, entrance } = stage;
    using before = await Client.connect(scene.place);
    await before.isEchoed('one');
    scene.pool.update({ proxyProtocol: version === 'v1' ? 'v2' : 'v1' });
    using after = await Client.connect(scene.place);
    await after.isEchoed('two');
    await before.isEchoed('three');
    expect(entrance.announcements.map((each) => each.version)).toEqual(version === 'v1' ? [1, 2] : [2, 1]);
  });

  test('never tells of nobody where there was somebody', async () => {
    await using stage = await stageOf({ proxyProtocol: version });
    // While this process waits for it, the client connects, and has gone before it is accepted.
    const script = `const s = require('node:net').connect(${JSON.stringify(stage.scene.place)}, () => s.resetAndDestroy())`;
    execFileSync(process.execPath, ['-e', script]);
    expect(await ask(stage.scene.place)).toBe('hi');
    await stage.scene.isAtRest();
    expect(stage.scene.vip.stats.totalConnections).toBe(2);
    for (const { header } of stage.entrance.announcements) expect(header.source?.address).toBe('127.0.0.1');
  });

  test('comes ahead of what a client has sent that had to wait', async () => {
    await using stage = await stageOf(
      { proxyProtocol: version, queue: { limit: 5, timeout: 10_000 } },
      { does: echoes },
    );
    const { scene, entrance } = stage;
    scene.pool.members[0]?.update({ maxConnections: 1 });
    using busy = await Client.connect(scene.place);
    await busy.isEchoed('busy');
    using waiting = await Client.connect(scene.place);
    waiting.send('patience');
    await until(() => scene.pool.queueStats?.waiting === 1, 'it waits');
    busy.end();
    await waiting.receives('patience');
    expect(entrance.announcements[1]).toMatchObject({ ahead: 'patience' });
  });
});

describe('a PROXY header of version 2', () => {
  const everything = { version: 'v2', tlvs: { uniqueId: true, checksum: true } } as const;

  test('has a checksum and an id of the connection where they are wanted', async () => {
    await using stage = await stageOf({ proxyProtocol: everything });
    await ask(stage.scene.place);
    await ask(stage.scene.place);
    const tlvs = stage.entrance.announcements.map(({ header }) => header.tlvs);
    expect(tlvs).toMatchObject([{ hasChecksum: true }, { hasChecksum: true }]);
    const ids = tlvs.map(({ uniqueId = [] }) => Buffer.from(uniqueId).toString());
    expect(ids[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(new Set(ids).size).toBe(2);
  });

  const tlsVip: Partial<VipSpec> = {
    tls: {
      certificates: { cert: own.cert, key: own.key },
      alpn: ['a', 'b'],
      clientAuthentication: 'optional',
      ca: authority.cert,
    },
  };

  test('tells of the TLS that ended here', async () => {
    await using stage = await stageOf({ proxyProtocol: 'v2' }, { vip: tlsVip });
    const identity = authority.issue({ name: 'the client' });
    for (const certificate of [{}, { cert: identity.cert, key: identity.key }]) {
      const options = { servername: 'a.example', ALPNProtocols: ['b'], ...certificate };
      using client = await TlsClient.connect(stage.scene.place, options);
      client.send('x');
      await client.receives('hi');
    }
    const common = { isOverTls: true, version: 'TLSv1.3', cipher: expect.stringContaining('TLS_') };
    expect(stage.entrance.announcements.map(({ header }) => header.tlvs)).toMatchObject([
      {
        alpn: 'b',
        authority: 'a.example',
        uniqueId: undefined,
        tls: { ...common, hasCertificate: false, hasSessionCertificate: false, verifyResult: 1, commonName: undefined },
      },
      {
        tls: {
          ...common,
          hasCertificate: true,
          hasSessionCertificate: true,
          verifyResult: 0,
          commonName: 'the client',
        },
      },
    ]);
  });

  test('tells less where that is wanted', async () => {
    const tlvs = { alpn: false, authority: false, tls: false };
    await using stage = await stageOf({ proxyProtocol: { version: 'v2', tlvs } }, { vip: tlsVip });
    using client = await TlsClient.connect(stage.scene.place, { servername: 'a.example', ALPNProtocols: ['b'] });
    client.send('x');
    await client.receives('hi');
    expect(stage.entrance.announcements).toMatchObject([
      { header: { tlvs: { alpn: undefined, authority: undefined, tls: undefined } } },
    ]);
  });

  test('passes on what a balancer in front has told', async () => {
    const vip = { acceptProxyProtocol: { trustedCidrs: ['127.0.0.0/8'] } };
    await using stage = await stageOf({ proxyProtocol: everything }, { vip });
    const tls = {
      isOverTls: true,
      hasCertificate: true,
      hasSessionCertificate: true,
      verifyResult: 0,
      version: 'TLSv1.2',
      commonName: 'someone',
    };
    const header: ProxyHeader = {
      command: 'proxy',
      family: 'tcp4',
      source: { address: '192.0.2.1', port: 1234 },
      destination: { address: '192.0.2.2', port: 443 },
      tlvs: { alpn: 'h2', authority: 'a.example', uniqueId: Buffer.from('the id'), tls },
    };
    using client = await Client.connect(stage.scene.place);
    client.socket.write(writeProxyHeader(2, header));
    client.send('x');
    await client.receives('hi');
    const { source, destination } = header;
    const told = {
      alpn: 'h2',
      authority: 'a.example',
      tls,
      hasChecksum: true,
    };
    expect(stage.entrance.announcements).toMatchObject([{ header: { source, destination, tlvs: told } }]);
    const { uniqueId } = stage.entrance.announcements[0]?.header.tlvs ?? {};
    expect(Buffer.from(uniqueId ?? []).toString()).toBe('the id');
  });
});

describe.each(versions)('a PROXY header %s and TLS together', (version) => {
  async function securely(does: Service, pool: PoolSpec = {}): Promise<Stage & { readonly tls: TlsEntrance }> {
    const tls = new TlsEntrance({ cert: member.cert, key: member.key });
    const stage = await stageOf(
      { proxyProtocol: version, tls: { ca: authority.cert, serverName: 'm.example' }, ...pool },
      { does: tls.before(does), vip: { retries: 0 } },
    );
    return { ...stage, tls, [Symbol.asyncDispose]: () => stage[Symbol.asyncDispose]() };
  }

  test('come in this order', async () => {
    await using stage = await securely(echoes);
    for (let turn = 0; turn < 3; turn++) {
      using client = await Client.connect(stage.scene.place);
      await client.isEchoed('hello');
      expect(stage.entrance.announcements[turn]).toMatchObject({ header: ends(client, stage.scene.place) });
      client.end();
      await client.ended();
    }
    expect(stage.tls.greetings.map(({ isResumed }) => isResumed)).toEqual([false, true, true]);
    await stage.scene.isAtRest();
  });

  test('move 20 MiB each way, also to a client that takes its time', async () => {
    const bytes = noiseOf(20 * 1024 * 1024);
    await using stage = await securely((socket) => {
      socket.resume().end(bytes);
    });
    using client = await Client.connect(stage.scene.place);
    const pieces: Buffer[] = [];
    client.socket.removeAllListeners('data').on('data', (chunk: Buffer) => {
      pieces.push(chunk);
      if (pieces.length % 16 !== 0) return;
      client.socket.pause();
      setTimeout(() => client.socket.resume(), 1);
    });
    await until(() => client.hasEnded, 'all of it arrives', 60_000);
    expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
  }, 90_000);

  test('do not fill memory for a client that takes nothing', async () => {
    let written = 0;
    const piece = Buffer.alloc(1024 * 1024, 'x');
    await using stage = await securely((socket) => {
      const pour = (): void => {
        while (written < 512 * piece.length) {
          written += piece.length;
          if (!socket.write(piece)) return void socket.once('drain', pour);
        }
      };
      socket.resume();
      pour();
    });
    using client = await Client.connect(stage.scene.place);
    client.socket.pause();
    await settled(() => written, 'the member has to wait');
    expect(written).toBeLessThan(64 * piece.length);
  });

  test('reset the member with the client, and the client with the member', async () => {
    let error: NodeJS.ErrnoException | undefined;
    await using stage = await securely((socket) => {
      socket.resume().on('error', (cause) => {
        error = cause;
      });
      socket.write('ready');
    });
    const gone = await Client.connect(stage.scene.place);
    await gone.receives('ready');
    gone.reset();
    await until(() => stage.backend.sockets.size === 0, 'the member is let go');
    expect(error?.code).toBe('ECONNRESET');
    using stays = await Client.connect(stage.scene.place);
    await stays.receives('ready');
    for (const socket of stage.backend.sockets) socket.resetAndDestroy();
    expect(await stays.closed()).toBe('ECONNRESET');
    await stage.scene.isAtRest();
  });

  test('end by halves', async () => {
    let heard = '';
    await using stage = await securely((socket) => {
      socket.on('data', (chunk) => (heard += chunk)).on('end', () => socket.end(`all of ${heard.length}`));
    });
    using client = await Client.connect(stage.scene.place);
    client.end('a question');
    await client.receives('all of 10');
    await client.ended();
    await stage.scene.isAtRest();
  });

  test('fail in words where the member does not prove who it is', async () => {
    await using stage = await securely(echoes, { tls: { ca: authority.cert, serverName: 'other.example' } });
    expect(await refusalOf(stage.scene.place)).toBe('ECONNRESET');
    expect(stage.scene.connectFailures).toMatchObject([{ reason: expect.stringContaining('other.example') }]);
    await stage.scene.isAtRest();
  });
});
