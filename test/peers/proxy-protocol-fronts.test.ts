import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { describe, expect, test } from 'vitest';
import type { Client as Arrived, VipSpec } from '../../src/index.ts';
import { Backend, echoes } from '../fixtures/node/backend.ts';
import { certificate } from '../fixtures/node/certificate.ts';
import { Client } from '../fixtures/node/client.ts';
import { type Front, haproxyFront, nginxFront } from '../fixtures/node/fronts.ts';
import { HttpMember } from '../fixtures/node/http/member.ts';
import { ownFolder, type Place } from '../fixtures/node/places.ts';
import { run } from '../fixtures/node/program.ts';
import { Scene } from '../fixtures/node/scene.ts';
import { until } from '../fixtures/node/until.ts';

const trusting: Partial<VipSpec> = { acceptProxyProtocol: { trustedCidrs: ['127.0.0.0/8'] } };

/** How a balancer's configuration names the virtual IP. */
function endpointOf(place: Place): string {
  return 'path' in place ? place.path : `${place.host}:${place.port}`;
}

/** Everybody whom the virtual IP was asked to let in. */
function watched({ vip }: Scene): readonly Arrived[] {
  const clients: Arrived[] = [];
  const admit = vip.admit.bind(vip);
  vip.admit = (client, ready) => {
    clients.push(client);
    return admit(client, ready);
  };
  return clients;
}

async function echoing(settings: Partial<VipSpec> = trusting) {
  const backend = await Backend.start({ does: echoes });
  const scene = await Scene.open({ members: [backend.at] }, settings);
  return {
    scene,
    seen: watched(scene),
    async [Symbol.asyncDispose]() {
      await scene[Symbol.asyncDispose]();
      await backend[Symbol.asyncDispose]();
    },
  };
}

/** A client's bytes come back through all of it, and the virtual IP knows whose they are. */
async function isKnown(front: Front, seen: readonly Arrived[]): Promise<Arrived | undefined> {
  using client = await Client.connect(front.place, { localAddress: '127.0.0.77' });
  const { localPort } = client.socket;
  const much = 'much'.repeat(50_000);
  await client.isEchoed('hello');
  await client.isEchoed(much);
  client.end();
  await client.ended();
  const arrived = seen.at(-1);
  const { address, port, localAddress, localPort: ownPort } = arrived ?? {};
  expect([address, port, localAddress, ownPort]).toEqual(['127.0.0.77', localPort, front.place.host, 8080]);
  return arrived;
}

describe('HAProxy in front', () => {
  test.each(['send-proxy', 'send-proxy-v2', 'send-proxy-v2 proxy-v2-options crc32c', 'send-proxy-v2-ssl-cn'])(
    'with %s tells whose a connection is',
    async (option) => {
      await using on = await echoing();
      await using front = await haproxyFront(
        ({ host }) => `listen all\n  bind ${host}:8080\n  server s ${endpointOf(on.scene.place)} ${option}`,
      );
      const arrived = await isKnown(front, on.seen);
      expect(arrived?.proxy?.tlvs.hasChecksum).toBe(option.includes('crc32c'));
      await on.scene.isAtRest();
      expect([on.scene.rejected, on.scene.troubles]).toEqual([[], []]);
    },
  );

  test('tells over a Unix socket, too', async () => {
    await using folder = await ownFolder();
    const address = `unix:${folder.socket('vip')}`;
    await using on = await echoing({ address, acceptProxyProtocol: { trustedCidrs: ['unix:'] } });
    await using front = await haproxyFront(
      ({ host }) => `listen all\n  bind ${host}:8080\n  server s unix@${folder.socket('vip')} send-proxy-v2`,
    );
    await isKnown(front, on.seen);
    await on.scene.isAtRest();
  });

  test('that takes off TLS tells of it: ALPN, SNI, version, cipher, the client’s certificate and a unique id', async () => {
    await using on = await echoing();
    const wanted =
      'send-proxy-v2-ssl-cn proxy-v2-options ssl,cert-cn,cert-key,cert-sig,ssl-cipher,authority,unique-id,crc32c';
    await using front = await haproxyFront(
      ({ host, pem }) => `
listen all
  bind ${host}:8080 ssl crt ${pem} ca-file ${pem} verify optional alpn h2,http/1.1
  unique-id-format "id of %ci"
  server s ${endpointOf(on.scene.place)} ${wanted}`,
    );
    const { cert, key } = certificate;
    const options: ConnectionOptions & { readonly localAddress: string } = {
      ...front.place,
      localAddress: '127.0.0.77',
      servername: 'a.evenkeel.test',
      ALPNProtocols: ['h2'],
      ca: cert,
      cert,
      key,
    };
    const tls = connectTls(options);
    let text = '';
    tls.on('data', (chunk) => {
      text += chunk;
    });
    tls.write('hello');
    await until(() => text === 'hello', 'it is echoed');
    const { address, proxy } = on.seen.at(-1) ?? {};
    const { uniqueId, ...tlvs } = proxy?.tlvs ?? {};
    expect(address).toBe('127.0.0.77');
    expect(Buffer.from(uniqueId ?? []).toString()).toBe('id of 127.0.0.77');
    expect(tlvs).toMatchObject({
      alpn: 'h2',
      authority: 'a.evenkeel.test',
      hasChecksum: true,
      tls: {
        isOverTls: true,
        hasCertificate: true,
        hasSessionCertificate: true,
        verifyResult: 0,
        version: 'TLSv1.3',
        commonName: 'evenkeel.test',
        cipher: expect.stringMatching(/^TLS_/),
        keyAlgorithm: 'EC256',
        signatureAlgorithm: expect.stringContaining('SHA256'),
      },
    });
    tls.destroy();
    await on.scene.isAtRest();
  });

  test.each(['send-proxy', 'send-proxy-v2'])(
    'with %s has its checks pass as its own, with check-send-proxy',
    async (option) => {
      await using on = await echoing();
      const server = `${endpointOf(on.scene.place)} ${option} check check-send-proxy inter 300ms`;
      await using front = await haproxyFront(
        ({ host }) => `
listen all
  bind ${host}:8080
  option tcp-check
  tcp-check send ping
  tcp-check expect string ping
  server s ${server}`,
        'http-request return status 503 unless { srv_is_up(all/s) }',
      );
      await until(() => on.seen.length >= 4, 'it checks');
      expect(await front.status()).toBe(200);
      // In version 1 it gives its own address, in version 2 it says LOCAL.
      const command = option === 'send-proxy' ? 'proxy' : 'local';
      for (const { address, proxy } of on.seen) {
        expect([address, proxy?.command]).toEqual(['127.0.0.1', command]);
      }
      expect([on.scene.rejected, on.scene.troubles, front.output]).toEqual([[], [], expect.not.stringMatching(/DOWN/)]);
    },
  );

  test('that only knocks at the door disturbs nobody', async () => {
    await using on = await echoing();
    const server = `${endpointOf(on.scene.place)} check inter 300ms`;
    await using front = await haproxyFront(
      ({ host }) => `listen all\n  bind ${host}:8080\n  server s ${server}`,
      'http-request return status 503 unless { srv_is_up(all/s) }',
    );
    // Some are gone before they are accepted, and are not even asked.
    await until(() => front.status().then((status) => status === 200), 'it is content');
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(await front.status()).toBe(200);
    expect([on.scene.rejected, on.scene.troubles, on.scene.vip.stats.totalConnections]).toEqual([[], [], 0]);
  });

  test('that sends no header is turned away', async () => {
    await using on = await echoing();
    await using front = await haproxyFront(
      ({ host }) => `listen all\n  bind ${host}:8080\n  server s ${endpointOf(on.scene.place)}`,
    );
    using client = await Client.connect(front.place);
    client.send('hello');
    await client.isLetGo();
    expect(on.scene.rejected).toMatchObject([{ reason: 'bad-proxy-header', detail: 'no PROXY header' }]);
  });

  test('of an HTTP virtual IP tells it all that X-Forwarded fields need, and checks it', async () => {
    await using member = await HttpMember.start();
    await using scene = await Scene.open(
      { members: [member.spec] },
      {
        ...trusting,
        protocol: 'http',
        insertHeaders: { 'X-Forwarded-For': true, 'X-Forwarded-Port': true, 'X-Forwarded-Proto': true },
      },
    );
    await using front = await haproxyFront(
      ({ host, pem }) => `
listen plain
  mode http
  bind ${host}:8080
  option httpchk GET /check
  server s ${endpointOf(scene.place)} send-proxy-v2 check check-send-proxy inter 300ms
listen tls
  bind ${host}:8443 ssl crt ${pem}
  server s ${endpointOf(scene.place)} send-proxy-v2-ssl`,
    );
    const { host } = front.place;
    const told = async (...args: string[]) => {
      const url = args.includes('-k') ? `https://${host}:8443/` : `http://${host}:8080/`;
      const { code, output } = await run('curl', ['-sS', '--interface', '127.0.0.77', ...args, url]);
      expect([code, output]).toEqual([0, 'member']);
      const message = member.requests.findLast(({ target }) => target === '/')?.message;
      return ['For', 'Port', 'Proto'].map((name) => message?.field(`X-Forwarded-${name}`));
    };
    expect(await told()).toEqual(['127.0.0.77', '8080', 'http']);
    expect(await told('-k')).toEqual(['127.0.0.77', '8443', 'https']);
    await until(() => member.requests.some(({ target }) => target === '/check'), 'it checks');
    expect([scene.rejected, scene.troubles]).toEqual([[], []]);
    expect(scene.vip.stats.requestErrors).toBe(0);
  });

  test("offloads eight POSTs to a Unix socket, of HAProxy's proxy_protocol_random_fail.vtc", async () => {
    await using folder = await ownFolder();
    await using member = await HttpMember.start();
    await using scene = await Scene.open(
      { members: [member.spec] },
      {
        address: `unix:${folder.socket('vip')}`,
        acceptProxyProtocol: { trustedCidrs: ['unix:'] },
        protocol: 'http',
        insertHeaders: { 'X-Forwarded-For': true },
      },
    );
    await using front = await haproxyFront(
      ({ host, pem }) => `
listen offload
  mode http
  bind ${host}:8080 ssl crt ${pem} alpn h2,http/1.1
  server s unix@${folder.socket('vip')} send-proxy`,
    );
    const { host, port } = front.place;
    const urls = Array.from({ length: 8 }, (_, index) => `https://${host}:${port}/${index + 1}`);
    const { code } = await run('curl', ['-sSik', '-d', 'x=x', ...urls]);
    expect(code).toBe(0);
    expect(member.requests.map(({ target, message }) => [target, message.field('X-Forwarded-For')])).toEqual(
      urls.map((_, index) => [`/${index + 1}`, '127.0.0.1']),
    );
    expect(scene.rejected).toEqual([]);
  });
});

describe('nginx in front', () => {
  test('tells whose a connection is', async () => {
    await using on = await echoing();
    await using front = await nginxFront(
      ({ host }) => `server { listen ${host}:8080; proxy_protocol on; proxy_pass ${endpointOf(on.scene.place)}; }`,
    );
    await isKnown(front, on.seen);
    await on.scene.isAtRest();
    expect([on.scene.rejected, on.scene.troubles]).toEqual([[], []]);
  });

  test('tells over a Unix socket, too', async () => {
    await using folder = await ownFolder();
    const address = `unix:${folder.socket('vip')}`;
    await using on = await echoing({ address, acceptProxyProtocol: { trustedCidrs: ['unix:'] } });
    await using front = await nginxFront(
      ({ host }) => `server { listen ${host}:8080; proxy_protocol on; proxy_pass ${address}; }`,
    );
    await isKnown(front, on.seen);
    await on.scene.isAtRest();
  });

  test('behind HAProxy passes on what that told', async () => {
    await using on = await echoing();
    await using nginx = await nginxFront(
      ({ host }) => `server {
        listen ${host}:8080 proxy_protocol; set_real_ip_from 127.0.0.0/8;
        proxy_protocol on; proxy_pass ${endpointOf(on.scene.place)};
      }`,
    );
    await using front = await haproxyFront(
      ({ host }) => `listen all\n  bind ${host}:8080\n  server s ${endpointOf(nginx.place)} send-proxy-v2`,
    );
    using client = await Client.connect(front.place, { localAddress: '127.0.0.77' });
    await client.isEchoed('hello');
    expect(on.seen.map(({ address, port }) => [address, port])).toEqual([['127.0.0.77', client.socket.localPort]]);
  });

  test('that sends no header is turned away', async () => {
    await using on = await echoing();
    await using front = await nginxFront(
      ({ host }) => `server { listen ${host}:8080; proxy_pass ${endpointOf(on.scene.place)}; }`,
    );
    using client = await Client.connect(front.place);
    client.send('hello');
    await client.isLetGo();
    expect(on.scene.rejected).toMatchObject([{ reason: 'bad-proxy-header', detail: 'no PROXY header' }]);
  });
});
