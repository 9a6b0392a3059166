import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { leavesNothing } from '../../fixtures/node/aftermath.ts';
import { Backend, echoes, listensOnly } from '../../fixtures/node/backend.ts';
import { Client } from '../../fixtures/node/client.ts';
import { sha1 } from '../../fixtures/node/http/noise.ts';
import { closedPort, ownFolder } from '../../fixtures/node/places.ts';
import { TlsClient } from '../../fixtures/node/tls/client.ts';
import { tlsScene } from '../../fixtures/node/tls/scene.ts';
import { settled, until } from '../../fixtures/node/until.ts';

describe('a TCP virtual IP that ends TLS', () => {
  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'takes what comes over %s to its members in the clear, both ways',
    async (version) => {
      await using backend = await Backend.start({ does: echoes });
      await using scene = await tlsScene({ members: [backend.at] });
      using client = await TlsClient.connect(scene.place, { maxVersion: version });
      expect(client.socket.getProtocol()).toBe(version);
      expect(client.shown).toBe('a.example');
      await client.isEchoed('first');
      await client.isEchoed('second');
      client.socket.end();
      await client.ended();
      await leavesNothing(scene, [backend]);
      expect(scene.vip.stats.tlsHandshakes).toEqual({ full: 1, resumed: 0, failed: 0 });
      expect(scene.vip.stats).toMatchObject({ bytesIn: 11, bytesOut: 11 });
    },
  );

  test('on a Unix socket', async () => {
    await using folder = await ownFolder();
    await using backend = await Backend.start({ path: folder.socket('member'), does: echoes });
    await using scene = await tlsScene({ members: [backend.at] }, { address: `unix:${folder.socket('vip')}` });
    using client = await TlsClient.connect(scene.place);
    await client.isEchoed('hello');
    client.socket.destroy();
    await leavesNothing(scene, [backend]);
  });

  test('moves bulk both ways at once, whole', async () => {
    const size = 24 * 1024 * 1024;
    const noise = randomBytes(size);
    await using backend = await Backend.start({ does: echoes });
    await using scene = await tlsScene({ members: [backend.at] });
    using client = await TlsClient.connect(scene.place);
    const chunks: Buffer[] = [];
    client.socket.removeAllListeners('data').on('data', (chunk) => chunks.push(chunk));
    client.socket.end(noise);
    await once(client.socket, 'end');
    expect(sha1(Buffer.concat(chunks))).toBe(sha1(noise));
    await leavesNothing(scene, [backend]);
    expect(scene.vip.stats).toMatchObject({ bytesIn: size, bytesOut: size });
  });

  test('reads from a member only as fast as the client takes it', async () => {
    await using backend = await Backend.start({
      does: (socket) => {
        const piece = Buffer.alloc(65_536, 1);
        const pour = (): void => {
          while (socket.write(piece));
          socket.once('drain', pour);
        };
        pour();
      },
    });
    await using scene = await tlsScene({ members: [backend.at] });
    using client = await TlsClient.connect(scene.place);
    client.socket.pause();
    const sent = await settled(() => scene.vip.stats.bytesOut, 'the member is held back');
    expect(sent).toBeLessThan(32 * 1024 * 1024);
    client.socket.destroy();
    await leavesNothing(scene, [backend]);
  });

  test('a client that has said all still gets its answer', async () => {
    await using backend = await Backend.start({
      does: (socket) => {
        let said = '';
        socket.on('data', (chunk) => {
          said += chunk;
        });
        socket.on('end', () => setImmediate(() => socket.end(`heard ${said}`)));
      },
    });
    await using scene = await tlsScene({ members: [backend.at] });
    using client = await TlsClient.connect(scene.place);
    client.socket.end('all of it');
    await client.receives('heard all of it');
    await client.ended();
    await leavesNothing(scene, [backend]);
  });

  test('a member that has said all still hears the client, which is told properly', async () => {
    await using backend = await Backend.start({ does: (socket) => socket.resume().end('bye') });
    await using scene = await tlsScene({ members: [backend.at] });
    using client = await TlsClient.connect(scene.place);
    await client.ended();
    expect(client.received).toBe('bye');
    client.send('and more');
    await until(() => backend.bytesReceived === 8, 'the member hears it');
    client.socket.end();
    expect(await client.closed()).toBeUndefined();
    await leavesNothing(scene, [backend]);
  });

  test('a client that ends its connection without saying goodbye has ended all the same', async () => {
    await using backend = await Backend.start({ does: echoes });
    await using scene = await tlsScene({ members: [backend.at] });
    using carrier = await Client.connect(scene.place);
    carrier.socket.removeAllListeners('data');
    using client = await TlsClient.connect(scene.place, { socket: carrier.socket });
    await client.isEchoed('hello');
    carrier.end();
    await leavesNothing(scene, [backend]);
  });

  test('a client that leaves before its member is connected does not stay in the books', async () => {
    await using backend = await Backend.start({ does: echoes });
    const pool = { members: [closedPort(), { id: 'm', address: '127.0.0.1', port: backend.port, enabled: false }] };
    await using scene = await tlsScene(pool, { retries: 100, timeouts: { connect: 60_000 } });
    using carrier = await Client.connect(scene.place);
    carrier.socket.removeAllListeners('data');
    using _client = await TlsClient.connect(scene.place, { socket: carrier.socket });
    await until(() => scene.vip.stats.connectFailures > 0, 'a member is tried');
    carrier.reset();
    await scene.isAtRest();
  });

  test('a client that has ended before its member is connected is not forgotten', async () => {
    await using backend = await Backend.start({
      does: (socket) => socket.on('end', () => socket.end('seen')).resume(),
    });
    await using scene = await tlsScene({ members: [backend.at] }, { connectionLimit: 1 });
    const fate = async (): Promise<string> => {
      using client = TlsClient.start(scene.place);
      client.socket.once('secureConnect', () => client.socket.end());
      await client.ended();
      return client.received;
    };
    expect(new Set(await Promise.all(Array.from({ length: 20 }, fate)))).toEqual(new Set(['seen']));
    await leavesNothing(scene, [backend]);
  });

  test('a reset goes on to the other side', async () => {
    await using backend = await Backend.start({ does: listensOnly });
    const fates: (string | undefined)[] = [];
    await using scene = await tlsScene({ members: [backend.at] });
    using client = await TlsClient.connect(scene.place);
    client.send('hello');
    await until(() => backend.bytesReceived === 5, 'the member hears it');
    const [member] = backend.sockets;
    member?.on('error', (error: NodeJS.ErrnoException) => fates.push(error.code));
    member?.on('close', () => fates.push('closed'));
    client.socket.destroy();
    await until(() => fates.includes('closed'), 'the member is let go');

    using other = await TlsClient.connect(scene.place);
    other.send('hello');
    await until(() => backend.bytesReceived === 10, 'the member hears it');
    for (const socket of backend.sockets) socket.resetAndDestroy();
    expect(await other.closed()).toBe('ECONNRESET');
    await leavesNothing(scene, [backend]);
  });

  test('a client that waits for its turn shakes hands when it has come', async () => {
    await using backend = await Backend.start({ does: echoes });
    await using scene = await tlsScene({ members: [backend.at] }, { connectionLimit: 1 });
    using first = await TlsClient.connect(scene.place);
    await first.isEchoed('hello');
    using second = TlsClient.start(scene.place);
    await until(() => scene.vip.stats.waitingConnections === 1, 'the second one waits');
    expect(second.isSecure).toBe(false);
    first.socket.end();
    second.send('my turn');
    await second.receives('my turn');
    second.socket.end();
    await leavesNothing(scene, [backend]);
  });

  test('timeouts see what moves within TLS', async () => {
    await using backend = await Backend.start({ does: echoes });
    await using scene = await tlsScene({ members: [backend.at] }, { timeouts: { client: 100, member: 0 } });
    using client = await TlsClient.connect(scene.place);
    await client.isEchoed('hello');
    await client.ended();
    await leavesNothing(scene, [backend]);
  });

  test('garbage in the middle ends the connection, the member’s with a reset', async () => {
    await using backend = await Backend.start({ does: listensOnly });
    const errors: (string | undefined)[] = [];
    await using scene = await tlsScene({ members: [backend.at] });
    using carrier = await Client.connect(scene.place);
    carrier.socket.removeAllListeners('data');
    using client = await TlsClient.connect(scene.place, { socket: carrier.socket });
    client.send('hello');
    await until(() => backend.bytesReceived === 5, 'the member hears it');
    for (const socket of backend.sockets) {
      socket.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code));
    }
    carrier.send('this is no record of TLS');
    await until(() => errors.length > 0, 'the member sees it');
    expect(errors).toEqual(['ECONNRESET']);
    await leavesNothing(scene, [backend]);
  });
});

describe('closing a listener', () => {
  test('lets connections finish', async () => {
    await using backend = await Backend.start({ does: echoes });
    await using scene = await tlsScene({ members: [backend.at] });
    using client = await TlsClient.connect(scene.place);
    await client.isEchoed('before');
    const closed = scene.listener.close({ deadline: 60_000 });
    await client.isEchoed('after');
    client.socket.end();
    await closed;
    await scene.isAtRest();
  });

  test('ends at the deadline what is left, also handshakes', async () => {
    await using backend = await Backend.start({ does: echoes });
    await using scene = await tlsScene({ members: [backend.at] });
    using client = await TlsClient.connect(scene.place);
    await client.isEchoed('hello');
    using silent = await Client.connect(scene.place);
    await until(() => scene.vip.stats.activeConnections === 2, 'both are there');
    await scene.listener.close({ deadline: 0 });
    expect(await client.closed()).toBe('ECONNRESET');
    expect(await silent.closed()).toBe('ECONNRESET');
    await scene.isAtRest();
  });
});
