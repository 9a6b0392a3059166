import { describe, expect, test } from 'vitest';
import { Client } from '../../fixtures/node/client.ts';
import { Accepted } from '../../fixtures/node/http/accepted.ts';
import { ask, fateOf, HttpClient, type RequestOptions, request } from '../../fixtures/node/http/client.ts';
import { HttpMember } from '../../fixtures/node/http/member.ts';
import type { Message } from '../../fixtures/node/http/message.ts';
import { httpScene } from '../../fixtures/node/http/scene.ts';
import type { Scene } from '../../fixtures/node/scene.ts';
import { TlsClient } from '../../fixtures/node/tls/client.ts';
import { tlsScene } from '../../fixtures/node/tls/scene.ts';
import { soon, until } from '../../fixtures/node/until.ts';

const one = { localAddress: '127.0.8.1' };
const other = { localAddress: '127.0.8.2' };
/** Two requests, and then none for a quarter of an hour. */
const two = { rate: 0.001, burst: 2 };

const tellsTheTarget = () => HttpMember.start({ does: (heard) => heard.answer(heard.target) });
const reasons = ({ rejected }: Scene): string[] =>
  rejected.map(({ clientAddress, reason }) => `${clientAddress} ${reason}`);
const fieldOf = ({ fields }: Message, wanted: string): string | undefined =>
  fields.find(([name]) => name.toLowerCase() === wanted)?.[1];

describe('a request above the rate', () => {
  test('gets 429, is told when to come back, and has its connection for then', async () => {
    await using member = await tellsTheTarget();
    await using scene = await httpScene([member], {}, { clientLimits: two });
    using client = await HttpClient.connect(scene.place, one);
    const statuses: number[] = [];
    for (const target of ['/1', '/2', '/3', '/4']) statuses.push((await client.ask(target)).status);
    expect(statuses).toEqual([200, 200, 429, 429]);
    const refused = client.answers[2];
    if (refused === undefined) throw new Error('no answer');
    const { body, fields } = refused;
    expect(body).toBe('429 Too Many Requests: requests come too often\n');
    expect(Number(fieldOf(refused, 'retry-after'))).toBeGreaterThan(900);
    expect(Number(fieldOf(refused, 'retry-after'))).toBeLessThanOrEqual(1000);
    expect(fields.map(([name]) => name)).not.toContain('Connection');
    scene.vip.update({ clientLimits: { rate: 1000 } });
    await until(async () => (await client.ask('/again')).status === 200, 'it is served again');
    client.end();
    await scene.isAtRest();
    expect(member.requests.map(({ target }) => target)).toEqual(['/1', '/2', '/again']);
    expect(new Set(reasons(scene))).toEqual(new Set(['127.0.8.1 client-rate']));
    const { rejects, clientLimits, requests, responses2xx, responses4xx, requestErrors } = scene.vip.stats;
    expect([clientLimits.rate, responses4xx, requestErrors]).toEqual([rejects, rejects, 0]);
    expect(requests).toBe(responses2xx + responses4xx);
    expect(scene.pool.stats).toMatchObject({ requests: 3, rejects: 0 });
  });

  test('counts for its address, whatever connection it comes on, and for no other', async () => {
    await using member = await tellsTheTarget();
    await using scene = await httpScene([member], {}, { clientLimits: two });
    const statuses: number[] = [];
    for (let turn = 0; turn < 3; turn++) statuses.push((await ask(scene.place, '/', {}, one)).status);
    statuses.push((await ask(scene.place, '/', {}, other)).status);
    expect(statuses).toEqual([200, 200, 429, 200]);
    await scene.isAtRest();
    // Connections are not what is rated, and what is refused costs nothing: the second address has one left.
    for (let turn = 0; turn < 5; turn++) (await HttpClient.connect(scene.place, other)).socket.destroy();
    expect((await ask(scene.place, '/', {}, other)).status).toBe(200);
    expect((await ask(scene.place, '/', {}, other)).status).toBe(429);
    await scene.isAtRest();
  });

  // nginx, limit_req.t: "rejects not counted".
  test('is let through after the time that it was told, though others were refused meanwhile', async () => {
    await using member = await tellsTheTarget();
    await using scene = await httpScene([member], {}, { clientLimits: { rate: 2, burst: 1 } });
    using client = await HttpClient.connect(scene.place, one);
    expect((await client.ask('/')).status).toBe(200);
    const refused = await client.ask('/');
    expect([refused.status, fieldOf(refused, 'retry-after')]).toEqual([429, '1']);
    await until(async () => (await client.ask('/')).status === 200, 'one is let through');
    client.end();
    await scene.isAtRest();
  });

  test('gets no body where it is HEAD, and JSON where that is liked better', async () => {
    await using member = await tellsTheTarget();
    await using scene = await httpScene([member], {}, { clientLimits: { rate: 0.001 } });
    using client = await HttpClient.connect(scene.place, one);
    await client.ask('/');
    const head = await client.ask('/', { method: 'HEAD' });
    expect([head.status, head.body]).toEqual([429, '']);
    expect(Number(fieldOf(head, 'content-length'))).toBeGreaterThan(0);
    const json = await client.ask('/', { fields: ['Accept: application/json'] });
    expect(JSON.parse(json.body)).toMatchObject({ status: 429, error: 'Too Many Requests' });
    const upgrade = await client.ask('/', { fields: ['Connection: Upgrade', 'Upgrade: websocket'] });
    expect(upgrade.status).toBe(429);
    client.end();
    await scene.isAtRest();
  });

  test('is answered as errorAnswer says, which may set its own Retry-After', async () => {
    await using member = await tellsTheTarget();
    const seen: unknown[] = [];
    await using scene = await httpScene(
      [member],
      {},
      {
        clientLimits: { rate: 0.5 },
        errorAnswer: (failed) => {
          seen.push(failed);
          return failed.target === '/own' ? { headers: { 'retry-after': '7' }, body: 'own' } : { body: 'slow down' };
        },
      },
    );
    using client = await HttpClient.connect(scene.place, one);
    await client.ask('/');
    const plain = await client.ask('/plain', { method: 'PUT' });
    const own = await client.ask('/own');
    expect([plain.status, plain.body, fieldOf(plain, 'retry-after')]).toEqual([429, 'slow down', '2']);
    expect([own.body, own.fields.filter(([name]) => name.toLowerCase() === 'retry-after')]).toEqual([
      'own',
      [['retry-after', '7']],
    ]);
    expect(seen[0]).toMatchObject({ status: 429, method: 'PUT', target: '/plain', retryAfter: 2 });
    client.end();
    await scene.isAtRest();
  });

  test('is answered plainly where errorAnswer throws, which is told', async () => {
    await using member = await tellsTheTarget();
    const errorAnswer = () => {
      throw new Error('as told');
    };
    await using scene = await httpScene([member], {}, { clientLimits: { rate: 0.001 }, errorAnswer });
    using client = await HttpClient.connect(scene.place, one);
    await client.ask('/');
    const statuses = [(await client.ask('/')).status, (await client.ask('/')).status];
    expect([statuses, scene.troubles.length]).toEqual([[429, 429], 2]);
    client.end();
    await scene.isAtRest();
  });
});

describe('the connection of a request above the rate', () => {
  /** Asks once, so that nothing more is permitted. */
  async function spent(settings = {}) {
    const member = await tellsTheTarget();
    const scene = await httpScene([member], {}, { clientLimits: { rate: 0.001 }, ...settings });
    const client = await HttpClient.connect(scene.place, one);
    await client.ask('/spent');
    return {
      member,
      scene,
      client,
      async [Symbol.asyncDispose]() {
        client.socket.destroy();
        await scene.isAtRest();
        expect(member.requests.length).toBe(1);
        await scene[Symbol.asyncDispose]();
        await member[Symbol.asyncDispose]();
      },
    };
  }

  const stays: [string, RequestOptions][] = [
    ['GET', {}],
    ['a small body', { body: 'x'.repeat(65_536) }],
    ['a body of nothing', { method: 'POST', fields: ['Content-Length: 0'] }],
  ];
  test.for(stays)('stays behind %s', async ([, options]) => {
    await using stage = await spent();
    for (let turn = 0; turn < 3; turn++) expect((await stage.client.ask('/', options)).status).toBe(429);
    stage.scene.vip.update({ clientLimits: null });
    stage.member.requests.length = 0;
    expect((await stage.client.ask('/after')).body).toBe('/after');
  });

  const ends: [string, RequestOptions][] = [
    ['a large body', { body: 'x'.repeat(65_537) }],
    ['Connection: close', { fields: ['Connection: close'] }],
    ['HTTP/1.0', { version: '1.0' }],
    ['HTTP/1.0 with keep-alive', { version: '1.0', fields: ['Connection: keep-alive'] }],
    ['a body that waits for our consent', { method: 'POST', fields: ['Expect: 100-continue', 'Content-Length: 5'] }],
    ['a body of unknown length', { method: 'POST', fields: ['Transfer-Encoding: chunked'] }],
  ];
  test.for(ends)('ends with the answer to %s', async ([, options]) => {
    await using stage = await spent();
    const answer = await stage.client.ask('/', options);
    expect([answer.status, fieldOf(answer, 'connection')]).toEqual([429, 'close']);
    await stage.client.closed();
    expect(stage.client.error).toBeUndefined();
  });

  test('ends where the virtual IP is disabled', async () => {
    await using stage = await spent();
    stage.scene.vip.update({ enabled: false });
    expect(fieldOf(await stage.client.ask('/'), 'connection')).toBe('close');
    await stage.client.closed();
  });

  test('ends with the request when the listener closes while its body is thrown away', async () => {
    await using stage = await spent();
    stage.client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n01234');
    expect((await stage.client.answer()).status).toBe(429);
    const closing = stage.scene.listener.close();
    stage.client.send('56789');
    await stage.client.closed();
    await soon(closing, 'the end');
  });

  test('is let go where the rest of the body does not come', async () => {
    await using stage = await spent({ timeouts: { client: 60 } });
    stage.client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n01234');
    expect((await stage.client.answer()).status).toBe(429);
    await stage.client.closed();
    expect(stage.client.answers.length).toBe(2);
    expect(stage.scene.vip.stats.timeouts).toMatchObject({ body: 1, request: 0 });
  });

  test('is let go where no request follows, as any other, though none was ever served on it', async () => {
    await using stage = await spent({ timeouts: { request: 0, keepAlive: 0 } });
    using client = await HttpClient.connect(stage.scene.place, one);
    expect((await client.ask('/')).status).toBe(429);
    stage.client.end();
    stage.scene.vip.update({ timeouts: { keepAlive: 60 } });
    await client.closed();
    expect(stage.scene.vip.stats.timeouts.keepAlive).toBe(1);
  });
});

describe('requests that are sent ahead', () => {
  test('get their answers in turn, those above the rate 429', async () => {
    await using member = await tellsTheTarget();
    await using scene = await httpScene([member], {}, { clientLimits: two });
    using client = await HttpClient.connect(scene.place, one);
    client.send([1, 2, 3, 4, 5].map((number) => request(`/${number}`, number === 4 ? { body: 'gone' } : {})).join(''));
    const answers: string[] = [];
    for (let turn = 0; turn < 5; turn++) {
      const { status, body } = await client.answer();
      answers.push(status === 200 ? body : String(status));
    }
    expect(answers).toEqual(['/1', '/2', '429', '429', '429']);
    scene.vip.update({ clientLimits: null });
    expect((await client.ask('/6')).body).toBe('/6');
    client.end();
    await scene.isAtRest();
  });

  test('in thousands are all answered, and the one after them is served', async () => {
    await using member = await tellsTheTarget();
    await using scene = await httpScene([member], {}, { clientLimits: { rate: 0.001 } });
    using client = await HttpClient.connect(scene.place, one);
    const count = 20_000;
    client.send(request('/').repeat(count));
    await until(() => client.answers.length === count, 'all are answered', 30_000);
    expect(client.answers.filter(({ status }) => status === 429).length).toBe(count - 1);
    scene.vip.update({ clientLimits: null });
    for (let turn = 0; turn < count; turn++) await client.answer();
    expect((await client.ask('/after')).body).toBe('/after');
    client.end();
    await scene.isAtRest();
    expect(member.requests.length).toBe(2);
  });

  test('whose answers nobody takes do not pile up, and their client is let go', async () => {
    using accepted = new Accepted();
    await using member = await tellsTheTarget();
    await using scene = await httpScene([member], {}, { clientLimits: { rate: 0.001 }, timeouts: { client: 300 } });
    using client = await HttpClient.connect(scene.place, one);
    await client.ask('/');
    client.socket.pause();
    const socket = accepted.last(scene.place);
    let most = 0;
    client.send(request('/').repeat(200_000));
    await until(() => {
      most = Math.max(most, socket.writableLength);
      return scene.vip.stats.activeConnections === 0;
    }, 'it is let go');
    expect(most).toBeLessThan(200_000);
    expect(scene.vip.stats.timeouts.reader).toBe(1);
    await scene.isAtRest();
  });
});

describe('a client above the limit of connections', () => {
  test('gets 429 for its first request, while others are served, and is none of the connections', async () => {
    await using member = await tellsTheTarget();
    await using scene = await httpScene([member], {}, { clientLimits: { maxConnections: 1 } });
    using first = await HttpClient.connect(scene.place, one);
    await first.ask('/first');
    using second = await HttpClient.connect(scene.place, one);
    await until(() => scene.rejected.length === 1, 'it is refused');
    expect(scene.vip.stats).toMatchObject({ activeConnections: 1, totalConnections: 1, requests: 1 });
    second.send(request('/second', { method: 'HEAD' }).repeat(3));
    second.request('/never', { body: 'x'.repeat(1_000_000) });
    const refused = await second.answerBegun();
    expect([refused.status, fieldOf(refused, 'connection'), fieldOf(refused, 'retry-after')]).toEqual([
      429,
      'close',
      undefined,
    ]);
    await second.closed();
    expect(second.error).toBeUndefined();
    expect((await ask(scene.place, '/other', {}, other)).body).toBe('/other');
    expect((await first.ask('/still')).body).toBe('/still');
    first.end();
    await scene.isAtRest();
    expect((await ask(scene.place, '/again', {}, one)).body).toBe('/again');
    await scene.isAtRest();
    expect(reasons(scene)).toEqual(['127.0.8.1 client-connections']);
    expect(scene.vip.stats).toMatchObject({
      requests: 5,
      responses2xx: 4,
      responses4xx: 1,
      rejects: 1,
      clientLimits: { connections: 1, rate: 0 },
    });
    expect(scene.vip.stats.clientLimits.addresses).toBe(0);
  });

  test('is told so as errorAnswer says', async () => {
    await using member = await tellsTheTarget();
    const errorAnswer = ({ status, target, accept }: { status: number; target?: unknown; accept?: unknown }) => ({
      body: `${status} ${target} ${accept}`,
    });
    await using scene = await httpScene([member], {}, { clientLimits: { maxConnections: 1 }, errorAnswer });
    using first = await HttpClient.connect(scene.place, one);
    await first.ask('/first');
    expect((await ask(scene.place, '/x', { fields: ['Accept: a/b'] }, one)).body).toBe('429 /x a/b');
  });

  test.for([
    ['nonsense', 'nonsense\r\n\r\n'],
    ['a request in pieces', 'GET / HTTP/1.1\r\nHo|st: a\r\n\r|\n'],
    ['a head that is too long', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`],
  ] as const)('gets 429 whatever it says: %s', async ([, text]) => {
    await using member = await tellsTheTarget();
    await using scene = await httpScene([member], {}, { clientLimits: { maxConnections: 1 } });
    using first = await HttpClient.connect(scene.place, one);
    await first.ask('/first');
    using second = await HttpClient.connect(scene.place, one);
    for (const piece of text.split('|')) {
      second.send(piece);
      await first.ask('/meanwhile');
    }
    expect((await second.answer()).status).toBe(429);
    await second.closed();
    expect(second.error).toBeUndefined();
  });

  test.for([
    ['ends', (client: HttpClient) => client.end()],
    ['resets', (client: HttpClient) => client.reset()],
  ] as const)('and %s without a word leaves nothing behind', async ([, leaves]) => {
    await using member = await tellsTheTarget();
    await using scene = await httpScene(
      [member],
      {},
      { clientLimits: { maxConnections: 1 }, timeouts: { request: 0 } },
    );
    using first = await HttpClient.connect(scene.place, one);
    await first.ask('/first');
    using second = await HttpClient.connect(scene.place, one);
    await until(() => scene.rejected.length === 1, 'it is refused');
    leaves(second);
    await until(() => second.hasClosed, 'it is gone');
    first.end();
    await scene.isAtRest();
    await soon(scene.listener.close(), 'nobody is left');
  });

  test('and says nothing is let go after the time for a request', async () => {
    await using member = await tellsTheTarget();
    await using scene = await httpScene(
      [member],
      {},
      { clientLimits: { maxConnections: 1 }, timeouts: { request: 60 } },
    );
    using first = await HttpClient.connect(scene.place, one);
    await first.ask('/first');
    using second = await HttpClient.connect(scene.place, one);
    await second.closed();
    expect((await first.ask('/still')).status).toBe(200);
  });

  test('is reset when the listener closes, unless it just gets its answer', async () => {
    await using member = await tellsTheTarget();
    await using scene = await httpScene(
      [member],
      {},
      { clientLimits: { maxConnections: 1 }, timeouts: { request: 0 } },
    );
    using first = await HttpClient.connect(scene.place, one);
    await first.ask('/first');
    using second = await HttpClient.connect(scene.place, one);
    await until(() => scene.rejected.length === 1, 'it is refused');
    await soon(scene.listener.close(), 'the end');
    await second.closed();
    expect(second.error?.code).toBe('ECONNRESET');
  });

  test('one of hundreds is reset: only so many are told at a time', async () => {
    await using member = await tellsTheTarget();
    await using scene = await httpScene([member], {}, { clientLimits: { maxConnections: 1 } });
    using first = await HttpClient.connect(scene.place, one);
    await first.ask('/first');
    const crowd: HttpClient[] = [];
    for (let number = 0; number < 300; number++) {
      const client = await HttpClient.connect(scene.place, one).catch(() => undefined);
      if (client !== undefined) crowd.push(client);
    }
    await until(() => scene.rejected.length === 300, 'all are refused');
    const isReset = ({ hasClosed, error }: HttpClient): boolean => hasClosed && error?.code === 'ECONNRESET';
    await until(() => crowd.filter((client) => !isReset(client)).length <= 256, 'the rest is reset');
    const told = crowd.filter((client) => !isReset(client));
    expect(told.length).toBe(256);
    expect((await ask(scene.place, '/other', {}, other)).body).toBe('/other');
    for (const client of told) expect((await client.ask('/')).status).toBe(429);
    for (const client of told) client.socket.destroy();
    // They make room for those who come next.
    await until(async () => (await fateOfOne(scene)) === 429, 'one is told again');
    first.end();
    await scene.isAtRest();
  });
});

test('behind a balancer that tells of its clients, each has its own rate, and learns of it', async () => {
  await using member = await tellsTheTarget();
  await using scene = await httpScene(
    [member],
    {},
    { acceptProxyProtocol: { trustedCidrs: ['127.0.0.0/8'] }, clientLimits: { rate: 0.001, maxConnections: 1 } },
  );
  const come = async (address: string): Promise<HttpClient> => {
    const client = await HttpClient.connect(scene.place);
    client.send(`PROXY TCP4 ${address} 10.9.9.9 4711 80\r\n`);
    return client;
  };
  using first = await come('10.0.0.1');
  expect([(await first.ask('/1')).status, (await first.ask('/2')).status]).toEqual([200, 429]);
  using second = await come('10.0.0.1');
  expect((await second.ask('/3')).body).toMatch(/too many connections/);
  await second.closed();
  using third = await come('10.0.0.2');
  expect((await third.ask('/4')).status).toBe(200);
  first.end();
  third.end();
  await scene.isAtRest();
  expect(reasons(scene)).toEqual(['10.0.0.1 client-rate', '10.0.0.1 client-connections']);
});

describe('over TLS', () => {
  const get = 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n';

  test('a request above the rate gets 429 on a connection that stays', async () => {
    await using member = await tellsTheTarget();
    await using scene = await tlsScene(
      { members: [member.spec] },
      { protocol: 'http', clientLimits: { rate: 0.001, burst: 1 } },
    );
    using client = await TlsClient.connect(scene.place);
    client.send(get.repeat(3));
    await until(() => client.received.split('HTTP/1.1 429').length === 3, 'two are turned back');
    expect([client.received.split('HTTP/1.1 200').length, client.hasEnded]).toEqual([2, false]);
    client.socket.end();
    await scene.isAtRest();
  });

  test('a connection above the limit is reset before its handshake, and one that waits gives up its place by ending', async () => {
    await using member = await tellsTheTarget();
    await using scene = await tlsScene(
      { members: [member.spec] },
      { protocol: 'http', connectionLimit: 1, clientLimits: { maxConnections: 2 } },
    );
    using first = await TlsClient.connect(scene.place);
    using second = await Client.connect(scene.place);
    second.send('\u0016\u0003\u0001');
    await until(() => scene.vip.stats.waitingConnections === 1, 'it waits');
    expect(await fateOf(scene.place)).toBe('ECONNRESET');
    second.end();
    await until(() => scene.vip.stats.waitingConnections === 0, 'it has left');
    scene.vip.update({ connectionLimit: null, clientLimits: { maxConnections: 1 } });
    expect(await fateOf(scene.place)).toBe('ECONNRESET');
    first.socket.end();
    await scene.isAtRest();
    expect(scene.vip.stats.tlsHandshakes).toMatchObject({ full: 1, failed: 0 });
    expect(scene.vip.stats.clientLimits.addresses).toBe(0);
  });
});

async function fateOfOne(scene: Scene): Promise<number | string> {
  return await ask(scene.place, '/', {}, one).then(
    ({ status }) => status,
    () => 'reset',
  );
}

test('one address that asks without end takes nothing from the others', async () => {
  await using member = await tellsTheTarget();
  await using scene = await httpScene([member], {}, { clientLimits: { rate: 0.001, burst: 50, maxConnections: 4 } });
  let isOver = false;
  const flood = Array.from({ length: 8 }, async () => {
    while (!isOver) {
      using client = await HttpClient.connect(scene.place, one).catch(() => undefined as never);
      if (client === undefined) continue;
      client.send(request('/flood').repeat(50));
      await client.answerBegun().catch(() => undefined);
    }
  });
  for (let number = 0; number < 100; number++) {
    expect(await fateOfFrom(scene, `127.0.7.${1 + number}`)).toBe(200);
  }
  isOver = true;
  await Promise.all(flood);
  await scene.isAtRest();
  expect(member.requests.filter(({ target }) => target === '/flood').length).toBe(50);
  expect(await fateOf(scene.place)).toBe(200);
});

async function fateOfFrom(scene: Scene, localAddress: string): Promise<number> {
  return (await ask(scene.place, '/', {}, { localAddress })).status;
}
