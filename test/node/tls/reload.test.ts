import { appendFile, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { EvenkeelError } from '../../../src/index.ts';
import { FileWatch } from '../../../src/node/tls/file-watch.ts';
import { Backend, echoes } from '../../fixtures/node/backend.ts';
import { ownFolder } from '../../fixtures/node/places.ts';
import type { Scene } from '../../fixtures/node/scene.ts';
import { Authority, type Identity } from '../../fixtures/node/tls/authority.ts';
import { TlsClient, tlsFateOf } from '../../fixtures/node/tls/client.ts';
import { authority, tlsScene } from '../../fixtures/node/tls/scene.ts';
import { until } from '../../fixtures/node/until.ts';

const first = authority.issue({ name: 'first', serverNames: ['a.example'] });
const second = authority.issue({ name: 'second', serverNames: ['a.example'] });

async function shown(scene: Scene): Promise<string> {
  using client = await TlsClient.connect(scene.place);
  return client.shown;
}

/** Certificate and key where a scene has them. */
async function filesIn(folder: string, { cert, key }: Identity) {
  const certFile = join(folder, 'tls.crt');
  const keyFile = join(folder, 'tls.key');
  await writeFile(certFile, cert);
  await writeFile(keyFile, key);
  return { certFile, keyFile };
}

function isServed(scene: Scene, name: string): Promise<void> {
  return until(async () => (await shown(scene)) === name, `${name} is served`);
}

describe('files that change', () => {
  test('are read again, and no connection is lost', async () => {
    await using folder = await ownFolder();
    await using backend = await Backend.start({ does: echoes });
    const certificates = await filesIn(folder.path, first);
    await using scene = await tlsScene({ members: [backend.at] }, {}, { certificates });
    using early = await TlsClient.connect(scene.place);
    await early.isEchoed('before');
    expect(early.shown).toBe('first');
    await filesIn(folder.path, second);
    await isServed(scene, 'second');
    expect(scene.listener.certificates[0]?.subject).toBe('CN=second');
    await early.isEchoed('after');
    early.socket.destroy();
    await scene.isAtRest();
  });

  test('also where a new file takes the place of the old one, or a link leads elsewhere', async () => {
    await using folder = await ownFolder();
    await using backend = await Backend.start({ does: echoes });
    // As Kubernetes mounts secrets.
    for (const [name, identity] of [
      ['one', first],
      ['two', second],
    ] as const) {
      await mkdir(join(folder.path, name));
      await filesIn(join(folder.path, name), identity);
    }
    await symlink('one', join(folder.path, 'data'));
    await symlink(join('data', 'tls.crt'), join(folder.path, 'tls.crt'));
    await symlink(join('data', 'tls.key'), join(folder.path, 'tls.key'));
    const certificates = { certFile: join(folder.path, 'tls.crt'), keyFile: join(folder.path, 'tls.key') };
    await using scene = await tlsScene({ members: [backend.at] }, {}, { certificates });
    expect(await shown(scene)).toBe('first');
    await symlink('two', join(folder.path, 'data.new'));
    await rename(join(folder.path, 'data.new'), join(folder.path, 'data'));
    await isServed(scene, 'second');
    await scene.isAtRest();
  });

  test.each<[string, (certFile: string) => Promise<void>, RegExp]>([
    [
      'half written',
      (file) => writeFile(file, second.cert.slice(0, 200)),
      /tls\.certificates\.certFile: .*not complete/,
    ],
    ['of another key', (file) => writeFile(file, second.cert), /tls\.certificates\.keyFile: .*of another one/],
    ['gone', (file) => rm(file), /tls\.certificates\.certFile: .*ENOENT/],
  ])('for the worse (%s) change nothing, and that is told', async (_what, spoil, why) => {
    await using folder = await ownFolder();
    await using backend = await Backend.start({ does: echoes });
    const certificates = await filesIn(folder.path, first);
    await using scene = await tlsScene({ members: [backend.at] }, {}, { certificates });
    await spoil(certificates.certFile);
    await until(() => scene.troubles.length > 0, 'it is told');
    const [trouble] = scene.troubles as [EvenkeelError];
    expect(trouble.code).toBe('ERR_EVENKEEL_CERTIFICATE');
    expect(trouble.message).toMatch(why);
    expect(trouble.message).toContain(folder.path);
    expect(await shown(scene)).toBe('first');
    await filesIn(folder.path, second);
    await isServed(scene, 'second');
    await scene.isAtRest();
  });

  test('authorities and lists of revoked certificates, too', async () => {
    await using folder = await ownFolder();
    await using backend = await Backend.start();
    const clients = new Authority('clients');
    const { cert, key } = clients.issue({ name: 'client' });
    const caFile = join(folder.path, 'ca.pem');
    const crlFile = join(folder.path, 'crl.pem');
    await writeFile(caFile, authority.cert);
    await writeFile(crlFile, authority.revocations([]));
    await using scene = await tlsScene(
      { members: [backend.at] },
      {},
      { clientAuthentication: 'mandatory', caFile, crlFile },
    );
    expect(await tlsFateOf(scene.place, { cert, key })).not.toBe('backend');
    await appendFile(caFile, clients.cert);
    await appendFile(crlFile, clients.revocations([]));
    await until(
      async () => (await tlsFateOf(scene.place, { cert, key })) === 'backend',
      'the new authority is trusted',
    );
    await scene.isAtRest();
  });

  test('are no longer followed once the listener is closed', async () => {
    await using folder = await ownFolder();
    await using backend = await Backend.start();
    const certificates = await filesIn(folder.path, first);
    await using scene = await tlsScene({ members: [backend.at] }, {}, { certificates });
    await scene.listener.close();
    // Whoever else watched would have heard of the first of these changes before this hears of the second.
    let changes = 0;
    using _watch = new FileWatch([certificates.certFile], () => changes++, 1_000_000);
    await until(() => changes === 1, 'it is looked at');
    await rm(certificates.certFile);
    await until(() => changes >= 2, 'it is gone');
    await writeFile(certificates.certFile, 'nonsense');
    await until(() => changes >= 3, 'it is there again');
    expect(scene.troubles).toEqual([]);
  });

  test('are no longer followed once the settings name others', async () => {
    await using folder = await ownFolder();
    await using backend = await Backend.start();
    const certificates = await filesIn(folder.path, first);
    await using scene = await tlsScene({ members: [backend.at] }, {}, { certificates });
    scene.vip.update({ tls: { certificates: { cert: second.cert, key: second.key } } });
    await rm(certificates.certFile);
    expect(await shown(scene)).toBe('second');
    expect(scene.troubles).toEqual([]);
    await scene.isAtRest();
  });
});

test('files are looked at now and then, even where the system does not tell of changes', async () => {
  await using folder = await ownFolder();
  const file = join(folder.path, 'missing', 'file');
  let changes = 0;
  using _watch = new FileWatch([file], () => changes++, 10);
  await until(() => changes === 1, 'it is looked at');
  // Nobody watches a folder that was not there.
  await mkdir(join(folder.path, 'missing'));
  await writeFile(file, 'one');
  await until(() => changes === 2, 'it is there');
  await writeFile(file, 'two');
  await until(() => changes === 3, 'it has changed');
});

test('files are looked at as soon as the system tells of a change', async () => {
  await using folder = await ownFolder();
  const file = join(folder.path, 'file');
  let changes = 0;
  using _watch = new FileWatch([file], () => changes++, 1_000_000);
  await until(() => changes === 1, 'it is looked at');
  await writeFile(file, 'one');
  await until(() => changes >= 2, 'it is there');
});

test('an update that says the same changes nothing', async () => {
  await using backend = await Backend.start();
  await using scene = await tlsScene({ members: [backend.at] });
  const { tls } = scene.vip;
  const [before] = scene.listener.certificates;
  scene.vip.update({ tls: { clientAuthentication: 'none', minVersion: 'TLSv1.2', ciphers: null } });
  scene.vip.update({ retries: 1 });
  expect(scene.vip.tls).toBe(tls);
  expect(scene.listener.certificates[0]).toBe(before);
  await scene.isAtRest();
});
