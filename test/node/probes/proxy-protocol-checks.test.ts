import { describe, expect, test } from 'vitest';
import type { HealthMonitorSpec, PoolSpec } from '../../../src/index.ts';
import { Backend, type Service } from '../../fixtures/node/backend.ts';
import { ProxyEntrance } from '../../fixtures/node/members/proxy-entrance.ts';
import { Scene } from '../../fixtures/node/scene.ts';
import { Authority } from '../../fixtures/node/tls/authority.ts';
import { TlsEntrance } from '../../fixtures/node/tls/entrance.ts';
import { until } from '../../fixtures/node/until.ts';

const authority = new Authority();
const { cert, key } = authority.issue({ serverNames: ['m.example'] });

const answersHttp: Service = (socket) => void socket.once('data', () => socket.end('HTTP/1.0 200 OK\r\n\r\n'));

interface Checked extends AsyncDisposable {
  readonly entrance: ProxyEntrance;
  readonly scene: Scene;
  readonly backend: Backend;
}

/** A member that demands the PROXY protocol, and is down until a check passes. */
async function checkedBy(monitor: HealthMonitorSpec, pool: PoolSpec = {}, does = answersHttp): Promise<Checked> {
  const entrance = new ProxyEntrance();
  const backend = await Backend.start({ does: entrance.before(does) });
  const healthMonitor = { delay: 20, initialHealth: 'down', ...monitor } as const;
  const scene = await Scene.open({ members: [backend.at], healthMonitor, ...pool });
  return {
    entrance,
    scene,
    backend,
    async [Symbol.asyncDispose]() {
      await scene[Symbol.asyncDispose]();
      await backend.stop();
    },
  };
}

describe.each(['v1', 'v2'] as const)('a check of members that want a PROXY header %s', (proxyProtocol) => {
  const nobody = {
    version: proxyProtocol === 'v1' ? 1 : 2,
    header: { command: proxyProtocol === 'v1' ? 'proxy' : 'local', source: undefined, destination: undefined },
  };

  for (const type of ['tcp', 'http'] as const) {
    test(`of type ${type} begins with one that tells of nobody`, async () => {
      await using stage = await checkedBy({ type }, { proxyProtocol });
      await until(() => stage.scene.memberStatuses === 'online' && stage.entrance.announcements.length > 1, 'it is up');
      expect(stage.entrance.announcements[0]).toMatchObject(nobody);
      expect(stage.entrance.failures).toEqual([]);
    });
  }

  for (const type of ['https', 'tls-hello'] as const) {
    test(`of type ${type} begins with one that tells of nobody, and then comes TLS`, async () => {
      const tls = new TlsEntrance({ cert, key });
      const monitor = { type, ca: authority.cert, serverName: 'm.example' };
      await using stage = await checkedBy(monitor, { proxyProtocol }, tls.before(answersHttp));
      await until(() => stage.scene.memberStatuses === 'online' && tls.greetings.length > 0, 'it is up');
      expect(stage.entrance.announcements[0]).toMatchObject(nobody);
      expect(tls.greetings[0]).toMatchObject({ serverName: 'm.example' });
    });
  }

  test('elsewhere begins with none, unless it is to', async () => {
    const heard: string[] = [];
    await using elsewhere = await Backend.start({
      does: (socket) =>
        socket.on('data', (chunk) => heard.push(chunk.toString('latin1'))).on('end', () => socket.end()),
    });
    const { place } = elsewhere;
    if ('path' in place) throw new Error('a port');
    await using stage = await checkedBy({ type: 'tcp' }, { proxyProtocol });
    const [member] = stage.scene.pool.members;
    member?.update({ monitorAddress: place.host, monitorPort: place.port });
    await until(() => elsewhere.accepted > 2, 'it is checked there');
    expect(heard).toEqual([]);
    stage.scene.pool.update({ healthMonitor: { type: 'tcp', delay: 20, proxyProtocol } });
    await until(() => heard.length > 0, 'it is told');
    expect(heard[0]).toBe(proxyProtocol === 'v1' ? 'PROXY UNKNOWN\r\n' : '\r\n\r\n\0\r\nQUIT\n\x20\0\0\0');
  });

  test('begins with none where the monitor says so', async () => {
    await using stage = await checkedBy({ type: 'http', proxyProtocol: 'none' }, { proxyProtocol });
    await until(() => stage.entrance.failures.length > 0, 'it is checked');
    expect(stage.entrance.failures[0]).toBe('no PROXY header');
    expect(stage.entrance.announcements).toEqual([]);
  });

  test('begins with one from the update of the pool on that asks for it', async () => {
    await using stage = await checkedBy({ type: 'http' });
    await until(() => stage.entrance.failures.length > 0, 'it is checked');
    stage.scene.pool.update({ proxyProtocol });
    await until(() => stage.scene.memberStatuses === 'online', 'it is up');
    expect(stage.entrance.announcements[0]).toMatchObject(nobody);
  });

  test('is announced to a probe of one’s own', async () => {
    const seen: unknown[] = [];
    const type = { name: 'own', check: async (target: object) => void seen.push(target) };
    await using stage = await checkedBy({ type }, { proxyProtocol });
    await until(() => seen.length > 0, 'it is asked');
    expect(seen[0]).toMatchObject({ proxyProtocol });
    stage.scene.pool.update({ proxyProtocol: null });
    const before = seen.length;
    await until(() => seen.length > before + 1, 'it is asked again');
    expect(seen.at(-1)).not.toHaveProperty('proxyProtocol');
  });
});

test('an agent gets no PROXY header', async () => {
  const heard: string[] = [];
  await using agent = await Backend.start({
    does: (socket) => {
      socket.on('data', (chunk) => heard.push(chunk.toString()));
      socket.end('ready up\n');
    },
  });
  const { place } = agent;
  if ('path' in place) throw new Error('a port');
  const members = [{ address: place.host, port: place.port, agentPort: place.port }];
  await using scene = await Scene.open({ members, proxyProtocol: 'v1', agentCheck: { delay: 20, send: 'hello' } });
  await until(() => heard.length > 1, 'the agent is asked');
  expect(heard[0]).toBe('hello');
  expect(scene.pool.members[0]?.agent?.failure).toBeUndefined();
});

test('a monitor that does not connect over TCP takes no PROXY header', async () => {
  for (const type of ['ping', 'udp-connect'] as const) {
    const opening = Scene.open({ members: ['127.0.0.1:9'], healthMonitor: { type, proxyProtocol: 'v2' } });
    await expect(opening).rejects.toMatchObject({ path: 'pool.healthMonitor.proxyProtocol' });
  }
});

test('a TLS check offers the protocols that it is told', async () => {
  const tls = new TlsEntrance({ cert, key, ALPNProtocols: ['h2', 'http/1.1'] });
  await using backend = await Backend.start({ does: tls.before(answersHttp) });
  for (const type of ['https', 'tls-hello'] as const) {
    const healthMonitor = { type, delay: 20, initialHealth: 'down', alpn: ['http/1.1', 'http/1.0'] } as const;
    await using scene = await Scene.open({ members: [backend.at], healthMonitor });
    const { length } = tls.greetings;
    await until(() => scene.memberStatuses === 'online' && tls.greetings.length > length, 'it is up');
  }
  expect(new Set(tls.greetings.map(({ alpn }) => alpn))).toEqual(new Set(['http/1.1']));
});
