import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { leavesNothing } from '../../fixtures/node/aftermath.ts';
import { Backend, echoes } from '../../fixtures/node/backend.ts';
import { Client } from '../../fixtures/node/client.ts';
import type { Scene } from '../../fixtures/node/scene.ts';
import { TlsClient, tlsFateOf, Wire } from '../../fixtures/node/tls/client.ts';
import { identity, tlsScene } from '../../fixtures/node/tls/scene.ts';
import { settled, until } from '../../fixtures/node/until.ts';

interface Failures {
  readonly reasons: string[];
}

/** What the virtual IP has to tell. */
function failuresOf(scene: Scene): Failures {
  const reasons: string[] = [];
  scene.vip.on('handshake-failed', ({ clientAddress, reason }) => {
    expect(clientAddress).toBe('127.0.0.1');
    reasons.push(reason);
  });
  return { reasons };
}

/** The first bytes that a client of Node's says. */
async function clientHello(): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.removeAllListeners('connection');
  using client = TlsClient.start({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  const [socket] = await once(server, 'connection');
  const [bytes] = await once(socket, 'data');
  socket.destroy();
  server.close();
  client.socket.destroy();
  return bytes;
}

const names = [undefined, 'several'] as const;

describe.each(names)('a handshake that comes to nothing, with one certificate or %s', (several) => {
  const other = { cert: identity.cert, key: identity.key, serverNames: ['b.example'] };
  const certificates = several
    ? [{ cert: identity.cert, key: identity.key }, other]
    : [{ cert: identity.cert, key: identity.key }];

  test.each([
    ['a request of plain HTTP', 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n', 'http request'],
    ['garbage', '\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b', 'wrong version number'],
    [
      'a record that is too long',
      '\x16\x03\x01\xff\xff\x01',
      'record layer failure|(?:packet|data) length too long|excessive message size',
    ],
    ['an alert', '\x15\x03\x01\x00\x02\x02\x28', 'alert|unexpected message'],
  ])('is counted, told of, and concerns nobody else: %s', async (_what, text, reason) => {
    await using backend = await Backend.start({ does: echoes });
    await using scene = await tlsScene({ members: [backend.at] }, {}, { certificates });
    const { reasons } = failuresOf(scene);
    using innocent = await TlsClient.connect(scene.place);
    await innocent.isEchoed('before');
    using client = await Client.connect(scene.place);
    client.send(text);
    client.end();
    await client.closed();
    await until(() => reasons.length === 1, 'it is told');
    expect(reasons[0]).toMatch(new RegExp(reason));
    await innocent.isEchoed('after');
    innocent.socket.end();
    await scene.isAtRest();
    expect(backend.accepted).toBe(1);
    expect(scene.vip.stats.tlsHandshakes).toEqual({ full: 1, resumed: 0, failed: 1 });
  });

  test.each([
    ['at once', 0],
    ['in the middle of its ClientHello', 100],
    ['after its ClientHello', Number.POSITIVE_INFINITY],
  ])('a client that leaves %s', async (_when, bytes) => {
    const hello = await clientHello();
    await using backend = await Backend.start({ does: echoes });
    await using scene = await tlsScene({ members: [backend.at] }, {}, { certificates });
    const { reasons } = failuresOf(scene);
    using ending = await Client.connect(scene.place);
    ending.socket.write(hello.subarray(0, bytes));
    ending.end();
    await ending.closed();
    await until(() => reasons.length === 1, 'it is told');
    using resetting = await Client.connect(scene.place);
    resetting.socket.write(hello.subarray(0, bytes));
    await until(() => scene.vip.stats.activeConnections === 1, 'it is there');
    resetting.reset();
    await until(() => reasons.length === 2, 'it is told');
    await scene.isAtRest();
    expect(scene.vip.stats.tlsHandshakes).toEqual({ full: 0, resumed: 0, failed: 2 });
    expect(backend.accepted).toBe(0);
  });

  test('a client that says nothing, or says it too slowly, is let go in time', async () => {
    const hello = await clientHello();
    await using backend = await Backend.start({ does: echoes });
    await using scene = await tlsScene({ members: [backend.at] }, { timeouts: { handshake: 100 } }, { certificates });
    const { reasons } = failuresOf(scene);
    using silent = await Client.connect(scene.place);
    using slow = await Client.connect(scene.place);
    let said = 0;
    const saying = setInterval(() => slow.socket.write(hello.subarray(said, ++said)), 10);
    await silent.closed();
    await slow.closed();
    clearInterval(saying);
    expect(reasons).toEqual(['not complete within 100 ms', 'not complete within 100 ms']);
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ tlsHandshakes: { failed: 2 }, timeouts: { handshake: 2 } });
  });

  test('a ClientHello that comes byte by byte is as good as any', async () => {
    await using backend = await Backend.start({ does: echoes });
    await using scene = await tlsScene({ members: [backend.at] }, {}, { certificates });
    using wire = await Wire.to(scene.place, 1);
    using client = await TlsClient.connect(scene.place, { socket: wire.stream, servername: 'b.example' });
    await client.isEchoed('hello');
    client.socket.destroy();
    wire[Symbol.dispose]();
    await scene.isAtRest();
  });
});

describe('what is not agreed upon', () => {
  test('TLS 1.2 and up by default', async () => {
    await using backend = await Backend.start();
    await using scene = await tlsScene({ members: [backend.at] });
    const { reasons } = failuresOf(scene);
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const;
    expect(await tlsFateOf(scene.place, old)).toMatch(/alert protocol version/i);
    expect(reasons).toEqual(['unsupported protocol']);
    expect(await tlsFateOf(scene.place, { maxVersion: 'TLSv1.2' })).toBe('backend');
    expect(await tlsFateOf(scene.place, { minVersion: 'TLSv1.3' })).toBe('backend');
    await scene.isAtRest();
  });

  test('versions as they are set', async () => {
    await using backend = await Backend.start();
    await using scene = await tlsScene({ members: [backend.at] }, {}, { minVersion: 'TLSv1.3' });
    expect(await tlsFateOf(scene.place, { maxVersion: 'TLSv1.2' })).toMatch(/alert protocol version/i);
    scene.vip.update({ tls: { minVersion: null, maxVersion: 'TLSv1.2' } });
    expect(await tlsFateOf(scene.place, { minVersion: 'TLSv1.3' })).toMatch(/alert protocol version/i);
    expect(await tlsFateOf(scene.place)).toBe('backend');
    await leavesNothing(scene, [backend]);
  });

  test('ciphers as they are set', async () => {
    await using backend = await Backend.start();
    const ciphers = 'ECDHE-ECDSA-AES256-GCM-SHA384:TLS_AES_128_GCM_SHA256';
    await using scene = await tlsScene({ members: [backend.at] }, {}, { ciphers });
    const { reasons } = failuresOf(scene);
    using first = await TlsClient.connect(scene.place, { maxVersion: 'TLSv1.2' });
    expect(first.socket.getCipher().name).toBe('ECDHE-ECDSA-AES256-GCM-SHA384');
    using second = await TlsClient.connect(scene.place);
    expect(second.socket.getCipher().name).toBe('TLS_AES_128_GCM_SHA256');
    await until(() => scene.vip.stats.tlsHandshakes.full === 2, 'both are agreed');
    first.socket.destroy();
    second.socket.destroy();
    const others = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' } as const;
    expect(await tlsFateOf(scene.place, others)).toMatch(/alert handshake failure/i);
    expect(reasons).toEqual(['no shared cipher']);
    await scene.isAtRest();
  });

  test('the best cipher in the server’s order', async () => {
    await using backend = await Backend.start();
    const [strong, weak] = ['ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-AES128-GCM-SHA256'];
    await using scene = await tlsScene({ members: [backend.at] }, {}, { ciphers: `${strong}:${weak}` });
    using client = await TlsClient.connect(scene.place, { maxVersion: 'TLSv1.2', ciphers: `${weak}:${strong}` });
    expect(client.socket.getCipher().name).toBe(strong);
    client.socket.destroy();
    await scene.isAtRest();
  });

  test('protocols: the best that both have; none where the client does not ask; a refusal where there is none', async () => {
    await using backend = await Backend.start();
    await using scene = await tlsScene({ members: [backend.at] }, {}, { alpn: ['h2', 'http/1.1'] });
    const alpnOf = async (offer?: string[]): Promise<unknown> => {
      using client = await TlsClient.connect(scene.place, offer && { ALPNProtocols: offer });
      client.send('who?');
      await client.receives('backend');
      return client.socket.alpnProtocol;
    };
    expect(await alpnOf(['http/1.1', 'h2'])).toBe('h2');
    expect(await alpnOf(['bogus', 'http/1.1'])).toBe('http/1.1');
    expect(await alpnOf()).toBe(false);
    expect(await tlsFateOf(scene.place, { ALPNProtocols: ['bogus'] })).toMatch(/alert no application protocol/i);
    scene.vip.update({ tls: { alpn: null } });
    expect(await alpnOf(['h2'])).toBe(false);
    await scene.isAtRest();
  });
});

test('a flood of clients that say nothing leaves nothing behind', async () => {
  await using backend = await Backend.start({ does: echoes });
  await using scene = await tlsScene({ members: [backend.at] }, { timeouts: { handshake: 500 } });
  const clients = await Promise.all(Array.from({ length: 200 }, () => Client.connect(scene.place)));
  const hello = await clientHello();
  for (const [index, { socket }] of clients.entries())
    socket.write(hello.subarray(0, index % 2 === 0 ? 50 : hello.length));
  using honest = await TlsClient.connect(scene.place);
  await honest.isEchoed('hello');
  await settled(() => scene.vip.stats.tlsHandshakes.failed, 'all are let go');
  await honest.isEchoed('still here');
  honest.socket.destroy();
  for (const client of clients) client[Symbol.dispose]();
  await leavesNothing(scene, [backend]);
  expect(scene.vip.stats.tlsHandshakes).toEqual({ full: 1, resumed: 0, failed: 200 });
});
