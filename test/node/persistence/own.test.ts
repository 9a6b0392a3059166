import { describe, expect, test } from 'vitest';
import type {
  HttpPersistence,
  Member,
  Persistence,
  PersistenceRequest,
  PersistenceTable,
  PoolSpec,
} from '../../../src/index.ts';
import { Backend, type Fleet } from '../../fixtures/node/backend.ts';
import { ask as askTcp, Client } from '../../fixtures/node/client.ts';
import { cookiesOf } from '../../fixtures/node/http/browser.ts';
import { fateOf, HttpClient, ask as request } from '../../fixtures/node/http/client.ts';
import { HttpFleet } from '../../fixtures/node/http/member.ts';
import { httpScene } from '../../fixtures/node/http/scene.ts';
import { Scene } from '../../fixtures/node/scene.ts';
import { until } from '../../fixtures/node/until.ts';

/** A store that several balancers share. It answers at once, when it is let, or never. */
class Store {
  readonly entries = new Map<string, string>();
  isDown = false;
  /** Those that wait, while it takes its time. */
  readonly waiting: (() => void)[] = [];
  isSlow = false;
  asked = 0;

  async get(key: string): Promise<string | undefined> {
    this.asked++;
    if (this.isSlow) await new Promise<void>((resolve) => this.waiting.push(resolve));
    if (this.isDown) throw new Error('the store is down');
    return this.entries.get(key);
  }

  async set(key: string, value: string): Promise<void> {
    if (this.isDown) throw new Error('the store is down');
    this.entries.set(key, value);
  }

  letGo(): void {
    for (const go of this.waiting.splice(0)) go();
  }
}

/** Knows clients by their address, or by what they say in `X-User` over HTTP. */
function shared(store: Store, timeout?: number): Persistence {
  const keyOf = (request: PersistenceRequest): string => request.header?.('x-user') ?? request.clientAddress ?? '';
  return {
    name: 'shared',
    timeout,
    start: () => ({
      find: (request) => store.get(keyOf(request)),
      keep: (request, { id }) => store.set(keyOf(request), id),
    }),
  };
}

/** The same over either protocol: a client known by a name, who is told who serves it. */
const protocols = {
  tcp: {
    fleet: (size: number) => Backend.fleet(size),
    scene: (fleet: Fleet | HttpFleet, pool: PoolSpec) => Scene.open({ members: fleet.members, ...pool }),
    ask: ({ place }: Scene, client: number) => askTcp(place, { localAddress: `127.0.0.${client}` }),
    keyOf: (client: number) => `127.0.0.${client}`,
  },
  http: {
    fleet: (size: number) => HttpFleet.start(size),
    scene: (fleet: Fleet | HttpFleet, pool: PoolSpec) =>
      Scene.open({ members: fleet.members, ...pool }, { protocol: 'http' }),
    ask: async ({ place }: Scene, client: number) =>
      (await request(place, '/', { fields: [`X-User: u${client}`] })).body,
    keyOf: (client: number) => `u${client}`,
  },
} as const;

describe.each(['tcp', 'http'] as const)('a store of the user’s, over %s', (protocol) => {
  const { ask, keyOf, fleet: start, scene: open } = protocols[protocol];

  test('keeps clients on their members whichever balancer they come through', async () => {
    await using fleet = await start(3);
    const store = new Store();
    await using one = await open(fleet, { persistence: shared(store) });
    await using other = await open(fleet, { persistence: shared(store) });
    const homes: string[] = [];
    for (let client = 2; client < 8; client++) homes.push(await ask(one, client));
    expect(homes).toEqual(['m1', 'm2', 'm3', 'm1', 'm2', 'm3']);
    for (let client = 7; client >= 2; client--) expect(await ask(other, client)).toBe(homes[client - 2]);
    expect(other.pool.persistenceStats).toMatchObject({ kept: 6, moved: 0 });
    for (const scene of [one, other]) await scene.isAtRest();
  });

  test('keeps nobody waiting but those that it looks up', async () => {
    await using fleet = await start(2);
    const store = new Store();
    store.entries.set(keyOf(2), 'm2');
    await using scene = await open(fleet, { persistence: shared(store, 60_000) });
    store.isSlow = true;
    const slow = ask(scene, 2);
    await until(() => store.waiting.length === 1, 'it is looked up');
    store.isSlow = false;
    for (let client = 3; client < 9; client++) await ask(scene, client);
    store.letGo();
    expect(await slow).toBe('m2');
    await scene.isAtRest();
  });

  test('that is down costs nobody anything', async () => {
    await using fleet = await start(2);
    const store = new Store();
    store.isDown = true;
    await using scene = await open(fleet, { persistence: shared(store) });
    const errors: string[] = [];
    scene.pool.on('persistence-error', ({ cause }) => errors.push((cause as Error).message));
    expect(await ask(scene, 2)).toBe('m1');
    expect(await ask(scene, 2)).toBe('m2');
    expect(errors).toEqual(Array(4).fill('the store is down'));
    await scene.isAtRest();
  });

  test('that never answers is waited for as long as it says', async () => {
    await using fleet = await start(2);
    const store = new Store();
    store.isSlow = true;
    store.entries.set(keyOf(2), 'm2');
    await using scene = await open(fleet, { persistence: shared(store, 30) });
    const errors: string[] = [];
    scene.pool.on('persistence-error', ({ cause }) => errors.push((cause as Error).message));
    expect(await ask(scene, 2)).toBe('m1');
    expect(errors).toEqual(['no answer within 30 ms']);
    // What it says too late changes nothing.
    store.letGo();
    await scene.isAtRest();
    expect(scene.pool.stats.totalConnections).toBe(1);
  });

  test('may answer after the client has left, and takes nothing with it', async () => {
    await using fleet = await start(1);
    const store = new Store();
    store.isSlow = true;
    await using scene = await open(fleet, { persistence: shared(store, 60_000) });
    using client = await Client.connect(scene.place);
    if (protocol === 'http') client.send('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n');
    await until(() => store.waiting.length === 1, 'it is looked up');
    client.reset();
    await until(() => scene.vip.stats.activeConnections === 0, 'it has left');
    store.letGo();
    store.isSlow = false;
    expect(await ask(scene, 3)).toBe('m1');
    await scene.isAtRest();
    expect(scene.pool.stats.totalConnections).toBe(1);
    expect(scene.troubles).toEqual([]);
  });

  test('may lead to a member that cannot be connected to: the client is served elsewhere', async () => {
    await using fleet = await start(2);
    const store = new Store();
    store.entries.set(keyOf(2), 'm1');
    await using scene = await open(fleet, { persistence: shared(store) });
    await (fleet instanceof HttpFleet ? fleet.of('m1') : fleet.backends[0])?.stop();
    expect([await ask(scene, 2), store.entries.get(keyOf(2)), await ask(scene, 2)]).toEqual(['m2', 'm2', 'm2']);
    expect(scene.connectFailures.length).toBe(1);
    await scene.isAtRest();
  });

  test('ends with its listener while clients are being looked up', async () => {
    await using fleet = await start(1);
    const store = new Store();
    store.isSlow = true;
    await using scene = await open(fleet, { persistence: shared(store, 60_000) });
    const asked = ask(scene, 2).catch((error: Error) => error);
    await until(() => store.waiting.length === 1, 'it is looked up');
    await scene.listener.close({ deadline: 0 });
    expect(await asked).toBeInstanceOf(Error);
    store.letGo();
    await scene.isAtRest();
    expect(scene.pool.stats.totalConnections).toBe(0);
  });
});

test('requests of one connection are looked up one by one, and answered in their order', async () => {
  await using fleet = await HttpFleet.start(3);
  const store = new Store();
  for (const [user, home] of [
    ['a', 'm3'],
    ['b', 'm1'],
    ['c', 'm2'],
  ] as const)
    store.entries.set(user, home);
  await using scene = await httpScene(fleet, { persistence: shared(store) });
  using client = await HttpClient.connect(scene.place);
  for (const user of ['a', 'b', 'c', 'a']) client.request('/', { fields: [`X-User: ${user}`] });
  const bodies: string[] = [];
  for (let turn = 0; turn < 4; turn++) bodies.push((await client.answer()).body);
  expect(bodies).toEqual(['m3', 'm1', 'm2', 'm3']);
  client.end();
  await scene.isAtRest();
});

/** A persistence that takes part in messages of HTTP in this way. */
function inMessages(http: Partial<HttpPersistence>, table: Partial<PersistenceTable> = {}): Persistence {
  const all: HttpPersistence = {
    forwarded: (cookies) => cookies,
    answered: () => true,
    cookieFor: () => undefined,
    ...http,
  };
  return {
    name: 'own',
    needsHttp: true,
    start: () => ({ find: () => undefined, keep: () => {}, ...table, http: all }),
  };
}

describe('a persistence of the user’s that takes part in messages', () => {
  const fields = ['Cookie: mine=m2; theirs=x', 'Cookie: b=c'];

  test('sees the cookies as they came, takes away and adds what it likes', async () => {
    await using fleet = await HttpFleet.start(2, (heard) =>
      heard.answer(heard.wire.member.name, { fields: ['Set-Cookie: mine=theirs', 'Set-Cookie: a=b'] }),
    );
    const seen: unknown[] = [];
    const persistence = inMessages(
      {
        forwarded: (cookies) => {
          seen.push(cookies);
          return cookies.replace('mine=m2; ', '');
        },
        answered: (cookie, { id }) => {
          seen.push([cookie, id]);
          return !cookie.startsWith('mine=');
        },
        cookieFor: ({ id }) => `mine=${id}`,
      },
      {
        keep: (request: PersistenceRequest, { id }: Member) => void seen.push([request.header?.('cookie'), id]),
      },
    );
    await using scene = await httpScene(fleet, { persistence });
    expect(cookiesOf(await request(scene.place, '/', { fields }))).toEqual(['a=b', 'mine=m1']);
    expect(seen).toEqual([
      'mine=m2; theirs=x',
      'b=c',
      ['mine=m2; theirs=x; b=c', 'm1'],
      ['mine=theirs', 'm1'],
      ['a=b', 'm1'],
    ]);
    expect(fleet.of('m1').requests[0]?.message.field('Cookie')).toBe('theirs=x, b=c');
    await scene.isAtRest();
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('oops');
      },
    ],
    ['gives what no field may have', () => 'a=b\r\nX-Injected: 1'],
    ['gives what would become a line’s end on the wire', () => 'a=b\u010d\u010aX-Injected: 1'],
    ['gives what the wire has no byte for', () => 'a=\u0141'],
    ['gives what is no text', () => 1 as unknown as string],
  ])('costs nobody anything when it %s', async (_what, answer) => {
    await using fleet = await HttpFleet.start(1, (heard) => heard.answer('m1', { fields: ['Set-Cookie: a=b'] }));
    const answered = (): boolean => {
      throw new Error('oops');
    };
    await using scene = await httpScene(fleet, {
      persistence: inMessages({ forwarded: answer, answered, cookieFor: answer }),
    });
    const errors: string[] = [];
    scene.pool.on('persistence-error', ({ message }) => errors.push(message));
    const got = await request(scene.place, '/', { fields });
    expect([got.status, cookiesOf(got), got.field('X-Injected')]).toEqual([200, ['a=b'], undefined]);
    expect(fleet.of('m1').requests[0]?.message.field('Cookie')).toBe('mine=m2; theirs=x, b=c');
    expect(errors).toEqual([
      'the persistence could not say which cookies go on',
      'the persistence could not say which cookies go on',
      'the persistence could not take a look at an answer',
      'the persistence could not make a cookie',
    ]);
    expect(await fateOf(scene.place)).toBe(200);
    await scene.isAtRest();
  });
});
