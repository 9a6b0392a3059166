import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { describe, expect, test } from 'vitest';
import type { Probe, SpecError, TlsCheckSpec } from '../../../src/index.ts';
import { httpsProbe, tlsHelloProbe } from '../../../src/node/index.ts';
import { rejectionOf, thrownBy } from '../../fixtures/core.ts';
import { Backend, listensOnly } from '../../fixtures/node/backend.ts';
import { certificate } from '../../fixtures/node/certificate.ts';
import { check, verdict } from '../../fixtures/node/check.ts';
import { closedPort, ownHost } from '../../fixtures/node/places.ts';
import { Scene } from '../../fixtures/node/scene.ts';
import { until } from '../../fixtures/node/until.ts';

interface SecureMember extends AsyncDisposable {
  readonly at: string;
  /** What each client asked for and showed. */
  readonly seen: string[];
  readonly ends: string[];
}

/** A member that speaks TLS, and HTTP to whoever asks. */
async function secureMember(options: TlsOptions = {}): Promise<SecureMember> {
  const seen: string[] = [];
  const ends: string[] = [];
  const server = createServer({ ...certificate, ...options }, (socket: TLSSocket) => {
    const shown = socket.getPeerCertificate().subject?.CN ?? 'nothing';
    seen.push(`${socket.servername || 'no name'}, ${shown}`);
    socket.on('error', (error) => ends.push(error.message)).on('end', () => ends.push('end'));
    socket.once('data', () => socket.end('HTTP/1.0 200 OK\r\n\r\n'));
  });
  server.on('tlsClientError', () => {});
  const host = ownHost();
  server.listen(0, host);
  await once(server, 'listening');
  return {
    at: `${host}:${(server.address() as AddressInfo).port}`,
    seen,
    ends,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, 'close');
    },
  };
}

const { cert, key } = certificate;
const kinds: readonly [name: string, make: (options?: TlsCheckSpec) => Probe][] = [
  ['tls-hello', tlsHelloProbe],
  ['https', httpsProbe],
];

describe.each(kinds)('a check of type %s', (_name, make) => {
  test('passes where the certificate is of the member’s own making', async () => {
    await using member = await secureMember();
    expect(await verdict(make(), member.at)).toBe('passed');
  });

  test('fails where it shall verify that one', async () => {
    await using member = await secureMember();
    const probe = make({ verify: true, serverName: 'a.evenkeel.test' });
    // Newer Nodes add an advice.
    expect(await verdict(probe, member.at)).toMatch(/^self-signed certificate/);
  });

  test('passes where the authority is trusted and the name is right', async () => {
    await using member = await secureMember();
    expect(await verdict(make({ ca: cert, serverName: 'a.evenkeel.test' }), member.at)).toBe('passed');
    await until(() => member.seen.length === 1, 'the member has seen it');
    expect(member.seen).toEqual(['a.evenkeel.test, nothing']);
  });

  test('fails where the authority is trusted and the name is not right', async () => {
    await using member = await secureMember();
    expect(await verdict(make({ ca: cert, serverName: 'a.example' }), member.at)).toContain(
      'Host: a.example. is not in',
    );
  });

  test('fails where the authority is trusted and the certificate is not for the address', async () => {
    await using member = await secureMember();
    expect(await verdict(make({ ca: cert }), member.at)).toContain('IP: 127.');
  });

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`shows the certificate that it was given, in ${version}`, async () => {
      const versions = { minVersion: version, maxVersion: version };
      await using member = await secureMember({ requestCert: true, rejectUnauthorized: true, ca: cert, ...versions });
      expect(await verdict(make({ cert, key }), member.at)).toBe('passed');
      await until(() => member.seen.length === 1, 'the member has seen it');
      expect(member.seen).toEqual(['no name, evenkeel.test']);
    });
  }

  test('fails where the member wants a certificate and gets none', async () => {
    await using member = await secureMember({ requestCert: true, ca: cert, maxVersion: 'TLSv1.2' });
    expect(await verdict(make(), member.at)).not.toBe('passed');
  });

  test('says that a member does not speak TLS', async () => {
    await using member = await Backend.start({ does: (socket) => socket.end('220 mail.example ESMTP\r\n') });
    expect(await verdict(make(), member.at)).toMatch(/^TLS: /);
  });

  test('says that nobody listens', async () => {
    expect(await verdict(make(), closedPort())).toContain('ECONNREFUSED');
  });

  test('gives up with the signal’s reason where the handshake does not end, and takes its connection along', async () => {
    await using member = await Backend.start({ does: listensOnly });
    const controller = new AbortController();
    const answer = rejectionOf(check(make(), member.at, controller.signal));
    await until(() => member.bytesReceived > 0, 'the client has said hello');
    controller.abort(new Error('too late'));
    expect(await answer).toMatchObject({ message: 'too late' });
    await until(() => member.sockets.size === 0, 'the connection is gone');
  });

  for (const [what, options, path] of [
    ['a ca', { ca: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' }, 'ca'],
    ['a certificate', { cert: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', key }, 'cert'],
    ['a key', { cert, key: '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n' }, 'key'],
  ] as const) {
    test(`refuses ${what} that cannot be read, and does not show it`, () => {
      const error = thrownBy(() => make(options)) as SpecError;
      expect(error).toMatchObject({ code: 'ERR_EVENKEEL_SPEC', path });
      expect(JSON.stringify([error.value, error.message])).not.toContain('AAAA');
    });
  }

  test('refuses the options of another kind', () => {
    expect(thrownBy(() => make({ silence: 5 } as object))).toMatchObject({ path: 'silence' });
  });
});

test('a TLS check says goodbye like a client that is done', async () => {
  await using member = await secureMember();
  for (let turn = 0; turn < 3; turn++) expect(await verdict(tlsHelloProbe(), member.at)).toBe('passed');
  await until(() => member.ends.length === 3, 'three ends');
  expect(member.ends).toEqual(['end', 'end', 'end']);
});

describe('a monitor whose certificates cannot be used', () => {
  const bad = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  const monitor = { type: 'tls-hello', ca: bad } as const;

  test('is refused when a virtual IP is to listen', async () => {
    const error = await rejectionOf(Scene.open({ members: [closedPort()], healthMonitor: monitor }));
    expect(error).toMatchObject({ code: 'ERR_EVENKEEL_SPEC', path: 'healthMonitor.ca' });
  });

  test('is refused in an update, which changes nothing', async () => {
    await using member = await Backend.start();
    await using scene = await Scene.open({ members: [member.at], healthMonitor: { type: 'tcp', delay: 20 } });
    const error = thrownBy(() => scene.pool.update({ healthMonitor: monitor, strategy: 'random' }));
    expect(error).toMatchObject({ code: 'ERR_EVENKEEL_SPEC', path: 'healthMonitor.ca' });
    expect([scene.pool.healthMonitor?.type, scene.pool.strategy.name]).toEqual(['tcp', 'round-robin']);
    const { accepted } = member;
    await until(() => member.accepted > accepted + 1, 'the checks go on');
  });
});

test('a TLS monitor takes out a member whose handshake fails', async () => {
  await using secure = await secureMember();
  await using plain = await Backend.start({ does: (socket) => socket.end('no TLS here, for sure\r\n') });
  await using scene = await Scene.open({
    members: [secure.at, plain.at],
    healthMonitor: { type: 'tls-hello', delay: 30, timeout: 5000, initialHealth: 'fully-up' },
  });
  await until(() => scene.memberStatuses === 'online,error', 'the monitor has found out');
  await scene.isAtRest();
});
