import { describe, expect, test } from 'vitest';
import { Backend } from '../../fixtures/node/backend.ts';
import type { Scene } from '../../fixtures/node/scene.ts';
import { Authority } from '../../fixtures/node/tls/authority.ts';
import { TlsClient, tlsFateOf } from '../../fixtures/node/tls/client.ts';
import { tlsScene } from '../../fixtures/node/tls/scene.ts';

const authority = new Authority();

function issue(name: string, serverNames: readonly string[] = [name], key: 'ecdsa' | 'rsa' = 'ecdsa') {
  const { cert, key: pem } = authority.issue({ name, serverNames, key });
  return { cert, key: pem };
}

/** Which certificate a client is shown that asks for a name. */
async function shown(scene: Scene, servername = '', options = {}): Promise<string> {
  using client = await TlsClient.connect(scene.place, { servername, ...options });
  client.send('who?');
  await client.receives('backend');
  return client.shown;
}

describe('which certificate is shown', () => {
  test('that for the name that is asked for, exact or below a wildcard; else the first', async () => {
    await using backend = await Backend.start();
    const certificates = [
      issue('default', ['default.example']),
      issue('a', ['a.example', '127.0.0.1']),
      issue('b', ['*.b.example', 'B.Example']),
    ];
    await using scene = await tlsScene({ members: [backend.at] }, {}, { certificates });
    expect(await shown(scene)).toBe('default');
    expect(await shown(scene, 'bogus.example')).toBe('default');
    expect(await shown(scene, 'a.example')).toBe('a');
    expect(await shown(scene, 'A.EXAMPLE')).toBe('a');
    expect(await shown(scene, 'x.a.example')).toBe('default');
    expect(await shown(scene, 'x.b.example')).toBe('b');
    expect(await shown(scene, 'b.example')).toBe('b');
    expect(await shown(scene, 'y.x.b.example')).toBe('default');
    await scene.isAtRest();
    expect(scene.listener.certificates.map(({ serverNames, isDefault }) => ({ serverNames, isDefault }))).toEqual([
      { serverNames: ['default.example'], isDefault: true },
      { serverNames: ['a.example'], isDefault: false },
      { serverNames: ['*.b.example', 'b.example'], isDefault: false },
    ]);
  });

  test('over TLS 1.2, too', async () => {
    await using backend = await Backend.start();
    await using scene = await tlsScene(
      { members: [backend.at] },
      {},
      { certificates: [issue('a.example'), issue('b.example')] },
    );
    expect(await shown(scene, 'b.example', { maxVersion: 'TLSv1.2' })).toBe('b.example');
    expect(await shown(scene, 'c.example', { maxVersion: 'TLSv1.2' })).toBe('a.example');
    await scene.isAtRest();
  });

  test('names that are given stand for those of the certificate, and go before others’', async () => {
    await using backend = await Backend.start();
    const certificates = [issue('a.example'), { ...issue('b.example'), serverNames: ['a.example', '*.c.example'] }];
    await using scene = await tlsScene({ members: [backend.at] }, {}, { certificates });
    expect(await shown(scene, 'a.example')).toBe('b.example');
    expect(await shown(scene, 'x.c.example')).toBe('b.example');
    expect(await shown(scene, 'b.example')).toBe('a.example');
    await scene.isAtRest();
  });

  test('of several with the same name the first', async () => {
    await using backend = await Backend.start();
    const certificates = [issue('old', ['a.example']), issue('new', ['a.example', 'b.example'])];
    await using scene = await tlsScene({ members: [backend.at] }, {}, { certificates });
    expect(await shown(scene, 'a.example')).toBe('old');
    expect(await shown(scene, 'b.example')).toBe('new');
    await scene.isAtRest();
    expect(scene.listener.certificates.map(({ serverNames }) => serverNames)).toEqual([['a.example'], ['b.example']]);
  });

  test('one that the client can verify, where a name has keys of two types', async () => {
    await using backend = await Backend.start();
    const certificates = [
      issue('default', ['default.example']),
      issue('rsa', ['a.example'], 'rsa'),
      issue('ecdsa', ['a.example', 'b.example']),
    ];
    await using scene = await tlsScene({ members: [backend.at] }, {}, { certificates });
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const only = { minVersion: version, maxVersion: version };
      expect(await shown(scene, 'a.example', { ...only, sigalgs: 'rsa_pss_rsae_sha256:RSA+SHA256' })).toBe('rsa');
      expect(await shown(scene, 'a.example', { ...only, sigalgs: 'ECDSA+SHA256' })).toBe('ecdsa');
      // No other name's certificate stands in.
      expect(
        await tlsFateOf(scene.place, { ...only, servername: 'b.example', sigalgs: 'rsa_pss_rsae_sha256' }),
      ).toMatch(/alert/i);
      expect(await tlsFateOf(scene.place, { ...only, sigalgs: 'rsa_pss_rsae_sha256' })).toMatch(/alert/i);
    }
    await scene.isAtRest();
  });

  test('of both types also by default', async () => {
    await using backend = await Backend.start();
    const certificates = [issue('ecdsa', ['a.example']), issue('rsa', ['a.example'], 'rsa')];
    await using scene = await tlsScene({ members: [backend.at] }, {}, { certificates });
    expect(await shown(scene, '', { sigalgs: 'rsa_pss_rsae_sha256' })).toBe('rsa');
    expect(await shown(scene, '', { sigalgs: 'ECDSA+SHA256' })).toBe('ecdsa');
    await scene.isAtRest();
    expect(scene.listener.certificates.map(({ isDefault }) => isDefault)).toEqual([true, true]);
  });

  test('a certificate that has no alternative names goes by its common name', async () => {
    await using backend = await Backend.start();
    const certificates = [issue('a.example'), issue('b.example', [])];
    await using scene = await tlsScene({ members: [backend.at] }, {}, { certificates });
    expect(await shown(scene, 'b.example')).toBe('b.example');
    await scene.isAtRest();
  });
});
