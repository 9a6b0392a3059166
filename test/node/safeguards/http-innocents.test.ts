import { describe, expect, test } from 'vitest';
import { leavesNothing } from '../../fixtures/node/aftermath.ts';
import { Ejections, strict } from '../../fixtures/node/ejections.ts';
import { ask, fateOf, HttpClient } from '../../fixtures/node/http/client.ts';
import { answers, answers503, ejecting } from '../../fixtures/node/http/ejecting.ts';
import { HttpFleet } from '../../fixtures/node/http/member.ts';
import { httpScene } from '../../fixtures/node/http/scene.ts';
import { atOnce, counted, oneByOne } from '../../fixtures/node/repeat.ts';
import type { Scene } from '../../fixtures/node/scene.ts';
import { until } from '../../fixtures/node/until.ts';

describe('nobody is ejected for', () => {
  /** Not even suspected. */
  function isClean(scene: Scene): void {
    const { ejections = -1, detectedByCause = {} } = scene.pool.outlierStats ?? {};
    expect([ejections, ...Object.values(detectedByCause)].every((count) => count === 0)).toBe(true);
  }

  test('clients that leave while they wait', async () => {
    await using stage = await ejecting(2, answers);
    for (const member of stage.fleet.all) member.does = () => {};
    for (let turn = 1; turn <= 10; turn++) {
      using client = await HttpClient.connect(stage.scene.place);
      client.request('/', turn % 2 === 0 ? {} : { body: 'something' });
      await until(() => stage.scene.pool.stats.requests === turn, 'it is asked');
      client.reset();
      await until(() => stage.scene.pool.stats.activeConnections === 0, 'it has left');
    }
    isClean(stage.scene);
    await stage.ends();
  });

  test('clients that leave in the middle of their answers', async () => {
    await using stage = await ejecting(2, answers);
    for (const member of stage.fleet.all) {
      member.does = (heard) => heard.say('HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nbegun');
    }
    for (let turn = 1; turn <= 10; turn++) {
      using client = await HttpClient.connect(stage.scene.place);
      client.request('/');
      await client.hasGot(5);
      client.reset();
      await until(() => stage.scene.pool.stats.activeConnections === 0, 'it has left');
    }
    isClean(stage.scene);
    await stage.ends();
  });

  test('answers of 400 to 499', async () => {
    await using stage = await ejecting(2, answers);
    for (const member of stage.fleet.all)
      member.does = (heard) => heard.answer('', { status: Number(heard.target.slice(1)) });
    const statuses = [400, 401, 403, 404, 404, 404, 408, 410, 413, 429, 431, 499];
    for (const status of [...statuses, ...statuses]) {
      expect((await ask(stage.scene.place, `/${status}`)).status).toBe(status);
    }
    isClean(stage.scene);
    await stage.ends();
  });

  test('a 500 that `classify` calls the client’s', async () => {
    await using stage = await ejecting(2, (heard) => heard.answer('', { status: 500 }), {
      classify: ({ status }, outcome) => (status === 500 ? 'ignored' : outcome === 'success' ? 'success' : 'failure'),
    });
    expect(await stage.fates(20)).toEqual({ 200: 10, 500: 10 });
    isClean(stage.scene);
    await stage.ends();
  });

  test('requests that clients send badly or too slowly', async () => {
    await using stage = await ejecting(2, answers, {}, { timeouts: { client: 60 }, limits: { headSize: 1024 } });
    const { scene } = stage;
    for (let turn = 0; turn < 6; turn++) {
      // A body that never comes, of a request that a member has got the head of.
      expect(await fateOf(scene.place, '/', { method: 'POST', fields: ['Content-Length: 10'] })).toBe(408);
      // One that makes no sense when a part of it is with the member already.
      using client = await HttpClient.connect(scene.place);
      client.request('/', { method: 'POST', fields: ['Transfer-Encoding: chunked'] });
      client.send('1\r\nx\r\nnonsense\r\n');
      expect((await client.answer()).status).toBe(400);
      client.end();
      expect(await fateOf(scene.place, '/', { fields: [`X-Long: ${'x'.repeat(2000)}`] })).toBe(431);
    }
    isClean(scene);
    await stage.ends();
  });

  test('clients that do not take their answers', async () => {
    await using stage = await ejecting(2, answers, {}, { timeouts: { client: 60 } });
    const { scene, fleet } = stage;
    for (const member of fleet.all) member.does = (heard) => heard.answer('x'.repeat(20_000_000));
    for (let turn = 1; turn <= 6; turn++) {
      using client = await HttpClient.connect(scene.place);
      client.socket.pause();
      client.request('/');
      await until(() => scene.vip.stats.timeouts.reader === turn, 'it is given up');
    }
    isClean(scene);
    await stage.ends();
  });

  test('limits of our own: of connections, of members, of circuits', async () => {
    await using fleet = await HttpFleet.start(2, () => {});
    const members = fleet.members.map((member) => ({ ...member, maxConnections: 2, maxRequests: 1 }));
    const outlierDetection = { ...strict, consecutiveFailures: 1 };
    const settings = { connectionLimit: 4, backlog: 0 };
    await using scene = await httpScene(fleet, { members, outlierDetection }, settings);
    const ejections = new Ejections(scene);
    const held = await atOnce(2, () => HttpClient.connect(scene.place));
    for (const client of held) client.request('/');
    await until(() => scene.pool.stats.requests === 2, 'both are busy');
    expect(counted(await oneByOne(5, () => fateOf(scene.place)))).toEqual({ 503: 5 });
    for (const member of scene.pool.members) member.update({ maxConnections: 1, maxRequests: null });
    expect(counted(await oneByOne(5, () => fateOf(scene.place)))).toEqual({ 503: 5 });
    const idle = await atOnce(2, () => HttpClient.connect(scene.place));
    await until(() => scene.vip.stats.activeConnections === 4, 'the virtual IP is full');
    expect(counted(await oneByOne(5, () => fateOf(scene.place)))).toEqual({ ECONNRESET: 5 });
    expect(counted(scene.rejected.map(({ reason }) => reason))).toEqual({
      'circuit-limits': 5,
      'members-full': 5,
      'connection-limit': 5,
    });
    isClean(scene);
    for (const member of fleet.all) for (const heard of member.requests) heard.answer();
    for (const client of held) expect((await client.answer()).status).toBe(200);
    for (const client of [...held, ...idle]) client.end();
    await leavesNothing(scene, fleet, ejections.listeners);
  });

  test('a drain whose deadline ends its requests, not together with what fails afterwards either', async () => {
    await using fleet = await HttpFleet.start(2, () => {});
    await using scene = await httpScene(fleet, { outlierDetection: strict });
    const ejections = new Ejections(scene);
    const clients = await atOnce(4, () => HttpClient.connect(scene.place));
    for (const client of clients) client.request('/');
    await until(() => scene.pool.stats.requests === 4, 'all are asked');
    await scene.member('m1').drain({ deadline: 0 });
    for (const heard of fleet.of('m2').requests) heard.answer();
    const statuses = counted(await Promise.all(clients.map(async (client) => (await client.answer()).status)));
    expect(statuses).toEqual({ 200: 2, 503: 2 });
    scene.member('m1').update({ enabled: true });
    fleet.of('m1').does = answers503;
    fleet.of('m2').does = answers;
    // Two that were ended and two that failed were three in a row.
    expect(counted(await oneByOne(4, () => fateOf(scene.place)))).toEqual({ 200: 2, 503: 2 });
    isClean(scene);
    for (const client of clients) client.end();
    await leavesNothing(scene, fleet, ejections.listeners);
  });

  test('kept connections that the member has closed', async () => {
    await using stage = await ejecting(2, answers);
    // Each answer is well, and the connection is reset when the next request comes on it.
    const isUsed = new WeakSet<object>();
    for (const member of stage.fleet.all) {
      member.does = (heard) => {
        if (isUsed.has(heard.wire)) return heard.wire.reset();
        isUsed.add(heard.wire);
        heard.answer();
      };
    }
    expect(await stage.fates(20)).toEqual({ 200: 20 });
    isClean(stage.scene);
    await stage.ends();
  });
});
