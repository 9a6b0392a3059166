import { describe, expect, test } from 'vitest';
import type { PoolSpec, VipSpec } from '../../src/index.ts';
import { certificate } from '../fixtures/node/certificate.ts';
import { ask, Client, refusalOf } from '../fixtures/node/client.ts';
import { type Front, haproxyFront, nginxFront } from '../fixtures/node/fronts.ts';
import { HttpClient } from '../fixtures/node/http/client.ts';
import { ownFolder } from '../fixtures/node/places.ts';
import { Scene } from '../fixtures/node/scene.ts';
import { TlsClient } from '../fixtures/node/tls/client.ts';
import { until } from '../fixtures/node/until.ts';

const { cert, key } = certificate;
const tls = { ca: cert, serverName: 'm.evenkeel.test', cert, key };
const versions = ['v1', 'v2'] as const;

/** A real HAProxy that answers with what it knows of the connection. */
function haproxy(bind: (pem: string) => string, tells: string): Promise<Front> {
  return haproxyFront(
    ({ host, pem }) => `
listen member
  mode http
  bind ${host}:8080 ${bind(pem)}
  http-request return status 200 content-type text/plain lf-string "${tells}"`,
  );
}

const ends = '%[src] %[src_port] %[dst] %[dst_port]';
const demandsProxy = (): string => 'accept-proxy';
const demandsBoth = (pem: string): string => `accept-proxy ssl crt ${pem} ca-file ${pem} verify required`;
const demandsTls = (pem: string): string => `ssl crt ${pem} ca-file ${pem} verify required`;

function sceneOf(front: Front, pool: PoolSpec, vip: Partial<VipSpec> = {}): Promise<Scene> {
  const members = [{ id: 'm', address: front.place.host, port: front.place.port }];
  return Scene.open({ members, ...pool }, { retries: 0, ...vip });
}

/** One request over TCP; the body of its answer, and what it should say of the ends. */
async function asked(scene: Scene): Promise<[told: string, ends: string]> {
  using client = await Client.connect(scene.place, { localAddress: '127.0.0.77' });
  const { localPort } = client.socket;
  client.send('GET / HTTP/1.0\r\n\r\n');
  await client.ended();
  if ('path' in scene.place) throw new Error('a port');
  const { host, port } = scene.place;
  return [client.received.replace(/.*\r\n\r\n/s, ''), `127.0.0.77 ${localPort} ${host} ${port}`];
}

describe('HAProxy as a member', () => {
  test.each(versions)('that demands the PROXY protocol (%s) knows the client of a TCP virtual IP', async (version) => {
    await using member = await haproxy(demandsProxy, ends);
    await using scene = await sceneOf(member, { proxyProtocol: version });
    const [told, known] = await asked(scene);
    expect(told).toBe(known);
    await scene.isAtRest();
    expect([scene.connectFailures, member.output]).toEqual([[], expect.not.stringMatching(/alert|error/i)]);
  });

  test.each(versions)('that demands it (%s), and TLS with a certificate, knows the client', async (version) => {
    await using member = await haproxy(demandsBoth, `${ends} %[ssl_fc_sni] %[ssl_c_s_dn(CN)] %[ssl_fc_is_resumed]`);
    await using scene = await sceneOf(member, { proxyProtocol: version, tls });
    for (const isResumed of ['0', '1', '1']) {
      const [told, known] = await asked(scene);
      expect(told).toBe(`${known} m.evenkeel.test evenkeel.test ${isResumed}`);
    }
    await scene.isAtRest();
    expect(scene.connectFailures).toEqual([]);
  });

  test.each(versions)('that demands it (%s) knows whose each request is', async (version) => {
    await using member = await haproxy(demandsProxy, `${ends} %[http_first_req]`);
    await using scene = await sceneOf(member, { proxyProtocol: version }, { protocol: 'http' });
    if ('path' in scene.place) throw new Error('a port');
    const { host, port } = scene.place;
    using a = await HttpClient.connect(scene.place, { localAddress: '127.0.0.77' });
    using b = await HttpClient.connect(scene.place, { localAddress: '127.0.0.78' });
    // After http_reuse_conn_hash.vtc: the same client again may go on with its connection, another may not.
    for (const first of [1, 0, 0]) {
      for (const client of [a, b]) {
        const { localAddress, localPort } = client.socket;
        const { body } = await client.ask('/');
        expect(body).toBe(`${localAddress} ${localPort} ${host} ${port} ${first}`);
      }
    }
    expect(scene.pool.stats).toMatchObject({ requests: 6, totalConnections: 2 });
  });

  test('that speaks TLS serves all requests over one connection, and goes on with a session on the next', async () => {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      await using member = await haproxy(demandsTls, '%[ssl_fc_protocol] %[ssl_fc_is_resumed] %[http_first_req]');
      const pool = { tls: { ...tls, maxVersion }, keepAlive: { maxIdle: 1 } };
      await using scene = await sceneOf(member, pool, { protocol: 'http' });
      const bodies: string[] = [];
      for (let turn = 0; turn < 2; turn++) {
        using client = await HttpClient.connect(scene.place);
        bodies.push((await client.ask('/')).body);
      }
      scene.pool.update({ keepAlive: { maxIdle: 0 } });
      for (let turn = 0; turn < 2; turn++) {
        using client = await HttpClient.connect(scene.place);
        bodies.push((await client.ask('/')).body);
      }
      expect(bodies).toEqual([`${maxVersion} 0 1`, `${maxVersion} 0 0`, `${maxVersion} 0 0`, `${maxVersion} 1 1`]);
    }
  });

  test('hears of unique id and authority, as in proxy_protocol_send_unique_id(_alpn).vtc', async () => {
    const tells = '%[fc_pp_authority] %[fc_pp_unique_id]';
    for (const [bind, over] of [
      [demandsProxy, {}],
      [demandsBoth, { tls: { ...tls, alpn: ['XXX'] } }],
    ] as const) {
      await using member = await haproxy(bind, tells);
      const proxyProtocol = { version: 'v2', tlvs: { uniqueId: true, checksum: true } } as const;
      await using scene = await sceneOf(member, { proxyProtocol, ...over }, { tls: { certificates: { cert, key } } });
      using client = await TlsClient.connect(scene.place, { servername: 'a.evenkeel.test' });
      client.send('GET / HTTP/1.0\r\n\r\n');
      await client.ended();
      expect(client.received.replace(/.*\r\n\r\n/s, '')).toMatch(/^a\.evenkeel\.test [0-9a-f-]{36}$/);
    }
  });

  test('is asked for the name that the client asked for, as in http_reuse_conn_hash.vtc', async () => {
    await using member = await haproxy(demandsTls, '%[ssl_fc_sni] %[http_first_req]');
    const vip: Partial<VipSpec> = { protocol: 'http', tls: { certificates: { cert, key } } };
    await using scene = await sceneOf(member, { tls: { ...tls, passServerName: true } }, vip);
    const told = async (servername: string): Promise<string[]> => {
      using client = await TlsClient.connect(scene.place, { servername });
      for (const ending of ['', 'Connection: close\r\n']) client.send(`GET / HTTP/1.1\r\nHost: a\r\n${ending}\r\n`);
      await client.ended();
      return client.received.match(/^\S+ [01](?=HTTP|$)/gm) ?? [];
    };
    expect(await told('a.evenkeel.test')).toEqual(['a.evenkeel.test 1', 'a.evenkeel.test 0']);
    expect(await told('b.evenkeel.test')).toEqual(['b.evenkeel.test 1', 'b.evenkeel.test 0']);
  });

  test.each(versions)('that demands it (%s) serves clients of a Unix socket', async (version) => {
    await using folder = await ownFolder();
    await using member = await haproxy(demandsProxy, 'hello %[src]');
    await using scene = await sceneOf(member, { proxyProtocol: version }, { address: `unix:${folder.socket('vip')}` });
    using client = await Client.connect(scene.place);
    client.send('GET / HTTP/1.0\r\n\r\n');
    await client.ended();
    expect(client.received).toMatch(/hello 127\.0\.0\.1$/);
  });

  test('whose certificate is for another name gets no client', async () => {
    await using member = await haproxy(demandsTls, 'hello');
    await using scene = await sceneOf(member, { tls: { ...tls, serverName: 'm.example' } });
    expect(await refusalOf(scene.place)).toBe('ECONNRESET');
    expect(scene.connectFailures).toMatchObject([{ reason: expect.stringContaining('m.example') }]);
  });

  test.each(versions)('that demands it (%s) passes every check', async (version) => {
    await using plain = await haproxy(demandsProxy, 'fine');
    await using secured = await haproxy((pem) => `accept-proxy ssl crt ${pem}`, 'fine');
    for (const [front, types] of [
      [plain, ['tcp', 'http']],
      [secured, ['https', 'tls-hello']],
    ] as const) {
      for (const type of types) {
        const healthMonitor = { type, delay: 50, initialHealth: 'fully-down' } as const;
        await using scene = await sceneOf(front, { proxyProtocol: version, healthMonitor });
        await until(() => scene.memberStatuses === 'online', `${type} passes`);
        scene.pool.update({ healthMonitor: { ...healthMonitor, proxyProtocol: 'none', maxRetriesDown: 1 } });
        // HAProxy closes a connection that begins otherwise; a plain connect passes all the same.
        if (type !== 'tcp') await until(() => scene.memberStatuses === 'error', `${type} fails without`);
      }
    }
  });
});

describe('nginx as a member', () => {
  const tells = '"$proxy_protocol_addr $proxy_protocol_port $proxy_protocol_server_addr $proxy_protocol_server_port"';

  test.each(versions)('that demands the PROXY protocol (%s), over TLS or not, knows the client', async (version) => {
    await using member = await nginxFront(
      ({ host, pem }) => `
  server { listen ${host}:8080 proxy_protocol; return ${tells}; }
  server {
    listen ${host}:8443 proxy_protocol ssl;
    ssl_certificate ${pem};
    ssl_certificate_key ${pem};
    ssl_client_certificate ${pem};
    ssl_verify_client on;
    return ${tells};
  }`,
    );
    for (const [port, pool] of [
      [8080, {}],
      [8443, { tls }],
    ] as const) {
      const members = [{ address: member.place.host, port }];
      await using scene = await Scene.open({ members, proxyProtocol: version, ...pool }, { retries: 0 });
      if ('path' in scene.place) throw new Error('a port');
      using client = await Client.connect(scene.place, { localAddress: '127.0.0.77' });
      client.send('x');
      await client.ended();
      const { host, port: vipPort } = scene.place;
      expect(client.received).toBe(`127.0.0.77 ${client.socket.localPort} ${host} ${vipPort}`);
    }
  });

  test.each(versions)('of HTTP that demands it (%s) over TLS knows whose each request is', async (version) => {
    await using member = await nginxFront(
      () => '',
      ({ host, pem }) => `
  server {
    listen ${host}:8080 proxy_protocol ssl;
    ssl_certificate ${pem};
    ssl_certificate_key ${pem};
    location / { return 200 "$proxy_protocol_addr $proxy_protocol_port $ssl_server_name $connection_requests"; }
  }`,
    );
    await using scene = await sceneOf(member, { proxyProtocol: version, tls }, { protocol: 'http' });
    using a = await HttpClient.connect(scene.place, { localAddress: '127.0.0.77' });
    using b = await HttpClient.connect(scene.place, { localAddress: '127.0.0.78' });
    for (const number of [1, 2, 3]) {
      for (const client of [a, b]) {
        const { localAddress, localPort } = client.socket;
        expect((await client.ask('/')).body).toBe(`${localAddress} ${localPort} m.evenkeel.test ${number}`);
      }
    }
    const healthMonitor = { type: 'https', delay: 50, initialHealth: 'fully-down' } as const;
    scene.pool.update({ healthMonitor });
    await until(() => scene.memberStatuses === 'online', 'a check passes');
    expect(member.output).not.toMatch(/error|broken/i);
  });

  test.each(versions)('that demands it (%s) closes connections without', async (version) => {
    await using member = await nginxFront(({ host }) => `server { listen ${host}:8080 proxy_protocol; return hi; }`);
    await using scene = await sceneOf(member, { proxyProtocol: version });
    // Without a word of its own, which would have nginx reset the connection.
    using client = await Client.connect(scene.place);
    await client.receives('hi');
    scene.pool.update({ proxyProtocol: null });
    await expect(ask(scene.place)).rejects.toThrow();
  });
});
