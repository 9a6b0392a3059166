import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import {
  Balancer,
  type CertificateSpec,
  createVip,
  EvenkeelError,
  SpecError,
  type TlsSpec,
} from '../../../src/index.ts';
import { listen } from '../../../src/node/index.ts';
import { Backend } from '../../fixtures/node/backend.ts';
import { ask, refusalOf } from '../../fixtures/node/client.ts';
import { ownFolder } from '../../fixtures/node/places.ts';
import { run } from '../../fixtures/node/program.ts';
import { Authority } from '../../fixtures/node/tls/authority.ts';
import { TlsClient, tlsFateOf } from '../../fixtures/node/tls/client.ts';
import { identity, ownTls, tlsScene } from '../../fixtures/node/tls/scene.ts';
import { until } from '../../fixtures/node/until.ts';

const authority = new Authority();
const other = authority.issue({ name: 'other', serverNames: ['other.example'] });
const passphrase = 'open sesame, said nobody';
const encrypted = identity.privateKey.export({
  type: 'pkcs8',
  format: 'pem',
  cipher: 'aes-256-cbc',
  passphrase,
}) as string;
const { cert, key } = identity;
const body = (pem: string): string => pem.split('\n').slice(1, 3).join('\n');
const broken = cert.replace(body(cert), 'AAAA');
const secrets = [key, other.key, encrypted].map((pem) => pem.split('\n')[1] as string).concat(passphrase);

/** Whatever it says, it says no secret. */
function keepsSecrets(error: unknown): void {
  const told = `${inspect(error, { depth: 9, showHidden: true })} ${error}`;
  for (const secret of secrets) expect(told).not.toContain(secret);
}

/** Settings that cannot be used, the field that is told, and a word of why. */
const bad: readonly (readonly [what: string, tls: TlsSpec, path: string, why: RegExp])[] = [
  [
    'a key of another certificate',
    { certificates: { cert, key: other.key } },
    'tls.certificates.key',
    /of another one/,
  ],
  [
    'a broken key',
    { certificates: { cert, key: key.replace(body(key), 'AAAA') } },
    'tls.certificates.key',
    /private key/,
  ],
  ['a broken certificate', { certificates: { cert: broken, key } }, 'tls.certificates.cert', /certificates in PEM/],
  ['half a certificate', { certificates: { cert: cert.slice(0, -40), key } }, 'tls.certificates.cert', /not complete/],
  [
    'a chain with a broken one',
    { certificates: { cert: cert + broken, key } },
    'tls.certificates.cert',
    /certificates in PEM/,
  ],
  [
    'a wrong pass phrase',
    { certificates: { cert, key: encrypted, passphrase: 'x' } },
    'tls.certificates.passphrase',
    /pass phrase/,
  ],
  ['no pass phrase', { certificates: { cert, key: encrypted } }, 'tls.certificates.passphrase', /not given/],
  ['no PKCS#12', { certificates: { pfx: Buffer.from(key) } }, 'tls.certificates.pfx', /a PKCS#12/],
  ['a missing file', { certificates: { certFile: '/nowhere/cert.pem', key } }, 'tls.certificates.certFile', /ENOENT/],
  ['a file that is none', { certificates: { cert, keyFile: '/' } }, 'tls.certificates.keyFile', /EISDIR/],
  [
    'the second of two',
    {
      certificates: [
        { cert, key },
        { cert: other.cert, key },
      ],
    },
    'tls.certificates[1].key',
    /of another one/,
  ],
  [
    'a second one without names',
    { certificates: [{ cert, key }, nameless()] },
    'tls.certificates[1].serverNames',
    /has none/,
  ],
  [
    'the same name twice',
    {
      certificates: [
        { cert, key, serverNames: ['a.example'] },
        { cert: other.cert, key: other.key, serverNames: ['b.example', 'a.example'] },
      ],
    },
    'tls.certificates[1].serverNames',
    /another name than tls\.certificates\[0\]\.serverNames/,
  ],
  ['unknown ciphers', { ciphers: 'NONE-SUCH' }, 'tls.ciphers', /no cipher match/],
  ['a broken authority', { ca: broken }, 'tls.ca', /certificates in PEM/],
  [
    'a broken list of revoked ones',
    { ca: authority.cert, crl: '-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----' },
    'tls.crl',
    /lists of revoked/,
  ],
  ['a list that is not there', { ca: authority.cert, crlFile: '/nowhere/crl.pem' }, 'tls.crlFile', /ENOENT/],
];

function nameless(): CertificateSpec {
  const { cert, key } = authority.issue();
  return { cert, key };
}

describe.each(bad)('%s', (_what, tls, path, why) => {
  const whole = { ...ownTls, ...tls };
  const isRefusal = (error: unknown): boolean => {
    expect(error).toBeInstanceOf(SpecError);
    expect((error as SpecError).path).toBe(path);
    expect((error as SpecError).message).toMatch(why);
    keepsSecrets(error);
    return true;
  };

  test('does not begin to listen', async () => {
    const vip = createVip({ address: '127.0.0.1', port: 0, pool: { members: [] }, tls: whole });
    await expect(listen(vip)).rejects.toSatisfy(isRefusal);
    const balancer = new Balancer();
    await using listener = await listen(balancer);
    const vips = [{ name: 'vip', address: '127.0.0.1', port: 0, pool: { name: 'pool', members: [] }, tls: whole }];
    await expect(balancer.apply({ vips })).rejects.toSatisfy(isRefusal);
    expect(balancer.vips.size).toBe(0);
    expect(listener.addresses.size).toBe(0);
  });

  test('is refused by one that listens, which changes nothing', async () => {
    await using backend = await Backend.start();
    await using scene = await tlsScene({ members: [backend.at] });
    const before = scene.vip.tls;
    expect(() => scene.vip.update({ retries: 7, tls })).toThrow(expect.toSatisfy(isRefusal));
    expect(scene.vip.tls).toBe(before);
    expect(scene.vip.retries).toBe(3);
    expect(await tlsFateOf(scene.place)).toBe('backend');

    const balancer = new Balancer();
    await using listener = await listen(balancer);
    const vip = {
      name: 'vip',
      address: '127.0.0.1',
      port: 0,
      pool: { name: 'pool', members: [backend.at] },
      tls: ownTls,
    };
    await balancer.apply({ vips: [vip] });
    const second = { name: 'second', address: '127.0.0.1', port: 0, pool: 'pool' };
    await expect(balancer.apply({ vips: [{ ...vip, retries: 7, tls: whole }, second] })).rejects.toSatisfy(isRefusal);
    expect([...balancer.vips.keys()]).toEqual(['vip']);
    expect(balancer.vips.get('vip')?.retries).toBe(3);
    expect([...listener.certificates.values()].flat()).toHaveLength(1);
    await scene.isAtRest();
  });
});

describe('ways to give a certificate', () => {
  test.each<[string, CertificateSpec]>([
    ['PEM as text', { cert, key }],
    ['PEM as bytes', { cert: Buffer.from(cert), key: new Uint8Array(Buffer.from(key)) }],
    ['with those that lead to the authority', { cert: cert + authority.cert, key }],
    ['with an encrypted key', { cert, key: encrypted, passphrase }],
  ])('%s', async (_what, certificates) => {
    await using backend = await Backend.start();
    await using scene = await tlsScene({ members: [backend.at] }, {}, { certificates });
    expect(await tlsFateOf(scene.place)).toBe('backend');
    await scene.isAtRest();
  });

  test('files, and a PKCS#12', async () => {
    await using folder = await ownFolder();
    const certFile = join(folder.path, 'cert.pem');
    const keyFile = join(folder.path, 'key.pem');
    const pfxFile = join(folder.path, 'both.p12');
    await writeFile(certFile, cert + authority.cert);
    await writeFile(keyFile, key);
    const args = [
      'pkcs12',
      '-export',
      '-in',
      certFile,
      '-inkey',
      keyFile,
      '-out',
      pfxFile,
      '-passout',
      `pass:${passphrase}`,
    ];
    expect(await run('openssl', args)).toMatchObject({ code: 0 });
    await using backend = await Backend.start();
    await using scene = await tlsScene({ members: [backend.at] }, {}, { certificates: { certFile, keyFile } });
    expect(await tlsFateOf(scene.place)).toBe('backend');
    scene.vip.update({
      tls: {
        certificates: [
          { cert: other.cert, key: other.key },
          { pfxFile, passphrase },
        ],
      },
    });
    using client = await TlsClient.connect(scene.place, { servername: 'x.a.example' });
    expect(client.shown).toBe('a.example');
    expect(client.socket.getPeerCertificate(true).issuerCertificate?.subject.CN).toBe(authority.name);
    client.socket.destroy();
    const wrong = { certificates: { pfxFile, passphrase: 'x' } };
    expect(() => scene.vip.update({ tls: wrong })).toThrow(/^tls\.certificates\.passphrase: /);
    await scene.isAtRest();
  });
});

test('TLS begins and ends with updates, and no connection is lost', async () => {
  await using backend = await Backend.start();
  await using scene = await tlsScene({ members: [backend.at] }, { timeouts: { handshake: 500 } });
  expect(await tlsFateOf(scene.place)).toBe('backend');
  using early = await TlsClient.connect(scene.place);
  scene.vip.update({ tls: null });
  expect(scene.vip.tls).toBeUndefined();
  expect(scene.listener.certificates).toEqual([]);
  expect(await ask(scene.place)).toBe('backend');
  early.send('who?');
  await early.receives('backend');
  scene.vip.update({ tls: ownTls });
  expect(await tlsFateOf(scene.place)).toBe('backend');
  expect(await refusalOf(scene.place)).not.toMatch(/^answered/);
  early.socket.destroy();
  await scene.isAtRest();
});

test('a virtual IP whose listener is closed takes settings that only a listener could refuse', async () => {
  await using scene = await tlsScene({ members: [] });
  await scene.listener.close();
  scene.vip.update({ tls: { certificates: { cert, key: other.key } } });
  await expect(listen(scene.vip)).rejects.toThrow(/of another one/);
});

test('a certificate that is out of date is served, and told of', async () => {
  const past = authority.issue({ name: 'past', validTo: new Date('2024-02-03T04:05:06Z') });
  await using backend = await Backend.start();
  await using scene = await tlsScene(
    { members: [backend.at] },
    {},
    { certificates: { cert: past.cert, key: past.key } },
  );
  await until(() => scene.troubles.length === 1, 'it is told');
  const [trouble] = scene.troubles as [EvenkeelError];
  expect(trouble).toBeInstanceOf(EvenkeelError);
  expect(trouble.code).toBe('ERR_EVENKEEL_CERTIFICATE');
  expect(trouble.message).toContain('until 2024-02-03T04:05:06.000Z');
  expect(scene.listener.certificates[0]?.validTo).toEqual(new Date('2024-02-03T04:05:06Z'));
  expect(await tlsFateOf(scene.place)).toBe('backend');
  await scene.isAtRest();
});

test('nothing that can be looked at shows a secret', async () => {
  const balancer = new Balancer();
  const certificates = { cert, key: encrypted, passphrase };
  const ticketKeys = Buffer.alloc(48, 'ticket');
  const vip = balancer.createVip({
    name: 'vip',
    address: '127.0.0.1',
    port: 0,
    pool: { name: 'pool', members: [] },
    tls: { certificates, ticketKeys },
  });
  await using listener = await listen(balancer);
  const things = [balancer, vip, vip.tls, listener, listener.certificates, balancer.statusTree(), balancer.stats()];
  for (const thing of things) {
    const shown = inspect(thing, { depth: 9, showHidden: true, getters: true });
    for (const secret of [...secrets, 'ticketticket']) expect(shown).not.toContain(secret);
  }
  expect(JSON.stringify([vip.tls, listener.certificates, balancer.statusTree(), balancer.stats()])).not.toContain(
    secrets[0],
  );
  expect(vip.tls).toMatchObject({ alpn: [], minVersion: 'TLSv1.2', clientAuthentication: 'none' });
});
