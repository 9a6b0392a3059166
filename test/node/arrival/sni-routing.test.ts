import type { AddressInfo } from 'node:net';
import { connect as connectTls, createSecureContext, type TLSSocket, TLSSocket as TlsSocket } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { Balancer, createVip, type PoolSpec, type Probe, type VipSpec, type VirtualIP } from '../../../src/index.ts';
import { listen } from '../../../src/node/index.ts';
import { Backend, type Service } from '../../fixtures/node/backend.ts';
import { certificate } from '../../fixtures/node/certificate.ts';
import { Client } from '../../fixtures/node/client.ts';
import type { Place } from '../../fixtures/node/places.ts';
import { isEmpty, Scene } from '../../fixtures/node/scene.ts';
import { soon, until } from '../../fixtures/node/until.ts';
import { concat } from '../../proxy-protocol/wire.ts';
import { node20, node24 } from '../../tls/recorded-hellos.ts';
import { extension, hello, message, record, records, serverNames } from '../../tls/wire.ts';

const context = createSecureContext(certificate);

/** A TLS server that says who it is, whom it was asked for and what was agreed upon. */
const tellsWhoItIs: Service = (socket, { name }) => {
  const tls = new TlsSocket(socket, {
    isServer: true,
    secureContext: context,
    ALPNProtocols: ['h2', 'http/1.1', 'acme-tls/1'],
  });
  tls.on('error', () => {});
  tls.on('secure', () => tls.end(`${name} ${tls.alpnProtocol}`));
};

/** Sends back what it got, so that a test sees that nothing of it is lost. */
const echoes: Service = (socket) => {
  socket.pipe(socket);
};

async function stage(does: Service = tellsWhoItIs, settings: Partial<VipSpec> = {}) {
  const backends = await Promise.all(['own', 'a', 'b', 'acme'].map((name) => Backend.start({ name, does })));
  const [own, a, b, acme] = backends.map(({ at }): PoolSpec => ({ members: [at] }));
  const scene = await Scene.open(own as PoolSpec, {
    sniRouting: [
      { serverNames: ['a.example', '*.a.example'], pool: a as PoolSpec },
      { serverNames: ['b.example'], pool: b as PoolSpec },
      { serverNames: ['a.example'], alpn: ['acme-tls/1'], pool: acme as PoolSpec },
    ],
    ...settings,
  });
  return {
    scene,
    accepted: () => backends.map(({ accepted }) => accepted),
    async isAtRest() {
      for (const pool of scene.vip.pools) await isEmpty(scene.vip, pool);
    },
    async [Symbol.asyncDispose]() {
      await scene[Symbol.asyncDispose]();
      for (const backend of backends) await backend[Symbol.asyncDispose]();
    },
  };
}

/** What the member that a TLS client comes to says. */
async function reached(place: Place, servername: string | undefined, ALPNProtocols: string[] = []): Promise<string> {
  const tls: TLSSocket = connectTls({
    ...place,
    rejectUnauthorized: false,
    ...(servername === undefined ? {} : { servername }),
    ...(ALPNProtocols.length > 0 && { ALPNProtocols }),
  });
  let text = '';
  tls.on('data', (chunk) => {
    text += chunk;
  });
  await soon(
    new Promise((resolve, reject) => {
      tls.on('end', resolve);
      tls.on('error', reject);
    }),
    'the member says who it is',
  );
  tls.destroy();
  return text;
}

describe('a TLS client', () => {
  test.each<[string | undefined, string[], string]>([
    ['a.example', [], 'a false'],
    ['A.EXAMPLE', ['h2'], 'a h2'],
    ['x.a.example', [], 'a false'],
    ['x.y.a.example', [], 'own false'],
    ['b.example', ['acme-tls/1'], 'b acme-tls/1'],
    ['a.example', ['acme-tls/1'], 'acme acme-tls/1'],
    ['a.example', ['http/1.1', 'acme-tls/1'], 'acme http/1.1'],
    ['c.example', [], 'own false'],
    [undefined, ['h2'], 'own h2'],
  ])('that asks for %s and offers %j comes to %s', async (name, alpn, expected) => {
    await using on = await stage();
    expect(await reached(on.scene.place, name, alpn)).toBe(expected);
    await on.isAtRest();
    expect([on.scene.rejected, on.scene.troubles]).toEqual([[], []]);
  });

  const withTickets = hello(serverNames('a.example'), extension(21, new Uint8Array(3000)));
  test.each<[string, Uint8Array]>([
    ['of Node 20', node20],
    ['of Node 24, with a post-quantum key share', node24],
    ['of more than 3 kB', withTickets],
    ['in records of one byte', records(message({ extensions: [serverNames('a.example')] }), 1)],
    [
      'in records of 100 bytes',
      records(message({ extensions: [serverNames('a.example'), extension(21, new Uint8Array(2000))] }), 100),
    ],
  ])('is passed on from its first byte, whole and byte by byte: a hello %s', async (_, bytes) => {
    await using on = await stage(echoes);
    const behind = concat(bytes, record(Uint8Array.of(1, 2, 3), 23));
    const text = Buffer.from(behind).toString('latin1');
    for (const size of [behind.length, 700, 1]) {
      using client = await Client.connect(on.scene.place);
      for (let at = 0; at < behind.length; at += size) {
        client.socket.write(behind.subarray(at, at + size));
        if (size < behind.length) await new Promise((resolve) => setImmediate(resolve));
      }
      await client.receives(text);
      await client.isEchoed('again');
      client.end();
      await client.ended();
      expect(client.received).toBe(`${text}again`);
    }
    expect(on.accepted()).toEqual([0, 3, 0, 0]);
    expect(on.scene.vip.stats).toMatchObject({ totalConnections: 3, bytesIn: 3 * (behind.length + 5), rejects: 0 });
    await on.isAtRest();
  });

  test('that ends right behind its hello is passed on to its end', async () => {
    await using on = await stage(echoes);
    using client = await Client.connect(on.scene.place);
    client.socket.end(node20);
    await client.ended();
    expect(client.received).toBe(Buffer.from(node20).toString('latin1'));
    await on.isAtRest();
  });

  test('is tried on another member of the same pool', async () => {
    await using gone = await Backend.start({ name: 'gone' });
    await gone.stop();
    await using there = await Backend.start({ name: 'there', does: tellsWhoItIs });
    const pool = { members: [gone.at, there.at] };
    await using on = await stage(tellsWhoItIs, { sniRouting: [{ serverNames: ['a.example'], pool }] });
    for (let turn = 0; turn < 2; turn++) expect(await reached(on.scene.place, 'a.example')).toBe('there false');
    expect(on.scene.vip.stats.connectFailures).toBeGreaterThan(0);
  });

  test('whose pool has nobody to serve it is turned away, though another one has', async () => {
    await using on = await stage(tellsWhoItIs, { sniRouting: [{ serverNames: ['a.example'], pool: {} }] });
    await expect(reached(on.scene.place, 'a.example')).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(on.scene.rejected.map(({ reason }) => reason)).toEqual(['no-eligible-member']);
    expect(await reached(on.scene.place, 'b.example')).toBe('own false');
  });

  test('behind a balancer in front is led, too', async () => {
    await using on = await stage(echoes, { acceptProxyProtocol: { trustedCidrs: ['127.0.0.1'] } });
    using client = await Client.connect(on.scene.place);
    client.socket.write(
      concat(Buffer.from('PROXY TCP4 192.0.2.7 192.0.2.1 4 443\r\n'), hello(serverNames('b.example'))),
    );
    await client.receives('b.example');
    expect(on.accepted()).toEqual([0, 0, 1, 0]);
  });
});

test('a client that ends while it waits for its turn gives up its place', async () => {
  const acceptProxyProtocol = { trustedCidrs: ['127.0.0.1'] };
  await using on = await stage(echoes, { acceptProxyProtocol, connectionLimit: 1, timeouts: { hello: 0 } });
  const header = 'PROXY TCP4 192.0.2.7 192.0.2.1 4 443\r\n';
  using first = await Client.connect(on.scene.place);
  first.socket.write(concat(Buffer.from(header), node20));
  await first.receives('a.example');
  using second = await Client.connect(on.scene.place);
  second.end(header);
  await second.ended();
  expect(second.error).toBeUndefined();
  await until(() => on.scene.vip.stats.waitingConnections === 0, 'the second has left');
  expect(on.scene.vip.stats.totalConnections).toBe(1);
  first.end();
  await on.isAtRest();
});

test('a client that ended while it waited for its turn is let go, though routes or TLS came meanwhile', async () => {
  for (const change of [
    { sniRouting: [{ serverNames: ['a.example'], pool: 'own' }], timeouts: { hello: 0 } },
    { tls: { certificates: [certificate] }, timeouts: { handshake: 0 } },
  ] satisfies Partial<VipSpec>[]) {
    await using backend = await Backend.start({ does: echoes });
    const balancer = new Balancer();
    const apply = (more: Partial<VipSpec> = {}): Promise<void> => {
      const web = { name: 'web', address: '127.0.0.1', port: 0, pool: 'own', connectionLimit: 1, ...more };
      return balancer.apply({ pools: [{ name: 'own', members: [backend.at] }], vips: [web] });
    };
    await apply();
    await using listener = await listen(balancer);
    const { address: host, port } = listener.addresses.get('web') as AddressInfo;
    const { stats } = balancer.vips.get('web') as VirtualIP;
    using first = await Client.connect({ host, port });
    await first.isEchoed('hello');
    using second = await Client.connect({ host, port });
    second.end();
    await until(() => stats.waitingConnections === 1, 'the second waits');
    // Its end comes in.
    await new Promise((resolve) => setTimeout(resolve, 50));
    await apply(change);
    first.end();
    await second.ended();
    await until(() => stats.activeConnections === 0, 'nobody is left');
  }
});

describe('a client is turned away', () => {
  test.each<[string, Uint8Array, string]>([
    ['no TLS', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'no TLS record'],
    ['SSH', Buffer.from('SSH-2.0-OpenSSH_9\r\n'), 'no TLS record'],
    ['an alert', record(Uint8Array.of(2, 40), 21), 'no TLS record'],
    ['a name that is none', hello(serverNames('a b')), 'a server name that is no host name'],
    ['two names', hello(serverNames('a.example', 'b.example')), 'two server names'],
    [
      'too much',
      record(message({ extensions: [extension(21, new Uint8Array(16_370))] }).slice(0, 16_384)),
      'a ClientHello of more than 16384 bytes',
    ],
  ])('that sends %s', async (_, bytes, detail) => {
    await using on = await stage();
    using client = await Client.connect(on.scene.place);
    client.socket.write(bytes);
    expect(await client.closed()).toBe('ECONNRESET');
    expect(on.scene.rejected).toEqual([{ clientAddress: '127.0.0.1', reason: 'bad-client-hello', detail }]);
    expect([on.accepted(), on.scene.vip.stats.rejects]).toEqual([[0, 0, 0, 0], 1]);
    await on.isAtRest();
  });

  test.each([0, 1, 100])('that is late, after %d bytes', async (length) => {
    await using on = await stage(tellsWhoItIs, { timeouts: { hello: 60 } });
    using client = await Client.connect(on.scene.place);
    client.socket.write(node20.subarray(0, length));
    expect(await client.closed()).toBe('ECONNRESET');
    const detail = 'no complete ClientHello within 60 ms';
    expect(on.scene.rejected).toEqual([{ clientAddress: '127.0.0.1', reason: 'late-client-hello', detail }]);
    await on.isAtRest();
  });

  test('whose hello is cut off', async () => {
    await using on = await stage();
    using client = await Client.connect(on.scene.place);
    client.socket.end(node20.subarray(0, 100));
    await client.closed();
    expect(on.scene.rejected).toMatchObject([{ reason: 'bad-client-hello', detail: 'a ClientHello that is cut off' }]);
    await on.isAtRest();
  });
});

describe('a client that has not said yet where it wants to', () => {
  test('has all the time that it wants where timeouts.hello is 0', async () => {
    await using on = await stage(tellsWhoItIs, { timeouts: { hello: 60, client: 40 } });
    on.scene.vip.update({ timeouts: { hello: 0 } });
    using patient = await Client.connect(on.scene.place);
    patient.socket.write(node20.subarray(0, 100));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(patient.hasClosed).toBe(false);
  });

  test('counts as a client, and makes room when it leaves', async () => {
    await using on = await stage(tellsWhoItIs, { connectionLimit: 1 });
    using silent = await Client.connect(on.scene.place);
    await until(() => on.scene.vip.stats.activeConnections === 1, 'it is served');
    const next = reached(on.scene.place, 'a.example');
    await until(() => on.scene.vip.stats.waitingConnections === 1, 'the next waits');
    silent.reset();
    expect(await next).toBe('a false');
    await on.isAtRest();
  });

  test.each(['end', 'reset'] as const)('is no error where it leaves without a word: %s', async (how) => {
    await using on = await stage();
    using client = await Client.connect(on.scene.place);
    await until(() => on.scene.vip.stats.activeConnections === 1, 'it is served');
    if (how === 'end') client.end();
    else client.reset();
    await client.closed();
    await on.isAtRest();
    expect([on.scene.rejected, on.scene.troubles, on.accepted()]).toEqual([[], [], [0, 0, 0, 0]]);
  });

  test('is sent away when the listener closes', async () => {
    await using on = await stage();
    using client = await Client.connect(on.scene.place);
    client.socket.write(node20.subarray(0, 100));
    await until(() => on.scene.vip.stats.activeConnections === 1, 'it is served');
    const closing = on.scene.listener.close({ deadline: Number.POSITIVE_INFINITY });
    expect(await client.closed()).toBe('ECONNRESET');
    await soon(closing, 'the listener closes');
    await on.isAtRest();
  });
});

test('the pools of routes are checked while the virtual IP listens', async () => {
  await using gone = await Backend.start({ name: 'gone' });
  await gone.stop();
  const pool = {
    members: [gone.at],
    healthMonitor: { type: 'tcp', delay: 20, timeout: 10_000, maxRetriesDown: 1 } as const,
  };
  await using on = await stage(tellsWhoItIs, { sniRouting: [{ serverNames: ['a.example'], pool }] });
  await until(() => on.scene.vip.status === 'degraded', 'its member is found to be down');
  expect(on.scene.vip.routes[0]?.pool.status).toBe('error');
});

describe('checks of the pools of routes', () => {
  /** Counts its checks. */
  function counting() {
    const type = { name: 'counting', checks: 0, check: async () => void type.checks++ };
    return type;
  }
  const pool = (name: string, type: Probe) => ({
    name,
    members: ['127.0.0.1:9'],
    healthMonitor: { type, delay: 20, timeout: 10 },
  });
  const stops = async (type: { readonly checks: number }): Promise<void> => {
    const { checks } = type;
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(type.checks).toBeLessThanOrEqual(checks + 1);
  };
  const vip = (...pools: readonly string[]): VipSpec => ({
    name: 'web',
    address: '127.0.0.1',
    port: 0,
    pool: 'own',
    ...(pools.length > 0 && {
      sniRouting: pools.map((name) => ({ serverNames: [`${name}.example`], pool: name })),
    }),
  });

  test('begin and end with the routes, and with the listener', async () => {
    const [own, a, b] = [counting(), counting(), counting()];
    const pools = [pool('own', own), pool('a', a), pool('b', b)];
    const balancer = new Balancer();
    await balancer.apply({ pools, vips: [vip('a')] });
    await using listener = await listen(balancer);
    await until(() => own.checks > 1 && a.checks > 1, 'both are checked');
    expect(b.checks).toBe(0);
    await balancer.apply({ pools, vips: [vip('a', 'b')] });
    await until(() => b.checks > 1, 'the new one is checked, too');
    await balancer.apply({ pools, vips: [vip('b')] });
    await stops(a);
    await listener.close();
    await stops(b);
    await stops(own);
  });

  test('end where those of another pool cannot begin', async () => {
    const own = counting();
    // Right in form, so that it is found when the checks are to begin.
    const cert = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    const healthMonitor = { type: 'tls-hello', cert, key: certificate.key } as const;
    const vip = createVip({
      address: '127.0.0.1',
      port: 0,
      pool: pool('own', own),
      sniRouting: [{ serverNames: ['a.example'], pool: { members: ['127.0.0.1:9'], healthMonitor } }],
    });
    await expect(listen(vip)).rejects.toMatchObject({ code: 'ERR_EVENKEEL_SPEC' });
    await stops(own);
  });
});

test('a member of a routed pool that drains lets its clients go at its deadline', async () => {
  await using on = await stage(echoes);
  using client = await Client.connect(on.scene.place);
  client.socket.write(node20);
  await client.receives('a.example');
  const pool = on.scene.vip.poolFor('a.example', []);
  await pool.drain(pool.members[0]?.id ?? '', { deadline: 20 });
  expect(await client.closed()).toBe('ECONNRESET');
  await on.isAtRest();
});
