import { describe, expect, test } from 'vitest';
import { ask, fateOf, HttpClient, request } from '../../fixtures/node/http/client.ts';
import { answer, type Handler, HttpFleet, HttpMember } from '../../fixtures/node/http/member.ts';
import { mebi, pour } from '../../fixtures/node/http/pour.ts';
import { httpScene } from '../../fixtures/node/http/scene.ts';
import { closedPort } from '../../fixtures/node/places.ts';
import { BlackHole } from '../../fixtures/node/process.ts';
import { Scene } from '../../fixtures/node/scene.ts';
import { until } from '../../fixtures/node/until.ts';

const dies: Handler = ({ wire }) => wire.reset();
const saysNothing: Handler = () => {};

describe('a member that dies before it answers', () => {
  test.each(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'])('has %s sent to another one', async (method) => {
    await using fleet = await HttpFleet.start(2);
    fleet.of('m1').does = dies;
    await using scene = await httpScene(fleet);
    for (let turn = 0; turn < 4; turn++) expect((await ask(scene.place, '/', { method })).status).toBe(200);
    await scene.isAtRest();
    const { requests } = fleet.of('m1');
    expect(requests.length).toBeGreaterThan(0);
    expect(scene.vip.stats).toMatchObject({ requests: 4, responses2xx: 4, requestErrors: 0, connectFailures: 0 });
    expect(scene.vip.stats.retries).toBe(requests.length);
    expect(scene.member('m1').stats).toMatchObject({ requests: requests.length, requestErrors: requests.length });
    expect(scene.member('m2').stats).toMatchObject({ requests: 4, retries: requests.length, responses2xx: 4 });
  });

  test.each(['POST', 'PATCH', 'LOCK'])('costs %s a 502, and it is sent to nobody else', async (method) => {
    await using fleet = await HttpFleet.start(2);
    fleet.of('m1').does = dies;
    await using scene = await httpScene(fleet);
    const { status, body } = await ask(scene.place, '/', { method, body: 'once' });
    expect([status, body]).toEqual([502, '502 Bad Gateway: read ECONNRESET\n']);
    await scene.isAtRest();
    expect(fleet.all.map(({ requests }) => requests.length)).toEqual([1, 0]);
    expect(scene.vip.stats).toMatchObject({ requests: 1, responses5xx: 1, requestErrors: 0, retries: 0 });
    expect(scene.pool.stats).toMatchObject({ requests: 1, requestErrors: 1, responses5xx: 0 });
  });

  test('properly has its request sent to another one as well', async () => {
    await using fleet = await HttpFleet.start(2);
    fleet.of('m1').does = ({ wire }) => wire.socket.end();
    await using scene = await httpScene(fleet);
    expect((await ask(scene.place)).body).toBe('m2');
    await scene.isAtRest();
  });

  test('has a request with its body sent to another one, as far as it has come in', async () => {
    await using fleet = await HttpFleet.start(2, (heard) => heard.answer(heard.message.body));
    fleet.of('m1').hears = dies;
    await using scene = await httpScene(fleet);
    using client = await HttpClient.connect(scene.place);
    client.request('/', { method: 'PUT', fields: ['Content-Length: 9'] });
    await fleet.of('m2').request(1);
    client.send('some');
    client.send('thing');
    expect((await client.answer()).status).toBe(200);
    expect(fleet.of('m2').requests[0]?.message.body).toBe('something');
    client.end();
    await scene.isAtRest();
  });

  test('costs the request a 502 where all of them do, as often as may be tried', async () => {
    await using fleet = await HttpFleet.start(5, dies);
    await using scene = await httpScene(fleet, {}, { retries: 2 });
    expect((await ask(scene.place)).status).toBe(502);
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ requests: 1, responses5xx: 1, retries: 2, rejects: 1 });
    expect(scene.pool.stats).toMatchObject({ requests: 3, requestErrors: 3 });
  });

  test('is tried again after a pause where there is no other', async () => {
    await using member = await HttpMember.start({ does: dies });
    await using scene = await httpScene([member], {}, { timeouts: { connect: 20 } });
    using client = await HttpClient.connect(scene.place);
    client.request('/');
    await member.request(2);
    member.does = (heard) => heard.answer();
    expect((await client.answer()).status).toBe(200);
    client.end();
    await scene.isAtRest();
  });

  test('gets no second try where none is allowed', async () => {
    await using fleet = await HttpFleet.start(2);
    fleet.of('m1').does = dies;
    await using scene = await httpScene(fleet, {}, { retries: 0 });
    expect(await fateOf(scene.place)).toBe(502);
    await scene.isAtRest();
    expect(fleet.of('m2').requests).toEqual([]);
  });

  test('under load fails no request that may be sent again', async () => {
    await using fleet = await HttpFleet.start(3);
    await using scene = await httpScene(fleet);
    let isOver = false;
    const statuses: Record<number, number> = {};
    const askers = Array.from({ length: 16 }, async () => {
      using client = await HttpClient.connect(scene.place);
      while (!isOver) {
        const { status } = await client.ask('/');
        statuses[status] = (statuses[status] ?? 0) + 1;
      }
    });
    for (let round = 0; round < 6; round++) {
      const member = fleet.all[round % 3] as HttpMember;
      const heard = member.requests.length;
      await member.until(() => member.requests.length > heard + 50, 'it serves');
      await member.stop();
      const other = fleet.all[(round + 1) % 3] as HttpMember;
      const served = other.requests.length;
      await other.until(() => other.requests.length > served + 50, 'the others serve');
      await member.start();
    }
    isOver = true;
    await Promise.all(askers);
    expect(Object.keys(statuses)).toEqual(['200']);
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ requestErrors: 0, responses5xx: 0 });
  });
});

describe('a member that cannot be connected to', () => {
  test('has its requests sent to another one, whatever they are', async () => {
    await using good = await HttpMember.start({ name: 'good' });
    await using scene = await Scene.open({ members: [closedPort(), good.at] }, { protocol: 'http' });
    using client = await HttpClient.connect(scene.place);
    for (let turn = 0; turn < 4; turn++) expect((await client.ask('/', { body: 'once' })).body).toBe('good');
    client.end();
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ requests: 4, responses2xx: 4, requestErrors: 0 });
    expect(scene.vip.stats.connectFailures).toBeGreaterThan(0);
    expect(scene.vip.stats.retries).toBe(scene.vip.stats.connectFailures);
    expect(scene.pool.stats.requests).toBe(4);
    expect(scene.connectFailures[0]?.reason).toContain('ECONNREFUSED');
  });

  test('in time has its requests sent to another one', async () => {
    await using hole = await BlackHole.open();
    await using good = await HttpMember.start({ name: 'good' });
    await using scene = await Scene.open(
      { members: [hole.at, good.at] },
      { protocol: 'http', timeouts: { connect: 60 } },
    );
    using client = await HttpClient.connect(scene.place);
    for (let turn = 0; turn < 3; turn++) expect((await client.ask('/', { body: 'once' })).body).toBe('good');
    client.end();
    await scene.isAtRest();
    expect(scene.vip.stats.connectFailures).toBeGreaterThan(0);
  });

  test('costs its request a 503 where none can', async () => {
    await using scene = await Scene.open(
      { members: [closedPort(), closedPort()] },
      { protocol: 'http', retries: 2, timeouts: { connect: 20 } },
    );
    const { status, body } = await ask(scene.place, '/', { body: 'once' });
    expect([status, body]).toEqual([503, '503 Service Unavailable: no member could be reached\n']);
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ requests: 1, responses5xx: 1, connectFailures: 3, retries: 2, rejects: 1 });
    expect(scene.pool.stats).toMatchObject({ requests: 0, requestErrors: 0 });
    expect(scene.rejected.map(({ reason }) => reason)).toEqual(['retries-exhausted']);
  });

  test('is waited for, and another request’s connection serves when there is one', async () => {
    await using member = await HttpMember.start();
    await member.stop();
    await using scene = await httpScene([member], {}, { timeouts: { connect: 200 } });
    using early = await HttpClient.connect(scene.place);
    early.request('/early');
    await until(() => scene.vip.stats.connectFailures === 1, 'it is not there');
    await member.start();
    using late = await HttpClient.connect(scene.place);
    expect((await late.ask('/late')).status).toBe(200);
    expect((await early.answer()).status).toBe(200);
    expect(member.targets).toEqual(['/late', '/early']);
    expect(member.backend.accepted).toBe(1);
    early.end();
    late.end();
    await scene.isAtRest();
  });

  test('costs its request a 503 at once where there is no member at all', async () => {
    await using scene = await Scene.open({ members: [] }, { protocol: 'http' });
    const { status, body } = await ask(scene.place);
    expect([status, body]).toEqual([503, '503 Service Unavailable: no member is available\n']);
    await scene.isAtRest();
    expect(scene.rejected.map(({ reason }) => reason)).toEqual(['no-eligible-member']);
  });
});

describe('a member that hangs', () => {
  test.each(['GET', 'POST'])('costs %s a 504, and nobody else gets it', async (method) => {
    await using fleet = await HttpFleet.start(2);
    fleet.of('m1').does = saysNothing;
    await using scene = await httpScene(fleet, {}, { timeouts: { member: 60 } });
    const { status, body } = await ask(scene.place, '/', { method });
    expect([status, body]).toEqual([504, '504 Gateway Timeout: the member did not answer in time\n']);
    await fleet.of('m1').isLetGo();
    await scene.isAtRest();
    expect(fleet.of('m2').requests).toEqual([]);
    expect(scene.vip.stats).toMatchObject({
      requests: 1,
      responses5xx: 1,
      requestErrors: 0,
      timeouts: { response: 1 },
    });
    expect(scene.pool.stats).toMatchObject({ requests: 1, requestErrors: 1, totalConnections: 1 });
  });

  test('on a kept connection costs the request a 504, and is no failed connect', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member], {}, { timeouts: { member: 60 } });
    using client = await HttpClient.connect(scene.place);
    await client.ask('/');
    member.does = saysNothing;
    expect((await client.ask('/')).status).toBe(504);
    await client.closed();
    await scene.isAtRest();
    expect(scene.pool.stats).toMatchObject({ totalConnections: 1, connectFailures: 0, requestErrors: 1 });
  });

  test('in the middle of its head costs the request a 504', async () => {
    await using member = await HttpMember.start({ does: (heard) => heard.say('HTTP/1.1 200 OK\r\nContent-Le') });
    await using scene = await httpScene([member], {}, { timeouts: { member: 60 } });
    expect((await ask(scene.place)).status).toBe(504);
    await member.isLetGo();
    await scene.isAtRest();
  });

  test('in the middle of its body has the answer cut', async () => {
    await using member = await HttpMember.start({
      does: (heard) => heard.say('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello'),
    });
    await using scene = await httpScene([member], {}, { timeouts: { member: 60 } });
    using client = await HttpClient.connect(scene.place);
    client.request('/');
    expect((await client.isCut()).body).toBe('hello');
    await member.isLetGo();
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ responses2xx: 1, responses5xx: 0, timeouts: { response: 1 } });
    expect(scene.pool.stats.requestErrors).toBe(1);
  });

  test('after an interim answer costs the request a 504', async () => {
    await using member = await HttpMember.start({ does: (heard) => heard.say('HTTP/1.1 102 Processing\r\n\r\n') });
    await using scene = await httpScene([member], {}, { timeouts: { member: 60 } });
    const { status, interim } = await ask(scene.place);
    expect([status, interim]).toEqual([504, [102]]);
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ responses1xx: 1, responses5xx: 1 });
  });

  test('and takes nothing of an upload costs it a 504', async () => {
    await using member = await HttpMember.start({ hears: ({ wire }) => void wire.socket.pause() });
    await using scene = await httpScene([member], {}, { timeouts: { member: 100, client: 0 } });
    using client = await HttpClient.connect(scene.place);
    client.request('/', { method: 'POST', fields: [`Content-Length: ${100 * mebi}`] });
    const poured = pour(client.socket, 100 * mebi);
    expect((await client.answer()).status).toBe(504);
    client.socket.destroy();
    await poured;
    await scene.isAtRest();
    expect(scene.vip.stats.timeouts).toMatchObject({ response: 1, body: 0 });
  });
});

describe('an answer that is no answer', () => {
  test.each([
    ['no HTTP', 'I am no web server\r\n\r\n', 'an answer that does not start with HTTP/1.'],
    ['a bad status', 'HTTP/1.1 99 Low\r\n\r\n', 'a malformed status'],
    [
      'an unasked switch',
      'HTTP/1.1 101 Here We Go\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
      'an upgrade that nobody asked for',
    ],
  ])('costs its request a 502: %s', async (_what, text, reason) => {
    await using fleet = await HttpFleet.start(2);
    fleet.of('m1').does = (heard) => heard.say(text);
    await using scene = await httpScene(fleet);
    const { status, body } = await ask(scene.place);
    expect([status, body]).toEqual([502, `502 Bad Gateway: the member's answer has ${reason}\n`]);
    await fleet.of('m1').isLetGo();
    await scene.isAtRest();
    // It may have been carried out, and the member has spoken.
    expect(fleet.of('m2').requests).toEqual([]);
    expect(scene.vip.stats).toMatchObject({ requests: 1, responses5xx: 1, responses2xx: 0, requestErrors: 0 });
    expect(scene.pool.stats).toMatchObject({ requests: 1, requestErrors: 1 });
  });

  test('a member that speaks before it is asked costs nobody anything', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    await client.ask('/');
    const [first] = member.wires;
    first?.socket.write(answer('unasked'));
    await until(() => first?.hasClosed === true, 'it is let go');
    expect((await client.ask('/')).body).toBe('member');
    client.end();
    await scene.isAtRest();
  });
});

describe('an answer that breaks off', () => {
  const inChunks = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n';
  const byLength = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello';
  const byClose = 'HTTP/1.1 200 OK\r\n\r\nhello';

  describe.each(['1.0', '1.1'] as const)('for a client of HTTP/%s', (version) => {
    test.each([
      ['by a reset amid chunks', inChunks, dies],
      ['by a reset amid its length', byLength, dies],
      ['by a proper end amid chunks', inChunks, (({ wire }) => wire.socket.end()) as Handler],
      ['by a proper end amid its length', byLength, (({ wire }) => wire.socket.end()) as Handler],
      ['by a reset where its end would be the connection’s', byClose, dies],
      ['by nonsense amid chunks', inChunks, ((heard) => heard.say('nonsense\r\n')) as Handler],
    ])('%s is cut', async (_how, text, breaksOff) => {
      await using member = await HttpMember.start({ does: (heard) => heard.say(text) });
      await using scene = await httpScene([member]);
      using client = await HttpClient.connect(scene.place);
      client.request('/', { version });
      await client.hasGot(5);
      breaksOff(await member.request(1));
      expect((await client.isCut()).body).toBe('hello');
      // In HTTP/1.0 nothing but a reset can tell.
      expect(client.error?.code).toBe('ECONNRESET');
      expect(scene.vip.stats.responses2xx).toBe(1);
      await member.isLetGo();
      await scene.isAtRest();
      expect(scene.vip.stats).toMatchObject({ requests: 1, responses5xx: 0, requestErrors: 0, retries: 0 });
      expect(scene.pool.stats).toMatchObject({ requests: 1, requestErrors: 1 });
    });
  });

  test('right behind its data is cut as well, though the system may say that it ended', async () => {
    await using member = await HttpMember.start({
      does: (heard) => {
        heard.say(byClose);
        heard.wire.reset();
      },
    });
    await using scene = await httpScene([member]);
    for (let turn = 1; turn <= 5; turn++) {
      const fate = await ask(scene.place, '/', { body: 'once' }).catch(() => undefined);
      if (fate !== undefined) expect(fate.status).toBe(502);
    }
    await scene.isAtRest();
    expect(scene.pool.stats).toMatchObject({ requests: 5, requestErrors: 5 });
  });

  test('properly where its end is the connection’s is whole', async () => {
    await using member = await HttpMember.start({ does: ({ wire }) => wire.socket.end(byClose) });
    await using scene = await httpScene([member]);
    for (let turn = 0; turn < 5; turn++) expect((await ask(scene.place)).body).toBe('hello');
    await scene.isAtRest();
    expect(scene.pool.stats).toMatchObject({ requests: 5, requestErrors: 0 });
  });

  test('takes the client’s further requests with it', async () => {
    await using member = await HttpMember.start({ does: (heard) => heard.say(byLength) });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    client.send(request('/1') + request('/2'));
    await client.hasGot(5);
    member.requests[0]?.wire.reset();
    await client.isCut();
    expect(member.targets).toEqual(['/1']);
    await scene.isAtRest();
  });
});

describe('a member that answers before it has all of the request', () => {
  const big = 30 * mebi;
  const declines: Handler = (heard) => heard.answer('too much', { status: 413, fields: ['Connection: close'] });

  test('is heard by the client, though that is still sending', async () => {
    await using member = await HttpMember.start({ hears: declines, does: () => {} });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    client.request('/', { method: 'POST', fields: [`Content-Length: ${big}`] });
    const poured = pour(client.socket, big);
    const { status, body, fields } = await client.answer();
    expect([status, body]).toEqual([413, 'too much']);
    expect(fields).toContainEqual(['Connection', 'close']);
    await client.ended();
    client.socket.destroy();
    await poured;
    await member.isLetGo();
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ requests: 1, responses4xx: 1, requestErrors: 1, abortedRequests: 0 });
    expect(scene.pool.stats.requestErrors).toBe(0);
  });

  test('is heard by a client that sends all of its request before it listens', async () => {
    await using member = await HttpMember.start({ hears: declines, does: () => {} });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    client.socket.pause();
    client.request('/', { method: 'POST', fields: [`Content-Length: ${big}`] });
    expect(await pour(client.socket, big)).toBeDefined();
    client.socket.resume();
    expect((await client.answer()).body).toBe('too much');
    await client.closed();
    await scene.isAtRest();
  });

  test('and goes on taking the request, may get all of it', async () => {
    let size = 0;
    await using member = await HttpMember.start({
      hears: (heard) => heard.say('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n'),
      does: (heard) => {
        size = heard.message.size;
        heard.say('received');
      },
    });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    client.request('/', { method: 'POST', fields: ['Transfer-Encoding: chunked'] });
    await client.answerBegun();
    await pour(client.socket, mebi, true);
    const { body, fields } = await client.answer();
    expect([body, size]).toEqual(['received', mebi]);
    expect(fields).toContainEqual(['Connection', 'close']);
    await client.closed();
    await scene.isAtRest();
    expect(scene.vip.stats.requestErrors).toBe(0);
  });
});

describe('a request that is malformed behind its head', () => {
  test.each(['x', '5\r\nhello!\r\n', '5;a\x01\r\n'])(
    'costs its client a 400, and its member the connection: %j',
    async (text) => {
      await using member = await HttpMember.start({ does: saysNothing });
      await using scene = await httpScene([member]);
      using client = await HttpClient.connect(scene.place);
      client.request('/', { method: 'POST', fields: ['Transfer-Encoding: chunked'] });
      const { wire } = await member.request(1);
      client.send(text);
      expect((await client.answer()).status).toBe(400);
      await client.closed();
      await until(() => wire.hasClosed, 'the member is let go');
      expect(member.requests[0]?.message.isComplete).toBe(false);
      await scene.isAtRest();
      expect(scene.vip.stats).toMatchObject({ requests: 1, requestErrors: 1, responses4xx: 1 });
      expect(scene.pool.stats).toMatchObject({ requests: 1, requestErrors: 0, abortedRequests: 0 });
    },
  );

  test('has the answer cut that has begun', async () => {
    await using member = await HttpMember.start({
      hears: (heard) => heard.say('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello'),
    });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    client.request('/', { method: 'POST', fields: ['Transfer-Encoding: chunked'] });
    await client.hasGot(5);
    client.send('nonsense\r\n');
    await client.isCut();
    await member.isLetGo();
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ requests: 1, requestErrors: 1 });
  });
});
