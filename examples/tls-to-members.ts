/**
 * TLS to members: one proves who it is and asks for a certificate of ours, one cannot, and a TCP member of another pool is told in a
 * PROXY header who its client is. All certificates are made here, with `openssl`.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { createVip } from 'evenkeel';
import { listen } from 'evenkeel/node';

const folder = await mkdtemp(join(tmpdir(), 'evenkeel-'));
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
}

/** A certificate that the authority in our folder has signed, and its key. */
async function issue(name: string): Promise<{ readonly cert: string; readonly key: string }> {
  await writeFile(join(folder, 'names'), `subjectAltName=DNS:${name}`);
  openssl('req', ...newKey, '-keyout', `${name}.key`, '-subj', `/CN=${name}`, '-out', `${name}.csr`);
  const signing = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '1', '-extfile', 'names'];
  openssl('x509', '-req', '-in', `${name}.csr`, ...signing, '-out', `${name}.crt`);
  const [cert, key] = await Promise.all(
    ['crt', 'key'].map((kind) => readFile(join(folder, `${name}.${kind}`), 'utf8')),
  );
  return { cert: cert ?? '', key: key ?? '' };
}

openssl('req', '-x509', ...newKey, '-keyout', 'ca.key', '-subj', '/CN=our authority', '-days', '1', '-out', 'ca.crt');
const ca = await readFile(join(folder, 'ca.crt'), 'utf8');
const app = await issue('app.internal');
const stranger = await issue('elsewhere.example');
const balancer = await issue('balancer.internal');

/** An HTTPS server that lets nobody in without a certificate of our authority. */
async function member(name: string, identity: { readonly cert: string; readonly key: string }): Promise<Server> {
  const server = createServer({ ...identity, ca, requestCert: true }, ({ socket }, response) => {
    const client = (socket as TLSSocket).getPeerCertificate().subject.CN;
    response.end(`${name}, asked by ${client}${(socket as TLSSocket).isSessionReused() ? ' again' : ''}`);
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const good = await member('the application', app);
const bad = await member('a stranger', stranger);
const at = (server: { address(): unknown }): string => `127.0.0.1:${(server.address() as AddressInfo).port}`;

const vip = createVip({
  address: '127.0.0.1',
  port: 0,
  protocol: 'http',
  pool: {
    strategy: 'first',
    members: [at(bad), at(good)],
    // Each request on a connection of its own, to show sessions at work.
    keepAlive: { maxIdle: 0 },
    tls: { ca, serverName: 'app.internal', ...balancer },
  },
});
vip.on('connect-failed', ({ reason }) => console.log(`not asked: ${reason}`));
const listener = await listen(vip);
const { port } = listener.address as AddressInfo;

for (let turn = 0; turn < 2; turn++) {
  const response = await fetch(`http://127.0.0.1:${port}/`);
  console.log(await response.text());
}

// A bad change is refused as a whole, and shows no secret.
try {
  vip.pool.update({ tls: { key: stranger.key } });
} catch (error) {
  console.log((error as Error).message);
}
await listener.close();

// Another member speaks TCP and wants to know who its clients are.
const told = createTcpServer((socket) => {
  socket.once('data', (bytes) => {
    const [header = ''] = bytes.toString().split('\r\n');
    socket.end(header.replace(/\d{4,}.*/, '…'));
  });
});
told.listen(0, '127.0.0.1');
await once(told, 'listening');
const other = createVip({ address: '127.0.0.1', port: 0, pool: { members: [at(told)], proxyProtocol: 'v1' } });
const otherListener = await listen(other);
const client = connect({
  host: '127.0.0.1',
  port: (otherListener.address as AddressInfo).port,
  localAddress: '127.0.0.7',
});
const [bytes] = await once(client, 'data');
console.log(String(bytes));
client.destroy();

await otherListener.close();
for (const server of [good, bad, told]) server.close();
await rm(folder, { recursive: true });
