import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { Accepted } from '../../fixtures/node/http/accepted.ts';
import { ask, HttpClient, request } from '../../fixtures/node/http/client.ts';
import { HttpMember } from '../../fixtures/node/http/member.ts';
import { mebi, pour } from '../../fixtures/node/http/pour.ts';
import { httpScene } from '../../fixtures/node/http/scene.ts';
import { ownFolder } from '../../fixtures/node/places.ts';
import type { Scene } from '../../fixtures/node/scene.ts';
import { until } from '../../fixtures/node/until.ts';

const none = { handshake: 0, request: 0, body: 0, response: 0, reader: 0, keepAlive: 0, tunnel: 0 };
const unlimited = { connect: 0, client: 0, member: 0, request: 0, keepAlive: 0, tunnel: 0 };

/** Keeps sending something small until it is told not to. */
async function trickle(client: HttpClient, text: string, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    client.send(text);
    await sleep(10);
  }
}

/** Of a kind that comes in one piece, so that it is either under way or done. */
const page = 'x'.repeat(5000);

/**
 * A client that does not take its last answer, with which its member is done: the system holds as much as it can, and we hold the
 * rest. On a Unix socket, since that does not take much.
 */
async function untakenEnd(scene: Scene): Promise<{ client: HttpClient; answers: number }> {
  using accepted = new Accepted();
  const client = await HttpClient.connect(scene.place);
  client.socket.pause();
  let answers = 0;
  const asks = async (fields: readonly string[] = []): Promise<void> => {
    client.request('/', { fields });
    answers++;
    await until(
      () => scene.pool.stats.responses2xx === answers && scene.pool.stats.activeConnections === 0,
      'it is done',
    );
  };
  await asks();
  const ours = accepted.last(scene.place);
  while (ours.writableLength === 0) await asks();
  await asks(['Connection: close']);
  expect(ours.writableLength).toBeGreaterThan(0);
  return { client, answers };
}

describe('a request', () => {
  test('whose head does not come to its end gets 408', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member], {}, { timeouts: { ...unlimited, request: 60 } });
    using client = await HttpClient.connect(scene.place);
    client.send('GET / HTTP/1.1\r\nHost: a.ex');
    const { status, body, fields } = await client.answer();
    expect([status, body]).toEqual([408, '408 Request Timeout: the request did not come in in time\n']);
    expect(fields).toContainEqual(['Connection', 'close']);
    await client.closed();
    await scene.isAtRest();
    expect(scene.vip.stats.timeouts).toEqual({ ...none, request: 1 });
    expect(scene.vip.stats).toMatchObject({ requestErrors: 1, responses4xx: 1 });
    expect(member.backend.accepted).toBe(0);
  });

  test('whose head trickles in gets 408 all the same', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member], {}, { timeouts: { ...unlimited, request: 80 } });
    using client = await HttpClient.connect(scene.place);
    client.send('GET / HTTP/1.1\r\nHost: a.example\r\n');
    const trickling = trickle(client, 'X: y\r\n', () => client.hasEnded || client.answers.length > 0);
    expect((await client.answer()).status).toBe(408);
    await trickling;
    await client.closed();
    await scene.isAtRest();
  });

  test('whose head is late behind another one gets 408', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member], {}, { timeouts: { ...unlimited, request: 60 } });
    using client = await HttpClient.connect(scene.place);
    client.send(`${request('/')}GET /sec`);
    expect((await client.answer()).status).toBe(200);
    expect((await client.answer()).status).toBe(408);
    await client.closed();
    await scene.isAtRest();
    expect(scene.vip.stats.timeouts).toEqual({ ...none, request: 1 });
  });

  test('that never comes has its connection closed without a word', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member], {}, { timeouts: { ...unlimited, request: 60 } });
    using client = await HttpClient.connect(scene.place);
    await client.closed();
    expect(client.answers).toEqual([]);
    await scene.isAtRest();
    expect(scene.vip.stats.timeouts).toEqual({ ...none, request: 1 });
    expect(scene.vip.stats).toMatchObject({ requests: 0, requestErrors: 0, responses4xx: 0 });
  });

  test('whose body stands still gets 408', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member], {}, { timeouts: { ...unlimited, client: 80 } });
    using client = await HttpClient.connect(scene.place);
    client.request('/', { method: 'POST', fields: ['Content-Length: 10'] });
    client.send('hello');
    expect((await client.answer()).status).toBe(408);
    await client.closed();
    await member.isLetGo();
    await scene.isAtRest();
    expect(scene.vip.stats.timeouts).toEqual({ ...none, body: 1 });
    expect(scene.vip.stats).toMatchObject({ requests: 1, requestErrors: 1, responses4xx: 1, abortedRequests: 0 });
    expect(scene.pool.stats).toMatchObject({ requests: 1, requestErrors: 0 });
  });

  test('whose body trickles in is not late', async () => {
    await using member = await HttpMember.start({ does: (heard) => heard.answer(heard.message.body) });
    await using scene = await httpScene([member], {}, { timeouts: { ...unlimited, client: 500, request: 100 } });
    using slow = await HttpClient.connect(scene.place);
    slow.request('/', { method: 'POST', fields: ['Transfer-Encoding: chunked'] });
    const { message } = await member.request(1);
    using idle = await HttpClient.connect(scene.place);
    idle.request('/', { method: 'POST', fields: ['Transfer-Encoding: chunked'] });
    await trickle(slow, '1\r\nx\r\n', () => idle.hasEnded || idle.answers.length > 0);
    expect((await idle.answer()).status).toBe(408);
    slow.send('0\r\n\r\n');
    expect((await slow.answer()).body).toBe('x'.repeat(message.size));
    slow.end();
    idle.end();
    await scene.isAtRest();
    expect(scene.vip.stats.timeouts).toEqual({ ...none, body: 1 });
  });

  test('whose body stands still while its answer flows is its member’s affair', async () => {
    await using member = await HttpMember.start({
      hears: (heard) => heard.say('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'),
    });
    await using scene = await httpScene([member], {}, { timeouts: { ...unlimited, client: 60 } });
    using client = await HttpClient.connect(scene.place);
    client.request('/', { method: 'POST', fields: ['Content-Length: 10'] });
    await client.answerBegun();
    using other = await HttpClient.connect(scene.place);
    other.send(request('/', { method: 'POST', fields: ['Content-Length: 10'] }));
    member.hears = () => {};
    await other.closed();
    member.requests[0]?.say('5\r\nhello\r\n0\r\n\r\n');
    expect((await client.answer()).body).toBe('hello');
    await client.closed();
    await scene.isAtRest();
  });
});

describe('an answer', () => {
  test('that nobody takes has its client cut off, and its member freed', async () => {
    await using member = await HttpMember.start({
      does: (heard) => {
        heard.say(`HTTP/1.1 200 OK\r\nContent-Length: ${100 * mebi}\r\n\r\n`);
        void pour(heard.wire.socket, 100 * mebi);
      },
    });
    await using scene = await httpScene([member], {}, { timeouts: { ...unlimited, client: 100 } });
    using client = await HttpClient.connect(scene.place);
    client.request('/');
    await client.hasGot(1);
    client.socket.pause();
    await scene.isAtRest();
    await member.isLetGo();
    expect(scene.vip.stats.timeouts).toEqual({ ...none, reader: 1 });
    expect(scene.vip.stats).toMatchObject({ responses2xx: 1, abortedRequests: 0 });
    expect(scene.pool.stats).toMatchObject({ requestErrors: 0 });
    client.socket.resume();
    await client.isCut();
  });

  test('that its member is done with and nobody takes has its client cut off, where it is the last one', async () => {
    await using folder = await ownFolder();
    await using member = await HttpMember.start({ does: (heard) => heard.answer(page) });
    const address = `unix:${folder.socket('vip')}`;
    await using scene = await httpScene([member], {}, { address, timeouts: unlimited });
    const { client } = await untakenEnd(scene);
    scene.vip.update({ timeouts: { client: 100 } });
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ timeouts: { ...none, reader: 1 }, abortedRequests: 0 });
    client.socket.destroy();
  });

  test('that its member is done with and nobody takes has its client cut off, where others wait', async () => {
    await using member = await HttpMember.start({ does: (heard) => heard.answer(page) });
    await using scene = await httpScene([member], {}, { timeouts: { ...unlimited, client: 150 } });
    using client = await HttpClient.connect(scene.place);
    client.socket.pause();
    client.send(request('/').repeat(4000));
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ timeouts: { ...none, reader: 1 }, abortedRequests: 0, requestErrors: 0 });
    expect(scene.vip.stats.requests).toBeLessThan(4000);
  });

  test('that is taken slowly is not late', async () => {
    await using member = await HttpMember.start({
      does: (heard) => {
        heard.say(`HTTP/1.1 200 OK\r\nContent-Length: ${1000 * mebi}\r\n\r\n`);
        void pour(heard.wire.socket, 1000 * mebi);
      },
    });
    await using scene = await httpScene([member], {}, { timeouts: { ...unlimited, client: 1000 } });
    using slow = await HttpClient.connect(scene.place);
    slow.request('/');
    await slow.hasGot(1);
    using idle = await HttpClient.connect(scene.place);
    idle.request('/');
    await idle.hasGot(1);
    idle.socket.pause();
    const isIdleGone = (): boolean => scene.vip.stats.timeouts.reader === 1;
    while (!isIdleGone()) {
      slow.socket.pause();
      await sleep(10);
      const { bytesRead } = slow.socket;
      slow.socket.resume();
      await until(() => slow.socket.bytesRead > bytesRead || isIdleGone(), 'some of it');
    }
    expect(slow.hasEnded).toBe(false);
    slow.reset();
    await scene.isAtRest();
    expect(scene.vip.stats.timeouts).toEqual({ ...none, reader: 1 });
  });

  test('that the member sends now and then is not late', async () => {
    await using member = await HttpMember.start({ does: () => {} });
    await using scene = await httpScene([member], {}, { timeouts: { ...unlimited, member: 500 } });
    using slow = await HttpClient.connect(scene.place);
    slow.request('/');
    const heard = await member.request(1);
    heard.say('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    using idle = await HttpClient.connect(scene.place);
    idle.request('/');
    let bytes = 0;
    while (idle.answers.length === 0) {
      heard.say('1\r\nx\r\n');
      await slow.hasGot(++bytes);
      await sleep(10);
    }
    expect((await idle.answer()).status).toBe(504);
    heard.say('0\r\n\r\n');
    expect((await slow.answer()).size).toBe(bytes);
    slow.end();
    idle.end();
    await scene.isAtRest();
    expect(scene.vip.stats.timeouts).toEqual({ ...none, response: 1 });
  });
});

describe('a connection', () => {
  test('that is not used again is closed in time, properly', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member], {}, { timeouts: { ...unlimited, keepAlive: 60 } });
    using client = await HttpClient.connect(scene.place);
    await client.ask('/');
    await client.closed();
    expect(client.error).toBeUndefined();
    await scene.isAtRest();
    expect(scene.vip.stats.timeouts).toEqual({ ...none, keepAlive: 1 });
    expect(scene.vip.stats).toMatchObject({ requests: 1, requestErrors: 0, abortedRequests: 0 });
  });

  test('that is used again and again is not closed', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member], {}, { timeouts: { ...unlimited, keepAlive: 500 } });
    using busy = await HttpClient.connect(scene.place);
    using idle = await HttpClient.connect(scene.place);
    await idle.ask('/');
    while (!idle.hasEnded) expect((await busy.ask('/')).status).toBe(200);
    busy.end();
    await idle.closed();
    await scene.isAtRest();
    expect(scene.vip.stats.timeouts).toEqual({ ...none, keepAlive: 1 });
  });

  test('whose request takes its time is not closed meanwhile', async () => {
    await using member = await HttpMember.start({ does: () => {} });
    await using scene = await httpScene(
      [member],
      {},
      { timeouts: { ...unlimited, keepAlive: 50, request: 50, client: 50 } },
    );
    using client = await HttpClient.connect(scene.place);
    client.request('/');
    const heard = await member.request(1);
    using idle = await HttpClient.connect(scene.place);
    await idle.closed();
    heard.answer('at last');
    expect((await client.answer()).body).toBe('at last');
    await client.closed();
    await scene.isAtRest();
    expect(scene.vip.stats.timeouts).toEqual({ ...none, request: 1, keepAlive: 1 });
  });

  test('has no limits where there are none', async () => {
    await using member = await HttpMember.start({ does: (heard) => heard.target !== '/never' && heard.answer() });
    await using limited = await httpScene(
      [member],
      {},
      { timeouts: { request: 50, client: 50, keepAlive: 50, member: 50 } },
    );
    await using scene = await httpScene([member], {}, { timeouts: unlimited });
    using kept = await HttpClient.connect(scene.place);
    await kept.ask('/');
    using silent = await HttpClient.connect(scene.place);
    using hasty = await HttpClient.connect(scene.place);
    hasty.send('GET / HTT');
    using sending = await HttpClient.connect(scene.place);
    sending.request('/', { method: 'POST', fields: ['Content-Length: 5'] });
    using waiting = await HttpClient.connect(scene.place);
    waiting.request('/never');
    for (let turn = 0; turn < 3; turn++) {
      expect((await ask(limited.place, '/never')).status).toBe(504);
    }
    expect((await kept.ask('/')).status).toBe(200);
    expect((await silent.ask('/')).status).toBe(200);
    hasty.send('P/1.1\r\nHost: a.example\r\n\r\n');
    expect((await hasty.answer()).status).toBe(200);
    sending.send('hello');
    expect((await sending.answer()).status).toBe(200);
    expect(waiting.answers).toEqual([]);
    for (const client of [kept, silent, hasty, sending, waiting]) client.end();
    await limited.isAtRest();
    await scene.isAtRest();
    expect(scene.vip.stats.timeouts).toEqual(none);
  });

  test('that lingers behind its last answer is closed when its client has closed it', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    client.send(`nonsense\r\n\r\n${'x'.repeat(100_000)}`);
    expect((await client.answer()).status).toBe(400);
    await client.ended();
    client.send('more of it');
    expect(scene.vip.stats.activeConnections).toBe(1);
    client.end();
    await scene.isAtRest();
    expect(client.error).toBeUndefined();
  });
});

test.concurrent('the end of a last answer waits longer for a client than a client may linger that has it', async () => {
  await using folder = await ownFolder();
  await using member = await HttpMember.start({ does: (heard) => heard.answer(page) });
  const address = `unix:${folder.socket('vip')}`;
  await using scene = await httpScene([member], {}, { address, timeouts: { ...unlimited, keepAlive: 100 } });
  const { client, answers } = await untakenEnd(scene);
  await sleep(6100);
  client.socket.resume();
  for (let turn = 0; turn < answers; turn++) expect((await client.answer()).body).toBe(page);
  await client.closed();
  await scene.isAtRest();
  expect(scene.vip.stats.timeouts).toEqual(none);
});

test.concurrent('a limit on how slow a client may be holds for what it sends and what it takes, but for the first seconds', async () => {
  await using member = await HttpMember.start({
    does: (heard) => {
      heard.say(`HTTP/1.1 200 OK\r\nContent-Length: ${100 * mebi}\r\n\r\n`);
      void pour(heard.wire.socket, 100 * mebi);
    },
  });
  await using scene = await httpScene([member], {}, { timeouts: { request: 100 }, limits: { minRate: 1_000_000 } });
  using sender = await HttpClient.connect(scene.place);
  sender.request('/', { method: 'POST', fields: ['Content-Length: 100000'] });
  using reader = await HttpClient.connect(scene.place);
  reader.request('/');
  await reader.hasGot(1);
  reader.socket.pause();
  // Neither stands still for as long as a timeout says.
  const isOver = (): boolean => scene.vip.stats.timeouts.reader + scene.vip.stats.timeouts.body === 2;
  const trickling = trickle(sender, 'x', isOver);
  await until(isOver, 'both are too slow');
  await trickling;
  expect((await sender.answer()).status).toBe(408);
  expect(scene.vip.stats.timeouts).toEqual({ ...none, reader: 1, body: 1 });
  sender.end();
  await scene.isAtRest();
});
