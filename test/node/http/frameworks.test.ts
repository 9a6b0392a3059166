import { EventEmitter, once } from 'node:events';
import { Agent, type IncomingMessage, request as requestOf } from 'node:http';
import { describe, expect, test } from 'vitest';
import { page, streamed } from '../../fixtures/node/http/app.ts';
import { expressApp } from '../../fixtures/node/http/express-app.ts';
import { fastifyApp } from '../../fixtures/node/http/fastify-app.ts';
import { type Answer, get, type Question, urlOf } from '../../fixtures/node/http/node-client.ts';
import { NodeMember } from '../../fixtures/node/http/node-member.ts';
import { inPieces, noiseOf, sha1 } from '../../fixtures/node/http/noise.ts';
import { Scene } from '../../fixtures/node/scene.ts';
import { soon, until } from '../../fixtures/node/until.ts';

/** Starts an app behind a virtual IP. */
type Start = (feed: EventEmitter) => Promise<NodeMember>;

const frameworks: Record<string, Start> = {
  Express: (feed) => NodeMember.start(expressApp({ feed })),
  Fastify: async (feed) => {
    const app = fastifyApp({ feed });
    await app.ready();
    return NodeMember.start(app.server);
  },
};

function sceneOf(member: NodeMember): Promise<Scene> {
  return Scene.open({ members: [member.spec] }, { protocol: 'http' });
}

/** What a client sees of an answer, but for what concerns the connection or the moment. */
function seen({ status, headers, body }: Answer): unknown {
  const { date, connection, 'keep-alive': keepAlive, ...others } = headers;
  return { status, headers: others, body: sha1(body) };
}

describe.each(Object.entries(frameworks))('an app of %s, unchanged', (_name, start) => {
  const questions: [path: string, question: Question][] = [
    ['/json?a=1&b=%C3%A4', {}],
    ['/json', { method: 'HEAD' }],
    ['/json', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"a":[1,2,"ä"]}' }],
    ['/json', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"a":' }],
    ['/json', { method: 'OPTIONS' }],
    ['/cookies', { headers: { Cookie: 'a=1; b=2' } }],
    ['/redirect', {}],
    ['/error', {}],
    ['/missing', {}],
    ['/nothing', {}],
    ['/page', {}],
    ['/page', { method: 'HEAD' }],
    ['/stream', {}],
    ['/stream', { method: 'HEAD' }],
    ['/gzip', { headers: { 'Accept-Encoding': 'gzip' } }],
  ];

  test('answers through a virtual IP as it does without', async () => {
    await using member = await start(new EventEmitter());
    await using scene = await sceneOf(member);
    for (const [path, question] of questions) {
      const direct = await get(member.place, path, question);
      const balanced = await get(scene.place, path, question);
      expect({ path, ...question, answer: seen(balanced) }).toEqual({ path, ...question, answer: seen(direct) });
    }
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ requests: questions.length, requestErrors: 0, abortedRequests: 0 });
  });

  test('keeps each of its cookies a cookie, and gets those of the client', async () => {
    await using member = await start(new EventEmitter());
    await using scene = await sceneOf(member);
    const answer = await fetch(urlOf(scene.place, '/cookies'), { headers: { Cookie: 'a=1; b=2' } });
    expect(answer.headers.getSetCookie().map((cookie) => cookie.split(/[;=]/)[0])).toEqual([
      'session',
      'theme',
      'gone',
    ]);
    expect(await answer.text()).toBe('you sent a=1; b=2');
  });

  test('sends fetch elsewhere, and fetch comes back through the virtual IP', async () => {
    await using member = await start(new EventEmitter());
    await using scene = await sceneOf(member);
    const answer = await fetch(urlOf(scene.place, '/redirect'));
    expect(answer.url).toBe(urlOf(scene.place, '/json?from=redirect'));
    expect(await answer.json()).toEqual({ path: '/json', query: { from: 'redirect' } });
    expect(scene.vip.stats).toMatchObject({ requests: 2, responses3xx: 1, responses2xx: 1 });
  });

  test('streams and compresses, and fetch reads it all', async () => {
    await using member = await start(new EventEmitter());
    await using scene = await sceneOf(member);
    const whole = (await streamed().toArray()).join('');
    for (const path of ['/stream', '/gzip']) {
      const answer = await fetch(urlOf(scene.place, path));
      expect(await answer.text()).toBe(whole);
    }
    expect(await (await fetch(urlOf(scene.place, '/page'))).text()).toBe(page);
  });

  test('gets a file whole, sent with its length or in pieces', async () => {
    await using member = await start(new EventEmitter());
    await using scene = await sceneOf(member);
    const file = noiseOf(5 * 1024 * 1024 + 1);
    const small = file.subarray(0, 50_000);
    const headers = { 'Content-Type': 'application/octet-stream' };
    for (const [sent, body] of [
      [file, file],
      [file, inPieces(file, 70_001)],
      [small, inPieces(small, 7)],
    ] as const) {
      const answer = await get(scene.place, '/upload', { method: 'POST', headers, body });
      expect(answer.status).toBe(200);
      expect(JSON.parse(answer.body.toString())).toEqual({ size: sent.length, sha1: sha1(sent) });
    }
    await scene.isAtRest();
  });

  test('gets a form with a file in it', async () => {
    await using member = await start(new EventEmitter());
    await using scene = await sceneOf(member);
    const file = noiseOf(300_000);
    const form = new FormData();
    form.set('title', 'Größe');
    form.set('file', new Blob([file]), 'noise.bin');
    const answer = await fetch(urlOf(scene.place, '/form'), { method: 'POST', body: form });
    expect(await answer.json()).toEqual({
      title: 'Größe',
      file: { file: 'noise.bin', size: 300_000, sha1: sha1(file) },
    });
  });

  test('tells of each event at once: the next one is made only when the last one has arrived', async () => {
    const feed = new EventEmitter();
    await using member = await start(feed);
    await using scene = await sceneOf(member);
    const request = requestOf(urlOf(scene.place, '/events'), { agent: false }).end();
    request.on('error', () => {});
    const [answer] = (await soon(once(request, 'response'), 'the head of a stream')) as [IncomingMessage];
    expect(answer.headers['content-type']).toContain('text/event-stream');
    const arriving = answer[Symbol.asyncIterator]();
    for (const size of [1, 10, 100_000, 3, 20_000, 1]) {
      const text = 'x'.repeat(size);
      feed.emit('event', text);
      let event = '';
      while (!event.endsWith('\n\n')) {
        const { value } = await soon(arriving.next(), `an event of ${size} characters`);
        event += value;
      }
      expect(event).toBe(`data: ${text}\n\n`);
    }
    request.destroy();
    await until(() => feed.listenerCount('event') === 0, 'the app sees the client leave');
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ abortedRequests: 1, responses2xx: 1 });
  });

  test('serves many at once, over few connections', async () => {
    await using member = await start(new EventEmitter());
    await using scene = await sceneOf(member);
    const agent = new Agent({ keepAlive: true, maxSockets: 20 });
    const answers = await Promise.all(
      Array.from({ length: 400 }, (_, index) => get(scene.place, `/json?n=${index}`, { agent })),
    );
    const numbers = answers.map(({ body }) => JSON.parse(body.toString()).query.n);
    expect(numbers).toEqual(Array.from({ length: 400 }, (_, index) => String(index)));
    agent.destroy();
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ totalConnections: 20, requests: 400, responses2xx: 400 });
    expect(scene.pool.stats.totalConnections).toBeLessThanOrEqual(20);
  });
});

test('an app of Express answers conditional and partial requests as it does without a virtual IP', async () => {
  const { default: express } = await import('express');
  const app = express();
  app.get('/file', (_request, response) => {
    response.sendFile(import.meta.filename ?? new URL(import.meta.url).pathname);
  });
  await using member = await NodeMember.start(app);
  await using scene = await sceneOf(member);
  const whole = await get(scene.place, '/file');
  const etag = whole.headers.etag ?? '';
  expect(whole.body.toString()).toContain('conditional and partial requests');
  const questions: Record<string, string>[] = [
    { 'If-None-Match': etag },
    { Range: 'bytes=0-99' },
    { Range: 'bytes=-1' },
    { Range: 'bytes=0-0,50-60' },
    { Range: 'bytes=99999999-' },
    { 'If-Range': '"another"', Range: 'bytes=0-9' },
  ];
  const statuses: number[] = [];
  for (const headers of questions) {
    const answer = await get(scene.place, '/file', { headers });
    expect(seen(answer)).toEqual(seen(await get(member.place, '/file', { headers })));
    statuses.push(answer.status);
  }
  expect(statuses).toEqual([304, 206, 206, 200, 416, 200]);
});
