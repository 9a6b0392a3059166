import { describe, expect, test } from 'vitest';
import { Browser, cookiesOf } from '../../fixtures/node/http/browser.ts';
import { ask, HttpClient } from '../../fixtures/node/http/client.ts';
import { HttpFleet, type HttpMember } from '../../fixtures/node/http/member.ts';
import { httpScene } from '../../fixtures/node/http/scene.ts';
import { counted } from '../../fixtures/node/repeat.ts';
import type { Scene } from '../../fixtures/node/scene.ts';

const persistence = { type: 'app-cookie', name: 'sid' } as const;
const withCookie = (value: string) => ({ fields: [`Cookie: ${value}`] });

/** Members that begin a session where they are asked without one (`/login`), and say who they are. */
function app(size: number): Promise<HttpFleet> {
  let sessions = 0;
  return HttpFleet.start(size, (heard) => {
    const { name } = heard.wire.member;
    const target = heard.message.target;
    const set = target === '/login' ? [`Set-Cookie: sid=${name}-${++sessions}; Path=/; HttpOnly`] : [];
    heard.answer(name, { fields: [...set, ...(target === '/logout' ? ['Set-Cookie: sid=; Max-Age=0'] : [])] });
  });
}

async function tally(scene: Scene, times: number, cookie: string): Promise<Record<string, number>> {
  const bodies: string[] = [];
  for (let turn = 0; turn < times; turn++) bodies.push((await ask(scene.place, '/', withCookie(cookie))).body);
  return counted(bodies);
}

describe('a session that a member has begun', () => {
  test('goes on at that member, and its cookie goes both ways untouched', async () => {
    await using fleet = await app(3);
    await using scene = await httpScene(fleet, { persistence });
    const browsers = Array.from({ length: 6 }, () => new Browser(scene.place));
    for (const browser of browsers) {
      const { body: home } = await browser.visit('/login');
      expect(browser.given).toEqual([`sid=${browser.cookies.get('sid')}; Path=/; HttpOnly`]);
      expect(await browser.visits(3)).toEqual([home, home, home]);
      expect(browser.given.length).toBe(1);
      const { message } = fleet.of(home).requests.at(-1) ?? {};
      expect(message?.field('Cookie')).toBe(`sid=${browser.cookies.get('sid')}`);
    }
    expect(scene.pool.persistenceStats).toMatchObject({ name: 'app-cookie', size: 6, kept: 18 });
    await scene.isAtRest();
  });

  test('is found whatever else comes with it, and on a connection that serves others', async () => {
    await using fleet = await app(3);
    await using scene = await httpScene(fleet, { persistence });
    using client = await HttpClient.connect(scene.place);
    const [session = ''] = cookiesOf(await client.ask('/login')).map((cookie) => cookie.split(';')[0]);
    await client.ask('/');
    for (const cookies of [`a=b; ${session}`, `${session}; sid=other`, `sid=other; ${session}`])
      expect((await client.ask('/', withCookie(cookies))).body).toBe('m1');
    client.end();
    await scene.isAtRest();
  });

  test('is nobody’s before a member has set it: such clients are balanced', async () => {
    await using fleet = await app(2);
    await using scene = await httpScene(fleet, { persistence });
    expect(await tally(scene, 4, 'sid=absent')).toEqual({ m1: 2, m2: 2 });
    expect(await tally(scene, 4, 'other=m1-1')).toEqual({ m1: 2, m2: 2 });
    scene.pool.update({ persistence: { ...persistence, learnsFromRequests: true } });
    expect(await tally(scene, 4, 'sid=absent')).toEqual({ m1: 4 });
    expect(await tally(scene, 4, 'sid=ABSENT')).toEqual({ m2: 4 });
    await scene.isAtRest();
  });

  test('moves when its member is down, and stays where it is then', async () => {
    await using fleet = await app(2);
    await using scene = await httpScene(fleet, { persistence });
    const browser = new Browser(scene.place);
    expect((await browser.visit('/login')).body).toBe('m1');
    await fleet.of('m1').stop();
    expect(await browser.visits(2)).toEqual(['m2', 'm2']);
    await fleet.of('m1').start();
    expect(await browser.visits(3)).toEqual(['m2', 'm2', 'm2']);
    await scene.isAtRest();
  });

  test('stays on a member that drains, not on one that is disabled', async () => {
    await using fleet = await app(2);
    await using scene = await httpScene(fleet, { persistence });
    const browser = new Browser(scene.place);
    await browser.visit('/login');
    scene.member('m1').update({ weight: 0 });
    expect(await browser.visits(2)).toEqual(['m1', 'm1']);
    scene.member('m1').update({ enabled: false });
    expect(await browser.visits(2)).toEqual(['m2', 'm2']);
    await scene.isAtRest();
  });

  test('is the member’s that has set it last', async () => {
    await using fleet = await app(2);
    await using scene = await httpScene(fleet, { persistence });
    const [, m2] = fleet.all as [HttpMember, HttpMember];
    m2.does = (heard) => heard.answer('m2', { fields: ['Set-Cookie: sid=m1-1'] });
    await ask(scene.place, '/login');
    expect(await tally(scene, 2, 'sid=m1-1')).toEqual({ m1: 2 });
    await ask(scene.place);
    expect(await tally(scene, 2, 'sid=m1-1')).toEqual({ m2: 2 });
    await scene.isAtRest();
  });

  test('is not learned from a cookie that is removed, and not from an interim answer', async () => {
    await using fleet = await app(1);
    await using scene = await httpScene(fleet, { persistence });
    const [m1] = fleet.all as [HttpMember];
    await ask(scene.place, '/logout');
    m1.does = (heard) => {
      heard.say('HTTP/1.1 103 Early Hints\r\nSet-Cookie: sid=early\r\n\r\n');
      heard.answer();
    };
    await ask(scene.place);
    expect(scene.pool.persistenceStats?.size).toBe(0);
    await scene.isAtRest();
  });

  test('may be one of a tunnel', async () => {
    await using fleet = await HttpFleet.start(2, (heard) => {
      const { name } = heard.wire.member;
      if (heard.target !== '/tunnel') return heard.answer();
      heard.wire.stream.switch();
      heard.say(`HTTP/1.1 101 Yes\r\nSet-Cookie: sid=${name}\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n`);
      heard.wire.socket.on('end', () => heard.wire.socket.end());
    });
    await using scene = await httpScene(fleet, { persistence });
    using client = await HttpClient.connect(scene.place);
    client.request('/tunnel', { fields: ['Connection: Upgrade', 'Upgrade: echo'] });
    expect(cookiesOf(await client.answer())).toEqual(['sid=m1']);
    expect(await tally(scene, 3, 'sid=m1')).toEqual({ m1: 3 });
    client.end();
    await client.closed();
    await scene.isAtRest();
  });
});
