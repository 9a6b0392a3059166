import { describe, expect, test } from 'vitest';
import type { RetryBudgetSpec } from '../../../src/index.ts';
import { leavesNothing } from '../../fixtures/node/aftermath.ts';
import { Backend } from '../../fixtures/node/backend.ts';
import { refusalOf, tally } from '../../fixtures/node/client.ts';
import { fateOf, ask as request } from '../../fixtures/node/http/client.ts';
import { type Handler, HttpFleet } from '../../fixtures/node/http/member.ts';
import { httpScene } from '../../fixtures/node/http/scene.ts';
import { closedPort } from '../../fixtures/node/places.ts';
import { atOnce, counted, oneByOne } from '../../fixtures/node/repeat.ts';
import { Scene } from '../../fixtures/node/scene.ts';

/** One retry for five requests, none for nothing, and none comes back as long as a test lasts. */
const aFifth: RetryBudgetSpec = { percent: 20, minPerSecond: 0, window: 60_000 };

/** A member that takes a request and resets its connection. */
const resets: Handler = (heard) => heard.wire.reset();

describe('TCP members that all refuse', () => {
  test('are tried three times by each client without a budget', async () => {
    await using scene = await Scene.open({ members: [closedPort(), closedPort(), closedPort()] }, { retries: 2 });
    expect(counted(await oneByOne(50, () => refusalOf(scene.place)))).toEqual({ ECONNRESET: 50 });
    expect(scene.vip.stats).toMatchObject({ connectFailures: 150, retries: 100, rejects: 50 });
    expect(counted(scene.rejected.map(({ reason }) => reason))).toEqual({ 'retries-exhausted': 50 });
    await leavesNothing(scene, []);
  });

  test('are tried as often as the budget permits with one', async () => {
    const pool = { members: [closedPort(), closedPort(), closedPort()], retryBudget: aFifth };
    await using scene = await Scene.open(pool, { retries: 2 });
    expect(counted(await oneByOne(50, () => refusalOf(scene.place)))).toEqual({ ECONNRESET: 50 });
    expect(scene.vip.stats).toMatchObject({ connectFailures: 60, retries: 10, rejects: 50 });
    expect(scene.connectFailures).toHaveLength(60);
    expect(counted(scene.rejected.map(({ reason }) => reason))).toEqual({ 'retry-budget': 50 });
    await leavesNothing(scene, []);
  });

  test('are tried no more often when clients come all at once', async () => {
    const pool = { members: [closedPort(), closedPort(), closedPort()], retryBudget: aFifth };
    await using scene = await Scene.open(pool, { retries: 2 });
    await atOnce(50, () => refusalOf(scene.place));
    expect(scene.vip.stats).toMatchObject({ connectFailures: 60, retries: 10, rejects: 50 });
    await leavesNothing(scene, []);
  });

  test('are not tried again after a pause either', async () => {
    const pool = { members: [closedPort()], retryBudget: aFifth };
    await using scene = await Scene.open(pool, { retries: 3, timeouts: { connect: 20 } });
    await oneByOne(10, () => refusalOf(scene.place));
    expect(scene.vip.stats).toMatchObject({ connectFailures: 12, retries: 2 });
    expect(counted(scene.rejected.map(({ reason }) => reason))).toEqual({ 'retry-budget': 10 });
    await leavesNothing(scene, []);
  });
});

describe('HTTP members that all reset what they are asked', () => {
  test('are asked three times by each request without a budget', async () => {
    await using fleet = await HttpFleet.start(3, resets);
    await using scene = await httpScene(fleet, {}, { retries: 2 });
    expect(counted(await oneByOne(50, () => fateOf(scene.place)))).toEqual({ 502: 50 });
    expect(fleet.all.map(({ backend }) => backend.accepted)).toEqual([50, 50, 50]);
    expect(counted(scene.rejected.map(({ reason }) => reason))).toEqual({ 'retries-exhausted': 50 });
    await leavesNothing(scene, fleet);
  });

  test('are asked as often as the budget permits with one, and clients get 502', async () => {
    await using fleet = await HttpFleet.start(3, resets);
    await using scene = await httpScene(fleet, { retryBudget: aFifth }, { retries: 2 });
    expect(counted(await oneByOne(50, () => fateOf(scene.place)))).toEqual({ 502: 50 });
    expect(fleet.all.reduce((sum, { backend }) => sum + backend.accepted, 0)).toBe(60);
    expect(scene.vip.stats).toMatchObject({ requests: 50, responses5xx: 50, retries: 10, rejects: 50 });
    expect(counted(scene.rejected.map(({ reason }) => reason))).toEqual({ 'retry-budget': 50 });
    await leavesNothing(scene, fleet);
  });

  test('are asked once by a request that may not be sent twice, which costs the budget nothing', async () => {
    await using fleet = await HttpFleet.start(3, resets);
    await using scene = await httpScene(fleet, { retryBudget: aFifth }, { retries: 2 });
    expect(counted(await oneByOne(5, () => fateOf(scene.place, '/', { body: 'once' })))).toEqual({ 502: 5 });
    expect(fleet.all.reduce((sum, { backend }) => sum + backend.accepted, 0)).toBe(5);
    expect(scene.rejected).toEqual([]);
    // Five requests have earned one retry.
    await fateOf(scene.place);
    expect(scene.vip.stats.retries).toBe(1);
    await leavesNothing(scene, fleet);
  });
});

describe('HTTP members that all refuse', () => {
  test('are tried as often as the budget permits, and clients get 503 and are told why', async () => {
    const pool = { members: [closedPort(), closedPort(), closedPort()], retryBudget: aFifth };
    await using scene = await Scene.open(pool, { protocol: 'http', retries: 2 });
    const answers = await oneByOne(20, () => request(scene.place));
    expect(counted(answers.map(({ status, body }) => `${status} ${body}`))).toEqual({
      '503 503 Service Unavailable: no member could be reached\n': 20,
    });
    expect(scene.vip.stats).toMatchObject({ connectFailures: 24, retries: 4 });
    expect(counted(scene.rejected.map(({ reason }) => reason))).toEqual({ 'retry-budget': 20 });
    await leavesNothing(scene, []);
  });
});

describe('a budget', () => {
  test('is no hindrance where one member of three is down: every client is served', async () => {
    await using m1 = await Backend.start({ name: 'm1' });
    await using m2 = await Backend.start({ name: 'm2' });
    await using scene = await Scene.open({ members: [m1.at, closedPort(), m2.at], retryBudget: {} });
    // Every other client has its turn at the one that is down, since who is sent on takes a turn as well.
    expect(await tally(scene.place, 60)).toEqual({ m1: 30, m2: 30 });
    expect(scene.vip.stats).toMatchObject({ connectFailures: 30, retries: 30, rejects: 0 });
    await leavesNothing(scene, [m1, m2]);
  });

  test('that runs dry does not keep clients from members at which they are the first try', async () => {
    await using good = await Backend.start({ name: 'good' });
    const retryBudget = { percent: 0, minPerSecond: 0 };
    await using scene = await Scene.open({ members: [closedPort(), good.at], retryBudget });
    expect(counted(await oneByOne(20, () => refusalOf(scene.place)))).toEqual({
      ECONNRESET: 10,
      "answered 'good'": 10,
    });
    expect(counted(scene.rejected.map(({ reason }) => reason))).toEqual({ 'retry-budget': 10 });
    await leavesNothing(scene, [good]);
  });

  test('can be given, changed and taken away while clients come', async () => {
    const pool = { members: [closedPort(), closedPort()] };
    await using scene = await Scene.open(pool, { retries: 1 });
    const tries = async (): Promise<number> => {
      const before = scene.vip.stats.connectFailures;
      await oneByOne(10, () => refusalOf(scene.place));
      return scene.vip.stats.connectFailures - before;
    };
    expect(await tries()).toBe(20);
    scene.pool.update({ retryBudget: aFifth });
    expect(await tries()).toBe(12);
    scene.pool.update({ retryBudget: { percent: 0, minPerSecond: 0 } });
    expect(await tries()).toBe(10);
    scene.pool.update({ retryBudget: null });
    expect(await tries()).toBe(20);
    await leavesNothing(scene, []);
  });
});
