import { describe, expect, test } from 'vitest';
import type { TlsSpec } from '../../../src/index.ts';
import { Backend } from '../../fixtures/node/backend.ts';
import type { Scene } from '../../fixtures/node/scene.ts';
import { Authority } from '../../fixtures/node/tls/authority.ts';
import { TlsClient } from '../../fixtures/node/tls/client.ts';
import { authority, identity, tlsScene } from '../../fixtures/node/tls/scene.ts';

const clients = new Authority('clients');
const client = clients.issue({ name: 'client' });
const showing = { cert: client.cert, key: client.key };
const fresh = authority.issue({ name: 'fresh', serverNames: ['a.example'] });

/** One visit, whether it resumed, and the session that it leaves. */
async function visit(
  scene: Scene,
  options: object,
  session?: Buffer,
): Promise<{ resumed: boolean; session: Buffer; shown: string }> {
  using visitor = await TlsClient.connect(scene.place, { ...options, ...(session && { session }) });
  visitor.send('who?');
  await visitor.receives('backend');
  const resumed = visitor.socket.isSessionReused();
  const next = resumed && visitor.session === undefined ? session : await visitor.hasSession();
  return { resumed, session: next as Buffer, shown: visitor.shown };
}

async function isResumedAfter(change: (scene: Scene) => unknown, options: object, tls: TlsSpec = {}): Promise<boolean> {
  await using backend = await Backend.start();
  await using scene = await tlsScene({ members: [backend.at] }, {}, tls);
  const { session } = await visit(scene, options);
  change(scene);
  const { resumed } = await visit(scene, options, session);
  await scene.isAtRest();
  expect(scene.vip.stats.tlsHandshakes).toEqual(
    resumed ? { full: 1, resumed: 1, failed: 0 } : { full: 2, resumed: 0, failed: 0 },
  );
  return resumed;
}

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('a session of %s', (maxVersion) => {
  const options = { maxVersion };

  test('is resumed', async () => {
    expect(await isResumedAfter(() => {}, options)).toBe(true);
  });

  test('is resumed after the certificate was replaced', async () => {
    const certificates = { cert: fresh.cert, key: fresh.key };
    expect(await isResumedAfter(({ vip }) => vip.update({ tls: { certificates } }), options)).toBe(true);
  });

  test('is resumed where there are several certificates', async () => {
    const certificates = [
      { cert: identity.cert, key: identity.key },
      { cert: fresh.cert, key: fresh.key, serverNames: ['fresh.example'] },
    ];
    const asking = { ...options, servername: 'fresh.example' };
    expect(await isResumedAfter(() => {}, asking, { certificates })).toBe(true);
  });

  test('is not resumed by another virtual IP', async () => {
    await using backend = await Backend.start();
    await using one = await tlsScene({ members: [backend.at] });
    await using other = await tlsScene({ members: [backend.at] });
    const { session } = await visit(one, options);
    expect((await visit(other, options, session)).resumed).toBe(false);
    await one.isAtRest();
    await other.isAtRest();
  });

  test('is resumed by another one that has the same ticket keys', async () => {
    const ticketKeys = Buffer.alloc(48, 7);
    await using backend = await Backend.start();
    await using one = await tlsScene({ members: [backend.at] }, {}, { ticketKeys });
    await using other = await tlsScene({ members: [backend.at] }, {}, { ticketKeys });
    const { session } = await visit(one, options);
    expect((await visit(other, options, session)).resumed).toBe(true);
    other.vip.update({ tls: { ticketKeys: Buffer.alloc(48, 8) } });
    expect((await visit(other, options, session)).resumed).toBe(false);
    await one.isAtRest();
    await other.isAtRest();
  });

  test('with a client certificate is resumed, and the certificate is still known', async () => {
    const seen: unknown[] = [];
    await using backend = await Backend.start();
    await using scene = await tlsScene(
      { members: [backend.at] },
      {},
      { clientAuthentication: 'mandatory', ca: clients.cert },
    );
    const { session } = await visit(scene, { ...options, ...showing });
    expect((await visit(scene, { ...options, ...showing }, session)).resumed).toBe(true);
    await scene.isAtRest();
    expect(seen).toEqual([]);
  });

  test.each<[string, TlsSpec]>([
    ['clients must show certificates from now on', { clientAuthentication: 'mandatory' }],
    ['another authority is trusted', { ca: clients.cert + authority.cert }],
    ['certificates may have been revoked', { crl: clients.revocations([]) }],
  ])('is not resumed where %s', async (_what, tls) => {
    const before: TlsSpec = { clientAuthentication: 'optional', ca: clients.cert };
    expect(await isResumedAfter(({ vip }) => vip.update({ tls }), { ...options, ...showing }, before)).toBe(false);
  });
});
