import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { type ClientOptions, type RawData, WebSocket } from 'ws';
import { urlOf } from '../../fixtures/node/http/node-client.ts';
import { noiseOf, sha1 } from '../../fixtures/node/http/noise.ts';
import { WsMember } from '../../fixtures/node/http/ws-member.ts';
import { Scene } from '../../fixtures/node/scene.ts';
import { soon, until } from '../../fixtures/node/until.ts';

function sceneOf(...members: WsMember[]): Promise<Scene> {
  return Scene.open({ members: members.map(({ spec }) => spec) }, { protocol: 'http' });
}

/** A client of the library `ws`, connected through the virtual IP. */
async function connected(scene: Scene, options: ClientOptions = {}, protocols: string[] = []): Promise<WebSocket> {
  const client = new WebSocket(urlOf(scene.place, '/socket').replace('http', 'ws'), protocols, options);
  await soon(once(client, 'open'), 'the WebSocket opens');
  return client;
}

/** Sends something and waits for what comes next. */
async function echoed(client: WebSocket, data: string | Buffer): Promise<Buffer | string> {
  const message = soon(once(client, 'message'), 'a message');
  client.send(data);
  const [answer, isBinary] = (await message) as [RawData, boolean];
  return isBinary ? (answer as Buffer) : answer.toString();
}

async function closed(client: WebSocket): Promise<{ code: number; reason: string }> {
  const [code, reason] = (await soon(once(client, 'close'), 'the WebSocket closes')) as [number, Buffer];
  return { code, reason: reason.toString() };
}

test('text and binary messages of any size come back as they went', async () => {
  await using member = await WsMember.start();
  await using scene = await sceneOf(member);
  const client = await connected(scene);
  for (const text of ['', 'hello', 'Größe 🚀', 'x'.repeat(70_000)]) expect(await echoed(client, text)).toBe(text);
  for (const size of [0, 1, 125, 126, 65_535, 65_536, 1024 * 1024]) {
    const sent = noiseOf(size);
    const back = await echoed(client, sent);
    expect(back).toBeInstanceOf(Buffer);
    expect({ size, sha1: sha1(back as Buffer) }).toEqual({ size, sha1: sha1(sent) });
  }
  client.close();
  await closed(client);
  await scene.isAtRest();
  expect(scene.vip.stats).toMatchObject({ requests: 1, responses1xx: 1, requestErrors: 0, responses5xx: 0 });
  expect(scene.vip.stats.bytesIn).toBeGreaterThan(1024 * 1024);
  expect(scene.vip.stats.bytesOut).toBeGreaterThan(1024 * 1024);
});

test('many messages at once, both ways, keep their order', async () => {
  await using member = await WsMember.start();
  await using scene = await sceneOf(member);
  const client = await connected(scene);
  const sent = Array.from({ length: 2000 }, (_, index) => `${index} ${'y'.repeat((index * 131) % 5000)}`);
  const back: string[] = [];
  client.on('message', (data) => back.push(data.toString()));
  for (const text of sent) client.send(text);
  await until(() => back.length === sent.length, 'all messages are back', 30_000);
  expect(back).toEqual(sent);
  client.terminate();
  await scene.isAtRest();
});

test('a message in fragments arrives as one', async () => {
  await using member = await WsMember.start();
  await using scene = await sceneOf(member);
  const client = await connected(scene);
  const message = once(client, 'message');
  for (const part of ['one ', 'two ', '']) client.send(part, { fin: false });
  client.send('three', { fin: true });
  const [answer] = (await soon(message, 'the message')) as [RawData];
  expect(answer.toString()).toBe('one two three');
  client.terminate();
});

test('pings and pongs go both ways, between fragments too', async () => {
  await using member = await WsMember.start();
  await using scene = await sceneOf(member);
  const client = await connected(scene);
  const [atMember] = [...member.server.clients] as [WebSocket];
  client.send('a', { fin: false });
  const pong = once(client, 'pong');
  client.ping('from the client');
  expect(String((await soon(pong, 'a pong'))[0])).toBe('from the client');
  const pongAtMember = once(atMember, 'pong');
  atMember.ping('from the member');
  expect(String((await soon(pongAtMember, 'a pong'))[0])).toBe('from the member');
  const message = once(client, 'message');
  client.send('b', { fin: true });
  expect(String((await soon(message, 'the message'))[0])).toBe('ab');
  client.terminate();
});

test.each([
  [1000, 'done'],
  [1001, ''],
  [1011, 'an error'],
  [4001, 'a reason of its own: ä'],
])('a close with code %i reaches the other side, from the client and from the member', async (code, reason) => {
  await using member = await WsMember.start();
  await using scene = await sceneOf(member);
  for (const side of ['client', 'member']) {
    const client = await connected(scene);
    const [atMember] = [...member.server.clients] as [WebSocket];
    const [closing, other] = side === 'client' ? [client, atMember] : [atMember, client];
    const both = Promise.all([closed(closing), closed(other)]);
    closing.close(code, reason);
    const told = { code, reason };
    expect(await both).toEqual([told, told]);
    await until(() => member.server.clients.size === 0, 'the member forgets the client');
  }
  await scene.isAtRest();
});

test('a side that vanishes is seen to have vanished', async () => {
  await using member = await WsMember.start();
  await using scene = await sceneOf(member);
  for (const side of ['client', 'member']) {
    const client = await connected(scene);
    client.on('error', () => {});
    const [atMember] = [...member.server.clients] as [WebSocket];
    const [vanishing, other] = side === 'client' ? [client, atMember] : [atMember, client];
    const seen = closed(other);
    vanishing.terminate();
    expect((await seen).code).toBe(1006);
    await until(() => member.server.clients.size === 0, 'the member forgets the client');
  }
  await scene.isAtRest();
});

test('what a member sends right behind its 101 arrives', async () => {
  await using member = await WsMember.start('greets', {}, (socket) => {
    socket.send('welcome');
    socket.send('x'.repeat(200_000));
  });
  await using scene = await sceneOf(member);
  const client = new WebSocket(urlOf(scene.place).replace('http', 'ws'));
  const got: number[] = [];
  client.on('message', (data) => got.push(data.toString().length));
  await until(() => got.length === 2, 'both messages arrive');
  expect(got).toEqual([7, 200_000]);
  client.terminate();
});

test('compression and a subprotocol are agreed upon between client and member', async () => {
  await using member = await WsMember.start('ws', {
    perMessageDeflate: { threshold: 0 },
    handleProtocols: (offered) => (offered.has('v2') ? 'v2' : false),
  });
  await using scene = await sceneOf(member);
  const client = await connected(scene, { perMessageDeflate: { threshold: 0 } }, ['v1', 'v2']);
  expect(client.protocol).toBe('v2');
  expect(client.extensions).toContain('permessage-deflate');
  const text = 'the same over and over, '.repeat(100_000);
  const before = scene.vip.stats.bytesOut;
  expect(await echoed(client, text)).toBe(text);
  expect(scene.vip.stats.bytesOut - before).toBeLessThan(text.length / 10);
  const noise = noiseOf(1024 * 1024);
  expect(sha1((await echoed(client, noise)) as Buffer)).toBe(sha1(noise));
  client.close();
  await closed(client);
  await scene.isAtRest();
});

test('a member that does not want one client says so, and takes the next one', async () => {
  await using member = await WsMember.start('ws', {
    verifyClient: ({ req }, answer) => answer(req.url === '/welcome', 401, 'Not You'),
  });
  await using scene = await sceneOf(member);
  const url = urlOf(scene.place).replace('http', 'ws');
  const client = new WebSocket(`${url}stranger`);
  client.on('error', () => {});
  const [, answer] = (await soon(once(client, 'unexpected-response'), 'a refusal')) as [unknown, IncomingMessage];
  expect(answer.statusCode).toBe(401);
  expect(await text(answer)).toBe('Not You');
  client.terminate();
  const welcome = new WebSocket(`${url}welcome`);
  await soon(once(welcome, 'open'), 'the WebSocket opens');
  expect(await echoed(welcome, 'hello')).toBe('hello');
  welcome.terminate();
  await scene.isAtRest();
  expect(scene.vip.stats).toMatchObject({ requests: 2, responses4xx: 1, responses1xx: 1 });
});

test('many clients at once are spread over the members, and each hears only its own', async () => {
  const clients = 300;
  await using first = await WsMember.start('first');
  await using second = await WsMember.start('second');
  await using scene = await sceneOf(first, second);
  const sockets = await Promise.all(Array.from({ length: clients }, () => connected(scene)));
  expect([first.server.clients.size, second.server.clients.size]).toEqual([clients / 2, clients / 2]);
  expect(scene.pool.stats.activeConnections).toBe(clients);
  for (let round = 0; round < 5; round++) {
    const answers = await Promise.all(sockets.map((socket, index) => echoed(socket, `${round} of ${index}`)));
    expect(answers).toEqual(sockets.map((_, index) => `${round} of ${index}`));
  }
  const all = Promise.all(sockets.map(closed));
  for (const socket of sockets) socket.close(1000);
  expect(new Set((await all).map(({ code }) => code))).toEqual(new Set([1000]));
  await scene.isAtRest();
  expect(scene.vip.stats).toMatchObject({ requests: clients, responses1xx: clients, abortedRequests: 0 });
});

test('ordinary requests and WebSockets share a virtual IP and its members', async () => {
  await using member = await WsMember.start();
  await using scene = await sceneOf(member);
  const client = await connected(scene);
  const answer = await fetch(urlOf(scene.place));
  expect(await answer.text()).toBe('ordinary');
  expect(await echoed(client, 'still here')).toBe('still here');
  client.terminate();
});
