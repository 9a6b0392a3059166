import { describe, expect, test } from 'vitest';
import { Accepted } from '../../fixtures/node/http/accepted.ts';
import { HttpClient, request } from '../../fixtures/node/http/client.ts';
import { HttpFleet, HttpMember } from '../../fixtures/node/http/member.ts';
import { httpScene } from '../../fixtures/node/http/scene.ts';
import { settled } from '../../fixtures/node/until.ts';

/** Answers with as many bytes as the target says, or with the target itself. */
const asAsked = (target: string): string => {
  const size = Number(/^\/size\/(\d+)/.exec(target)?.[1]);
  return Number.isNaN(size) ? target : `${target} `.padEnd(size, '.');
};

describe('a client that sends its requests ahead', () => {
  test('gets its answers in the order of its requests, from whichever members', async () => {
    await using fleet = await HttpFleet.start(3, (heard) => heard.answer(heard.target));
    await using scene = await httpScene(fleet);
    using client = await HttpClient.connect(scene.place);
    const targets = Array.from({ length: 60 }, (_, index) => `/${index}`);
    client.send(targets.map((target) => request(target)).join(''));
    for (const target of targets) expect((await client.answer()).body).toBe(target);
    expect(fleet.all.map(({ requests }) => requests.length)).toEqual([20, 20, 20]);
    expect(fleet.all.map(({ overlaps }) => overlaps)).toEqual([0, 0, 0]);
    expect(fleet.all.map(({ backend }) => backend.accepted)).toEqual([1, 1, 1]);
    client.end();
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ totalConnections: 1, requests: 60, responses2xx: 60, requestErrors: 0 });
  });

  test('has its next request begun only when the one before is answered', async () => {
    await using fleet = await HttpFleet.start(2, () => {});
    await using scene = await httpScene(fleet);
    using client = await HttpClient.connect(scene.place);
    client.send(request('/slow') + request('/fast'));
    const [m1, m2] = fleet.all as [HttpMember, HttpMember];
    const slow = await m1.request(1);
    expect(scene.vip.stats.requests).toBe(1);
    slow.say('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nslow');
    await client.hasGot(4);
    expect(m2.requests).toEqual([]);
    slow.say('slow');
    (await m2.request(1)).answer('fast');
    expect((await client.answer()).body).toBe('slowslow');
    expect((await client.answer()).body).toBe('fast');
    client.end();
    await scene.isAtRest();
  });

  test('gets answers of all sizes whole', async () => {
    await using fleet = await HttpFleet.start(2, (heard) => heard.answer(asAsked(heard.target)));
    await using scene = await httpScene(fleet);
    using client = await HttpClient.connect(scene.place);
    const sizes = [0, 1, 300_000, 10, 16_384, 4096, 4097, 65_536, 65_537, 262_144, 3, 1_000_000, 2, 262_145];
    const targets = [...sizes, ...sizes].map((size, index) => `/size/${size}/${index}`);
    client.send(targets.map((target) => request(target)).join(''));
    for (const target of targets) expect((await client.answer()).body).toBe(asAsked(target));
    client.end();
    await scene.isAtRest();
  });

  test('has its bodies told apart from what follows them', async () => {
    await using member = await HttpMember.start({ does: (heard) => heard.answer(heard.message.body) });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    const bodies = ['', 'GET /not-a-request HTTP/1.1\r\n\r\n', '0\r\n\r\n', 'x'.repeat(100_000), '\r\n\r\n', 'end'];
    client.send(bodies.map((body) => request('/', { body })).join(''));
    for (const body of bodies) expect((await client.answer()).body).toBe(body);
    const chunked = bodies.map((body) => {
      const chunk = body === '' ? '' : `${body.length.toString(16)}\r\n${body}\r\n`;
      return `${request('/', { method: 'POST', fields: ['Transfer-Encoding: chunked'] })}${chunk}0\r\n\r\n`;
    });
    client.send(chunked.join(''));
    for (const body of bodies) expect((await client.answer()).body).toBe(body);
    expect(member.targets).toEqual(new Array(12).fill('/'));
    client.end();
    await scene.isAtRest();
  });

  test('gets the answers ahead of a bad request, then its refusal, then the end', async () => {
    await using member = await HttpMember.start({ does: (heard) => heard.answer(heard.target) });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    client.send(`${request('/1')}${request('/2')}GET /3 HTTP/1.1\r\nno colon\r\n\r\n${request('/4')}`);
    expect((await client.answer()).body).toBe('/1');
    expect((await client.answer()).body).toBe('/2');
    const refusal = await client.answer();
    expect([refusal.status, refusal.field('Connection')]).toEqual([400, 'close']);
    await client.closed();
    expect(client.answers).toHaveLength(3);
    expect(member.targets).toEqual(['/1', '/2']);
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ requests: 3, requestErrors: 1, responses2xx: 2, responses4xx: 1 });
  });

  test('gets nothing behind the answer to a request that asks for the end', async () => {
    await using member = await HttpMember.start({ does: (heard) => heard.answer(heard.target) });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    client.send(request('/1') + request('/2', { fields: ['Connection: close'] }) + request('/3'));
    expect((await client.answer()).field('Connection')).toBeUndefined();
    expect((await client.answer()).field('Connection')).toBe('close');
    await client.closed();
    expect(member.targets).toEqual(['/1', '/2']);
    await scene.isAtRest();
  });

  test('gets nothing behind an answer that failed', async () => {
    await using member = await HttpMember.start({
      does: (heard) => {
        if (heard.target === '/2') heard.wire.reset();
        else heard.answer(heard.target);
      },
    });
    await using scene = await httpScene([member], {}, { retries: 0 });
    using client = await HttpClient.connect(scene.place);
    client.send(request('/1') + request('/2', { body: 'once' }) + request('/3'));
    expect((await client.answer()).body).toBe('/1');
    expect((await client.answer()).status).toBe(502);
    await client.closed();
    expect(member.targets).toEqual(['/1', '/2']);
    await scene.isAtRest();
  });

  test('ten thousand of them gets ten thousand answers, a few of its requests read at a time', async () => {
    await using member = await HttpMember.start({ does: (heard) => heard.answer(heard.target) });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    client.send(Array.from({ length: 10_000 }, (_, index) => request(`/${index}`)).join(''));
    for (let index = 0; index < 10_000; index++) {
      const { body } = await client.answer();
      if (body !== `/${index}`) throw new Error(`${body} instead of /${index}`);
    }
    expect(member.overlaps).toBe(0);
    expect(member.backend.accepted).toBe(1);
    client.end();
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ requests: 10_000, responses2xx: 10_000 });
  });

  test('is read no further than is of use while its first request is not answered', async () => {
    await using member = await HttpMember.start({ does: () => {} });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    const { socket } = client;
    const many = Buffer.from(Array.from({ length: 1000 }, (_, index) => request(`/${index}`)).join(''));
    let sent = 0;
    while (sent < 200) {
      socket.write(many);
      sent++;
    }
    await member.request(1);
    const left = await settled(() => socket.writableLength, 'no more is taken');
    // 10 MB; of these the system may hold a few.
    expect(left).toBeGreaterThan((many.length * sent) / 4);
    expect(scene.vip.stats.requests).toBe(1);
    client.reset();
    // Nobody reads from the client, so it is the answer that finds it gone.
    member.requests[0]?.answer();
    await scene.isAtRest();
    expect(member.requests.length).toBeLessThan(5);
  });

  test('and does not take its answers gets no more of them than fit', async () => {
    const body = 'x'.repeat(100_000);
    await using member = await HttpMember.start({ does: (heard) => heard.answer(body) });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    client.socket.pause();
    client.send(Array.from({ length: 500 }, () => request('/')).join(''));
    const served = await settled(() => member.requests.length, 'no more is served');
    expect(served).toBeLessThan(300);
    client.socket.resume();
    for (let turn = 0; turn < 500; turn++) expect((await client.answer()).size).toBe(100_000);
    client.end();
    await scene.isAtRest();
  });

  test('and does not take its small answers gets no more of them than fit, either', async () => {
    using accepted = new Accepted();
    await using member = await HttpMember.start({ does: (heard) => heard.answer('x'.repeat(5000)) });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    client.socket.pause();
    client.send(request('/').repeat(4000));
    const served = await settled(() => member.requests.length, 'no more is served');
    expect(served).toBeLessThan(4000);
    expect(accepted.last(scene.place).writableLength).toBeLessThan(200_000);
    client.socket.resume();
    for (let turn = 0; turn < 4000; turn++) expect((await client.answer()).size).toBe(5000);
    client.end();
    await scene.isAtRest();
  });

  test('one byte at a time is served like any other', async () => {
    await using member = await HttpMember.start({ does: (heard) => heard.answer(heard.message.body) });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    const text = request('/', { body: 'one' }) + request('/', { body: 'two' }) + request('/');
    for (const byte of text) {
      client.send(byte);
      await new Promise(setImmediate);
    }
    for (const body of ['one', 'two', '']) expect((await client.answer()).body).toBe(body);
    client.end();
    await scene.isAtRest();
  });

  test('with empty lines between them is understood', async () => {
    await using member = await HttpMember.start({ does: (heard) => heard.answer(heard.target) });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    client.send(`\r\n${request('/1')}\r\n${request('/2')}`);
    expect((await client.answer()).body).toBe('/1');
    expect((await client.answer()).body).toBe('/2');
    client.end();
    await scene.isAtRest();
  });
});
