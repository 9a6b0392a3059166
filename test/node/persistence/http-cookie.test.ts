import { describe, expect, test } from 'vitest';
import { Browser, cookiesOf } from '../../fixtures/node/http/browser.ts';
import { ask, HttpClient } from '../../fixtures/node/http/client.ts';
import { HttpFleet, HttpMember } from '../../fixtures/node/http/member.ts';
import type { Message } from '../../fixtures/node/http/message.ts';
import { httpScene } from '../../fixtures/node/http/scene.ts';
import type { Scene } from '../../fixtures/node/scene.ts';

const byId = { type: 'http-cookie', value: 'id' } as const;
const ours = /^SRV=[\w-]{22}; Path=\/; HttpOnly$/;

const withCookie = (...values: string[]) => ({ fields: values.map((value) => `Cookie: ${value}`) });

/** What the member that answered last was sent as cookies. */
function lastCookies(fleet: HttpFleet): string | undefined {
  return newest(fleet).field('Cookie');
}

function newest({ all }: HttpFleet): Message {
  const [first] = all.flatMap(({ requests }) => requests.slice(-1));
  if (first === undefined) throw new Error('nobody was asked');
  return first.message;
}

async function ends(scene: Scene): Promise<void> {
  await scene.isAtRest();
  expect(scene.troubles).toEqual([]);
}

describe('a cookie that names the member', () => {
  test('is given to a client that has none, leads it back, and is not given again', async () => {
    await using fleet = await HttpFleet.start(3);
    await using scene = await httpScene(fleet, { persistence: { type: 'http-cookie' } });
    const browsers = Array.from({ length: 3 }, () => new Browser(scene.place));
    const homes: string[] = [];
    for (const browser of browsers) homes.push((await browser.visit()).body);
    expect(homes).toEqual(['m1', 'm2', 'm3']);
    for (const [index, browser] of browsers.entries()) {
      expect(await browser.visits(4)).toEqual(Array(4).fill(homes[index]));
      expect(browser.given).toEqual([expect.stringMatching(ours)]);
    }
    expect(new Set(browsers.flatMap(({ given }) => given)).size).toBe(3);
    expect(scene.pool.persistenceStats).toMatchObject({ kept: 12, moved: 0 });
    await ends(scene);
  });

  test('holds for each request of a connection by itself', async () => {
    await using fleet = await HttpFleet.start(3);
    await using scene = await httpScene(fleet, { persistence: byId });
    using client = await HttpClient.connect(scene.place);
    const bodies: string[] = [];
    for (const id of ['m3', 'm1', 'm2', 'm3']) bodies.push((await client.ask('/', withCookie(`SRV=${id}`))).body);
    expect(bodies).toEqual(['m3', 'm1', 'm2', 'm3']);
    const pipelined = ['m2', 'm3', 'm1'];
    for (const id of pipelined) client.request('/', withCookie(`SRV=${id}`));
    for (const id of pipelined) expect((await client.answer()).body).toBe(id);
    client.end();
    await ends(scene);
  });

  test('leaves those who are new to the strategy, in its order', async () => {
    await using fleet = await HttpFleet.start(3);
    await using scene = await httpScene(fleet, { persistence: byId });
    for (let turn = 0; turn < 5; turn++) await ask(scene.place, '/', withCookie('SRV=m1'));
    const bodies: string[] = [];
    for (let turn = 0; turn < 6; turn++) bodies.push((await ask(scene.place)).body);
    expect(bodies).toEqual(['m1', 'm2', 'm3', 'm1', 'm2', 'm3']);
    await ends(scene);
  });

  test('is honoured by another balancer with the same settings, and by no other', async () => {
    await using fleet = await HttpFleet.start(3);
    const persistence = { type: 'http-cookie', secret: 'a secret of sixteen' } as const;
    await using one = await httpScene(fleet, { persistence });
    await using other = await httpScene(fleet, { persistence });
    await using stranger = await httpScene(fleet, { persistence: { ...persistence, secret: 'another of sixteen' } });
    await ask(one.place);
    const browser = new Browser(one.place);
    expect((await browser.visit()).body).toBe('m2');
    const { cookies } = browser;
    const at = (scene: Scene) => Object.assign(new Browser(scene.place), { cookies: new Map(cookies) });
    expect(await at(other).visits(3)).toEqual(['m2', 'm2', 'm2']);
    const elsewhere = at(stranger);
    expect((await elsewhere.visit()).body).toBe('m1');
    expect(elsewhere.given).toEqual([expect.stringMatching(ours)]);
    for (const scene of [one, other, stranger]) await ends(scene);
  });
});

describe('members', () => {
  test.each([
    ['alone', ['SRV=m1'], undefined],
    ['first', ['SRV=m1; a=b; c=d'], 'a=b; c=d'],
    ['in the middle', ['a=b; SRV=m1; c=d'], 'a=b; c=d'],
    ['last', ['a=b; c=d; SRV=m1'], 'a=b; c=d'],
    ['several times', ['SRV=m1; a=b; SRV=x'], 'a=b'],
    ['in a field of several', ['a=b', 'SRV=m1', 'c=d; SRV=m1'], 'a=b, c=d'],
    ['of a member that is not there', ['SRV=gone; a=b'], 'a=b'],
    ['in another spelling, which is another cookie', ['srv=m1; SRVX=m1; XSRV=m1'], 'srv=m1; SRVX=m1; XSRV=m1'],
    ['not at all', ['a="b c"; d'], 'a="b c"; d'],
  ])('see nothing of a cookie that comes %s', async (_what, sent, seen) => {
    await using fleet = await HttpFleet.start(1);
    await using scene = await httpScene(fleet, { persistence: byId });
    await ask(scene.place, '/', withCookie(...sent));
    expect(lastCookies(fleet)).toBe(seen);
    await ends(scene);
  });

  test('get all other fields as they are, and where they were', async () => {
    await using fleet = await HttpFleet.start(1);
    await using scene = await httpScene(fleet, { persistence: byId });
    await ask(scene.place, '/', { fields: ['A: 1', 'COOKIE:  a=b;SRV=m1 ;c=d', 'B: 2', 'cookie: SRV=m1', 'C: 3'] });
    expect(newest(fleet).fields).toEqual([
      ['Host', 'a.example'],
      ['A', '1'],
      ['COOKIE', 'a=b;c=d'],
      ['B', '2'],
      ['C', '3'],
    ]);
    await ends(scene);
  });

  test('cannot set a cookie of that name, and their others go through in order', async () => {
    const fields = ['Set-Cookie: a=b; Path=/x', 'Set-Cookie: SRV=mine', 'X: y', 'set-cookie: srv=c', 'SET-COOKIE: d=e'];
    await using fleet = await HttpFleet.start(1, (heard) => heard.answer('m1', { fields }));
    await using scene = await httpScene(fleet, { persistence: byId });
    const fresh = await ask(scene.place);
    expect(cookiesOf(fresh)).toEqual(['a=b; Path=/x', 'srv=c', 'd=e', 'SRV=m1; Path=/; HttpOnly']);
    expect(fresh.field('X')).toBe('y');
    expect(cookiesOf(await ask(scene.place, '/', withCookie('SRV=m1')))).toEqual(['a=b; Path=/x', 'srv=c', 'd=e']);
    await ends(scene);
  });

  test('see and set what they like where their pool has no persistence, or one that is not about cookies', async () => {
    await using fleet = await HttpFleet.start(1, (heard) => heard.answer('m1', { fields: ['Set-Cookie: SRV=mine'] }));
    await using scene = await httpScene(fleet, {});
    for (const persistence of [null, { type: 'source-ip' } as const]) {
      scene.pool.update({ persistence });
      expect(cookiesOf(await ask(scene.place, '/', withCookie('SRV=m1; a=b')))).toEqual(['SRV=mine']);
      expect(lastCookies(fleet)).toBe('SRV=m1; a=b');
    }
    await ends(scene);
  });
});

describe('an answer that sets the cookie', () => {
  test.each([
    [['Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT'], 'private'],
    [['ETag: "x"'], 'private'],
    [['Cache-Control: max-age=60'], 'max-age=60, private'],
    [['Cache-Control: public'], 'public, private'],
    [['Cache-Control: no-store'], 'no-store'],
    [['Cache-Control: private, max-age=60'], 'private, max-age=60'],
    [[], undefined],
  ])('with %j says %s of caches', async (fields, control) => {
    await using fleet = await HttpFleet.start(1, (heard) => heard.answer('m1', { fields }));
    await using scene = await httpScene(fleet, { persistence: byId });
    const fresh = await ask(scene.place);
    expect([cookiesOf(fresh).length, fresh.field('Cache-Control')]).toEqual([1, control]);
    const known = await ask(scene.place, '/', withCookie('SRV=m1'));
    const own = fields.find((line) => line.startsWith('Cache-Control: '))?.slice('Cache-Control: '.length);
    expect([cookiesOf(known).length, known.field('Cache-Control')]).toEqual([0, own]);
    // What nobody may keep needs no word.
    expect((await ask(scene.place, '/', { method: 'POST', body: 'x' })).field('Cache-Control')).toBe(own);
    await ends(scene);
  });

  test.each([
    ['to HEAD', 'HEAD', 200],
    ['of an error', 'GET', 500],
    ['without a body', 'GET', 204],
    ['that says it has not changed', 'GET', 304],
  ])('may be one %s', async (_what, method, status) => {
    await using fleet = await HttpFleet.start(1);
    const [member] = fleet.all as [HttpMember];
    member.does = (heard) => {
      const length = status === 204 || status === 304 ? '' : 'Content-Length: 2\r\n';
      heard.say(`HTTP/1.1 ${status} As Told\r\n${length}\r\n${length === '' || method === 'HEAD' ? '' : 'm1'}`);
    };
    await using scene = await httpScene(fleet, { persistence: byId });
    const answer = await ask(scene.place, '/', { method });
    expect([answer.status, cookiesOf(answer)]).toEqual([status, ['SRV=m1; Path=/; HttpOnly']]);
    await ends(scene);
  });

  test('may be one of 101, which the tunnel follows; the member saw no cookie of ours', async () => {
    await using member = await HttpMember.start({
      name: 'm1',
      does: (heard) => {
        heard.wire.stream.switch();
        heard.say(
          'HTTP/1.1 101 Switching Protocols\r\nSet-Cookie: SRV=mine\r\nSet-Cookie: a=b\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n',
        );
        heard.wire.socket.on('data', (chunk) => heard.wire.socket.write(chunk));
        heard.wire.socket.on('end', () => heard.wire.socket.end());
      },
    });
    await using scene = await httpScene([member], { persistence: byId });
    for (const [sent, set] of [
      ['SRV=gone; c=d', ['a=b', 'SRV=m1; Path=/; HttpOnly']],
      ['c=d; SRV=m1', ['a=b']],
    ] as const) {
      using client = await HttpClient.connect(scene.place);
      client.request('/', { fields: ['Connection: Upgrade', 'Upgrade: echo', `Cookie: ${sent}`] });
      const answer = await client.answer();
      expect([answer.status, cookiesOf(answer)]).toEqual([101, set]);
      expect(member.requests.at(-1)?.message.field('Cookie')).toBe('c=d');
      client.send('hello');
      await client.receives('hello');
      client.end();
      await client.closed();
    }
    await ends(scene);
  });

  test('is the final one: interim answers go through as they are', async () => {
    await using member = await HttpMember.start({
      name: 'm1',
      does: (heard) => {
        heard.say('HTTP/1.1 103 Early Hints\r\nSet-Cookie: SRV=early\r\nLink: </a>\r\n\r\n');
        heard.answer();
      },
    });
    await using scene = await httpScene([member], { persistence: byId });
    using client = await HttpClient.connect(scene.place);
    let heads = '';
    client.socket.on('data', (chunk) => {
      heads += chunk;
    });
    const answer = await client.ask('/');
    expect([answer.interim, cookiesOf(answer)]).toEqual([[103], ['SRV=m1; Path=/; HttpOnly']]);
    expect(heads).toContain('103 Early Hints\r\nSet-Cookie: SRV=early\r\nLink: </a>\r\n\r\nHTTP/1.1 200');
    client.end();
    await ends(scene);
  });

  test('may be for a client of HTTP/1.0, and chunked', async () => {
    await using member = await HttpMember.start({
      name: 'm1',
      does: (heard) => heard.say('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nm1\r\n0\r\n\r\n'),
    });
    await using scene = await httpScene([member], { persistence: byId });
    for (const version of ['1.0', '1.1'] as const) {
      const answer = await ask(scene.place, '/', { version });
      expect([answer.body, cookiesOf(answer)]).toEqual(['m1', ['SRV=m1; Path=/; HttpOnly']]);
    }
    await ends(scene);
  });

  test('is never one of our own', async () => {
    await using fleet = await HttpFleet.start(1);
    await using scene = await httpScene(fleet, { persistence: byId, members: [] });
    const refused = await ask(scene.place, '/', withCookie('SRV=m1'));
    expect([refused.status, cookiesOf(refused)]).toEqual([503, []]);
    scene.pool.update({ members: fleet.members });
    (fleet.all[0] as HttpMember).does = (heard) => heard.say('HTTP/1.1 2oo OK\r\n\r\n');
    const broken = await ask(scene.place);
    expect([broken.status, cookiesOf(broken)]).toEqual([502, []]);
    await ends(scene);
  });
});
