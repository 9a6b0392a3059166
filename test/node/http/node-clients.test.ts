import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request as requestOf } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { get, urlOf } from '../../fixtures/node/http/node-client.ts';
import { NodeMember } from '../../fixtures/node/http/node-member.ts';
import { inPieces, measured, noiseOf, sha1 } from '../../fixtures/node/http/noise.ts';
import { ownFolder } from '../../fixtures/node/places.ts';
import { Scene } from '../../fixtures/node/scene.ts';
import { soon, until } from '../../fixtures/node/until.ts';

function sceneOf(...members: NodeMember[]): Promise<Scene> {
  return Scene.open({ members: members.map(({ spec }) => spec) }, { protocol: 'http' });
}

/** Tells what it got. */
function measures(id = 'app'): Promise<NodeMember> {
  return NodeMember.start(async (request, response) => {
    const { size, sha1 } = await measured(request);
    response.end(JSON.stringify({ id, method: request.method, url: request.url, size, sha1 }));
  }, id);
}

test('an agent that keeps its connections needs one for one request after the other, and the members are taken in turn', async () => {
  await using first = await measures('first');
  await using second = await measures('second');
  await using scene = await sceneOf(first, second);
  const agent = new Agent({ keepAlive: true });
  const ids: string[] = [];
  for (let turn = 0; turn < 50; turn++) {
    const { body } = await get(scene.place, `/${turn}`, { agent });
    ids.push(JSON.parse(body.toString()).id);
  }
  expect(ids).toEqual(Array.from({ length: 50 }, (_, index) => (index % 2 === 0 ? ids[0] : ids[1])));
  expect(new Set(ids)).toEqual(new Set(['first', 'second']));
  expect(scene.vip.stats.totalConnections).toBe(1);
  expect(scene.shares).toEqual({ first: 1, second: 1 });
  agent.destroy();
  await scene.isAtRest();
});

test('uploads that wait for one connection follow each other on it, of known length or not', async () => {
  await using member = await measures();
  await using scene = await sceneOf(member);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const files = [0, 1, 65_535, 65_536, 1_000_001, 5, 3 * 1024 * 1024].map(noiseOf);
  const answers = await Promise.all(
    files.flatMap((file) => [
      get(scene.place, '/known', { method: 'PUT', body: file, agent }),
      get(scene.place, '/unknown', { method: 'POST', body: inPieces(file, 40_000), agent }),
    ]),
  );
  const got = answers.map(({ body }) => JSON.parse(body.toString()).sha1);
  expect(got).toEqual(files.flatMap((file) => [sha1(file), sha1(file)]));
  expect(scene.vip.stats).toMatchObject({ totalConnections: 1, requests: 2 * files.length, requestErrors: 0 });
  agent.destroy();
  await scene.isAtRest();
});

test('fetch sends and gets bodies of all kinds', async () => {
  await using member = await NodeMember.start((request, response) => {
    response.writeHead(200, { 'Content-Type': request.headers['content-type'] ?? 'none' });
    request.pipe(response);
  });
  await using scene = await sceneOf(member);
  const url = urlOf(scene.place);
  const noise = noiseOf(2 * 1024 * 1024);
  const texts = await Promise.all([
    fetch(url, { method: 'POST', body: 'Größe' }).then((answer) => answer.text()),
    fetch(url, { method: 'PUT', body: new URLSearchParams({ a: 'b c' }) }).then((answer) => answer.text()),
    fetch(url).then((answer) => answer.text()),
  ]);
  expect(texts).toEqual(['Größe', 'a=b+c', '']);
  const back = await fetch(url, { method: 'POST', body: noise });
  expect(sha1(new Uint8Array(await back.arrayBuffer()))).toBe(sha1(noise));
  const stream = new Blob([noise]).stream();
  // Node asks for `duplex`, which the types of `fetch` do not know.
  const streamed = await fetch(url, { method: 'POST', body: stream, duplex: 'half' } as RequestInit);
  expect(sha1(new Uint8Array(await streamed.arrayBuffer()))).toBe(sha1(noise));
});

test('a hundred fetches at once all get their own answers', async () => {
  await using first = await measures('first');
  await using second = await measures('second');
  await using scene = await sceneOf(first, second);
  const answers = await Promise.all(
    Array.from({ length: 100 }, async (_, index) => {
      const answer = await fetch(urlOf(scene.place, `/${index}`), { method: 'POST', body: 'x'.repeat(index * 1000) });
      const { id, url, size } = (await answer.json()) as { id: string; url: string; size: number };
      expect({ url, size }).toEqual({ url: `/${index}`, size: index * 1000 });
      return id;
    }),
  );
  expect(answers.filter((id) => id === 'first')).toHaveLength(50);
});

test('early hints come before the answer that they belong to, each of them', async () => {
  await using member = await NodeMember.start(async (_request, response) => {
    response.writeEarlyHints({ link: '</style.css>; rel=preload; as=style', 'x-trace': 'one' });
    response.writeEarlyHints({ link: ['</a.js>; rel=preload', '</b.js>; rel=preload'] });
    await sleep(20);
    response.setHeader('Content-Type', 'text/html');
    response.end('<!doctype html>');
  });
  await using scene = await sceneOf(member);
  const agent = new Agent({ keepAlive: true });
  for (let turn = 0; turn < 3; turn++) {
    const { status, body, interim, headers } = await get(scene.place, '/', { agent });
    expect({ status, type: headers['content-type'], body: body.toString() }).toEqual({
      status: 200,
      type: 'text/html',
      body: '<!doctype html>',
    });
    expect(interim.map(({ status }) => status)).toEqual([103, 103]);
    expect(interim[0]?.headers).toMatchObject({ link: '</style.css>; rel=preload; as=style', 'x-trace': 'one' });
    expect(interim[1]?.headers).toMatchObject({ link: '</a.js>; rel=preload, </b.js>; rel=preload' });
  }
  agent.destroy();
  await scene.isAtRest();
  expect(scene.vip.stats).toMatchObject({ requests: 3, responses1xx: 6, responses2xx: 3, totalConnections: 1 });
});

test('trailers go from member to client and from client to member', async () => {
  await using member = await NodeMember.start(async (request, response) => {
    const { size } = await measured(request);
    response.writeHead(200, { Trailer: 'X-Sum, X-Heard' });
    response.write('a body, ');
    response.write('and more of it');
    response.addTrailers({ 'X-Sum': 'abc', 'X-Heard': `${size} ${request.trailers['x-check'] ?? 'nothing'}` });
    response.end();
  });
  await using scene = await sceneOf(member);
  const request = requestOf(urlOf(scene.place), {
    method: 'POST',
    agent: false,
    headers: { Trailer: 'X-Check', TE: 'trailers', 'Transfer-Encoding': 'chunked' },
  });
  request.write('12345');
  request.addTrailers({ 'X-Check': 'five' });
  request.end();
  const [answer] = (await soon(once(request, 'response'), 'an answer')) as [IncomingMessage];
  expect(answer.headers.trailer).toBe('X-Sum, X-Heard');
  expect(await measured(answer)).toMatchObject({ size: 'a body, and more of it'.length });
  expect(answer.trailers).toEqual({ 'x-sum': 'abc', 'x-heard': '5 five' });
  await scene.isAtRest();
});

test('a client that waits for 100 (Continue) gets it from the member, or the final answer instead', async () => {
  const server = createServer((_request, response) => response.end('not expected'));
  server.on('checkContinue', async (request, response) => {
    if (request.url === '/no') {
      response.writeHead(413, { Connection: 'close' }).end('too much');
      return;
    }
    response.writeContinue();
    response.end(JSON.stringify(await measured(request)));
  });
  await using member = await NodeMember.start(server);
  await using scene = await sceneOf(member);
  const file = noiseOf(200_000);
  const headers = { Expect: '100-continue', 'Content-Length': file.length };

  const request = requestOf(urlOf(scene.place, '/yes'), { method: 'PUT', headers, agent: false });
  request.flushHeaders();
  const answered = once(request, 'response');
  await soon(once(request, 'continue'), '100 (Continue)');
  request.end(file);
  const [answer] = (await soon(answered, 'an answer')) as [IncomingMessage];
  let text = '';
  for await (const chunk of answer) text += chunk;
  expect(JSON.parse(text)).toEqual({ size: file.length, sha1: sha1(file) });

  const refused = requestOf(urlOf(scene.place, '/no'), { method: 'PUT', headers, agent: false });
  refused.on('error', () => {});
  refused.on('continue', () => refused.destroy(new Error('100 after all')));
  refused.flushHeaders();
  const [refusal] = (await soon(once(refused, 'response'), 'a refusal')) as [IncomingMessage];
  expect(refusal.statusCode).toBe(413);
  refused.destroy();
  await scene.isAtRest();
  expect(scene.vip.stats).toMatchObject({ requests: 2, responses1xx: 1, responses2xx: 1, responses4xx: 1 });
});

test('a client that gives up frees the member at once', async () => {
  let requests = 0;
  let closes = 0;
  await using member = await NodeMember.start((request) => {
    requests++;
    request.on('close', () => closes++);
  });
  await using scene = await sceneOf(member);
  const leaving = new AbortController();
  const answers = Array.from({ length: 20 }, () => fetch(urlOf(scene.place), { signal: leaving.signal }));
  await until(() => requests === 20, 'all wait for an answer');
  leaving.abort();
  const outcomes = await Promise.allSettled(answers);
  expect(outcomes.map(({ status }) => status)).toEqual(outcomes.map(() => 'rejected'));
  await until(() => closes === 20, 'the member sees them all go');
  await until(() => scene.pool.stats.activeConnections === 0, 'no connection is in use');
  expect(scene.vip.stats).toMatchObject({ abortedRequests: 20 });
});

test('a client on a Unix socket speaks to a member on a port', async () => {
  await using member = await measures();
  await using folder = await ownFolder();
  const address = `unix:${folder.socket('vip')}`;
  await using scene = await Scene.open({ members: [member.spec] }, { protocol: 'http', address });
  const body = noiseOf(100_000);
  const answer = await get(scene.place, '/over/unix', { method: 'POST', body });
  expect(JSON.parse(answer.body.toString())).toMatchObject({ url: '/over/unix', sha1: sha1(body) });
  await scene.isAtRest();
});

test('a head of many long fields goes through, both ways', async () => {
  await using member = await NodeMember.start((request, response) => {
    for (const [name, value] of Object.entries(request.headers)) {
      if (name.startsWith('x-long')) response.setHeader(`${name}-back`, value ?? '');
    }
    response.end();
  });
  await using scene = await sceneOf(member);
  const headers = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`x-long-${index}`, 'v'.repeat(300)]));
  const answer = await get(scene.place, '/', { headers });
  const back = Object.fromEntries(Object.entries(headers).map(([name, value]) => [`${name}-back`, value]));
  expect(answer.headers).toMatchObject(back);
});
