import { describe, expect, test } from 'vitest';
import type { PersistenceSpec } from '../../../src/index.ts';
import { Browser, cookiesOf } from '../../fixtures/node/http/browser.ts';
import { ask, HttpClient } from '../../fixtures/node/http/client.ts';
import { type Heard, HttpFleet, type HttpMember } from '../../fixtures/node/http/member.ts';
import { httpScene } from '../../fixtures/node/http/scene.ts';
import { closedPort } from '../../fixtures/node/places.ts';
import { counted } from '../../fixtures/node/repeat.ts';
import type { Scene } from '../../fixtures/node/scene.ts';
import { until } from '../../fixtures/node/until.ts';

const byId = { type: 'http-cookie', value: 'id' } as const;
const withCookie = (...values: string[]) => ({ fields: values.map((value) => `Cookie: ${value}`) });

/** What a member was sent as cookies last. */
function lastCookies(member: HttpMember): string | undefined {
  return member.requests.at(-1)?.message.field('Cookie');
}

async function ends(scene: Scene): Promise<void> {
  await scene.isAtRest();
  expect(scene.troubles).toEqual([]);
}

describe('a client whose member', () => {
  async function stuck(size = 3) {
    const fleet = await HttpFleet.start(size);
    const scene = await httpScene(fleet, { persistence: byId });
    const browser = new Browser(scene.place);
    expect((await browser.visit()).body).toBe('m1');
    return {
      fleet,
      scene,
      browser,
      async [Symbol.asyncDispose]() {
        await scene[Symbol.asyncDispose]();
        await fleet[Symbol.asyncDispose]();
      },
    };
  }

  test('is down moves, gets a new cookie, and stays when that is back', async () => {
    await using it = await stuck();
    await it.fleet.of('m1').stop();
    const [home = ''] = await it.browser.visits(1);
    expect(['m2', 'm3']).toContain(home);
    expect(it.browser.given.slice(1)).toEqual([`SRV=${home}; Path=/; HttpOnly`]);
    await it.fleet.of('m1').start();
    expect(await it.browser.visits(5)).toEqual(Array(5).fill(home));
    expect(it.browser.given.length).toBe(2);
    await ends(it.scene);
  });

  test('is found down by its monitor moves, too', async () => {
    await using it = await stuck();
    it.scene.pool.update({ healthMonitor: { type: 'http', delay: 50, timeout: 40, maxRetriesDown: 1 } });
    it.fleet.of('m1').does = (heard) => heard.answer('ill', { status: 500 });
    await until(() => it.scene.member('m1').status === 'error', 'it is down');
    const [home = ''] = await it.browser.visits(1);
    expect(await it.browser.visits(5)).toEqual(Array(5).fill(home));
    expect([home === 'm1', it.browser.given.length]).toEqual([false, 2]);
    await ends(it.scene);
  });

  test('drains, or has weight 0, stays; others do not come', async () => {
    await using it = await stuck();
    for (const change of [{ weight: 0 }, { weight: 1 }, 'drain'] as const) {
      const member = it.scene.member('m1');
      if (change === 'drain') void member.drain();
      else member.update(change);
      expect(await it.browser.visits(3)).toEqual(['m1', 'm1', 'm1']);
    }
    const strangers = await Promise.all(Array.from({ length: 6 }, () => ask(it.scene.place)));
    expect(counted(strangers.map(({ body }) => body))).toEqual({ m2: 3, m3: 3 });
    expect(it.browser.given.length).toBe(1);
    await ends(it.scene);
  });

  test('is disabled, or removed, moves and gets a new cookie', async () => {
    await using it = await stuck(4);
    it.scene.member('m1').update({ enabled: false });
    const [second = ''] = await it.browser.visits(1);
    expect(await it.browser.visits(2)).toEqual([second, second]);
    it.scene.pool.remove(second);
    const [third = ''] = await it.browser.visits(1);
    expect(new Set(['m1', second, third]).size).toBe(3);
    expect(it.browser.given.length).toBe(3);
    await ends(it.scene);
  });

  test('cannot be connected to gets the cookie of the member that answers', async () => {
    await using fleet = await HttpFleet.start(1);
    const [host = '', port] = closedPort().split(':');
    const dead = { id: 'dead', address: host, port: Number(port) };
    await using scene = await httpScene(fleet, { persistence: byId, members: [dead, ...fleet.members] });
    const browser = new Browser(scene.place);
    browser.cookies.set('SRV', 'dead');
    expect([await browser.visits(2), browser.given]).toEqual([['m1', 'm1'], ['SRV=m1; Path=/; HttpOnly']]);
    expect(scene.pool.persistenceStats).toMatchObject({ kept: 2, moved: 1 });
    await ends(scene);
  });

  test('dies before it answers gets the cookie of the member that the request was sent to again', async () => {
    await using fleet = await HttpFleet.start(2);
    await using scene = await httpScene(fleet, { persistence: byId });
    const [m1] = fleet.all as [HttpMember, HttpMember];
    m1.does = (heard: Heard) => heard.wire.reset();
    const browser = new Browser(scene.place);
    browser.cookies.set('SRV', 'm1').set('a', 'b');
    expect([await browser.visits(1), browser.given]).toEqual([['m2'], ['SRV=m2; Path=/; HttpOnly']]);
    expect(fleet.all.flatMap(({ requests }) => requests).map(({ message }) => message.field('Cookie'))).toEqual([
      'a=b',
      'a=b',
    ]);
    await ends(scene);
  });

  test('is full moves; the others of that member stay', async () => {
    await using fleet = await HttpFleet.start(2);
    const [m1] = fleet.all as [HttpMember, HttpMember];
    const held: Heard[] = [];
    m1.does = (heard) => void held.push(heard);
    const members = fleet.members.map((member) => ({ ...member, maxConnections: member.id === 'm1' ? 2 : 10 }));
    await using scene = await httpScene(fleet, { persistence: byId, members });
    const clients = await Promise.all(Array.from({ length: 5 }, () => HttpClient.connect(scene.place)));
    for (const client of clients) {
      const { requests } = scene.pool.stats;
      client.request('/', withCookie('SRV=m1'));
      await until(() => scene.pool.stats.requests > requests, 'it is on its way');
    }
    await m1.until(() => held.length === 2, 'two are there');
    for (const heard of held) heard.answer();
    const answers = await Promise.all(clients.map((client) => client.answer()));
    expect(answers.map(({ body }) => body)).toEqual(['m1', 'm1', 'm2', 'm2', 'm2']);
    expect(answers.map((answer) => cookiesOf(answer).length)).toEqual([0, 0, 1, 1, 1]);
    for (const client of clients) client.end();
    await ends(scene);
  });

  test('goes away while it answers gets no cookie for it', async () => {
    await using fleet = await HttpFleet.start(2);
    await using scene = await httpScene(fleet, { persistence: byId });
    const [m1] = fleet.all as [HttpMember, HttpMember];
    let held: Heard | undefined;
    m1.does = (heard) => {
      held = heard;
    };
    using client = await HttpClient.connect(scene.place);
    client.request('/');
    await m1.until(() => held !== undefined, 'it is asked');
    scene.pool.remove('m1');
    held?.answer('m1', { fields: ['Set-Cookie: SRV=mine'] });
    const answer = await client.answer();
    expect([answer.body, cookiesOf(answer)]).toEqual(['m1', []]);
    client.end();
    await ends(scene);
  });
});

describe('a persistence that is changed while a request runs', () => {
  test('counts from the next request on', async () => {
    await using fleet = await HttpFleet.start(2);
    await using scene = await httpScene(fleet, { persistence: byId });
    const [m1] = fleet.all as [HttpMember, HttpMember];
    const held: Heard[] = [];
    m1.does = (heard) => void held.push(heard);
    using client = await HttpClient.connect(scene.place);
    const during = async (persistence: PersistenceSpec | null): Promise<string[]> => {
      client.request('/', withCookie('SRV=m1; OTHER=x'));
      await m1.until(() => held.length > 0, 'it is asked');
      scene.pool.update({ persistence });
      held.pop()?.answer('m1', { fields: ['Set-Cookie: SRV=mine', 'Set-Cookie: OTHER=mine'] });
      return cookiesOf(await client.answer());
    };
    // It was stripped of one, so that one may not be set.
    expect(await during({ ...byId, name: 'OTHER' })).toEqual(['OTHER=mine']);
    expect(lastCookies(m1)).toBe('OTHER=x');
    scene.pool.get('m2')?.update({ weight: 0 });
    expect(await during(null)).toEqual(['SRV=mine', 'OTHER=m1; Path=/; HttpOnly']);
    expect(lastCookies(m1)).toBe('SRV=m1');
    expect(await during(byId)).toEqual(['SRV=mine', 'OTHER=mine']);
    expect(lastCookies(m1)).toBe('SRV=m1; OTHER=x');
    client.end();
    await ends(scene);
  });
});
