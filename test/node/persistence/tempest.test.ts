import { describe, expect, test } from 'vitest';
import { Backend } from '../../fixtures/node/backend.ts';
import { tally } from '../../fixtures/node/client.ts';
import { Browser } from '../../fixtures/node/http/browser.ts';
import { HttpFleet } from '../../fixtures/node/http/member.ts';
import { httpScene } from '../../fixtures/node/http/scene.ts';
import { counted } from '../../fixtures/node/repeat.ts';
import { Scene } from '../../fixtures/node/scene.ts';

/** Octavia's test server: says who it is, and begins a session of the name that its users know. */
const testServer = (): Promise<HttpFleet> =>
  HttpFleet.start(2, (heard) => {
    const { name } = heard.wire.member;
    heard.answer(name, { fields: [`Set-Cookie: JSESSIONID=${name}`] });
  });

/** Twenty requests of one client; how many each member has answered. */
const twenty = async (browser: Browser): Promise<Record<string, number>> => counted(await browser.visits(20));

const appCookie = { type: 'app-cookie', name: 'JSESSIONID' } as const;

/**
 * The scenarios of session persistence in the Tempest plugins of Octavia and of LBaaS before it, over TCP as well where that
 * makes sense. There `cookie_name` is cleared when the type changes; here each kind has settings of its own.
 */
describe('as in Octavia', () => {
  test('without persistence one client is balanced, cookies or not', async () => {
    await using fleet = await testServer();
    await using scene = await httpScene(fleet);
    expect(await twenty(new Browser(scene.place))).toEqual({ m1: 10, m2: 10 });
    await scene.isAtRest();
  });

  test('SOURCE_IP: one member answers all of a client, over HTTP and over TCP', async () => {
    await using http = await testServer();
    await using httpVip = await httpScene(http, { persistence: { type: 'source-ip' } });
    expect(await twenty(new Browser(httpVip.place))).toEqual({ m1: 20 });
    await using tcp = await Backend.fleet(2);
    await using tcpVip = await Scene.open({ members: tcp.members, persistence: { type: 'source-ip' } });
    expect(await tally(tcpVip.place, 20)).toEqual({ m1: 20 });
    for (const scene of [httpVip, tcpVip]) await scene.isAtRest();
  });

  test('HTTP_COOKIE: one member answers all of a client that keeps cookies, and others are balanced', async () => {
    await using fleet = await testServer();
    await using scene = await httpScene(fleet, { persistence: { type: 'http-cookie' } });
    expect(await twenty(new Browser(scene.place))).toEqual({ m1: 20 });
    const forgetful = Array.from({ length: 20 }, () => new Browser(scene.place));
    const homes: string[] = [];
    for (const browser of forgetful) homes.push(...(await browser.visits(1)));
    expect(counted(homes)).toEqual({ m1: 10, m2: 10 });
    await scene.isAtRest();
  });

  test('APP_COOKIE: one member answers all of a client that brings its session, and others are balanced', async () => {
    await using fleet = await testServer();
    await using scene = await httpScene(fleet, { persistence: appCookie });
    expect(await twenty(new Browser(scene.place))).toEqual({ m1: 20 });
    const homes: string[] = [];
    for (let turn = 0; turn < 20; turn++) homes.push(...(await new Browser(scene.place).visits(1)));
    expect(counted(homes)).toEqual({ m1: 10, m2: 10 });
    await scene.isAtRest();
  });

  test('the kind can be changed, and taken away, while clients are served', async () => {
    await using fleet = await testServer();
    await using scene = await httpScene(fleet);
    const browser = new Browser(scene.place);
    for (const persistence of [
      appCookie,
      { type: 'http-cookie' } as const,
      { type: 'source-ip' } as const,
      appCookie,
    ]) {
      scene.pool.update({ persistence });
      // Who is not known yet is, from its first answer on.
      await browser.visit();
      const [home = ''] = await browser.visits(1);
      expect(await twenty(browser)).toEqual({ [home]: 20 });
    }
    scene.pool.update({ persistence: null });
    expect(await twenty(browser)).toEqual({ m1: 10, m2: 10 });
    await scene.isAtRest();
  });
});
