/**
 * TLS connections are led to pools by the name that the client asks for, and passed on as they are: certificates and keys stay with
 * the members. (The example has OpenSSL make its certificates.)
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer, type Server } from 'node:tls';
import { createVip } from 'evenkeel';
import { listen } from 'evenkeel/node';

const folder = mkdtempSync(join(tmpdir(), 'sni-routing-'));
const servers: Server[] = [];
const certificates = new Map<string, string>();

/** A member with a certificate of its own for the name; where it is, as a member spec. */
async function member(name: string): Promise<string> {
  const [key, cert] = ['key', 'cert'].map((kind) => join(folder, `${name}.${kind}.pem`)) as [string, string];
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
  const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key, '-out', cert];
  execFileSync('openssl', ['req', '-x509', '-days', '1', ...subject, ...made], { stdio: 'ignore' });
  certificates.set(name, readFileSync(cert, 'utf8'));
  const options = { key: readFileSync(key), cert: readFileSync(cert), ALPNProtocols: ['http/1.1', 'acme-tls/1'] };
  const server = createServer(options, (socket) => socket.end(`${name} (${socket.alpnProtocol || 'no protocol'})`));
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const vip = createVip({
  name: 'tls',
  address: '127.0.0.1',
  port: 0,
  sniRouting: [
    { serverNames: ['shop.example', 'www.shop.example'], pool: { members: [await member('shop.example')] } },
    { serverNames: ['*.blog.example'], pool: { members: [await member('a.blog.example')] } },
    // Who renews certificates by TLS-ALPN-01 (RFC 8737) is asked with a protocol of its own.
    { serverNames: ['shop.example'], alpn: ['acme-tls/1'], pool: { members: [await member('acme.example')] } },
  ],
  pool: { members: [await member('default.example')] },
});
vip.on('rejected', ({ reason, detail }) => console.log('turned away:', reason, detail));
const listener = await listen(vip);
const { port } = listener.address as AddressInfo;

/** Who answers a client that asks for this name. */
async function ask(servername: string, expected: string, ...ALPNProtocols: string[]): Promise<void> {
  const ca = certificates.get(expected) as string;
  const checkServerIdentity = (): undefined => undefined;
  const options = { port, host: '127.0.0.1', servername, ca, checkServerIdentity };
  const socket = connect(ALPNProtocols.length > 0 ? { ...options, ALPNProtocols } : options);
  let answer = '';
  for await (const chunk of socket) answer += chunk;
  console.log(`${servername}: ${answer}`);
}

await ask('shop.example', 'shop.example');
await ask('shop.example', 'acme.example', 'acme-tls/1');
await ask('a.blog.example', 'a.blog.example', 'http/1.1');
await ask('elsewhere.example', 'default.example');
await fetch(`http://127.0.0.1:${port}`).catch(() => console.log('no answer without TLS'));
console.log(vip.routes.map(({ pool }) => `${pool.name} ${pool.stats.totalConnections}`).join(', '));

await listener.close();
for (const server of servers) server.close();
rmSync(folder, { recursive: true });
