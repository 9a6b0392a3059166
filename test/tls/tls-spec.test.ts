import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { createVip, SpecError, type TlsSpec, type VirtualIP } from '../../src/index.ts';

const cert = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
const key = '-----BEGIN PRIVATE KEY-----\nc2VjcmV0IGtleQ==\n-----END PRIVATE KEY-----\n';
const crl = '-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n';
const certificates = { cert, key };

function vip(tls: unknown, protocol: 'tcp' | 'http' = 'tcp'): VirtualIP {
  return createVip({ address: '127.0.0.1', port: 443, protocol, pool: {}, tls: tls as TlsSpec });
}

function refusalOf(run: () => unknown): { path: string; expected: string } {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(SpecError);
    const { path, expected } = error as SpecError;
    expect(inspect(error, { depth: 9 })).not.toContain('c2VjcmV0');
    return { path, expected };
  }
  throw new Error('it was taken');
}

describe('tls', () => {
  test('has defaults', () => {
    expect(vip({ certificates }).tls).toEqual(
      expect.objectContaining({
        alpn: [],
        minVersion: 'TLSv1.2',
        maxVersion: 'TLSv1.3',
        ciphers: undefined,
        clientAuthentication: 'none',
        sessionTimeout: 300_000,
      }),
    );
    expect(vip({ certificates }, 'http').tls?.alpn).toEqual(['http/1.1']);
    expect(vip(null).tls).toBeUndefined();
    expect(vip(undefined).tls).toBeUndefined();
  });

  test('takes null for every default', () => {
    const nothing = {
      alpn: null,
      minVersion: null,
      maxVersion: null,
      ciphers: null,
      clientAuthentication: null,
      ca: null,
      caFile: null,
      crl: null,
      crlFile: null,
      sessionTimeout: null,
      ticketKeys: null,
    };
    expect(vip({ certificates, ...nothing }).tls?.isSameAs(vip({ certificates }).tls as never)).toBe(true);
  });

  test.each<[string, unknown, string]>([
    ['no object', 'secret', 'tls'],
    ['a key where the settings should be', key, 'tls'],
    ['no certificate', {}, 'tls.certificates'],
    ['an empty list', { certificates: [] }, 'tls.certificates'],
    ['a key where a certificate should be', { certificates: key }, 'tls.certificates'],
    ['a field that there is not', { certificates, key }, 'tls.key'],
    [
      'a field that a certificate has not',
      { certificates: { ...certificates, privateKey: key } },
      'tls.certificates.privateKey',
    ],
    ['a certificate without key', { certificates: { cert } }, 'tls.certificates.key'],
    ['a key without certificate', { certificates: [{ key }] }, 'tls.certificates[0].cert'],
    ['a key as certificate', { certificates: [{ cert: key, key }] }, 'tls.certificates[0].cert'],
    ['a certificate as key', { certificates: { cert, key: cert } }, 'tls.certificates.key'],
    ['a key as the name of its file', { certificates: { cert, keyFile: key } }, 'tls.certificates.keyFile'],
    ['an empty file name', { certificates: { certFile: '', key } }, 'tls.certificates.certFile'],
    ['a certificate twice', { certificates: { cert, certFile: '/cert.pem', key } }, 'tls.certificates.certFile'],
    ['a key beside a PKCS#12', { certificates: { pfxFile: '/a.p12', key } }, 'tls.certificates.key'],
    ['a PKCS#12 as text', { certificates: { pfx: 'text' } }, 'tls.certificates.pfx'],
    [
      'a pass phrase that is no text',
      { certificates: { ...certificates, passphrase: 5 } },
      'tls.certificates.passphrase',
    ],
    [
      'a name that is none',
      { certificates: { ...certificates, serverNames: ['a b'] } },
      'tls.certificates.serverNames[0]',
    ],
    ['an unknown version', { certificates, minVersion: 'SSLv3' }, 'tls.minVersion'],
    ['versions the wrong way round', { certificates, minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' }, 'tls.minVersion'],
    ['ciphers with a line’s end', { certificates, ciphers: 'A\nB' }, 'tls.ciphers'],
    ['no protocol', { certificates, alpn: [] }, 'tls.alpn'],
    ['an unknown authentication', { certificates, clientAuthentication: 'required' }, 'tls.clientAuthentication'],
    ['authentication without authority', { certificates, clientAuthentication: 'optional' }, 'tls.ca'],
    ['revocations without authority', { certificates, crl }, 'tls.ca'],
    ['revocations that are none', { certificates, ca: cert, crl: cert }, 'tls.crl'],
    ['an authority twice', { certificates, ca: cert, caFile: '/ca.pem' }, 'tls.caFile'],
    ['a short session', { certificates, sessionTimeout: 999 }, 'tls.sessionTimeout'],
    ['a long session', { certificates, sessionTimeout: 604_800_001 }, 'tls.sessionTimeout'],
    ['short ticket keys', { certificates, ticketKeys: new Uint8Array(47) }, 'tls.ticketKeys'],
  ])('refuses %s', (_what, tls, path) => {
    expect(refusalOf(() => vip(tls)).path).toBe(path);
  });

  test('refuses HTTP/2 on an HTTP virtual IP, and takes it on another', () => {
    expect(refusalOf(() => vip({ certificates, alpn: ['http/1.1', 'h2'] }, 'http')).path).toBe('tls.alpn[1]');
    expect(vip({ certificates, alpn: ['h2'] }).tls?.alpn).toEqual(['h2']);
  });
});

describe('an update of tls', () => {
  test('changes what is named and keeps the rest', () => {
    const made = vip({ certificates, ca: cert, clientAuthentication: 'optional', alpn: ['h2'] });
    const before = made.tls?.secrets();
    made.update({ tls: { minVersion: 'TLSv1.3', caFile: '/ca.pem' } });
    expect(made.tls).toMatchObject({ minVersion: 'TLSv1.3', alpn: ['h2'], clientAuthentication: 'optional' });
    expect(made.tls?.secrets()).toEqual({ ...before, ca: { file: '/ca.pem' } });
    made.update({ tls: { clientAuthentication: null, caFile: null, alpn: null } });
    expect(made.tls).toMatchObject({ minVersion: 'TLSv1.3', alpn: [], clientAuthentication: 'none' });
    expect(made.tls?.secrets()).toEqual({ ...before, ca: undefined });
    made.update({ tls: null });
    expect(made.tls).toBeUndefined();
  });

  test('changes nothing where it says the same', () => {
    const made = vip({ certificates, sessionTimeout: 5000 });
    const { tls } = made;
    made.update({ tls: { certificates: [{ cert: new TextEncoder().encode(cert), key }], sessionTimeout: 5000 } });
    expect(made.tls).toBe(tls);
    made.update({ tls: { certificates: [{ cert, key, serverNames: ['a.example'] }] } });
    expect(made.tls).not.toBe(tls);
  });

  test.each<[string, TlsSpec]>([
    ['without the authority that is needed', { ca: null }],
    ['without certificates', { certificates: null as never }],
    ['with the wrong version', { maxVersion: 'TLSv1.1' }],
  ])('is refused as a whole %s', (_what, tls) => {
    const made = vip({ certificates, ca: cert, clientAuthentication: 'mandatory' });
    const before = made.tls;
    refusalOf(() => made.update({ retries: 9, tls }));
    expect(made.tls).toBe(before);
    expect(made.retries).toBe(3);
  });

  test('needs certificates where there was no tls', () => {
    const made = vip(null);
    expect(refusalOf(() => made.update({ tls: { minVersion: 'TLSv1.3' } })).path).toBe('tls.certificates');
  });

  test('may not take away what inserted headers tell of', () => {
    const made = vip({ certificates }, 'http');
    made.update({ insertHeaders: { 'X-SSL-Client-CN': true } });
    expect(refusalOf(() => made.update({ tls: null })).path).toBe('insertHeaders.X-SSL-Client-CN');
    expect(made.tls).toBeDefined();
    made.update({ tls: null, insertHeaders: null });
    expect(made.tls).toBeUndefined();
  });
});

test('settings show nothing that is secret', () => {
  const { tls } = vip({ certificates: { ...certificates, passphrase: 'pass phrase' }, ticketKeys: new Uint8Array(48) });
  for (const shown of [inspect(tls, { depth: 9, showHidden: true, getters: true }), JSON.stringify(tls)]) {
    expect(shown).toContain('TLSv1.2');
    expect(shown).not.toMatch(/c2VjcmV0|pass phrase|BEGIN|\\u0000/);
  }
});
