/**
 * TLS that ends at the virtual IP: certificates by name, clients that show certificates of their own, and a certificate that is renewed
 * while a client is connected. All certificates are made here, with `openssl`.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { createVip } from 'evenkeel';
import { listen } from 'evenkeel/node';

const folder = await mkdtemp(join(tmpdir(), 'evenkeel-'));

/** Makes a certificate that is its own authority, and its key. */
function make(file: string, name: string): { readonly certFile: string; readonly keyFile: string } {
  const [certFile, keyFile] = [join(folder, `${file}.crt`), join(folder, `${file}.key`)];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', keyFile];
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`, '-days', '1'];
  execFileSync('openssl', ['req', '-x509', ...key, ...subject, '-out', certFile], { stdio: 'ignore' });
  return { certFile, keyFile };
}

const shop = make('shop', 'shop.example');
const blog = make('blog', 'blog.example');
const employee = make('employee', 'employee');

// A member that says what it has heard of the client.
const member = createServer(({ headers }, response) => {
  const { 'x-forwarded-proto': protocol, 'x-ssl-client-cn': who } = headers;
  response.end(`${headers.host} over ${protocol}, ${who === '' ? 'somebody' : `the ${who}`}`);
});
member.listen(0, '127.0.0.1');
await once(member, 'listening');

const vip = createVip({
  address: '127.0.0.1',
  port: 0,
  protocol: 'http',
  insertHeaders: { 'X-Forwarded-Proto': true, 'X-SSL-Client-CN': true },
  tls: {
    // The first is for clients that ask for no name, or an unknown one.
    certificates: [shop, blog],
    clientAuthentication: 'optional',
    caFile: employee.certFile,
  },
  pool: { members: [`127.0.0.1:${(member.address() as AddressInfo).port}`] },
});
const listener = await listen(vip);
listener.on('error', (error) => console.log(error.message));
const { port } = listener.address as AddressInfo;

async function opened(servername: string, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, servername, ALPNProtocols: ['http/1.1'], ...options });
  await once(socket, 'secureConnect');
  return socket;
}

async function ask(socket: TLSSocket): Promise<string> {
  socket.write(`GET / HTTP/1.1\r\nHost: ${socket.servername}\r\n\r\n`);
  const [bytes] = await once(socket, 'data');
  return String(bytes).split('\r\n\r\n')[1] ?? '';
}

const visitor = await opened('shop.example', { ca: await readFile(shop.certFile) });
console.log(`1: ${await ask(visitor)}, ${visitor.getProtocol()}`);

const [cert, key] = await Promise.all([readFile(employee.certFile), readFile(employee.keyFile)]);
const worker = await opened('blog.example', { ca: await readFile(blog.certFile), cert, key });
console.log(`2: ${await ask(worker)}`);
worker.destroy();

// A new certificate takes the place of the old one, as tools for renewal do it. Whoever comes from now on gets it.
const before = listener.certificates[0]?.fingerprint;
const next = make('next', 'shop.example');
await rename(next.keyFile, shop.keyFile);
await rename(next.certFile, shop.certFile);
while (listener.certificates[0]?.fingerprint === before) await new Promise((resolve) => setTimeout(resolve, 20));
const late = await opened('shop.example', { ca: await readFile(shop.certFile) });
console.log(`3: ${await ask(late)}, with the new certificate`);
console.log(`4: ${await ask(visitor)}, still connected`);

const failed = new Promise<string>((resolve) => {
  vip.on('handshake-failed', ({ reason }) => resolve(reason));
});
connect({ host: '127.0.0.1', port, maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' }).on(
  'error',
  () => {
    // It is told, too.
  },
);
console.log(`5: ${await failed}`);

visitor.destroy();
late.destroy();
await listener.close();
member.close();
await rm(folder, { recursive: true });
const { full, resumed, failed: came } = vip.stats.tlsHandshakes;
console.log(`${full} handshakes, ${resumed} resumed, ${came} came to nothing`);
