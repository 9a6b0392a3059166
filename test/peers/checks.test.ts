import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tcpProbe, tlsHelloProbe } from '../../src/node/index.ts';
import { certificate } from '../fixtures/node/certificate.ts';
import { verdict } from '../fixtures/node/check.ts';
import { type Folder, ownFolder, ownHost } from '../fixtures/node/places.ts';
import { Program, run } from '../fixtures/node/program.ts';
import { Scene } from '../fixtures/node/scene.ts';
import { until } from '../fixtures/node/until.ts';

interface OpenSsl extends AsyncDisposable {
  readonly at: string;
}

/** A real `openssl s_server`. */
async function openSsl(...options: readonly string[]): Promise<OpenSsl> {
  const folder: Folder = await ownFolder();
  const pem = join(folder.path, 'member.pem');
  await writeFile(pem, certificate.key + certificate.cert);
  const at = `${ownHost()}:4433`;
  const args = ['s_server', '-accept', at, '-cert', pem, '-CAfile', pem, '-www', ...options];
  const isUp = async (): Promise<boolean> => (await verdict(tcpProbe(), at)) === 'passed';
  const program = await Program.start('openssl', args, 'openssl', isUp);
  return {
    at,
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const { cert, key } = certificate;

for (const version of ['-tls1_2', '-tls1_3'] as const) {
  test(`a TLS check shakes hands with openssl s_server ${version}, verified and not`, async () => {
    await using server = await openSsl(version);
    expect(await verdict(tlsHelloProbe(), server.at)).toBe('passed');
    expect(await verdict(tlsHelloProbe({ ca: cert, serverName: 'a.evenkeel.test' }), server.at)).toBe('passed');
    expect(await verdict(tlsHelloProbe({ ca: cert, serverName: 'b.example' }), server.at)).toContain('b.example');
  });
}

test('a TLS check shows its certificate to openssl s_server -Verify', async () => {
  await using server = await openSsl('-tls1_2', '-Verify', '1', '-verify_return_error');
  expect(await verdict(tlsHelloProbe({ cert, key }), server.at)).toBe('passed');
  expect(await verdict(tlsHelloProbe(), server.at)).not.toBe('passed');
});

test('a member of TLS 1.0 alone fails its TLS check', async () => {
  await using server = await openSsl('-tls1', '-cipher', 'ALL:@SECLEVEL=0');
  expect(await verdict(tlsHelloProbe(), server.at)).toMatch(/^TLS: |closed|ECONNRESET/);
});

test('the system’s ping reaches this machine over IPv4 and IPv6, and not one that is not there', async () => {
  const { code } = await run('ping', ['-n', '-c', '1', '--', '127.0.0.1'], 'iputils-ping');
  expect(code).toBe(0);
  await using scene = await Scene.open({
    // The last is of a block that is for documentation only (RFC 5737).
    members: ['127.0.0.1:9', '[::1]:9', 'localhost:9', '192.0.2.1:9'],
    healthMonitor: { type: 'ping', delay: 100, timeout: 2000, initialHealth: 'fully-down' },
  });
  await until(() => scene.memberStatuses.startsWith('online,online,online'), 'three are there');
  expect(scene.memberStatuses).toBe('online,online,online,error');
});
