/** ClientHellos of real clients, made for the occasion: Node's own, and those of `openssl s_client` where there is one. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { type ConnectionOptions, connect } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { bytesOneByOne, read, readPieces, records } from './wire.ts';

const command = 'openssl';

/** What a client sends to a server on this port of the loopback that never answers: one record. */
async function helloOf(dial: (port: number) => () => void): Promise<Uint8Array> {
  const server = createServer().listen(0, '127.0.0.1');
  try {
    await once(server, 'listening');
    const connected = once(server, 'connection');
    const hangUp = dial((server.address() as AddressInfo).port);
    const [socket] = await connected;
    let bytes = new Uint8Array(0);
    for await (const chunk of socket) {
      bytes = Uint8Array.from([...bytes, ...chunk]);
      if (bytes.length >= 5 && bytes.length >= 5 + (bytes[3] as number) * 256 + (bytes[4] as number)) break;
    }
    hangUp();
    return bytes;
  } finally {
    server.close();
  }
}

function node(options: ConnectionOptions): Promise<Uint8Array> {
  return helloOf((port) => {
    const socket = connect({ ...options, port, host: '127.0.0.1', rejectUnauthorized: false });
    socket.on('error', () => undefined);
    return () => socket.destroy();
  });
}

function openssl(...words: readonly string[]): Promise<Uint8Array> {
  return helloOf((port) => {
    const child = spawn(command, ['s_client', '-connect', `127.0.0.1:${port}`, ...words], { stdio: 'ignore' });
    return () => child.kill();
  });
}

const hasOpenssl = spawnSync(command, ['version']).status === 0;
const long = { a: `${'x'.repeat(60)}.${'y'.repeat(60)}.example`, alpn: ['h2', 'http/1.1', `p${'q'.repeat(200)}`] };

for (const [version, supported] of [
  ['TLSv1.2', []],
  ['TLSv1.3', [0x0304, 0x0303]],
] as const) {
  describe(`a ClientHello of ${version}`, () => {
    for (const [what, serverName, alpn] of [
      ['with a name and protocols', 'a.example', ['h2', 'http/1.1']],
      ['with a name in capitals', 'A.Example', []],
      ['with a name', 'a.example', []],
      ['with protocols', '', ['http/1.1']],
      ['with neither', '', []],
      ['with long ones', long.a, long.alpn],
    ] as const) {
      const expected = {
        state: 'done',
        hello: {
          serverName: serverName === '' ? undefined : serverName.toLowerCase(),
          alpn,
          supportedVersions: supported,
          legacyVersion: 0x0303,
        },
      };

      test(`of Node's ${what}`, async () => {
        const bytes = await node({ maxVersion: version, servername: serverName, ALPNProtocols: [...alpn] });
        expect(read(bytes)).toMatchObject(expected);
        expect(readPieces(bytesOneByOne(bytes))).toMatchObject(expected);
        expect(readPieces(bytesOneByOne(records(bytes.slice(5), 3)))).toMatchObject(expected);
      });

      test.skipIf(!hasOpenssl)(`of openssl's ${what}`, async () => {
        const bytes = await openssl(
          ...(version === 'TLSv1.2' ? ['-tls1_2'] : ['-no_tls1', '-no_tls1_1']),
          ...(serverName === '' ? ['-noservername'] : ['-servername', serverName]),
          ...(alpn.length === 0 ? [] : ['-alpn', alpn.join(',')]),
        );
        expect(read(bytes)).toMatchObject(expected);
        expect(readPieces(bytesOneByOne(bytes))).toMatchObject(expected);
      });
    }
  });
}
