import { describe, expect, test } from 'vitest';
import { ask, fateOf, HttpClient, request } from '../../fixtures/node/http/client.ts';
import { type Handler, HttpMember } from '../../fixtures/node/http/member.ts';
import { mebi, pour } from '../../fixtures/node/http/pour.ts';
import { httpScene } from '../../fixtures/node/http/scene.ts';
import { BlackHole, Child } from '../../fixtures/node/process.ts';
import { Scene } from '../../fixtures/node/scene.ts';
import { soon, until } from '../../fixtures/node/until.ts';

const saysNothing: Handler = () => {};

/** Whether it has been kept. */
function watch(promise: Promise<unknown>): () => boolean {
  let isKept = false;
  void promise.then(() => {
    isKept = true;
  });
  return () => isKept;
}

describe('a listener that closes', () => {
  test('takes no new clients, and closes at once the connections on which nothing is under way', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member]);
    using fresh = await HttpClient.connect(scene.place);
    using used = await HttpClient.connect(scene.place);
    await used.ask('/');
    await until(() => scene.vip.stats.activeConnections === 2, 'both are in');
    await soon(scene.listener.close(), 'the end');
    await fresh.closed();
    await used.closed();
    expect([fresh.error, used.error]).toEqual([undefined, undefined]);
    expect(await fateOf(scene.place)).toBe('ECONNREFUSED');
    await member.isLetGo();
    await scene.isAtRest();
  });

  test('lets a request finish, tells its client that it was the last, and ends with it', async () => {
    await using member = await HttpMember.start({ does: saysNothing });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    client.request('/');
    const heard = await member.request(1);
    const closing = scene.listener.close();
    const isClosed = watch(closing);
    expect(await fateOf(scene.place)).toBe('ECONNREFUSED');
    expect(isClosed()).toBe(false);
    heard.answer('at last');
    const { body, fields } = await client.answer();
    expect(body).toBe('at last');
    expect(fields).toContainEqual(['Connection', 'close']);
    await client.closed();
    await soon(closing, 'the end');
    await member.isLetGo();
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ requests: 1, responses2xx: 1, abortedRequests: 0 });
  });

  test('lets an answer finish that has begun, and closes behind it', async () => {
    await using member = await HttpMember.start({
      does: (heard) => heard.say('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello'),
    });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    client.request('/');
    await client.hasGot(5);
    const closing = scene.listener.close();
    member.requests[0]?.say('world');
    expect((await client.answer()).body).toBe('helloworld');
    await client.closed();
    await soon(closing, 'the end');
    await scene.isAtRest();
  });

  test('lets a request finish whose head has only begun to come in', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    await client.ask('/');
    client.send('GET / HTTP/1.1\r\nHost: a.ex');
    using other = await HttpClient.connect(scene.place);
    await other.ask('/');
    const closing = scene.listener.close();
    client.send('ample\r\n\r\n');
    expect((await client.answer()).field('Connection')).toBe('close');
    await client.closed();
    await other.closed();
    await soon(closing, 'the end');
    await scene.isAtRest();
    expect(scene.vip.stats.requests).toBe(3);
  });

  test('lets an upload finish', async () => {
    await using member = await HttpMember.start({ does: (heard) => heard.answer(`${heard.message.size}`) });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    client.request('/', { method: 'POST', fields: [`Content-Length: ${8 * mebi}`] });
    client.send('x');
    await member.request(1);
    const closing = scene.listener.close();
    await pour(client.socket, 8 * mebi - 1);
    expect((await client.answer()).body).toBe(`${8 * mebi}`);
    await client.closed();
    await soon(closing, 'the end');
    await scene.isAtRest();
  });

  test('lets a download finish that its client takes slowly', async () => {
    await using member = await HttpMember.start({ does: (heard) => heard.answer('x'.repeat(10 * mebi)) });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    client.request('/');
    await client.hasGot(1);
    client.socket.pause();
    const closing = scene.listener.close();
    const isClosed = watch(closing);
    await member.until(() => (member.wires[0]?.socket.bytesWritten ?? 0) > mebi, 'it flows');
    expect(isClosed()).toBe(false);
    client.socket.resume();
    expect((await client.answer()).size).toBe(10 * mebi);
    await client.closed();
    await soon(closing, 'the end');
    await scene.isAtRest();
  });

  test('begins none of the requests that were sent ahead', async () => {
    await using member = await HttpMember.start({ does: saysNothing });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    client.send(request('/1') + request('/2'));
    await member.request(1);
    const closing = scene.listener.close();
    member.requests[0]?.answer();
    expect((await client.answer()).field('Connection')).toBe('close');
    await client.closed();
    await soon(closing, 'the end');
    expect(member.targets).toEqual(['/1']);
    await scene.isAtRest();
  });

  test('cuts nobody off under load: whoever has the beginning of an answer gets its end', async () => {
    await using member = await HttpMember.start({ does: (heard) => heard.answer('x'.repeat(200_000)) });
    await using scene = await httpScene([member]);
    let answered = 0;
    const fates = Array.from({ length: 20 }, async () => {
      using client = await HttpClient.connect(scene.place);
      for (;;) {
        client.request('/');
        // One that was sent just when its idle connection was closed has no answer, and no part of one.
        const begun = await client.answerBegun().catch(() => undefined);
        if (begun === undefined) return;
        expect((await client.answer()).size).toBe(200_000);
        answered++;
        if (begun.field('Connection') === 'close') return client.closed();
      }
    });
    await until(() => answered > 200, 'there is load');
    await soon(scene.listener.close(), 'the end');
    await Promise.all(fates);
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ responses2xx: answered, responses5xx: 0 });
  });

  test('sends away clients that wait for their turn', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member], {}, { connectionLimit: 1 });
    using served = await HttpClient.connect(scene.place);
    await served.ask('/');
    using waiting = await HttpClient.connect(scene.place);
    waiting.request('/');
    await until(() => scene.vip.stats.waitingConnections === 1, 'it waits');
    await soon(scene.listener.close(), 'the end');
    await waiting.closed();
    expect(waiting.answers).toEqual([]);
    await scene.isAtRest();
    expect(scene.vip.stats.requests).toBe(1);
  });

  test.each([0, 60])('ends what still runs at its deadline, %i ms on', async (deadline) => {
    await using member = await HttpMember.start({
      does: (heard) => heard.target !== '/silent' && heard.say('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello'),
    });
    await using scene = await httpScene([member]);
    using silent = await HttpClient.connect(scene.place);
    silent.request('/silent');
    await member.request(1);
    using cut = await HttpClient.connect(scene.place);
    cut.request('/');
    await cut.hasGot(5);
    using sending = await HttpClient.connect(scene.place);
    sending.request('/', { method: 'POST', fields: ['Content-Length: 10'] });
    await member.request(3);
    await soon(scene.listener.close({ deadline }), 'the end');
    for (const client of [silent, cut, sending]) await client.closed();
    expect(silent.answers).toEqual([]);
    await member.isLetGo();
    await scene.isAtRest();
    // It was not the clients who left.
    expect(scene.vip.stats.abortedRequests).toBe(0);
  });

  test('ends what still runs when it is told to', async () => {
    await using hole = await BlackHole.open();
    await using member = await HttpMember.start({ does: saysNothing });
    await using scene = await Scene.open({ members: [hole.at, member.at] }, { protocol: 'http' });
    using one = await HttpClient.connect(scene.place);
    using two = await HttpClient.connect(scene.place);
    one.request('/');
    await until(() => scene.pool.stats.activeConnections === 1, 'one is under way');
    two.request('/');
    await member.request(1);
    const controller = new AbortController();
    const closing = scene.listener.close({ signal: controller.signal });
    const isClosed = watch(closing);
    await new Promise(setImmediate);
    expect(isClosed()).toBe(false);
    controller.abort();
    await soon(closing, 'the end');
    await one.closed();
    await two.closed();
    await scene.isAtRest();
  });

  test('with a signal that has aborted before ends everything at once', async () => {
    await using member = await HttpMember.start({ does: saysNothing });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    client.request('/');
    await member.request(1);
    await soon(scene.listener.close({ signal: AbortSignal.abort() }), 'the end');
    await client.closed();
    await scene.isAtRest();
  });

  test('does not wait for a client that keeps its end open behind its last answer, beyond the deadline', async () => {
    await using member = await HttpMember.start({ does: saysNothing });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    client.request('/');
    const heard = await member.request(1);
    const closing = scene.listener.close({ deadline: 300 });
    heard.answer();
    await client.answer();
    await soon(closing, 'the end');
    await client.closed();
    await scene.isAtRest();
    expect(scene.vip.stats.abortedRequests).toBe(0);
  });

  test('may be told so twice', async () => {
    await using member = await HttpMember.start({ does: saysNothing });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    client.request('/');
    await member.request(1);
    const first = scene.listener.close();
    const second = scene.listener.close({ deadline: 0 });
    await soon(Promise.all([first, second]), 'the end');
    await client.closed();
    await scene.isAtRest();
  });
});

describe('a drain', () => {
  test('waits for the requests that a member has, and it gets no more', async () => {
    await using m1 = await HttpMember.start({ name: 'm1', does: saysNothing });
    await using m2 = await HttpMember.start({ name: 'm2' });
    await using scene = await httpScene([m1, m2]);
    using client = await HttpClient.connect(scene.place);
    client.request('/');
    const heard = await m1.request(1);
    const draining = scene.pool.drain('m1');
    const isDrained = watch(draining);
    for (let turn = 0; turn < 4; turn++) expect((await ask(scene.place)).body).toBe('m2');
    expect(isDrained()).toBe(false);
    heard.answer('m1');
    expect((await client.answer()).body).toBe('m1');
    expect(await soon(draining, 'the drain')).toEqual({ remaining: 0 });
    expect((await client.ask('/')).body).toBe('m2');
    await m1.isLetGo();
    client.end();
    await scene.isAtRest();
  });

  test('ends at its deadline what a member still has: with 503, or in the middle of an answer', async () => {
    await using m1 = await HttpMember.start({
      name: 'm1',
      does: (heard) => heard.target === '/begun' && heard.say('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello'),
    });
    await using scene = await httpScene([m1]);
    using silent = await HttpClient.connect(scene.place);
    silent.request('/silent');
    using begun = await HttpClient.connect(scene.place);
    begun.request('/begun');
    await begun.hasGot(5);
    await m1.request(2);
    expect(await soon(scene.pool.drain('m1', { deadline: 50 }), 'the drain')).toEqual({ remaining: 2 });
    const { status, body } = await silent.answer();
    expect([status, body]).toEqual([503, '503 Service Unavailable: the member is going out of service\n']);
    await begun.isCut();
    await silent.closed();
    await m1.isLetGo();
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ requests: 2, responses5xx: 1, abortedRequests: 0 });
  });

  test('does not end other requests of a client that once asked the member', async () => {
    await using m1 = await HttpMember.start({ name: 'm1' });
    await using m2 = await HttpMember.start({ name: 'm2' });
    await using scene = await httpScene([m1, m2]);
    using client = await HttpClient.connect(scene.place);
    for (let turn = 0; turn < 2; turn++) await client.ask('/');
    await scene.pool.drain('m1', { deadline: 0 });
    for (let turn = 0; turn < 2; turn++) expect((await client.ask('/')).body).toBe('m2');
    client.end();
    await scene.isAtRest();
  });
});

test('a process whose HTTP listeners are closed ends by itself', async () => {
  await using child = Child.run('http/leaves-nothing.mjs');
  expect(await child.message()).toBe('closed');
  expect(await child.exited()).toBe(0);
  expect(child.output).toBe('');
});
