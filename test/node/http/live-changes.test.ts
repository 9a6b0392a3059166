import { describe, expect, test } from 'vitest';
import { Balancer, type VipSpec } from '../../../src/index.ts';
import { listen } from '../../../src/node/index.ts';
import { Backend } from '../../fixtures/node/backend.ts';
import { ask as askTcp } from '../../fixtures/node/client.ts';
import { ask, fateOf, HttpClient } from '../../fixtures/node/http/client.ts';
import { HttpFleet, HttpMember } from '../../fixtures/node/http/member.ts';
import { httpScene } from '../../fixtures/node/http/scene.ts';
import { ownHost, type Place } from '../../fixtures/node/places.ts';
import { booksAgree, isEmpty, membersEver } from '../../fixtures/node/scene.ts';
import { soon, until } from '../../fixtures/node/until.ts';

/** Clients that ask on and on, some on one connection, some on a new one for each request; none of them may fail. */
class Traffic implements AsyncDisposable {
  readonly answers = new Map<string, number>();
  readonly failures: string[] = [];
  total = 0;
  #isOver = false;
  readonly #clients: Promise<void>[];

  constructor(place: Place) {
    const rounds: (() => Promise<void>)[] = [];
    for (let number = 0; number < 12; number++) {
      rounds.push(async () => {
        using client = await HttpClient.connect(place);
        while (!this.#isOver && !client.hasEnded)
          this.#count(await client.ask('/', number % 3 === 0 ? { body: 'once' } : {}));
      });
      rounds.push(async () => {
        while (!this.#isOver)
          this.#count(await ask(place, '/', { fields: number % 2 === 0 ? ['Connection: close'] : [] }));
      });
    }
    this.#clients = rounds.map((round) =>
      round().catch((error: Error) => {
        this.failures.push(error.message);
      }),
    );
  }

  of(name: string): number {
    return this.answers.get(name) ?? 0;
  }

  async more(count: number): Promise<void> {
    const goal = this.total + count;
    await until(() => this.total >= goal, `${count} more answers`);
  }

  async moreOf(name: string, count: number): Promise<void> {
    const goal = this.of(name) + count;
    await until(() => this.of(name) >= goal, `${count} more answers of ${name}`);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await soon(Promise.all(this.#clients), 'the end');
    expect(this.failures).toEqual([]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#clients);
  }

  #count({ status, body }: { readonly status: number; readonly body: string }): void {
    if (status !== 200) this.failures.push(`${status}`);
    this.answers.set(body, this.of(body) + 1);
    this.total++;
  }
}

describe('under load no request fails', () => {
  test.each(['round-robin', 'least-connections', 'source-ip-port'] as const)(
    'while a member is drained, and it gets no more, with %s',
    async (strategy) => {
      await using fleet = await HttpFleet.start(3);
      await using scene = await httpScene(fleet, { strategy });
      await using traffic = new Traffic(scene.place);
      await traffic.moreOf('m2', 30);
      expect(await soon(scene.pool.drain('m2', { deadline: 10_000 }), 'the drain')).toEqual({ remaining: 0 });
      const { requests } = scene.member('m2').stats;
      await fleet.of('m2').isLetGo();
      await traffic.more(200);
      expect(scene.member('m2').stats.requests).toBe(requests);
      scene.member('m2').update({ enabled: true });
      await traffic.moreOf('m2', 30);
      await traffic.stop();
      await scene.isAtRest();
      expect(scene.vip.stats).toMatchObject({ requests: traffic.total, responses2xx: traffic.total, retries: 0 });
    },
  );

  test('while members come and go', async () => {
    await using fleet = await HttpFleet.start(3);
    const [m1, m2, m3] = fleet.members as [never, never, never];
    await using scene = await httpScene<unknown>(fleet, { members: [m1] });
    await using traffic = new Traffic(scene.place);
    await traffic.moreOf('m1', 30);
    for (let round = 0; round < 5; round++) {
      scene.pool.add(m2);
      scene.pool.add(m3);
      await traffic.moreOf('m2', 10);
      await traffic.moreOf('m3', 10);
      const removed = scene.member('m1');
      scene.pool.remove('m1');
      await until(() => removed.stats.activeConnections === 0, 'its last request is over');
      await fleet.of('m1').isLetGo();
      scene.pool.add(m1);
      await traffic.moreOf('m1', 10);
      scene.pool.remove('m2');
      scene.pool.remove('m3');
      await traffic.more(20);
    }
    await traffic.stop();
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ requests: traffic.total, responses2xx: traffic.total, retries: 0 });
  });

  test('while weights, strategy, keep-alive and settings change', async () => {
    await using fleet = await HttpFleet.start(3);
    await using scene = await httpScene(fleet);
    await using traffic = new Traffic(scene.place);
    const strategies = ['round-robin', 'least-connections', 'random', 'source-ip', 'source-ip-port'] as const;
    for (let turn = 0; turn < 60; turn++) {
      scene.member(`m${1 + (turn % 3)}`).update({ weight: 1 + (turn % 7) });
      scene.pool.update({
        strategy: strategies[turn % strategies.length] ?? null,
        keepAlive: { maxIdle: turn % 5, idleTimeout: 1 + turn * 10, maxAge: 10 * turn },
        healthMonitor: turn % 4 === 0 ? null : { type: 'http', delay: 10 + turn },
      });
      scene.vip.update({
        insertHeaders: { 'X-Forwarded-For': turn % 2 === 0, Via: turn % 3 === 0, 'X-Request-Id': turn % 5 === 0 },
        limits: { headSize: 1000 + turn, targetSize: 100 + turn },
        timeouts: { request: 10_000 + turn, member: 5000 + turn },
      });
      await traffic.more(10);
    }
    await traffic.stop();
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ responses2xx: traffic.total, requestErrors: 0, responses5xx: 0 });
  });

  test('while a member moves', async () => {
    await using before = await HttpMember.start({ name: 'before' });
    await using after = await HttpMember.start({ name: 'after' });
    await using scene = await httpScene([before]);
    await using traffic = new Traffic(scene.place);
    await traffic.moreOf('before', 50);
    scene.member('before').update({ address: after.spec.address, port: after.spec.port });
    await traffic.moreOf('after', 50);
    const served = traffic.of('before');
    await traffic.more(100);
    expect(traffic.of('before')).toBe(served);
    await before.isLetGo();
    await traffic.stop();
    await scene.isAtRest();
  });

  test('while the members are restarted one after the other, drained before', async () => {
    await using fleet = await HttpFleet.start(3);
    await using scene = await httpScene(fleet);
    await using traffic = new Traffic(scene.place);
    for (const member of fleet.all) {
      await traffic.moreOf(member.name, 20);
      await soon(scene.pool.drain(member.name), 'the drain');
      await member.isLetGo();
      await member.stop();
      await traffic.more(50);
      await member.start();
      scene.member(member.name).update({ enabled: true });
      await traffic.moreOf(member.name, 20);
    }
    await traffic.stop();
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ connectFailures: 0, retries: 0, requestErrors: 0 });
  });
});

describe('a change of the virtual IP', () => {
  test('of what is inserted is in force for the next request', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    const seen = async (): Promise<(string | undefined)[]> => {
      await client.ask('/', { fields: ['X-Request-Id: mine', 'X-Forwarded-For: 192.0.2.1'] });
      const { message } = member.requests.at(-1) ?? {};
      return [message?.field('X-Request-Id'), message?.field('X-Forwarded-For'), message?.field('Via')];
    };
    expect(await seen()).toEqual(['mine', undefined, undefined]);
    scene.vip.update({ insertHeaders: { 'X-Forwarded-For': true, Via: true } });
    expect(await seen()).toEqual(['mine', '127.0.0.1', '1.1 evenkeel']);
    scene.vip.update({ trustedCidrs: ['127.0.0.0/8'] });
    expect(await seen()).toEqual(['mine', '192.0.2.1, 127.0.0.1', '1.1 evenkeel']);
    scene.vip.update({ insertHeaders: { 'X-Request-Id': true }, trustedCidrs: null });
    expect(await seen()).toEqual([expect.stringMatching(/^[\da-f-]{36}$/), undefined, undefined]);
    scene.vip.update({ insertHeaders: null });
    expect(await seen()).toEqual(['mine', undefined, undefined]);
    client.end();
    await scene.isAtRest();
  });

  test('of its limits is in force for the next connection', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member]);
    using before = await HttpClient.connect(scene.place);
    await before.ask('/');
    scene.vip.update({ limits: { targetSize: 64 } });
    const target = `/${'x'.repeat(100)}`;
    expect((await before.ask(target)).status).toBe(200);
    expect((await ask(scene.place, target)).status).toBe(414);
    scene.vip.update({ limits: null });
    expect((await ask(scene.place, target)).status).toBe(200);
    before.end();
    await scene.isAtRest();
  });

  test('of its timeouts is in force for those who wait already', async () => {
    await using member = await HttpMember.start({ does: () => {} });
    const timeouts = { request: 0, client: 0, member: 0, keepAlive: 0 };
    await using scene = await httpScene([member], {}, { timeouts });
    using waiting = await HttpClient.connect(scene.place);
    waiting.request('/');
    await member.request(1);
    using sending = await HttpClient.connect(scene.place);
    sending.send('GET / HTT');
    using silent = await HttpClient.connect(scene.place);
    scene.vip.update({ timeouts: { request: 50, member: 50, keepAlive: 50 } });
    expect((await waiting.answer()).status).toBe(504);
    expect((await sending.answer()).status).toBe(408);
    await silent.closed();
    waiting.end();
    sending.end();
    await scene.isAtRest();
  });

  test('of its own answers is in force for the next one', async () => {
    await using scene = await httpScene([], {}, {});
    expect((await ask(scene.place)).body).toContain('503 Service Unavailable');
    scene.vip.update({ errorAnswer: () => ({ body: 'sorry' }) });
    expect((await ask(scene.place)).body).toBe('sorry');
    scene.vip.update({ errorAnswer: null });
    expect((await ask(scene.place)).body).toContain('503 Service Unavailable');
    await scene.isAtRest();
  });

  test('that disables it refuses new clients, and those that it has get one more answer, as their last', async () => {
    await using member = await HttpMember.start({ does: () => {} });
    await using scene = await httpScene([member]);
    using running = await HttpClient.connect(scene.place);
    running.request('/');
    const heard = await member.request(1);
    member.does = (it) => it.answer();
    using idle = await HttpClient.connect(scene.place);
    await idle.ask('/');
    scene.vip.update({ enabled: false });
    expect(await fateOf(scene.place)).toBe('ECONNRESET');
    heard.answer('last words');
    for (const answer of [await running.answer(), await idle.ask('/')]) {
      expect([answer.status, answer.field('Connection')]).toEqual([200, 'close']);
    }
    await running.closed();
    await idle.closed();
    scene.vip.update({ enabled: true });
    expect(await fateOf(scene.place)).toBe(200);
    await scene.isAtRest();
    expect(scene.rejected.map(({ reason }) => reason)).toEqual(['disabled']);
  });
});

describe('a balancer with HTTP and TCP', () => {
  /** One of each, with a pool for each. */
  async function house() {
    const http = await HttpFleet.start(2);
    const tcp = await Backend.start({ name: 'tcp' });
    const host = ownHost();
    const balancer = new Balancer();
    const web: VipSpec = { name: 'web', address: host, port: 8080, protocol: 'http', pool: 'web' };
    const raw: VipSpec = { name: 'raw', address: host, port: 9090, pool: 'raw' };
    const pools = [
      { name: 'web', members: http.members },
      { name: 'raw', members: [tcp.at] },
    ];
    return { http, tcp, host, balancer, web, raw, pools };
  }

  test('serves both side by side', async () => {
    const { http, tcp, host, balancer, web, raw, pools } = await house();
    await using _http = http;
    await using _tcp = tcp;
    await balancer.apply({ pools, vips: [web, raw] });
    await using _listener = await listen(balancer);
    using client = await HttpClient.connect({ host, port: 8080 });
    for (const name of ['m1', 'm2', 'm1', 'm2']) expect((await client.ask('/')).body).toBe(name);
    expect(await askTcp({ host, port: 9090 })).toBe('tcp');
    client.end();
    for (const vip of balancer.vips.values()) await isEmpty(vip, vip.pool);
    expect(balancer.stats()).toMatchObject({ requests: 4, responses2xx: 4, activeConnections: 0 });
    expect(balancer.vips.get('raw')?.stats.requests).toBe(0);
  });

  test('changes under load by apply(), and no request fails', async () => {
    const { http, tcp, host, balancer, web, raw, pools } = await house();
    await using _http = http;
    await using _tcp = tcp;
    const [m1, m2] = http.members as [never, never];
    const rawPool = { name: 'raw', members: [tcp.at] };
    await balancer.apply({ pools, vips: [web, raw] });
    const vip = balancer.vips.get('web');
    if (vip === undefined) throw new Error('not applied');
    const members = membersEver(vip.pool);
    await using _listener = await listen(balancer);
    await using traffic = new Traffic({ host, port: 8080 });
    await traffic.moreOf('m2', 20);
    for (let round = 0; round < 8; round++) {
      await balancer.apply({
        pools: [{ name: 'web', members: [m2], keepAlive: { maxIdle: round % 3 } }, rawPool],
        vips: [{ ...web, insertHeaders: { Via: true }, timeouts: { member: 9000 } }],
      });
      await traffic.moreOf('m2', 10);
      await balancer.apply({
        pools: [{ name: 'web', members: [m1, m2], strategy: 'least-connections' }, rawPool],
        vips: [web, raw],
      });
      await traffic.moreOf('m1', 10);
      expect(await askTcp({ host, port: 9090 })).toBe('tcp');
    }
    await traffic.stop();
    await booksAgree(vip, members);
    expect(balancer.vips.get('web')).toBe(vip);
    expect(vip.stats).toMatchObject({ requests: traffic.total, responses2xx: traffic.total, retries: 0 });
  });

  test('leads an HTTP virtual IP to another pool, for the next request of each client', async () => {
    const { http, tcp, host, balancer, web } = await house();
    await using _http = http;
    await using _tcp = tcp;
    const [m1, m2] = http.members as [never, never];
    const pools = [
      { name: 'blue', members: [m1] },
      { name: 'green', members: [m2] },
    ];
    await balancer.apply({ pools, vips: [{ ...web, pool: 'blue' }] });
    await using _listener = await listen(balancer);
    using client = await HttpClient.connect({ host, port: 8080 });
    expect((await client.ask('/')).body).toBe('m1');
    await balancer.apply({ pools, vips: [{ ...web, pool: 'green' }] });
    expect((await client.ask('/')).body).toBe('m2');
    // A request that began there is still that pool's to drain.
    http.of('m2').does = () => {};
    client.request('/');
    await http.of('m2').request(2);
    await balancer.apply({ pools, vips: [{ ...web, pool: 'blue' }] });
    const green = balancer.pools.get('green');
    expect(await green?.drain('m2', { deadline: 30 })).toEqual({ remaining: 1 });
    expect((await client.answer()).status).toBe(503);
    await client.closed();
    for (const pool of balancer.pools.values()) expect(pool.stats.activeConnections).toBe(0);
  });

  test('takes an HTTP virtual IP away when its requests are over', async () => {
    const { http, tcp, host, balancer, web, raw, pools } = await house();
    await using _http = http;
    await using _tcp = tcp;
    await balancer.apply({ pools, vips: [web, raw] });
    await using listener = await listen(balancer);
    http.of('m1').does = () => {};
    using running = await HttpClient.connect({ host, port: 8080 });
    running.request('/');
    const heard = await http.of('m1').request(1);
    using idle = await HttpClient.connect({ host, port: 8080 });
    await idle.ask('/');
    await balancer.apply({ pools, vips: [raw] });
    await idle.closed();
    expect(await fateOf({ host, port: 8080 })).toBe('ECONNREFUSED');
    expect([...listener.addresses.keys()]).toEqual(['raw']);
    heard.answer('last words');
    expect((await running.answer()).field('Connection')).toBe('close');
    await running.closed();
    await http.of('m1').isLetGo();
    await http.of('m2').isLetGo();
    for (const pool of balancer.pools.values()) expect(pool.stats.activeConnections).toBe(0);
  });
});
