import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, get, request } from 'node:https';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { InsertHeadersSpec } from '../../../src/index.ts';
import { leavesNothing } from '../../fixtures/node/aftermath.ts';
import { HttpMember } from '../../fixtures/node/http/member.ts';
import { NodeMember } from '../../fixtures/node/http/node-member.ts';
import { noiseOf, sha1 } from '../../fixtures/node/http/noise.ts';
import { WsMember } from '../../fixtures/node/http/ws-member.ts';
import type { Place } from '../../fixtures/node/places.ts';
import { TlsClient, Wire } from '../../fixtures/node/tls/client.ts';
import { identity, tlsScene } from '../../fixtures/node/tls/scene.ts';
import { until } from '../../fixtures/node/until.ts';

const http = { protocol: 'http' } as const;

function portOf(place: Place): number {
  return 'port' in place ? place.port : 0;
}

const line = 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n';

/** One request with Node's own client, which verifies the certificate. */
async function fetchBody(place: Place, agent: Agent | false = false): Promise<{ status: number; body: Buffer }> {
  const options = { host: '127.0.0.1', port: portOf(place), servername: 'a.example', ca: identity.cert, agent };
  // It is no authority, but it is what is to be trusted.
  const [response] = (await once(get({ ...options, rejectUnauthorized: false }), 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return { status: response.statusCode ?? 0, body: Buffer.concat(chunks) };
}

describe('an HTTP virtual IP that ends TLS', () => {
  test('keeps connections, balances each request, and knows that it speaks HTTPS', async () => {
    await using m1 = await HttpMember.start({ name: 'm1' });
    await using m2 = await HttpMember.start({ name: 'm2' });
    const insertHeaders: InsertHeadersSpec = { 'X-Forwarded-Proto': true, 'X-Forwarded-Port': true, Forwarded: true };
    await using scene = await tlsScene({ members: [m1.spec, m2.spec] }, { ...http, insertHeaders });
    using agent = disposable(new Agent({ keepAlive: true, maxSockets: 1 }));
    const bodies: string[] = [];
    for (let turn = 0; turn < 4; turn++) bodies.push((await fetchBody(scene.place, agent.it)).body.toString());
    expect(bodies.sort()).toEqual(['m1', 'm1', 'm2', 'm2']);
    const { fields } = (await m1.request(1)).message;
    expect(fields).toContainEqual(['X-Forwarded-Proto', 'https']);
    expect(fields).toContainEqual(['X-Forwarded-Port', String(portOf(scene.place))]);
    expect(fields).toContainEqual(['Forwarded', 'for=127.0.0.1;proto=https']);
    agent.it.destroy();
    await leavesNothing(scene, [m1, m2]);
    expect(scene.vip.stats).toMatchObject({ totalConnections: 1, requests: 4, tlsHandshakes: { full: 1 } });
  });

  test('answers requests that are sent ahead in turn', async () => {
    await using member = await HttpMember.start({ does: (heard) => heard.answer(heard.target) });
    await using scene = await tlsScene({ members: [member.spec] }, http);
    using client = await TlsClient.connect(scene.place);
    const targets = Array.from({ length: 50 }, (_, index) => `/${index}.`);
    client.send(targets.map((target) => line.replace('/', target)).join(''));
    await client.receives('/49.');
    expect(client.received.match(/\/\d+\.$|\/\d+\.(?=HTTP)/g)).toEqual(targets);
    client.socket.end();
    await client.ended();
    await leavesNothing(scene, [member]);
  });

  test('takes bulk both ways', async () => {
    const noise = noiseOf(8 * 1024 * 1024);
    await using member = await NodeMember.start((incoming, response) => void incoming.pipe(response));
    await using scene = await tlsScene({ members: [member.spec] }, http);
    const options = { host: '127.0.0.1', port: portOf(scene.place), method: 'POST', rejectUnauthorized: false };
    const upload = request({ ...options, agent: false });
    upload.end(noise);
    const [response] = (await once(upload, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk);
    expect(sha1(Buffer.concat(chunks))).toBe(sha1(noise));
    await scene.isAtRest();
  });

  test('upgrades to WebSocket', async () => {
    await using member = await WsMember.start();
    await using scene = await tlsScene({ members: [member.spec] }, http);
    const socket = new WebSocket(`wss://127.0.0.1:${portOf(scene.place)}/`, { rejectUnauthorized: false });
    await once(socket, 'open');
    socket.send('hello');
    const [echo] = await once(socket, 'message');
    expect(String(echo)).toBe('hello');
    socket.close();
    await once(socket, 'close');
    await scene.isAtRest();
  });

  test('says goodbye when a connection is not used again', async () => {
    await using member = await HttpMember.start();
    await using scene = await tlsScene({ members: [member.spec] }, { ...http, timeouts: { keepAlive: 50 } });
    using wire = await Wire.to(scene.place);
    using client = await TlsClient.connect(scene.place, { socket: wire.stream, maxVersion: 'TLSv1.2' });
    client.send(line);
    await client.receives('member');
    await client.ended();
    // An alert: the end of TLS, and not just that of the connection.
    expect(wire.recordTypes.at(-1)).toBe(21);
    client.socket.destroy();
    wire[Symbol.dispose]();
    await scene.isAtRest();
    expect(scene.vip.stats.timeouts.keepAlive).toBe(1);
  });

  test('an answer of our own reaches the client whole', async () => {
    await using scene = await tlsScene({ members: [] }, http);
    expect((await fetchBody(scene.place)).status).toBe(503);
    using client = await TlsClient.connect(scene.place);
    client.send('NONSENSE\r\n\r\n');
    await client.receives('HTTP/1.1 400 Bad Request');
    await client.ended();
    client.socket.end();
    await scene.isAtRest();
  });

  test('a client that hangs up in the middle frees the member', async () => {
    await using member = await HttpMember.start({
      does: (heard) => heard.say('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'),
    });
    await using scene = await tlsScene({ members: [member.spec] }, http);
    using client = await TlsClient.connect(scene.place);
    client.send(line);
    await client.receives('half');
    client.socket.destroy();
    await member.isLetGo();
    await leavesNothing(scene, [member]);
    expect(scene.vip.stats.abortedRequests).toBe(1);
  });

  test('a member that breaks off an answer breaks the client’s connection', async () => {
    await using member = await HttpMember.start({
      does: (heard) => {
        heard.say('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf');
        heard.wire.socket.end();
      },
    });
    await using scene = await tlsScene({ members: [member.spec] }, http);
    using client = await TlsClient.connect(scene.place);
    client.send(line);
    expect(await client.closed()).toBe('ECONNRESET');
    expect(client.received).toMatch(/half$/);
    await leavesNothing(scene, [member]);
  });

  test('a listener that closes lets a request finish, and no further one begin', async () => {
    await using member = await HttpMember.start({ does: () => {} });
    await using scene = await tlsScene({ members: [member.spec] }, http);
    using busy = await TlsClient.connect(scene.place);
    using idle = await TlsClient.connect(scene.place);
    busy.send(line);
    const heard = await member.request(1);
    const closed = scene.listener.close({ deadline: 60_000 });
    await idle.ended();
    idle.socket.end();
    heard.answer('done');
    await busy.receives('done');
    expect(busy.received).toContain('Connection: close\r\n');
    await busy.ended();
    busy.socket.end();
    await closed;
    await scene.isAtRest();
  });

  test('a listener that closes waits for no request of a client that is still shaking hands', async () => {
    await using member = await HttpMember.start();
    await using scene = await tlsScene({ members: [member.spec] }, http);
    using wire = await Wire.to(scene.place);
    await until(() => scene.vip.stats.activeConnections === 1, 'it is there');
    const closed = scene.listener.close({ deadline: 60_000 });
    using client = await TlsClient.connect(scene.place, { socket: wire.stream });
    await client.ended();
    client.socket.destroy();
    wire[Symbol.dispose]();
    await closed;
    await scene.isAtRest();
    expect(scene.vip.stats.tlsHandshakes).toEqual({ full: 1, resumed: 0, failed: 0 });
    expect(scene.vip.stats.timeouts.request).toBe(0);
  });

  test('offers http/1.1 alone', async () => {
    await using member = await HttpMember.start();
    await using scene = await tlsScene({ members: [member.spec] }, http);
    using client = await TlsClient.connect(scene.place, { ALPNProtocols: ['h2', 'http/1.1'] });
    expect(client.socket.alpnProtocol).toBe('http/1.1');
    client.socket.destroy();
    await until(() => scene.vip.stats.activeConnections === 0, 'it is gone');
    expect(() => scene.vip.update({ tls: { alpn: ['http/1.1', 'h2'] } })).toThrow(/^tls\.alpn\[1\]: /);
    scene.vip.update({ tls: { alpn: ['http/1.0', 'http/1.1'] } });
    await scene.isAtRest();
  });
});

function disposable(agent: Agent): Disposable & { readonly it: Agent } {
  return { it: agent, [Symbol.dispose]: () => agent.destroy() };
}
