import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { certificate } from '../fixtures/node/certificate.ts';
import { Nginx } from '../fixtures/node/http/nginx.ts';
import { ownFolder, ownHost, type Place } from '../fixtures/node/places.ts';
import { run } from '../fixtures/node/program.ts';
import { Scene } from '../fixtures/node/scene.ts';

/** One nginx with four TLS servers that say their names, and a virtual IP that leads to them by name and protocol. */
async function stage() {
  const folder = await ownFolder();
  const pem = join(folder.path, 'member.pem');
  const ca = join(folder.path, 'ca.pem');
  await writeFile(pem, certificate.key + certificate.cert);
  await writeFile(ca, certificate.cert);
  const host = ownHost();
  const names = ['own', 'a', 'b', 'h2'];
  const servers = names.map(
    (name, index) =>
      `server { listen ${host}:${9001 + index} ssl ${name === 'h2' ? 'http2' : ''}; return 200 '${name}'; }`,
  );
  const nginx = await Nginx.start({
    http: `ssl_certificate ${pem}; ssl_certificate_key ${pem}; ${servers.join('\n')}`,
  });
  const [own, a, b, h2] = names.map((_, index) => ({ members: [`${host}:${9001 + index}`] }));
  const scene = await Scene.open(own ?? {}, {
    sniRouting: [
      { serverNames: ['a.evenkeel.test'], pool: a ?? {} },
      { serverNames: ['*.evenkeel.test'], pool: b ?? {} },
      { serverNames: ['a.evenkeel.test'], alpn: ['h2'], pool: h2 ?? {} },
    ],
  });
  return {
    scene,
    ca,
    async [Symbol.asyncDispose]() {
      await scene[Symbol.asyncDispose]();
      await nginx[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

function portOf(place: Place): number {
  if ('path' in place) throw new Error('a port');
  return place.port;
}

test('curl reaches the server of each name, verified, with HTTP/2 or without', async () => {
  await using on = await stage();
  const port = portOf(on.scene.place);
  const ask = async (name: string, ...options: string[]): Promise<string> => {
    const { code, output, errors } = await run('curl', [
      '-sS',
      '--cacert',
      on.ca,
      '--resolve',
      `${name}:${port}:127.0.0.1`,
      ...options,
      `https://${name}:${port}/`,
    ]);
    return code === 0 ? output : errors;
  };
  expect(await ask('a.evenkeel.test', '--http1.1')).toBe('a');
  expect(await ask('a.evenkeel.test', '--http2')).toBe('h2');
  expect(await ask('A.EVENKEEL.TEST', '--http1.1')).toBe('a');
  expect(await ask('x.evenkeel.test', '--http1.1', '--tlsv1.2', '--tls-max', '1.2')).toBe('b');
  expect(await ask('evenkeel.test', '--http1.1')).toBe('own');
  expect([on.scene.rejected, on.scene.troubles]).toEqual([[], []]);
});

test('curl without TLS gets nothing', async () => {
  await using on = await stage();
  const { code } = await run('curl', ['-sS', `http://127.0.0.1:${portOf(on.scene.place)}/`]);
  expect(code).toBe(56);
  expect(on.scene.rejected).toMatchObject([{ reason: 'bad-client-hello', detail: 'no TLS record' }]);
});

test('openssl s_client shakes hands through it, with TLS 1.2 and 1.3, small records and a large hello', async () => {
  await using on = await stage();
  const { pools } = on.scene.vip;
  const counts = (): number[] => Array.from(pools, ({ stats }) => stats.totalConnections);
  const shake = async (...options: string[]): Promise<void> => {
    const { output } = await run('openssl', [
      's_client',
      '-connect',
      `127.0.0.1:${portOf(on.scene.place)}`,
      '-CAfile',
      on.ca,
      '-verify_return_error',
      ...options,
    ]);
    expect(output).toContain('Verify return code: 0');
  };
  await shake('-servername', 'a.evenkeel.test', '-tls1_2');
  await shake('-servername', 'a.evenkeel.test', '-tls1_3', '-alpn', 'http/1.1');
  await shake('-servername', 'a.evenkeel.test', '-alpn', 'http/1.1,h2');
  // It sends the hello as it is; records of 512 bytes cut what is larger.
  const long = Array.from({ length: 30 }, (_, index) => `${'protocol'.repeat(10)}-${index}`).join(',');
  await shake('-servername', 'b.evenkeel.test', '-alpn', `${long},http/1.1`, '-max_send_frag', '512');
  await shake('-noservername');
  expect(counts()).toEqual([1, 2, 1, 1]);
  expect([on.scene.rejected, on.scene.troubles]).toEqual([[], []]);
});
