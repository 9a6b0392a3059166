import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { TlsSpec } from '../../src/index.ts';
import { Backend } from '../fixtures/node/backend.ts';
import { HAProxy } from '../fixtures/node/http/haproxy.ts';
import { HttpMember } from '../fixtures/node/http/member.ts';
import { NodeMember } from '../fixtures/node/http/node-member.ts';
import { noiseOf, sha1 } from '../fixtures/node/http/noise.ts';
import { type Folder, ownFolder, ownHost } from '../fixtures/node/places.ts';
import { run } from '../fixtures/node/program.ts';
import type { Scene } from '../fixtures/node/scene.ts';
import { Authority } from '../fixtures/node/tls/authority.ts';
import { TlsClient } from '../fixtures/node/tls/client.ts';
import { authority, identity, tlsScene } from '../fixtures/node/tls/scene.ts';
import { until } from '../fixtures/node/until.ts';

const clients = new Authority('clients');
const good = clients.issue({ name: 'good client', attributes: { C: 'DE', O: 'A "quoted", <odd> / name; é' } });
const revoked = clients.issue({ name: 'revoked client' });
const request = 'GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n';

/** Files with PEM in them, by name. */
async function files(contents: Readonly<Record<string, string>>): Promise<Folder & { of(name: string): string }> {
  const folder = await ownFolder();
  for (const [name, content] of Object.entries(contents)) await writeFile(join(folder.path, name), content);
  return { ...folder, of: (name) => join(folder.path, name) };
}

function at(scene: Scene): string {
  const { place } = scene;
  if ('path' in place) throw new Error('a port');
  return `${place.host}:${place.port}`;
}

/** `openssl s_client`, which says `input` and then listens until it is told no more. */
function client(scene: Scene, args: readonly string[], input = '', from = 'openssl') {
  return run('openssl', ['s_client', '-connect', at(scene), '-servername', 'a.example', ...args], from, input);
}

const versions = [
  ['-tls1_2', 'TLSv1.2'],
  ['-tls1_3', 'TLSv1.3'],
] as const;

describe('openssl s_client', () => {
  test.each(versions)('%s verifies the certificate and gets its answer', async (option, version) => {
    await using pem = await files({ ca: authority.cert });
    await using member = await HttpMember.start();
    await using scene = await tlsScene({ members: [member.spec] }, { protocol: 'http' });
    const args = [option, '-CAfile', pem.of('ca'), '-verify_return_error', '-verify_hostname', 'a.example', '-ign_eof'];
    const { code, output } = await client(scene, args, request);
    expect(output).toContain('Verify return code: 0 (ok)');
    expect(output).toMatch(new RegExp(`New, ${version}, Cipher is`));
    expect(output).toContain('HTTP/1.1 200 As Told');
    expect(code).toBe(0);
    await scene.isAtRest();
  });

  test.each(['-tls1', '-tls1_1'])('%s is refused', async (option) => {
    await using backend = await Backend.start();
    await using scene = await tlsScene({ members: [backend.at] });
    const { code, errors } = await client(scene, [option, '-cipher', 'ALL:@SECLEVEL=0']);
    expect(code).not.toBe(0);
    expect(errors).toMatch(/alert protocol version/);
    await scene.isAtRest();
    expect(scene.vip.stats.tlsHandshakes).toMatchObject({ full: 0, failed: 1 });
  });

  test.each(versions)('%s resumes its session, also after a change of certificates', async (option, version) => {
    await using pem = await files({});
    const session = pem.of('session');
    await using member = await HttpMember.start();
    await using scene = await tlsScene({ members: [member.spec] }, { protocol: 'http' });
    const first = await client(scene, [option, '-sess_out', session, '-ign_eof'], request);
    expect(first.output).toContain(`New, ${version}`);
    const next = authority.issue({ name: 'next', serverNames: ['a.example'] });
    scene.vip.update({ tls: { certificates: { cert: next.cert, key: next.key } } });
    const second = await client(scene, [option, '-sess_in', session, '-ign_eof'], request);
    expect(second.output).toContain(`Reused, ${version}`);
    expect(second.output).toContain('HTTP/1.1 200 As Told');
    await scene.isAtRest();
    expect(scene.vip.stats.tlsHandshakes).toEqual({ full: 1, resumed: 1, failed: 0 });
  });

  test('-reconnect resumes five times', async () => {
    await using backend = await Backend.start();
    await using scene = await tlsScene({ members: [backend.at] });
    const { output } = await client(scene, ['-tls1_2', '-reconnect']);
    expect(output.match(/^Reused, TLSv1\.2/gm)).toHaveLength(5);
    await scene.isAtRest();
    expect(scene.vip.stats.tlsHandshakes).toMatchObject({ full: 1, resumed: 5 });
  });

  test('may not renegotiate', async () => {
    await using backend = await Backend.start();
    await using scene = await tlsScene({ members: [backend.at] });
    const { errors } = await client(scene, ['-tls1_2'], 'R\n');
    expect(errors).toContain('RENEGOTIATING');
    expect(errors).toContain('no renegotiation');
    await scene.isAtRest();
  });

  test('shows a certificate, or is let go', async () => {
    await using pem = await files({ good: good.cert + good.key, revoked: revoked.cert + revoked.key });
    await using member = await HttpMember.start();
    const tls: TlsSpec = { clientAuthentication: 'mandatory', ca: clients.cert, crl: clients.revocations([revoked]) };
    await using scene = await tlsScene({ members: [member.spec] }, { protocol: 'http' }, tls);
    const fates: Record<string, boolean> = {};
    for (const [option] of versions) {
      for (const [who, args] of [
        ['good', ['-cert', pem.of('good')]],
        ['revoked', ['-cert', pem.of('revoked')]],
        ['nobody', []],
      ] as const) {
        const { output } = await client(scene, [option, ...args, '-ign_eof'], request);
        fates[`${who} ${option}`] = output.includes('200 As Told');
        // The authorities to choose a certificate by.
        expect(output).toContain('CN = clients');
      }
    }
    expect(fates).toEqual({
      'good -tls1_2': true,
      'revoked -tls1_2': false,
      'nobody -tls1_2': false,
      'good -tls1_3': true,
      'revoked -tls1_3': false,
      'nobody -tls1_3': false,
    });
    await scene.isAtRest();
    expect(scene.vip.stats.tlsHandshakes).toEqual({ full: 2, resumed: 0, failed: 4 });
  });
});

test('curl verifies, uploads, downloads, and keeps its connection', async () => {
  const noise = noiseOf(10 * 1024 * 1024);
  await using pem = await files({ ca: authority.cert });
  await writeFile(pem.of('noise'), noise);
  await using member = await NodeMember.start(async (incoming, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of incoming) pieces.push(piece);
    response.end(Buffer.concat(pieces));
  });
  await using scene = await tlsScene({ members: [member.spec] }, { protocol: 'http' });
  const [, port] = at(scene).split(':');
  const url = `https://a.example:${port}/`;
  const args = ['--silent', '--show-error', '--max-time', '30', '--cacert', pem.of('ca')];
  const where = ['--connect-to', `a.example:${port}:${at(scene)}`];
  const upload = ['--data-binary', `@${pem.of('noise')}`, '--verbose', '-w', '%{http_version} %{num_connects}\n'];
  const { code, output, errors } = await run('curl', [
    ...args,
    ...where,
    ...upload,
    '--output',
    pem.of('first'),
    url,
    '--output',
    pem.of('second'),
    url,
  ]);
  expect({ code, output }).toEqual({ code: 0, output: '1.1 1\n1.1 0\n' });
  expect(errors).toContain('ALPN: server accepted http/1.1');
  expect(sha1(await readFile(pem.of('first')))).toBe(sha1(noise));
  expect(sha1(await readFile(pem.of('second')))).toBe(sha1(noise));
  await scene.isAtRest();
  expect(scene.vip.stats).toMatchObject({ totalConnections: 1, requests: 2 });
});

test('members hear of certificates what Octavia’s HAProxy tells them', async () => {
  await using pem = await files({ server: identity.cert + identity.key, ca: clients.cert });
  await using member = await HttpMember.start();
  const fields = {
    'X-SSL-Client-Verify': '%[ssl_c_verify]',
    'X-SSL-Client-Has-Cert': '%[ssl_c_used]',
    'X-SSL-Client-DN': '%{+Q}[ssl_c_s_dn]',
    'X-SSL-Client-CN': '%{+Q}[ssl_c_s_dn(cn)]',
    'X-SSL-Issuer': '%{+Q}[ssl_c_i_dn]',
    'X-SSL-Client-SHA1': '%{+Q}[ssl_c_sha1,hex]',
    'X-SSL-Client-Not-Before': '%{+Q}[ssl_c_notbefore]',
    'X-SSL-Client-Not-After': '%{+Q}[ssl_c_notafter]',
  };
  const { address, port } = member.spec;
  const host = ownHost();
  await using _haproxy = await HAProxy.start(`
  bind ${host}:8443 ssl crt ${pem.of('server')} ca-file ${pem.of('ca')} verify optional
${Object.entries(fields)
  .map(([name, value]) => `  http-request set-header ${name} ${value}`)
  .join('\n')}
  server member ${address}:${port}`);
  const insertHeaders = Object.fromEntries(Object.keys(fields).map((name) => [name, true]));
  const tls: TlsSpec = { clientAuthentication: 'optional', ca: clients.cert };
  await using scene = await tlsScene({ members: [member.spec] }, { protocol: 'http', insertHeaders }, tls);
  for (const identity of [good, undefined]) {
    const told: Record<string, string>[] = [];
    for (const place of [{ host, port: 8443 }, scene.place]) {
      using client = await TlsClient.connect(place, identity && { cert: identity.cert, key: identity.key });
      client.send(request);
      await client.receives('member');
      const { fields: all } = member.requests.at(-1)?.message ?? { fields: [] };
      told.push(
        Object.fromEntries(
          all.filter(([name]) => /^x-ssl/i.test(name)).map(([name, value]) => [name.toLowerCase(), value]),
        ),
      );
    }
    expect(Object.keys(told[0] ?? {})).toHaveLength(8);
    expect(told[1]).toEqual(told[0]);
  }
  await scene.isAtRest();
});

/** Where all peers are there, as in CI, the scanner must be, too. */
const isMissing = spawnSync('sslscan', ['--version']).error !== undefined;

test.skipIf(isMissing && process.env['PEERS'] !== 'required')(
  'sslscan finds nothing old, weak or leaking',
  async () => {
    await using backend = await Backend.start();
    await using scene = await tlsScene({ members: [backend.at] });
    const { code, output } = await run('sslscan', ['--no-colour', '--sni-name=a.example', at(scene)]);
    expect(code).toBe(0);
    const lines = output.split('\n').map((line) => line.trim().replaceAll(/\s+/g, ' '));
    expect(lines).toEqual(
      expect.arrayContaining([
        'SSLv2 disabled',
        'SSLv3 disabled',
        'TLSv1.0 disabled',
        'TLSv1.1 disabled',
        'TLSv1.2 enabled',
        'TLSv1.3 enabled',
        'Server supports TLS Fallback SCSV',
        'Session renegotiation not supported',
      ]),
    );
    // Some builds of it cannot try compression, or heartbleed in each version.
    expect(output).not.toMatch(/Compression enabled|(?<!not )vulnerable to heartbleed/);
    const ciphers = lines.filter((line) => /^(Preferred|Accepted) /.test(line));
    expect(ciphers.length).toBeGreaterThan(3);
    for (const line of ciphers) {
      expect(line).toMatch(/^(Preferred|Accepted) TLSv1\.[23] (128|256) bits /);
      expect(line).not.toMatch(/NULL|EXP|RC4|DES|MD5|ADH|AECDH|anon/);
    }
    await until(() => scene.vip.stats.activeConnections === 0, 'it is gone');
    await scene.isAtRest();
  },
);
