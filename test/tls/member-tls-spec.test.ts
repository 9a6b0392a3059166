import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { Balancer, createPool, type Pool } from '../../src/index.ts';
import { thrownBy } from '../fixtures/core.ts';

const cert = '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n';
const key = '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n';
const crl = '-----BEGIN X509 CRL-----\nAA==\n-----END X509 CRL-----\n';

const of = (tls: unknown): Pool => createPool({ name: 'p', tls: tls as never });

describe("a pool's tls", () => {
  test('is none by default, nor with false or null', () => {
    for (const tls of [undefined, false, null]) expect(of(tls).tls).toBeUndefined();
  });

  test('verifies by default', () => {
    for (const tls of [true, {}]) {
      expect(of(tls).tls).toMatchObject({
        verify: true,
        serverName: undefined,
        passServerName: false,
        alpn: [],
        minVersion: 'TLSv1.2',
        maxVersion: 'TLSv1.3',
        ciphers: undefined,
        resume: true,
      });
    }
  });

  test('takes PEM as text and as bytes', () => {
    expect(of({ ca: cert, crl, cert, key }).tls?.secrets()).toEqual(
      of({
        ca: Buffer.from(cert),
        crl: Buffer.from(crl),
        cert: Buffer.from(cert),
        key: Buffer.from(key),
      }).tls?.secrets(),
    );
  });

  for (const serverName of ['a.example', '192.0.2.1', '2001:db8::1']) {
    test(`may be of a member named ${serverName}`, () => {
      expect(of({ serverName }).tls).toMatchObject({ serverName });
    });
  }

  for (const [tls, path, expected] of [
    ['yes', 'tls', 'true, false or an object'],
    [[], 'tls', 'true, false or an object'],
    [key, 'tls', 'true, false or an object'],
    [{ ca: 'x' }, 'tls.ca', 'certificates in PEM'],
    [{ ca: cert, crl: 'x' }, 'tls.crl', 'lists of revoked certificates in PEM'],
    [{ crl }, 'tls.ca', 'the authority whose crl it is'],
    [{ verify: false, ca: cert }, 'tls.verify', 'true, or no ca and crl, which only say whom to trust'],
    [{ cert }, 'tls.key', 'both a cert and its key, or neither'],
    [{ key }, 'tls.cert', 'both a cert and its key, or neither'],
    [{ cert, key: 'hunter2' }, 'tls.key', 'a private key in PEM'],
    [{ serverName: 'a b' }, 'tls.serverName', 'a host name of 1 to 253 characters'],
    [{ minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' }, 'tls.minVersion', "at most the maxVersion 'TLSv1.2'"],
    [{ minVersion: 'SSLv3' }, 'tls.minVersion', "'TLSv1' or 'TLSv1.1' or 'TLSv1.2' or 'TLSv1.3'"],
    [{ alpn: [] }, 'tls.alpn', 'one protocol at least'],
    [{ resume: 1 }, 'tls.resume', 'true or false'],
    [{ passphrase: 5 }, 'tls.passphrase', 'a string of at most 1024 characters'],
  ] as const) {
    test(`is not ${JSON.stringify(tls).slice(0, 60)}`, () => {
      const error = thrownBy(() => of(tls)) as Error;
      expect(error).toMatchObject({ code: 'ERR_EVENKEEL_SPEC', path, expected });
      expect(JSON.stringify([error, error.message])).not.toMatch(/hunter2|c2VjcmV0/);
    });
  }

  test('shows nothing that is secret', () => {
    const pool = of({ ca: cert, cert, key, passphrase: 'hunter2' });
    const balancer = new Balancer({ name: 'b' });
    balancer.createPool({ name: 'p', tls: { cert, key, passphrase: 'hunter2' } });
    const shown = [
      inspect(pool, { depth: null, showHidden: true }),
      inspect(pool.tls, { depth: null, showHidden: true }),
      JSON.stringify(pool.tls),
      JSON.stringify(balancer.statusTree()),
      JSON.stringify(balancer.stats()),
    ];
    expect(shown.join('\n')).not.toMatch(/hunter2|c2VjcmV0/);
  });

  test('stays the same object in an update that says the same, and that says nothing of it', () => {
    const pool = of({ ca: cert, serverName: 'a.example' });
    const before = pool.tls;
    pool.update({ tls: { serverName: 'a.example' } });
    pool.update({ tls: { ca: Buffer.from(cert), alpn: null } });
    pool.update({ enabled: false });
    expect(pool.tls).toBe(before);
  });

  test('keeps what an update does not name, and has the default again of what is null', () => {
    const pool = of({ ca: cert, serverName: 'a.example', alpn: ['a'] });
    pool.update({ tls: { serverName: 'b.example', alpn: null } });
    expect(pool.tls).toMatchObject({ serverName: 'b.example', alpn: [] });
    expect(pool.tls?.secrets()).toMatchObject({ ca: cert });
    pool.update({ tls: true });
    expect(pool.tls).toMatchObject({ serverName: undefined });
    expect(pool.tls?.secrets()).toMatchObject({ ca: undefined });
    pool.update({ tls: false });
    expect(pool.tls).toBeUndefined();
  });

  test('stays the same object when a balancer applies the same spec', async () => {
    const spec = { pools: [{ name: 'p', tls: { ca: cert, cert, key }, proxyProtocol: 'v2' as const }] };
    const balancer = new Balancer({ name: 'b' });
    await balancer.apply(spec);
    const pool = balancer.pools.get('p');
    const before = [pool?.tls, pool?.proxyProtocol];
    await balancer.apply(spec);
    expect([pool?.tls, pool?.proxyProtocol]).toEqual(before);
    expect(pool?.tls).toBe(before[0]);
    expect(pool?.proxyProtocol).toBe(before[1]);
  });
});
