import { EventEmitter, once } from 'node:events';
import { Agent, type IncomingMessage, request as requestOf } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { expressApp } from '../fixtures/node/http/express-app.ts';
import { Nginx } from '../fixtures/node/http/nginx.ts';
import { type Answer, get, urlOf } from '../fixtures/node/http/node-client.ts';
import { NodeMember } from '../fixtures/node/http/node-member.ts';
import { inPieces, measured, noiseOf, sha1 } from '../fixtures/node/http/noise.ts';
import { echoesThrough, WsMember } from '../fixtures/node/http/ws-member.ts';
import type { Place } from '../fixtures/node/places.ts';
import { Scene } from '../fixtures/node/scene.ts';
import { soon, until } from '../fixtures/node/until.ts';

const mebi = 1024 * 1024;

/** What a client sees of an answer, but for what concerns the connection or the moment. */
function seen({ status, headers, body }: Answer): unknown {
  const { date, connection, 'keep-alive': keepAlive, ...others } = headers;
  return { status, headers: others, body: sha1(body) };
}

describe('nginx as a member', () => {
  test.each([0, 1, 65_535, mebi, 20 * mebi])('a file of %i bytes comes whole, and its parts', async (size) => {
    const file = noiseOf(size);
    await using nginx = await Nginx.start({ files: { 'noise.bin': file } });
    await using scene = await Scene.open({ members: [nginx.spec] }, { protocol: 'http' });
    const agent = new Agent({ keepAlive: true });
    for (let turn = 0; turn < 3; turn++) {
      const { status, headers, body } = await get(scene.place, '/noise.bin', { agent });
      expect({ status, length: headers['content-length'] }).toEqual({ status: 200, length: String(size) });
      expect(sha1(body)).toBe(sha1(file));
    }
    const head = await get(scene.place, '/noise.bin', { method: 'HEAD', agent });
    expect(head.headers).toMatchObject({ 'content-length': String(size), 'accept-ranges': 'bytes' });
    const questions: Record<string, string>[] = [
      { Range: 'bytes=0-0' },
      { Range: 'bytes=1-100000' },
      { Range: 'bytes=-70000' },
      { Range: `bytes=${size}-` },
      { 'If-None-Match': head.headers.etag ?? '' },
      { 'If-Modified-Since': head.headers['last-modified'] ?? '' },
    ];
    for (const headers of questions) {
      const balanced = await get(scene.place, '/noise.bin', { headers, agent });
      expect({ headers, answer: seen(balanced) }).toEqual({
        headers,
        answer: seen(await get(nginx.place, '/noise.bin', { headers })),
      });
    }
    agent.destroy();
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ totalConnections: 1, requestErrors: 0, responses5xx: 0 });
    expect(scene.pool.stats.totalConnections).toBe(1);
  });

  test('what it compresses on the way comes in chunks', async () => {
    const text = 'the same over and over, '.repeat(100_000);
    await using nginx = await Nginx.start({
      files: { 'text.txt': text },
      server: 'gzip on; gzip_min_length 1; gzip_types text/plain;',
    });
    await using scene = await Scene.open({ members: [nginx.spec] }, { protocol: 'http' });
    const headers = { 'Accept-Encoding': 'gzip' };
    const agent = new Agent({ keepAlive: true });
    for (let turn = 0; turn < 3; turn++) {
      const answer = await get(scene.place, '/text.txt', { headers, agent });
      expect(answer.headers).toMatchObject({ 'content-encoding': 'gzip', 'transfer-encoding': 'chunked' });
      expect(gunzipSync(answer.body).toString()).toBe(text);
    }
    const plain = await get(scene.place, '/text.txt', { agent });
    expect(plain.headers).toMatchObject({ 'content-length': String(text.length) });
    agent.destroy();
    await scene.isAtRest();
  });

  test('it stores what is uploaded, sent with its length or in pieces, and answers with its own errors', async () => {
    await using nginx = await Nginx.start({
      files: { text: 'not to be posted to' },
      server: 'location /stored/ { dav_methods PUT DELETE; create_full_put_path on; }',
    });
    await using scene = await Scene.open({ members: [nginx.spec] }, { protocol: 'http' });
    const file = noiseOf(10 * mebi);
    const agent = new Agent({ keepAlive: true });
    for (const [path, body] of [
      ['/stored/known', file],
      ['/stored/unknown', inPieces(file, 100_000)],
    ] as const) {
      expect((await get(scene.place, path, { method: 'PUT', body, agent })).status).toBe(201);
      expect(sha1((await get(scene.place, path, { agent })).body)).toBe(sha1(file));
      expect((await get(scene.place, path, { method: 'DELETE', agent })).status).toBe(204);
      expect((await get(scene.place, path, { agent })).status).toBe(404);
    }
    expect((await get(scene.place, '/text', { method: 'POST', body: file, agent: new Agent() })).status).toBe(405);
    agent.destroy();
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ requests: 9, responses2xx: 6, responses4xx: 3, responses5xx: 0 });
  });

  test('that it closes kept connections, after a number of requests or a moment, costs no request', async () => {
    await using nginx = await Nginx.start({
      files: { a: 'content' },
      http: 'keepalive_requests 7; keepalive_timeout 50ms;',
    });
    await using scene = await Scene.open({ members: [nginx.spec] }, { protocol: 'http' });
    const agent = new Agent({ keepAlive: true });
    const ask = async (): Promise<void> => {
      for (let turn = 0; turn < 200; turn++) {
        const { status, body } = await get(scene.place, '/a', { agent });
        expect([status, body.toString()]).toEqual([200, 'content']);
        // Around the moment when nginx closes.
        if (turn % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 45 + (turn % 11)));
      }
    };
    await Promise.all(Array.from({ length: 10 }, ask));
    agent.destroy();
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ requests: 2000, responses2xx: 2000, connectFailures: 0 });
    expect(scene.pool.stats.totalConnections).toBeGreaterThanOrEqual(Math.floor(2000 / 7));
    expect(scene.pool.stats.totalConnections).toBeLessThan(1000);
  });

  test('it is checked with http, and goes out and comes back with what it answers', async () => {
    await using nginx = await Nginx.start({ files: { health: 'well' }, server: 'location = /ill { return 503; }' });
    const healthMonitor = { type: 'http', delay: 100, urlPath: '/health' } as const;
    await using scene = await Scene.open({ members: [nginx.spec], healthMonitor }, { protocol: 'http' });
    await until(() => scene.memberStatuses === 'online', 'it is well');
    scene.pool.update({ healthMonitor: { ...healthMonitor, urlPath: '/ill' } });
    await until(() => scene.memberStatuses === 'error', 'it is ill');
    expect((await get(scene.place, '/health')).status).toBe(503);
    scene.pool.update({ healthMonitor });
    await until(() => scene.memberStatuses === 'online', 'it is well again');
    expect((await get(scene.place, '/health')).body.toString()).toBe('well');
  });
});

/** Directives for an nginx before a virtual IP. */
function proxying(place: Place, more = ''): { http: string; server: string } {
  if ('path' in place) throw new Error('a port');
  return {
    http: `
      map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
      upstream evenkeel { server ${place.host}:${place.port}; keepalive 16; }`,
    server: `
      location / {
        proxy_pass http://evenkeel;
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_set_header Connection $connection_upgrade;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        ${more}
      }`,
  };
}

const unbuffered = 'proxy_buffering off; proxy_request_buffering off;';

describe('nginx as a front', () => {
  test('requests of many clients come over few connections, and all are answered', async () => {
    await using member = await NodeMember.start(async (request, response) => {
      const { size } = await measured(request);
      response.end(`${request.url} ${size}`);
    });
    await using scene = await Scene.open({ members: [member.spec] }, { protocol: 'http' });
    await using front = await Nginx.start(proxying(scene.place));
    const ask = async (client: number): Promise<void> => {
      for (let turn = 0; turn < 50; turn++) {
        const body = turn % 2 === 0 ? undefined : 'x'.repeat(turn * 1000);
        const method = body === undefined ? 'GET' : 'POST';
        const question = body === undefined ? { method } : { method, body };
        const answer = await get(front.place, `/${client}/${turn}`, question);
        expect(answer.body.toString()).toBe(`/${client}/${turn} ${body?.length ?? 0}`);
      }
    };
    await Promise.all(Array.from({ length: 20 }, (_, client) => ask(client)));
    expect(scene.vip.stats).toMatchObject({ requests: 1000, responses2xx: 1000, requestErrors: 0, abortedRequests: 0 });
    expect(scene.vip.stats.totalConnections).toBeLessThan(100);
    await front[Symbol.asyncDispose]();
    await scene.isAtRest();
    expect(front.complaints).toBe('');
  });

  test('with its defaults it speaks HTTP/1.0 and closes each connection', async () => {
    await using member = await NodeMember.start((request, response) => {
      response.write('in ');
      response.end(`chunks for ${request.headers.host}`);
    });
    await using scene = await Scene.open({ members: [member.spec] }, { protocol: 'http' });
    await using front = await Nginx.start({ server: `location / { proxy_pass ${urlOf(scene.place, '')}; }` });
    for (let turn = 0; turn < 20; turn++) {
      const { status, body } = await get(front.place, '/');
      expect([status, body.toString()]).toEqual([
        200,
        `in chunks for ${urlOf(scene.place, '').slice('http://'.length)}`,
      ]);
    }
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ requests: 20, totalConnections: 20, responses2xx: 20 });
    expect(front.complaints).toBe('');
  });

  test('large bodies go through both ways as they come', async () => {
    // Not before it has all of it: nginx 1.22 does not read an answer while it waits to send more of the request.
    await using member = await NodeMember.start(async (request, response) => response.end(await buffer(request)));
    await using scene = await Scene.open({ members: [member.spec] }, { protocol: 'http' });
    await using front = await Nginx.start(proxying(scene.place, unbuffered));
    const file = noiseOf(20 * mebi);
    for (const body of [file, inPieces(file, 333_333)]) {
      const answer = await get(front.place, '/', { method: 'POST', body });
      expect(answer.status).toBe(200);
      expect(sha1(answer.body)).toBe(sha1(file));
    }
    await front[Symbol.asyncDispose]();
    await scene.isAtRest();
  });

  test('its word about the client is taken where it is trusted', async () => {
    await using member = await NodeMember.start((request, response) => {
      response.end(JSON.stringify({ for: request.headers['x-forwarded-for'], via: request.headers.via }));
    });
    const insertHeaders = { 'X-Forwarded-For': true, Via: true };
    for (const [trustedCidrs, expected] of [
      [['127.0.0.0/8'], '192.0.2.1, 127.0.0.1, 127.0.0.1'],
      [[], '127.0.0.1'],
    ] as const) {
      const settings = { protocol: 'http', insertHeaders, trustedCidrs } as const;
      await using scene = await Scene.open({ members: [member.spec] }, settings);
      await using front = await Nginx.start(proxying(scene.place));
      const { body } = await get(front.place, '/', { headers: { 'X-Forwarded-For': '192.0.2.1' } });
      expect(JSON.parse(body.toString())).toEqual({ for: expected, via: '1.1 evenkeel' });
    }
  });

  test('events stream through both without delay, and a client that leaves is seen to leave', async () => {
    const feed = new EventEmitter();
    await using member = await NodeMember.start(expressApp({ feed }));
    await using scene = await Scene.open({ members: [member.spec] }, { protocol: 'http' });
    await using front = await Nginx.start(proxying(scene.place, unbuffered));
    const request = requestOf(urlOf(front.place, '/events'), { agent: false }).end();
    request.on('error', () => {});
    const [answer] = (await soon(once(request, 'response'), 'the head of a stream')) as [IncomingMessage];
    for (let turn = 0; turn < 10; turn++) {
      const data = soon(once(answer, 'data'), 'an event');
      feed.emit('event', `event ${turn}`);
      expect(String((await data)[0])).toBe(`data: event ${turn}\n\n`);
    }
    request.destroy();
    await until(() => feed.listenerCount('event') === 0, 'the app sees the client leave');
    await front[Symbol.asyncDispose]();
    await scene.isAtRest();
  });

  test('a WebSocket goes through both', async () => {
    await using member = await WsMember.start();
    await using scene = await Scene.open({ members: [member.spec] }, { protocol: 'http' });
    await using front = await Nginx.start(proxying(scene.place));
    await echoesThrough(front.place);
    await scene.isAtRest();
  });

  test('it passes on an answer of our own where there is no member', async () => {
    await using scene = await Scene.open({ members: [] }, { protocol: 'http' });
    await using front = await Nginx.start(proxying(scene.place));
    const { status, body } = await get(front.place, '/', { headers: { Accept: 'application/json' } });
    expect(status).toBe(503);
    expect(JSON.parse(body.toString())).toMatchObject({ status: 503 });
  });
});
