import { describe, expect, test } from 'vitest';
import { Backend } from '../../fixtures/node/backend.ts';
import { HttpMember } from '../../fixtures/node/http/member.ts';
import type { Message } from '../../fixtures/node/http/message.ts';
import type { Scene } from '../../fixtures/node/scene.ts';
import { Authority, type Identity } from '../../fixtures/node/tls/authority.ts';
import { TlsClient, tlsFateOf } from '../../fixtures/node/tls/client.ts';
import { tlsScene } from '../../fixtures/node/tls/scene.ts';
import { until } from '../../fixtures/node/until.ts';

const ours = new Authority('ours');
const others = new Authority('others');
const good = ours.issue({ name: 'good' });
const revoked = ours.issue({ name: 'revoked' });
const expired = ours.issue({ name: 'expired', validTo: new Date('2024-02-01T00:00:00Z') });
const early = ours.issue({ name: 'early', validFrom: new Date('2048-12-01T00:00:00Z') });
const foreign = others.issue({ name: 'foreign' });

const versions = ['TLSv1.2', 'TLSv1.3'] as const;

function showing({ cert, key }: Identity, version: (typeof versions)[number]) {
  return { cert, key, maxVersion: version };
}

function failuresOf(scene: Scene): string[] {
  const reasons: string[] = [];
  scene.vip.on('handshake-failed', ({ reason }) => reasons.push(reason));
  return reasons;
}

describe.each(versions)('over %s', (version) => {
  test('mandatory: only clients with a good certificate come in', async () => {
    await using backend = await Backend.start();
    const tls = { clientAuthentication: 'mandatory', ca: ours.cert, crl: ours.revocations([revoked]) } as const;
    await using scene = await tlsScene({ members: [backend.at] }, {}, tls);
    const reasons = failuresOf(scene);
    expect(await tlsFateOf(scene.place, showing(good, version))).toBe('backend');
    expect(reasons).toEqual([]);
    expect(await tlsFateOf(scene.place, { maxVersion: version })).not.toBe('backend');
    for (const bad of [revoked, expired, early, foreign]) {
      expect(await tlsFateOf(scene.place, showing(bad, version))).not.toBe('backend');
    }
    await until(() => reasons.length === 5, 'all are told');
    expect(reasons).toEqual([
      'peer did not return a certificate',
      'a certificate that is not good: CERT_REVOKED',
      'a certificate that is not good: CERT_HAS_EXPIRED',
      'a certificate that is not good: CERT_NOT_YET_VALID',
      expect.stringMatching(/^a certificate that is not good: (UNABLE_TO|SELF_SIGNED)/),
    ]);
    await scene.isAtRest();
    expect(scene.vip.stats.tlsHandshakes).toEqual({ full: 1, resumed: 0, failed: 5 });
    expect(backend.accepted).toBe(1);
  });

  test('optional: clients without one come in, those with a bad one do not', async () => {
    await using backend = await Backend.start();
    const tls = { clientAuthentication: 'optional', ca: ours.cert, crl: ours.revocations([revoked]) } as const;
    await using scene = await tlsScene({ members: [backend.at] }, {}, tls);
    expect(await tlsFateOf(scene.place, { maxVersion: version })).toBe('backend');
    expect(await tlsFateOf(scene.place, showing(good, version))).toBe('backend');
    expect(await tlsFateOf(scene.place, showing(revoked, version))).not.toBe('backend');
    expect(await tlsFateOf(scene.place, showing(foreign, version))).not.toBe('backend');
    await scene.isAtRest();
    expect(scene.vip.stats.tlsHandshakes).toEqual({ full: 2, resumed: 0, failed: 2 });
  });

  test('a list of revoked certificates that is out of date lets none pass', async () => {
    await using backend = await Backend.start();
    const crl = ours.revocations([], { validTo: new Date('2024-02-01T00:00:00Z') });
    await using scene = await tlsScene(
      { members: [backend.at] },
      {},
      { clientAuthentication: 'mandatory', ca: ours.cert, crl },
    );
    const reasons = failuresOf(scene);
    expect(await tlsFateOf(scene.place, showing(good, version))).not.toBe('backend');
    await until(() => reasons.length === 1, 'it is told');
    expect(reasons).toEqual(['a certificate that is not good: CRL_HAS_EXPIRED']);
    await scene.isAtRest();
  });

  test('several authorities, each with its list', async () => {
    await using backend = await Backend.start();
    const tls = {
      clientAuthentication: 'mandatory',
      ca: ours.cert + others.cert,
      crl: ours.revocations([revoked]) + others.revocations([]),
    } as const;
    await using scene = await tlsScene({ members: [backend.at] }, {}, tls);
    expect(await tlsFateOf(scene.place, showing(good, version))).toBe('backend');
    expect(await tlsFateOf(scene.place, showing(foreign, version))).toBe('backend');
    expect(await tlsFateOf(scene.place, showing(revoked, version))).not.toBe('backend');
    await scene.isAtRest();
  });
});

test('a client is not asked unless the settings say so', async () => {
  await using backend = await Backend.start();
  await using scene = await tlsScene({ members: [backend.at] }, {}, { ca: ours.cert });
  expect(await tlsFateOf(scene.place, showing(foreign, 'TLSv1.3'))).toBe('backend');
  await scene.isAtRest();
});

describe('what members are told of it', () => {
  const insertHeaders = {
    'X-SSL-Client-Verify': true,
    'X-SSL-Client-Has-Cert': true,
    'X-SSL-Client-DN': true,
    'X-SSL-Client-CN': true,
    'X-SSL-Issuer': true,
    'X-SSL-Client-SHA1': true,
    'X-SSL-Client-Not-Before': true,
    'X-SSL-Client-Not-After': true,
  } as const;
  const claims = Object.keys(insertHeaders).map((name) => `${name}: claimed\r\n`);
  const asked = `GET / HTTP/1.1\r\nHost: a.example\r\n${claims.join('')}x_ssl_client_cn: claimed\r\nX-SSL-Whatever: claimed\r\n\r\n`;

  async function told(scene: Scene, member: HttpMember, identity?: Identity): Promise<Record<string, string>> {
    using client = await TlsClient.connect(scene.place, identity && { cert: identity.cert, key: identity.key });
    client.send(asked);
    await client.receives('member');
    const message = member.requests.at(-1)?.message as Message;
    return Object.fromEntries(message.fields.filter(([name]) => /ssl/i.test(name)));
  }

  test('Octavia’s fields, and nothing that the client claims', async () => {
    await using member = await HttpMember.start();
    const tls = { clientAuthentication: 'optional', ca: ours.cert } as const;
    await using scene = await tlsScene({ members: [member.spec] }, { protocol: 'http', insertHeaders }, tls);
    const client = ours.issue({
      name: 'a "client"/\u010a\u2028é, +\r\nX: y',
      attributes: { C: 'DE', O: 'A=B; <C>' },
      validFrom: new Date('2025-01-02T03:04:05Z'),
    });
    const name = 'a "client"/\u010a\u2028é, +%0D%0AX: y';
    const bytes = (text: string): string => Buffer.from(text).toString('latin1');
    expect(await told(scene, member, client)).toEqual({
      'X-SSL-Client-Verify': '0',
      'X-SSL-Client-Has-Cert': '1',
      'X-SSL-Client-DN': bytes(`/C=DE/O=A=B; <C>/CN=${name}`),
      'X-SSL-Client-CN': bytes(name),
      'X-SSL-Issuer': '/CN=ours',
      'X-SSL-Client-SHA1': expect.stringMatching(/^[\dA-F]{40}$/),
      'X-SSL-Client-Not-Before': '250102030405Z',
      'X-SSL-Client-Not-After': '490101000000Z',
    });
    expect(await told(scene, member)).toEqual({
      'X-SSL-Client-Verify': '0',
      'X-SSL-Client-Has-Cert': '0',
      'X-SSL-Client-DN': '',
      'X-SSL-Client-CN': '',
      'X-SSL-Issuer': '',
      'X-SSL-Client-SHA1': '',
      'X-SSL-Client-Not-Before': '',
      'X-SSL-Client-Not-After': '',
    });
    scene.vip.update({ insertHeaders: { 'X-SSL-Client-CN': true } });
    expect(await told(scene, member, good)).toEqual({ 'X-SSL-Client-CN': 'good' });
    scene.vip.update({ insertHeaders: null });
    expect(await told(scene, member, good)).toEqual({});
    expect(member.faults).toEqual([]);
    await scene.isAtRest();
  });

  test('a front balancer that is trusted may know the certificate of a client that it has served', async () => {
    await using member = await HttpMember.start();
    await using scene = await tlsScene({ members: [member.spec] }, { protocol: 'http', trustedCidrs: ['127.0.0.0/8'] });
    expect(await told(scene, member)).toMatchObject({ 'X-SSL-Client-CN': 'claimed', 'X-SSL-Whatever': 'claimed' });
    scene.vip.update({ insertHeaders: { 'X-SSL-Client-CN': true } });
    expect(await told(scene, member)).toEqual({ 'X-SSL-Client-CN': '' });
    await scene.isAtRest();
  });
});
