import { describe, expect, test } from 'vitest';
import { aimdLimit, type ConcurrencyAlgorithm, type ConcurrencyLimit, gradientLimit } from '../../../src/index.ts';
import { leavesNothing } from '../../fixtures/node/aftermath.ts';
import { Backend, echoes } from '../../fixtures/node/backend.ts';
import { Client, refusalOf } from '../../fixtures/node/client.ts';
import { ask, fateOf, HttpClient } from '../../fixtures/node/http/client.ts';
import { httpLoad } from '../../fixtures/node/http/load.ts';
import { HttpFleet, HttpMember } from '../../fixtures/node/http/member.ts';
import { httpScene } from '../../fixtures/node/http/scene.ts';
import { Workers } from '../../fixtures/node/http/workers.ts';
import { atOnce, counted, oneByOne } from '../../fixtures/node/repeat.ts';
import { Scene } from '../../fixtures/node/scene.ts';
import { until } from '../../fixtures/node/until.ts';

/** An algorithm whose limit can be looked at, and what it was told. */
class Watched implements ConcurrencyAlgorithm {
  readonly name: string;
  readonly #inner: ConcurrencyAlgorithm;
  #started: ConcurrencyLimit | undefined;
  samples = 0;
  drops = 0;

  constructor(inner: ConcurrencyAlgorithm) {
    this.name = inner.name;
    this.#inner = inner;
  }

  get limit(): number {
    return this.#started?.limit ?? Number.NaN;
  }

  start(context: Parameters<ConcurrencyAlgorithm['start']>[0]): ConcurrencyLimit {
    const started = this.#inner.start(context);
    this.#started = started;
    const watched = this;
    return {
      get limit() {
        return started.limit;
      },
      ended(milliseconds, inFlight, wasDropped, now) {
        if (wasDropped) watched.drops++;
        else watched.samples++;
        started.ended(milliseconds, inFlight, wasDropped, now);
      },
    };
  }
}

/** One that learns nothing. */
function fixed(limit: number): ConcurrencyAlgorithm {
  return { name: 'fixed', start: () => ({ limit, ended: () => {} }) };
}

describe('a limit of one’s own', () => {
  test('answers 503 at the gate to what is more, and lets the next in as soon as one is done', async () => {
    await using fleet = await HttpFleet.start(2, () => {});
    await using scene = await httpScene(fleet, { concurrencyLimit: fixed(3) });
    const clients = await atOnce(3, () => HttpClient.connect(scene.place));
    for (const client of clients) client.request('/');
    await until(() => scene.pool.stats.requests === 3, 'three are under way');
    const { status, body } = await ask(scene.place);
    expect([status, body]).toEqual([503, '503 Service Unavailable: the service is busy\n']);
    expect(scene.rejected.map(({ reason }) => reason)).toEqual(['concurrency-limit']);
    expect(scene.pool.stats).toMatchObject({ rejects: 1, requests: 3 });
    expect(fleet.all.reduce((sum, { requests }) => sum + requests.length, 0)).toBe(3);
    for (const member of fleet.all) {
      member.does = (heard) => heard.answer();
      for (const heard of member.requests) heard.answer();
    }
    for (const client of clients) expect((await client.answer()).status).toBe(200);
    expect(await fateOf(scene.place)).toBe(200);
    for (const client of clients) client.end();
    await leavesNothing(scene, fleet);
  });

  test('counts requests and not connections: idle clients hold nothing', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member], { concurrencyLimit: fixed(1) });
    const idle = await atOnce(5, () => HttpClient.connect(scene.place));
    for (const client of idle) expect((await client.ask('/')).status).toBe(200);
    expect(scene.rejected).toEqual([]);
    for (const client of idle) client.end();
    await leavesNothing(scene, [member]);
  });

  test('does not hold on to a client that leaves', async () => {
    await using member = await HttpMember.start({ does: () => {} });
    await using scene = await httpScene([member], { concurrencyLimit: fixed(1) });
    using leaver = await HttpClient.connect(scene.place);
    leaver.request('/');
    await member.request(1);
    expect(await fateOf(scene.place)).toBe(503);
    leaver.reset();
    await until(() => scene.pool.stats.activeConnections === 0, 'it has left');
    member.does = (heard) => heard.answer();
    expect(await fateOf(scene.place)).toBe(200);
    await leavesNothing(scene, [member]);
  });

  test('resets TCP clients that are more', async () => {
    await using backend = await Backend.start({ does: echoes });
    await using scene = await Scene.open({ members: [backend.at], concurrencyLimit: fixed(1) });
    using one = await Client.connect(scene.place);
    await one.isEchoed('one');
    expect(await refusalOf(scene.place)).toBe('ECONNRESET');
    expect(scene.rejected.map(({ reason }) => reason)).toEqual(['concurrency-limit']);
    one.end();
    await leavesNothing(scene, [backend]);
  });
});

describe('what an adaptive limit is told of HTTP', () => {
  test('is how long answers took, and that 503, 429 and no answer in time are drops', async () => {
    const limit = new Watched(aimdLimit({ window: 0 }));
    await using member = await HttpMember.start();
    await using scene = await httpScene([member], { concurrencyLimit: limit }, { timeouts: { member: 60 } });
    await oneByOne(10, () => fateOf(scene.place));
    expect([limit.samples, limit.drops]).toEqual([10, 0]);
    member.does = (heard) => heard.answer('', { status: heard.target === '/full' ? 503 : 429 });
    expect(await fateOf(scene.place, '/full')).toBe(503);
    expect(await fateOf(scene.place, '/often')).toBe(429);
    expect([limit.samples, limit.drops]).toEqual([10, 2]);
    member.does = () => {};
    expect(await fateOf(scene.place)).toBe(504);
    expect([limit.samples, limit.drops]).toEqual([10, 3]);
    await leavesNothing(scene, [member]);
  });

  test('is nothing of clients that leave, and of refusals of our own', async () => {
    const limit = new Watched(aimdLimit({ window: 0, min: 1, max: 1, initial: 1 }));
    await using member = await HttpMember.start({ does: () => {} });
    await using scene = await httpScene([member], { concurrencyLimit: limit });
    using leaver = await HttpClient.connect(scene.place);
    leaver.request('/');
    await member.request(1);
    expect(await fateOf(scene.place)).toBe(503);
    leaver.reset();
    await until(() => scene.pool.stats.activeConnections === 0, 'it has left');
    scene.pool.update({ enabled: false });
    expect(await fateOf(scene.place)).toBe(503);
    expect([limit.samples, limit.drops]).toEqual([0, 0]);
    await leavesNothing(scene, [member]);
  });
});

describe('a member that gets slow with load', () => {
  test('is sent no more than it can bear by an AIMD limit: what is more gets 503 at once, the rest is served', async () => {
    const workers = new Workers(4, 10);
    const limit = new Watched(aimdLimit({ timeout: 60, window: 20, min: 2, max: 64, initial: 64 }));
    await using member = await HttpMember.start({ name: 'm1', does: workers.does });
    await using scene = await httpScene([member], { concurrencyLimit: limit });
    await using load = httpLoad(scene.place, 64);
    await until(() => limit.limit <= 32, 'the limit falls');
    workers.most = 0;
    const before = scene.rejected.length;
    await load.moreOf('m1', 200);
    await load.stop();
    expect(workers.most).toBeLessThan(64);
    expect(scene.rejected.length).toBeGreaterThan(before);
    expect(counted(scene.rejected.map(({ reason }) => reason))).toEqual({ 'concurrency-limit': scene.rejected.length });
    expect(load.complaints()).toEqual({ '503 Service Unavailable: the service is busy': scene.rejected.length });
    await leavesNothing(scene, [member]);
  });

  test('is sent less by a gradient limit, and as much as ever when the rush is over', async () => {
    const workers = new Workers(4, 10);
    const limit = new Watched(gradientLimit({ window: 20, min: 2, max: 64, initial: 64, smoothing: 0.5 }));
    await using member = await HttpMember.start({ name: 'm1', does: workers.does });
    await using scene = await httpScene([member], { concurrencyLimit: limit });
    // A quiet time in which it learns what is usual.
    {
      await using quiet = httpLoad(scene.place, 4);
      await quiet.more(150);
      await quiet.stop();
      expect(quiet.complaints()).toEqual({});
    }
    await using rush = httpLoad(scene.place, 64);
    await until(() => limit.limit <= 32, 'the limit falls');
    await until(() => scene.rejected.length > 0, 'the gate refuses');
    await rush.moreOf('m1', 200);
    await rush.stop();
    expect(Object.keys(rush.complaints())).toEqual(['503 Service Unavailable: the service is busy']);
    // Few at a time are served as if nothing had been.
    await using after = httpLoad(scene.place, 2);
    await after.more(50);
    await after.stop();
    expect(after.complaints()).toEqual({});
    await leavesNothing(scene, [member]);
  });

  test('is left to its queue without a limit', async () => {
    const workers = new Workers(4, 10);
    await using member = await HttpMember.start({ name: 'm1', does: workers.does });
    await using scene = await httpScene([member]);
    await using load = httpLoad(scene.place, 64);
    await until(() => workers.most === 64, 'all are in its queue');
    await load.stop();
    expect(load.complaints()).toEqual({});
    await leavesNothing(scene, [member]);
  });
});
