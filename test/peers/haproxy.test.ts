import { EventEmitter, once } from 'node:events';
import { Agent, type IncomingMessage, request as requestOf } from 'node:http';
import { describe, expect, test } from 'vitest';
import { expressApp } from '../fixtures/node/http/express-app.ts';
import { HAProxy } from '../fixtures/node/http/haproxy.ts';
import { get, urlOf } from '../fixtures/node/http/node-client.ts';
import { NodeMember } from '../fixtures/node/http/node-member.ts';
import { inPieces, measured, noiseOf, sha1 } from '../fixtures/node/http/noise.ts';
import { echoesThrough, WsMember } from '../fixtures/node/http/ws-member.ts';
import type { Place } from '../fixtures/node/places.ts';
import { Scene } from '../fixtures/node/scene.ts';
import { soon, until } from '../fixtures/node/until.ts';

const mebi = 1024 * 1024;

/** A line of HAProxy's that names where it sends its requests. */
function serverAt(place: Place, options = ''): string {
  if ('path' in place) throw new Error('a port');
  return `  server evenkeel ${place.host}:${place.port} ${options}`;
}

/** Sends back what it got, once it has all of it. */
function keepsAndTells(): Promise<NodeMember> {
  return NodeMember.start(async (request, response) => {
    const { size, sha1 } = await measured(request);
    response.end(JSON.stringify({ url: request.url, size, sha1 }));
  });
}

describe.each(['member', 'front'])('HAProxy as a %s', (role) => {
  /** Client, then HAProxy and a virtual IP in either order, then the member. */
  async function chain(
    member: { readonly spec: { id: string; address: string; port: number } },
    lines = '',
  ): Promise<{ place: Place; scene: Scene; haproxy: HAProxy } & AsyncDisposable> {
    if (role === 'member') {
      const { address, port } = member.spec;
      const haproxy = await HAProxy.start(`${lines}\n${serverAt({ host: address, port })}`);
      const scene = await Scene.open({ members: [haproxy.spec] }, { protocol: 'http' });
      return { place: scene.place, scene, haproxy, [Symbol.asyncDispose]: () => end(scene, haproxy) };
    }
    const scene = await Scene.open({ members: [member.spec] }, { protocol: 'http' });
    const haproxy = await HAProxy.start(`${lines}\n${serverAt(scene.place)}`);
    return { place: haproxy.place, scene, haproxy, [Symbol.asyncDispose]: () => end(scene, haproxy) };
  }

  async function end(scene: Scene, haproxy: HAProxy): Promise<void> {
    await haproxy[Symbol.asyncDispose]();
    await scene.isAtRest();
    expect(haproxy.complaints).not.toMatch(/alert|error/i);
    await scene[Symbol.asyncDispose]();
  }

  test('bodies of all sizes go both ways, of known length or not', async () => {
    const bodies = new Map([0, 1, 65_535, mebi, 20 * mebi].map((size) => [`/${size}`, noiseOf(size)]));
    await using member = await NodeMember.start(async (request, response) => {
      const [path = '', query] = (request.url ?? '').split('?');
      const body = bodies.get(path) ?? Buffer.alloc(0);
      if (request.method === 'POST') response.end(JSON.stringify(await measured(request)));
      else if (query === 'pieces') inPieces(body, 50_000).pipe(response);
      else response.end(body);
    });
    await using links = await chain(member, '  http-reuse always');
    const agent = new Agent({ keepAlive: true });
    for (const [path, file] of bodies) {
      for (const query of ['', '?pieces']) {
        const { status, body } = await get(links.place, path + query, { agent });
        expect({ path, query, status, sha1: sha1(body) }).toEqual({ path, query, status: 200, sha1: sha1(file) });
      }
      for (const body of [file, inPieces(file, 70_001)]) {
        const answer = await get(links.place, path, { method: 'POST', body, agent });
        expect(JSON.parse(answer.body.toString())).toEqual({ size: file.length, sha1: sha1(file) });
      }
      // On a connection of its own: Node's client closes it after an answer to HEAD that tells of no body.
      const head = await get(links.place, path, { method: 'HEAD' });
      expect([head.status, head.body.length]).toEqual([200, 0]);
    }
    agent.destroy();
    expect(links.scene.vip.stats).toMatchObject({
      requests: 25,
      responses2xx: 25,
      requestErrors: 0,
    });
    expect(links.scene.vip.stats.totalConnections).toBeLessThanOrEqual(1 + bodies.size);
  });

  test('many clients at once all get their own answers', async () => {
    await using member = await keepsAndTells();
    await using links = await chain(member, '  http-reuse always');
    const ask = async (client: number): Promise<void> => {
      const agent = new Agent({ keepAlive: true });
      for (let turn = 0; turn < 50; turn++) {
        const path = `/${client}/${turn}`;
        const method = turn % 2 === 0 ? 'GET' : 'POST';
        const question = method === 'GET' ? { agent } : { method, body: 'x'.repeat(turn * 1000), agent };
        const { url, size } = JSON.parse((await get(links.place, path, question)).body.toString());
        expect({ url, size }).toEqual({ url: path, size: method === 'GET' ? 0 : turn * 1000 });
      }
      agent.destroy();
    };
    await Promise.all(Array.from({ length: 20 }, (_, client) => ask(client)));
    expect(links.scene.vip.stats).toMatchObject({ requests: 1000, responses2xx: 1000, requestErrors: 0 });
    expect(links.scene.vip.stats.totalConnections).toBeLessThan(100);
    expect(links.scene.pool.stats.totalConnections).toBeLessThan(100);
  });

  test('connections that are closed after each answer, or soon after, cost no request', async () => {
    await using member = await keepsAndTells();
    for (const lines of ['  option httpclose', '  timeout http-keep-alive 20ms', '  option http-server-close']) {
      await using links = await chain(member, lines);
      const agent = new Agent({ keepAlive: true });
      for (let turn = 0; turn < 40; turn++) {
        // HAProxy closes its side of an idle connection just when the next request may be on its way, which Node's agent takes for
        // an error where it is the client; so there it has a connection for each request.
        const question = role === 'front' ? {} : { agent };
        expect((await get(links.place, `/${turn}`, question)).status).toBe(200);
        if (turn % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 18 + turn / 10));
      }
      agent.destroy();
      expect(links.scene.vip.stats).toMatchObject({ requests: 40, responses2xx: 40, responses5xx: 0 });
    }
  });

  test('events stream through both without delay, and a client that leaves is seen to leave', async () => {
    const feed = new EventEmitter();
    await using member = await NodeMember.start(expressApp({ feed }));
    // Without this HAProxy lets clients that have stopped to send wait for their answer.
    await using links = await chain(member, '  option abortonclose');
    const request = requestOf(urlOf(links.place, '/events'), { agent: false }).end();
    request.on('error', () => {});
    const [answer] = (await soon(once(request, 'response'), 'the head of a stream')) as [IncomingMessage];
    for (let turn = 0; turn < 10; turn++) {
      const data = soon(once(answer, 'data'), 'an event');
      feed.emit('event', `event ${turn}`);
      expect(String((await data)[0])).toBe(`data: event ${turn}\n\n`);
    }
    request.destroy();
    await until(() => feed.listenerCount('event') === 0, 'the app sees the client leave');
  });

  test('a WebSocket goes through both', async () => {
    await using member = await WsMember.start();
    await using links = await chain(member);
    await echoesThrough(links.place);
    expect(links.scene.vip.stats).toMatchObject({ responses1xx: 1, requests: 1 });
  });

  test('a client that expects 100 (Continue) gets it, and early hints go through', async () => {
    await using member = await NodeMember.start(async (request, response) => {
      response.writeEarlyHints({ link: '</style.css>; rel=preload' });
      response.end(JSON.stringify(await measured(request)));
    });
    await using links = await chain(member);
    const file = noiseOf(100_000);
    const headers = { Expect: '100-continue', 'Content-Length': file.length };
    const request = requestOf(urlOf(links.place), { method: 'PUT', headers, agent: false });
    const interim: number[] = [];
    request.on('information', ({ statusCode }) => interim.push(statusCode));
    const answered = once(request, 'response');
    request.flushHeaders();
    await soon(once(request, 'continue'), '100 (Continue)');
    request.end(file);
    const [answer] = (await soon(answered, 'an answer')) as [IncomingMessage];
    let text = '';
    for await (const chunk of answer) text += chunk;
    expect(JSON.parse(text)).toEqual({ size: file.length, sha1: sha1(file) });
    expect(interim).toEqual([100, 103]);
  });
});

test('HAProxy checks a virtual IP as it checks any server, and takes it out and in again', async () => {
  let isWell = true;
  await using member = await NodeMember.start((_request, response) => {
    response.writeHead(isWell ? 200 : 503).end('as it feels');
  });
  await using scene = await Scene.open({ members: [member.spec] }, { protocol: 'http' });
  const check = '  option httpchk\n  http-check send meth GET uri / ver HTTP/1.1 hdr Host a.example';
  await using haproxy = await HAProxy.start(`${check}\n${serverAt(scene.place, 'check inter 50 rise 2 fall 2')}`);
  expect((await get(haproxy.place, '/')).status).toBe(200);
  isWell = false;
  // 503 is HAProxy's own then, and says so.
  const text = async (): Promise<string> => (await get(haproxy.place, '/')).body.toString();
  await until(async () => (await text()).includes('No server is available'), 'HAProxy takes it out');
  isWell = true;
  await until(async () => (await text()) === 'as it feels', 'HAProxy takes it in again');
});

test('a virtual IP checks HAProxy with http, and HAProxy tells of the client that the virtual IP had', async () => {
  await using member = await NodeMember.start((request, response) => {
    response.end(`${request.headers['x-forwarded-for']}`);
  });
  const { address, port } = member.spec;
  const lines = '  monitor-uri /health\n  option forwardfor';
  await using haproxy = await HAProxy.start(`${lines}\n${serverAt({ host: address, port })}`);
  const healthMonitor = {
    type: 'http',
    delay: 50,
    urlPath: '/health',
    httpVersion: 1.1,
    domainName: 'a.example',
  } as const;
  const settings = { protocol: 'http', insertHeaders: { 'X-Forwarded-For': true } } as const;
  await using scene = await Scene.open({ members: [haproxy.spec], healthMonitor }, settings);
  await until(() => scene.memberStatuses === 'online', 'it is well');
  // HAProxy adds a line of its own, which Node puts behind the first.
  const { body } = await get(scene.place, '/', { headers: { 'X-Forwarded-For': '192.0.2.66' } });
  expect(body.toString()).toBe('127.0.0.1, 127.0.0.1');
});
