import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { createVip, type Session } from '../../../src/index.ts';
import { Termination } from '../../../src/node/tls/termination.ts';
import { TlsHandshake } from '../../../src/node/tls/tls-handshake.ts';
import type { ServedClient, Server, Service } from '../../../src/node/vip-server.ts';
import { leavesNothing } from '../../fixtures/node/aftermath.ts';
import { Client } from '../../fixtures/node/client.ts';
import { HttpMember } from '../../fixtures/node/http/member.ts';
import { Authority } from '../../fixtures/node/tls/authority.ts';
import { TlsClient } from '../../fixtures/node/tls/client.ts';
import { authority, identity, tlsScene } from '../../fixtures/node/tls/scene.ts';

const clients = new Authority('clients');
const known = clients.issue({ name: 'known client' });

/** What a session knows of its client after the handshake. */
async function learned(options: object): Promise<Session['client']['tls']> {
  const certificates = { cert: identity.cert, key: identity.key };
  const tls = { certificates, alpn: ['h2', 'echo'], clientAuthentication: 'optional', ca: clients.cert } as const;
  const vip = createVip({ address: '127.0.0.1', port: 0, pool: {}, tls });
  using termination = new Termination(vip, () => {});
  const listening = createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const { port } = listening.address() as { port: number };
  using client = TlsClient.start({ host: '127.0.0.1', port }, options);
  const [socket] = await once(listening, 'connection');
  listening.close();
  let resolve: (facts: Session['client']['tls']) => void = () => {};
  const promise = new Promise<Session['client']['tls']>((resolver) => {
    resolve = resolver;
  });
  const served: ServedClient<unknown> = { start() {}, finish() {}, abort() {}, abandon() {}, inspect() {} };
  const service: Service<unknown> = {
    serve: (_secured, session) => {
      resolve(session.client.tls);
      return served;
    },
    inspect: () => false,
    follow: () => {},
    close: () => {},
  };
  const server: Server<unknown> = { vip, handedOver: () => {}, closed: () => resolve(undefined), troubled: () => {} };
  const peer = { address: '127.0.0.1', port: 1 };
  const session = vip.admit(peer, () => {});
  if (session.refused) throw new Error('refused');
  const { credentials } = termination;
  if (credentials === undefined) throw new Error('no credentials');
  new TlsHandshake(server, service, socket, session, () => credentials).start();
  const facts = await promise;
  client.socket.destroy();
  socket.destroy();
  return facts;
}

test('a session knows what was agreed upon', async () => {
  const older = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' } as const;
  const facts = await learned({
    ...older,
    servername: 'X.A.example',
    ALPNProtocols: ['echo'],
    cert: known.cert,
    key: known.key,
  });
  expect(facts).toMatchObject({
    version: 'TLSv1.2',
    cipher: 'ECDHE-ECDSA-AES256-GCM-SHA384',
    serverName: 'x.a.example',
    alpn: 'echo',
    isResumed: false,
    hasCertificate: true,
    isVerified: true,
    commonName: 'known client',
  });
  expect(facts?.certificate?.issuer).toBe('/CN=clients');
});

test('and what was not', async () => {
  const facts = await learned({ minVersion: 'TLSv1.3' });
  expect(facts).toMatchObject({ version: 'TLSv1.3', hasCertificate: false, isVerified: false, isResumed: false });
  expect(facts?.cipher).toMatch(/^TLS_/);
  expect([facts?.serverName, facts?.alpn, facts?.commonName, facts?.certificate]).toEqual(Array(4).fill(undefined));
});

test.each([
  ['one certificate', undefined],
  ['several', [{ cert: identity.cert, key: identity.key }, second()]],
])('TLS behind a PROXY header, with %s', async (_what, certificates) => {
  await using member = await HttpMember.start();
  const insertHeaders = { 'X-Forwarded-For': true, 'X-Forwarded-Proto': true } as const;
  const settings = { protocol: 'http', insertHeaders, acceptProxyProtocol: { trustedCidrs: ['127.0.0.0/8'] } } as const;
  await using scene = await tlsScene({ members: [member.spec] }, settings, certificates && { certificates });
  using carrier = await Client.connect(scene.place);
  const { socket } = carrier;
  socket.removeAllListeners('data');
  // The header and the ClientHello arrive together.
  socket.cork();
  socket.write('PROXY TCP4 192.0.2.7 192.0.2.8 1234 443\r\n');
  setImmediate(() => setImmediate(() => socket.uncork()));
  using client = await TlsClient.connect(scene.place, { socket });
  client.send('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n');
  await client.receives('member');
  const { fields } = (await member.request(1)).message;
  expect(fields).toContainEqual(['X-Forwarded-For', '192.0.2.7']);
  expect(fields).toContainEqual(['X-Forwarded-Proto', 'https']);
  client.socket.destroy();
  carrier.reset();
  await leavesNothing(scene, [member]);
});

function second() {
  const { cert, key } = authority.issue({ name: 'b.example', serverNames: ['b.example'] });
  return { cert, key };
}
