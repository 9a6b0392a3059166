import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { HttpClient, request } from '../../fixtures/node/http/client.ts';
import { type Heard, HttpMember } from '../../fixtures/node/http/member.ts';
import { mebi, pour } from '../../fixtures/node/http/pour.ts';
import { httpScene } from '../../fixtures/node/http/scene.ts';
import { Child } from '../../fixtures/node/process.ts';
import { settled, until } from '../../fixtures/node/until.ts';

const sha1 = (text: string): string => createHash('sha1').update(text, 'latin1').digest('hex');

const sizes = [0, 1, 4095, 4096, 4097, 16_383, 16_384, 65_535, 65_536, 65_537, 262_144, 262_145, 3_000_001];
const framings = ['length', 'chunked', 'close'] as const;

/** Answers with so many bytes of noise; tells their hash. */
async function noisy(heard: Heard, size: number, framing: (typeof framings)[number]): Promise<string | undefined> {
  const { socket } = heard.wire;
  if (framing === 'length') heard.say(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
  else if (framing === 'chunked') heard.say('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
  else heard.say('HTTP/1.1 200 OK\r\n\r\n');
  const hash = await pour(socket, size, framing === 'chunked');
  if (framing === 'close') socket.end();
  return hash;
}

describe('answers', () => {
  describe.each(framings)('whose body ends by %s', (framing) => {
    test.each(['1.0', '1.1'] as const)('come through whole, in all sizes, to a client of HTTP/%s', async (version) => {
      await using member = await HttpMember.start();
      await using scene = await httpScene([member]);
      for (const size of sizes) {
        let hash: string | undefined;
        member.does = async (heard) => {
          hash = await noisy(heard, size, framing);
        };
        using client = await HttpClient.connect(scene.place);
        const answer = await client.ask('/', { version });
        expect([answer.size, answer.hash]).toEqual([size, hash]);
        if (version === '1.1')
          expect(answer.framing).toBe(
            framing === 'close' ? 'chunked' : size === 0 && framing === 'length' ? 'none' : framing,
          );
      }
      await scene.isAtRest();
      expect(member.faults).toEqual([]);
    });
  });

  test('come through byte by byte, each when it comes', async () => {
    await using member = await HttpMember.start({ does: () => {} });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    client.request('/');
    const heard = await member.request(1);
    for (const byte of 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n') {
      heard.say(byte);
      await new Promise(setImmediate);
    }
    for (let bytes = 1; bytes <= 40; bytes++) {
      heard.say('1\r\nx\r\n');
      await client.hasGot(bytes);
    }
    for (const byte of '3\r\nend\r\n0\r\nX-Trailer: here\r\n\r\n') {
      heard.say(byte);
      await new Promise(setImmediate);
    }
    const { body, trailer } = await client.answer();
    expect([body, trailer]).toEqual([`${'x'.repeat(40)}end`, 'X-Trailer: here\r\n']);
    client.end();
    await scene.isAtRest();
  });

  test('that end with their connection come through byte by byte', async () => {
    await using member = await HttpMember.start({ does: () => {} });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    client.request('/');
    const heard = await member.request(1);
    heard.say('HTTP/1.1 200 OK\r\n\r\n');
    for (let bytes = 1; bytes <= 40; bytes++) {
      heard.say('x');
      await client.hasGot(bytes);
    }
    heard.wire.socket.end();
    expect((await client.answer()).body).toBe('x'.repeat(40));
    // Only the member's connection ended.
    client.request('/again');
    (await member.request(2)).answer('again');
    expect((await client.answer()).body).toBe('again');
    client.end();
    await scene.isAtRest();
  });

  test('of 300 MB wait at the member for a client that does not take them', async () => {
    const total = 300 * mebi;
    let hash: string | undefined;
    await using member = await HttpMember.start({
      does: async (heard) => {
        hash = await noisy(heard, total, 'length');
      },
    });
    await using relay = Child.run('relay.mjs', ['--http', member.at]);
    const { port } = await relay.message<{ port: number }>();
    using client = await HttpClient.connect({ host: '127.0.0.1', port });
    client.request('/');
    await client.hasGot(1);
    client.socket.pause();
    const { socket } = (await member.request(1)).wire;
    const written = await settled(() => socket.bytesWritten - socket.writableLength, 'the member stands still');
    expect(written).toBeLessThan(total / 2);
    client.socket.resume();
    const answer = await client.answer();
    expect([answer.size, answer.hash]).toEqual([total, hash]);
    const { peakRss } = await relay.ask<{ peakRss: number }>('how much?');
    expect(peakRss / mebi).toBeLessThan(256);
  });

  test('wait for a client that takes a little now and then', async () => {
    await using member = await HttpMember.start({ does: (heard) => void noisy(heard, 8 * mebi, 'chunked') });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    client.request('/');
    const answer = await client.answerBegun();
    while (!answer.isComplete) {
      client.socket.pause();
      await sleep(2);
      client.socket.resume();
      await Promise.race([once(client.socket, 'data'), sleep(5)]);
    }
    expect(answer.size).toBe(8 * mebi);
    client.end();
    await scene.isAtRest();
  });

  test('that a slow client has yet to take are not overwritten by the next ones on their connection', async () => {
    const block = (seed: number): string => String.fromCharCode(97 + (seed % 26)).repeat(1000);
    const body = (target: string): string => {
      const [, seed, size] = target.split('/').map(Number) as [number, number, number];
      return block(seed)
        .repeat(Math.ceil(size / 1000))
        .slice(0, size);
    };
    await using member = await HttpMember.start({ does: (heard) => heard.answer(body(heard.target)) });
    await using scene = await httpScene([member]);
    using quick = await HttpClient.connect(scene.place);
    let waiting = 0;
    // Somewhere in between all but the last piece fits into what the system holds for the client.
    for (let size = 2 * mebi; size < 7 * mebi; size += 150_000) {
      using slow = await HttpClient.connect(scene.place);
      slow.request(`/1/${size}`);
      await slow.hasGot(1);
      slow.socket.pause();
      await settled(() => scene.vip.stats.bytesOut, 'nothing flows');
      const isServed = scene.pool.stats.activeConnections === 0;
      if (isServed) waiting++;
      for (let seed = 2; seed <= 4; seed++) {
        const target = `/${seed}/400000`;
        if ((await quick.ask(target)).body !== body(target)) throw new Error(`${target} is not what it should be`);
      }
      slow.socket.resume();
      const answer = await slow.answer();
      if (answer.size !== size) throw new Error(`${answer.size} bytes instead of ${size}`);
      if (answer.hash !== sha1(body(`/1/${size}`))) throw new Error(`of ${size} bytes some are somebody else's`);
      slow.end();
      if (!isServed && waiting > 0) break;
    }
    expect(waiting).toBeGreaterThan(0);
    quick.end();
    await scene.isAtRest();
  });

  test('to HEAD have no body, and the connections go on', async () => {
    await using member = await HttpMember.start({
      does: (heard) => {
        const body = heard.message.method === 'HEAD' ? '' : 'hello';
        heard.say(`HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n${body}`);
      },
    });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    for (let turn = 0; turn < 3; turn++) {
      const head = await client.ask('/', { method: 'HEAD' });
      expect([head.field('Content-Length'), head.body]).toEqual(['5', '']);
      expect((await client.ask('/')).body).toBe('hello');
    }
    expect(member.backend.accepted).toBe(1);
    client.end();
    await scene.isAtRest();
  });
});

describe('requests', () => {
  /** Takes everything, and tells how much it was and its hash. */
  const judges = (heard: Heard): void => heard.answer(`${heard.message.size} ${heard.message.hash}`);

  test.each(['length', 'chunked'] as const)(
    'whose body ends by %s come through whole, in all sizes',
    async (framing) => {
      await using member = await HttpMember.start({ does: judges });
      await using scene = await httpScene([member]);
      using client = await HttpClient.connect(scene.place);
      for (const size of sizes) {
        const how = framing === 'length' ? `Content-Length: ${size}` : 'Transfer-Encoding: chunked';
        client.request('/', { method: 'POST', fields: [how] });
        const hash = await pour(client.socket, size, framing === 'chunked');
        expect((await client.answer()).body).toBe(`${size} ${hash}`);
      }
      client.end();
      await scene.isAtRest();
      expect(member.faults).toEqual([]);
      expect(scene.vip.stats).toMatchObject({ requestErrors: 0, responses2xx: sizes.length });
    },
  );

  test('come through byte by byte, each when it comes', async () => {
    await using member = await HttpMember.start({ does: judges });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    client.request('/', { method: 'POST', fields: ['Transfer-Encoding: chunked'] });
    const { message } = await member.request(1);
    for (let bytes = 1; bytes <= 40; bytes++) {
      client.send('1\r\nx\r\n');
      await member.until(() => message.size === bytes, 'it arrives');
    }
    for (const byte of '3\r\nend\r\n0\r\nX-Trailer: here\r\n\r\n') {
      client.send(byte);
      await new Promise(setImmediate);
    }
    expect((await client.answer()).status).toBe(200);
    expect([message.body, message.trailer]).toEqual([`${'x'.repeat(40)}end`, 'X-Trailer: here\r\n']);
    client.end();
    await scene.isAtRest();
  });

  test('of 300 MB wait at the client for a member that does not take them', async () => {
    const total = 300 * mebi;
    await using member = await HttpMember.start({ hears: ({ wire }) => void wire.socket.pause(), does: judges });
    await using relay = Child.run('relay.mjs', ['--http', member.at]);
    const { port } = await relay.message<{ port: number }>();
    using client = await HttpClient.connect({ host: '127.0.0.1', port });
    const { socket } = client;
    client.request('/', { method: 'POST', fields: [`Content-Length: ${total}`] });
    const poured = pour(socket, total);
    const { wire } = await member.request(1);
    const written = await settled(() => socket.bytesWritten - socket.writableLength, 'the client stands still');
    expect(written).toBeLessThan(total / 2);
    wire.socket.resume();
    const hash = await poured;
    expect((await client.answer()).body).toBe(`${total} ${hash}`);
    const { peakRss } = await relay.ask<{ peakRss: number }>('how much?');
    expect(peakRss / mebi).toBeLessThan(256);
  });

  test('wait while their member is being connected to, and no more of them is read than is of use', async () => {
    await using bad = await HttpMember.start({ name: 'bad' });
    await using good = await HttpMember.start({ name: 'good', does: judges });
    await bad.stop();
    await using scene = await httpScene([bad, good], {}, { retries: 5 });
    using client = await HttpClient.connect(scene.place);
    client.request('/', { method: 'POST', fields: [`Content-Length: ${3 * mebi}`] });
    const hash = await pour(client.socket, 3 * mebi);
    expect((await client.answer()).body).toBe(`${3 * mebi} ${hash}`);
    client.end();
    await scene.isAtRest();
  });

  test('and their answers flow at the same time', async () => {
    await using member = await HttpMember.start({
      does: ({ wire }) => setImmediate(() => wire.socket.end()),
      hears: (heard) => {
        heard.say('HTTP/1.1 200 OK\r\n\r\n');
        heard.wire.socket.on('data', (chunk) => heard.wire.socket.write(chunk));
      },
    });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    client.request('/', { method: 'POST', fields: [`Content-Length: ${16 * mebi}`] });
    await client.answerBegun();
    client.send('first');
    await client.hasGot(5);
    client.send('second');
    await client.hasGot(11);
    await pour(client.socket, 16 * mebi - 11);
    expect((await client.answer()).size).toBe(16 * mebi);
    await client.closed();
    await scene.isAtRest();
  });

  test('with both ends standing still in turn lose nothing', async () => {
    await using member = await HttpMember.start({
      does: judges,
      hears: ({ wire: { socket } }) => {
        const rest = async (): Promise<void> => {
          socket.pause();
          await sleep(1);
          socket.resume();
        };
        socket.on('data', () => void rest());
      },
    });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    for (let turn = 0; turn < 3; turn++) {
      client.request('/', { method: 'PUT', fields: ['Transfer-Encoding: chunked'] });
      const hash = await pour(client.socket, 4 * mebi, true);
      expect((await client.answer()).body).toBe(`${4 * mebi} ${hash}`);
    }
    client.end();
    await scene.isAtRest();
  });
});

describe('Expect: 100-continue', () => {
  const fields = ['Content-Length: 5', 'Expect: 100-continue'];

  test('is the member’s to answer, and only then does the body come', async () => {
    await using member = await HttpMember.start({ does: (heard) => heard.answer(heard.message.body) });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    for (let turn = 1; turn <= 2; turn++) {
      client.request('/', { method: 'POST', fields });
      const heard = await member.request(turn);
      heard.say('HTTP/1.1 100 Continue\r\n\r\n');
      await until(() => scene.vip.stats.responses1xx === turn, 'it may go on');
      client.send('hello');
      const { body, interim } = await client.answer();
      expect([body, interim]).toEqual(['hello', [100]]);
    }
    expect(member.backend.accepted).toBe(1);
    client.end();
    await scene.isAtRest();
  });

  test('may be answered with a refusal, and the body never comes', async () => {
    await using member = await HttpMember.start({
      hears: (heard) => heard.answer('no', { status: 413 }),
      does: () => {},
    });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    client.request('/', { method: 'POST', fields });
    const refusal = await client.answer();
    expect([refusal.status, refusal.field('Connection'), refusal.interim]).toEqual([413, 'close', []]);
    await client.closed();
    await member.isLetGo();
    await scene.isAtRest();
  });

  test('finds another member where the first one dies, also one that has a connection ready', async () => {
    await using member = await HttpMember.start({ name: 'ready' });
    await using bad = await HttpMember.start({ name: 'bad', hears: ({ wire }) => wire.reset(), does: () => {} });
    await using scene = await httpScene([member, bad]);
    using client = await HttpClient.connect(scene.place);
    await client.ask('/');
    client.request('/', { method: 'PUT', fields });
    await bad.request(1);
    const heard = await member.request(2);
    heard.say('HTTP/1.1 100 Continue\r\n\r\n');
    client.send('hello');
    const { status, interim } = await client.answer();
    expect([status, interim]).toEqual([200, [100]]);
    expect(heard.message.body).toBe('hello');
    client.end();
    await scene.isAtRest();
    expect(scene.vip.stats.retries).toBe(1);
  });
});

test('a request sent by a client that pauses in the middle of its head is served', async () => {
  await using member = await HttpMember.start();
  await using scene = await httpScene([member]);
  using client = await HttpClient.connect(scene.place);
  const text = request('/');
  for (const cut of [1, 3, 10, 20, text.length - 3, text.length - 1]) {
    client.send(text.slice(0, cut));
    await sleep(2);
    client.send(text.slice(cut));
    expect((await client.answer()).status).toBe(200);
  }
  client.end();
  await scene.isAtRest();
});
