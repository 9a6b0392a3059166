import { describe, expect, test } from 'vitest';
import { poolStatus } from '../../../src/core/report.ts';
import type { PoolSpec, VipSpec } from '../../../src/index.ts';
import { leavesNothing } from '../../fixtures/node/aftermath.ts';
import { Backend } from '../../fixtures/node/backend.ts';
import { brief, Ejections, strict } from '../../fixtures/node/ejections.ts';
import { ask, fateOf, HttpClient, type RequestOptions } from '../../fixtures/node/http/client.ts';
import { bodyOf, httpLoad } from '../../fixtures/node/http/load.ts';
import { type Handler, HttpFleet } from '../../fixtures/node/http/member.ts';
import { Patients } from '../../fixtures/node/http/patients.ts';
import { httpScene } from '../../fixtures/node/http/scene.ts';
import { atOnce, counted, oneByOne } from '../../fixtures/node/repeat.ts';
import type { Scene } from '../../fixtures/node/scene.ts';
import { until } from '../../fixtures/node/until.ts';

const answers: Handler = (heard) => heard.answer();
const answers503: Handler = (heard) => heard.answer('', { status: 503 });

/** Members m1, m2 and so on, the last of which does this, and a virtual IP in front of them that ejects. */
async function scened(size: number, does: Handler, pool: PoolSpec = {}, settings: Partial<VipSpec> = {}) {
  const fleet = await HttpFleet.start(size);
  const bad = fleet.of(`m${size}`);
  bad.does = does;
  const scene = await httpScene(fleet, { outlierDetection: strict, ...pool }, settings);
  const ejections = new Ejections(scene);
  return {
    fleet,
    scene,
    ejections,
    bad,
    /** What becomes of so many requests, one after the other. */
    fates: async (requests: number, options: RequestOptions = {}) =>
      counted(await oneByOne(requests, () => fateOf(scene.place, '/', options))),
    /** Who answers so many. */
    served: async (requests: number) => counted(await oneByOne(requests, () => bodyOf(scene.place))),
    ends: () => leavesNothing(scene, fleet, ejections.listeners),
    async [Symbol.asyncDispose]() {
      await scene[Symbol.asyncDispose]();
      await fleet[Symbol.asyncDispose]();
    },
  };
}

describe('an HTTP member', () => {
  test('that answers 503 is ejected after three of them, and the others serve everybody from then on', async () => {
    await using stage = await scened(3, answers503);
    expect(await stage.fates(30)).toEqual({ 200: 27, 503: 3 });
    expect(stage.ejections.heard).toEqual(['m3 ejected: consecutive-failures']);
    expect(stage.bad.requests).toHaveLength(3);
    await stage.ends();
  });

  test('that resets what it is asked is ejected after three, and nobody notices whose request may be sent again', async () => {
    await using stage = await scened(3, (heard) => heard.wire.reset());
    expect(await stage.fates(30)).toEqual({ 200: 30 });
    expect(stage.ejections.heard).toEqual(['m3 ejected: consecutive-failures']);
    expect(stage.bad.requests).toHaveLength(3);
    await stage.ends();
  });

  test('costs three clients an answer where their requests may not be sent twice', async () => {
    await using stage = await scened(3, (heard) => heard.wire.reset());
    expect(await stage.fates(30, { body: 'once' })).toEqual({ 200: 27, 502: 3 });
    expect(stage.ejections.heard).toEqual(['m3 ejected: consecutive-failures']);
    await stage.ends();
  });

  test('that resets connections as soon as it has taken them is ejected', async () => {
    await using stage = await scened(3, answers);
    await stage.bad.stop();
    const { address: host, port } = stage.bad.spec;
    await using rude = await Backend.start({ host, port, does: (socket) => void socket.resetAndDestroy() });
    expect(await stage.fates(30)).toEqual({ 200: 30 });
    expect(stage.ejections.heard).toEqual(['m3 ejected: consecutive-failures']);
    expect(rude.accepted).toBe(3);
    await stage.ends();
  });

  test('that hangs is ejected after three answers that did not come in time', async () => {
    await using stage = await scened(3, () => {}, {}, { timeouts: { member: 60 } });
    expect(await stage.fates(30)).toEqual({ 200: 27, 504: 3 });
    expect(stage.ejections.heard).toEqual(['m3 ejected: consecutive-failures']);
    await stage.ends();
  });

  test('that nobody can connect to is ejected after three tries, and nobody notices', async () => {
    await using stage = await scened(3, answers);
    await stage.bad.stop();
    expect(await stage.fates(30)).toEqual({ 200: 30 });
    expect(stage.ejections.heard).toEqual(['m3 ejected: consecutive-failures']);
    expect(stage.scene.vip.stats).toMatchObject({ connectFailures: 3, rejects: 0 });
    await stage.ends();
  });

  test('that breaks off in the middle of its answers is ejected', async () => {
    await using stage = await scened(3, (heard) => {
      heard.say('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this');
      heard.wire.socket.end();
    });
    const fates = await stage.fates(30);
    expect([fates['200'], stage.ejections.heard]).toEqual([27, ['m3 ejected: consecutive-failures']]);
    await stage.ends();
  });

  test('that talks nonsense is ejected', async () => {
    await using stage = await scened(3, (heard) => heard.say('220 mail.example ESMTP\r\n\r\n'));
    expect(await stage.fates(30)).toEqual({ 200: 27, 502: 3 });
    expect(stage.ejections.heard).toEqual(['m3 ejected: consecutive-failures']);
    await stage.ends();
  });

  test('that fails now and then is not ejected for failures in a row', async () => {
    let turn = 0;
    await using stage = await scened(3, (heard) => heard.answer('', { status: ++turn % 3 === 0 ? 200 : 503 }));
    expect(await stage.fates(90)).toEqual({ 200: 70, 503: 20 });
    expect(stage.ejections.heard).toEqual([]);
    await stage.ends();
  });

  test('of which too many requests in an interval fail is ejected for that', async () => {
    let turn = 0;
    await using stage = await scened(
      3,
      (heard) => heard.answer(heard.wire.member.name, { status: ++turn % 2 === 0 ? 200 : 500 }),
      {
        outlierDetection: {
          ...strict,
          interval: 100,
          failurePercentage: { threshold: 40, minMembers: 3, minRequests: 10 },
        },
      },
    );
    await using load = httpLoad(stage.scene.place, 8);
    await stage.ejections.until('m3 ejected: failure-percentage');
    await load.stop();
    expect(Object.keys(load.complaints())).toEqual(['m3']);
    await stage.ends();
  });

  test('under load fails no more clients than were with it, and three', async () => {
    await using stage = await scened(4, (heard) => heard.wire.reset());
    await using load = httpLoad(stage.scene.place, 16, '/', { body: 'once' });
    await load.more(400);
    await load.stop();
    expect(stage.ejections.heard).toEqual(['m4 ejected: consecutive-failures']);
    expect(load.failures.length).toBeLessThanOrEqual(16 + 3);
    await stage.ends();
  });
});

describe('an ejection', () => {
  test('shows in status, reason, statistics and events', async () => {
    await using stage = await scened(3, answers503);
    const { scene } = stage;
    await stage.fates(9);
    const member = scene.member('m3');
    const reason = 'ejected for 600 s: 3 consecutive failures';
    expect([member.status, member.statusReason, scene.pool.status]).toEqual(['error', reason, 'degraded']);
    expect(scene.statuses).toEqual(['m3 error']);
    expect(member.ejection).toMatchObject({ cause: 'consecutive-failures', duration: 600_000 });
    expect(scene.pool.outlierStats).toMatchObject({ ejected: 1, onTrial: 0, ejections: 1, overflow: 0 });
    expect(scene.pool.outlierStats?.ejectionsByCause['consecutive-failures']).toBe(1);
    const { outlierDetection, members } = poolStatus(scene.pool);
    expect(outlierDetection).toEqual({ ejected: 1, onTrial: 0 });
    expect(members.map(({ id, status }) => `${id} ${status}`)).toEqual(['m1 no-monitor', 'm2 no-monitor', 'm3 error']);
    await stage.ends();
  });

  test('is over when its time is, and the member gets its share again', async () => {
    await using stage = await scened(3, answers503, { outlierDetection: brief });
    await stage.fates(9);
    stage.bad.does = answers;
    await stage.ejections.until('m3 back: time');
    expect(await stage.served(30)).toEqual({ m1: 10, m2: 10, m3: 10 });
    expect(stage.scene.statuses).toEqual(['m3 error', 'm3 no-monitor']);
    await stage.ends();
  });

  test('is followed by a longer one where the member still fails', async () => {
    await using stage = await scened(3, answers503, { outlierDetection: brief });
    await stage.fates(9);
    await stage.ejections.until('m3 back: time');
    await stage.fates(9);
    expect(stage.ejections.heard).toEqual([
      'm3 ejected: consecutive-failures',
      'm3 back: time',
      'm3 ejected: consecutive-failures',
    ]);
    expect(stage.ejections.durations).toEqual([100, 200]);
    await stage.ends();
  });

  test('drops the connections to the member that are kept, and no others', async () => {
    await using stage = await scened(2, answers);
    const { scene, fleet, bad } = stage;
    // Four connections to each.
    for (const member of fleet.all) member.does = () => {};
    const clients = await atOnce(8, () => HttpClient.connect(scene.place));
    for (const client of clients) client.request('/');
    await until(() => fleet.all.every(({ requests }) => requests.length === 4), 'all are asked');
    for (const member of fleet.all) for (const heard of member.requests) heard.answer();
    for (const client of clients) await client.answer();
    for (const member of fleet.all) member.does = answers;
    expect(fleet.all.map(({ open }) => open)).toEqual([4, 4]);
    bad.does = answers503;
    await stage.fates(6);
    expect(stage.ejections.heard).toEqual(['m2 ejected: consecutive-failures']);
    await bad.isLetGo();
    expect(fleet.of('m1').open).toBe(4);
    for (const client of clients) client.end();
    await stage.ends();
  });

  test('lets what runs on the member come to its end, and does not keep that connection', async () => {
    await using stage = await scened(3, (heard) => heard.target !== '/slow' && answers503(heard));
    const { scene, bad } = stage;
    // One of three goes to m3.
    const clients = await atOnce(3, () => HttpClient.connect(scene.place));
    for (const client of clients) client.request('/slow');
    const slow = await bad.request(1);
    await stage.fates(9);
    expect(stage.ejections.heard).toEqual(['m3 ejected: consecutive-failures']);
    slow.answer('at last');
    const bodies = await Promise.all(clients.map(async (client) => (await client.answer()).body));
    expect(bodies.toSorted()).toEqual(['at last', 'm1', 'm2']);
    await bad.isLetGo();
    for (const client of clients) client.end();
    await stage.ends();
  });

  test('does not befall the last member, however it fails', async () => {
    await using stage = await scened(1, answers503);
    expect(await stage.fates(7)).toEqual({ 503: 7 });
    expect(stage.ejections.heard).toEqual(['m1 stays: last-healthy', 'm1 stays: last-healthy']);
    expect(stage.scene.pool.outlierStats).toMatchObject({ ejected: 0, overflow: 2 });
    await stage.ends();
  });

  test('leaves one member of all that fail, and its clients get what it says', async () => {
    await using stage = await scened(3, answers503);
    for (const member of stage.fleet.all) member.does = answers503;
    const fates = await stage.fates(30);
    expect(fates).toEqual({ 503: 30 });
    expect(stage.scene.pool.outlierStats).toMatchObject({ ejected: 2 });
    expect(stage.scene.rejected).toEqual([]);
    await stage.ends();
  });

  test('is over before its time when all others are gone', async () => {
    await using stage = await scened(3, answers503);
    await stage.fates(9);
    stage.bad.does = answers;
    stage.scene.member('m1').update({ enabled: false });
    expect(stage.ejections.heard).toEqual(['m3 ejected: consecutive-failures']);
    stage.scene.pool.remove('m2');
    expect(stage.ejections.heard).toEqual(['m3 ejected: consecutive-failures', 'm3 back: last-resort']);
    expect(await stage.served(5)).toEqual({ m3: 5 });
    await stage.ends();
  });

  test('is over when detection is switched off', async () => {
    await using stage = await scened(3, answers503);
    await stage.fates(9);
    stage.scene.pool.update({ outlierDetection: null });
    expect(stage.ejections.heard).toEqual(['m3 ejected: consecutive-failures', 'm3 back: switched-off']);
    expect(await stage.fates(30)).toEqual({ 200: 20, 503: 10 });
    await stage.ends();
  });

  test('is over when the member is elsewhere', async () => {
    await using stage = await scened(3, answers503);
    await using moved = await HttpFleet.start(1);
    await stage.fates(9);
    const { address, port } = moved.of('m1').spec;
    stage.scene.member('m3').update({ address, port });
    expect(stage.ejections.heard.at(-1)).toBe('m3 back: new-address');
    expect(await stage.fates(30)).toEqual({ 200: 30 });
    expect(moved.of('m1').requests).toHaveLength(10);
    await stage.ends();
  });

  test('is over with a check that passes, where that is asked for', async () => {
    await using patients = await Patients.start(3);
    const bad = patients.fleet.of('m3');
    const { does } = bad;
    bad.does = (heard) => (heard.target === '/health' ? does(heard) : answers503(heard));
    await using scene = await httpScene(patients.fleet, {
      healthMonitor: patients.monitor,
      outlierDetection: { ...strict, unejectOnPassedCheck: true },
    });
    const ejections = new Ejections(scene);
    await oneByOne(9, () => fateOf(scene.place));
    await ejections.until('m3 back: passed-check');
    await leavesNothing(scene, patients.fleet, ejections.listeners);
  });

  test('outlasts checks that pass, where that is not asked for', async () => {
    await using patients = await Patients.start(3);
    const bad = patients.fleet.of('m3');
    const { does } = bad;
    bad.does = (heard) => (heard.target === '/health' ? does(heard) : answers503(heard));
    await using scene = await httpScene(patients.fleet, { healthMonitor: patients.monitor, outlierDetection: strict });
    const ejections = new Ejections(scene);
    await oneByOne(9, () => fateOf(scene.place));
    const checked = bad.requests.length;
    await until(() => bad.requests.length >= checked + 5, 'it is checked');
    expect(ejections.heard).toEqual(['m3 ejected: consecutive-failures']);
    expect(scene.memberStatuses).toBe('online,online,error');
    await leavesNothing(scene, patients.fleet, ejections.listeners);
  });

  test('counts as unhealthy for panic, which serves with those that are ejected', async () => {
    await using stage = await scened(4, answers, { panic: { threshold: 50 } });
    for (const name of ['m2', 'm3', 'm4']) stage.fleet.of(name).does = answers503;
    await stage.fates(12);
    expect(stage.scene.pool.outlierStats).toMatchObject({ ejected: 3 });
    expect(stage.scene.pool.isPanicking).toBe(true);
    for (const member of stage.fleet.all) member.does = answers;
    expect(await stage.served(20)).toEqual({ m1: 5, m2: 5, m3: 5, m4: 5 });
    await stage.ends();
  });
});

describe('a member that is back on trial', () => {
  const onTrial = { ...brief, halfOpen: 1 };

  test('gets one client at a time, and all when that one was served', async () => {
    await using stage = await scened(3, answers503, { outlierDetection: onTrial });
    const { scene, bad } = stage;
    await stage.fates(9);
    const asked = bad.requests.length;
    bad.does = () => {};
    await stage.ejections.until('m3 back: time, on trial');
    expect(scene.member('m3').circuit?.isHalfOpen).toBe(true);
    expect(poolStatus(scene.pool).outlierDetection).toEqual({ ejected: 0, onTrial: 1 });
    const clients = await atOnce(12, () => HttpClient.connect(scene.place));
    for (const client of clients) client.request('/');
    await bad.request(asked + 1);
    const others = await oneByOne(20, () => bodyOf(scene.place));
    expect(others).not.toContain('m3');
    expect(bad.requests).toHaveLength(asked + 1);
    bad.does = answers;
    bad.requests[asked]?.answer();
    await stage.ejections.until('m3 passed');
    for (const client of clients) expect((await client.answer()).status).toBe(200);
    expect(await stage.served(30)).toEqual({ m1: 10, m2: 10, m3: 10 });
    for (const client of clients) client.end();
    await stage.ends();
  });

  test('is ejected again by the first failure, which is all that it costs', async () => {
    await using stage = await scened(3, answers503, { outlierDetection: onTrial });
    await stage.fates(9);
    await stage.ejections.until('m3 back: time, on trial');
    expect(await stage.fates(6)).toEqual({ 200: 5, 503: 1 });
    expect(stage.ejections.heard.at(2)).toBe('m3 ejected: failed-trial');
    expect(stage.ejections.durations).toEqual([100, 200]);
    await stage.ends();
  });

  test('costs nobody anything where the request can be sent again', async () => {
    await using stage = await scened(3, (heard) => heard.wire.reset(), { outlierDetection: onTrial });
    await stage.fates(9);
    await stage.ejections.until('m3 back: time, on trial');
    expect(await stage.fates(6)).toEqual({ 200: 6 });
    expect(stage.ejections.heard).toContain('m3 ejected: failed-trial');
    await stage.ends();
  });

  test('passes with the head of an answer that goes on, and with an upgrade', async () => {
    await using stage = await scened(2, answers503, { outlierDetection: onTrial });
    const { scene, bad } = stage;
    const passes: readonly Handler[] = [
      (heard) => heard.say('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nand so on'),
      (heard) => heard.switch(),
    ];
    for (const [round, does] of passes.entries()) {
      bad.does = answers503;
      await stage.fates(6);
      await stage.ejections.until('m2 back: time, on trial', round + 1);
      bad.does = does;
      const clients = await oneByOne(2, async () => {
        const client = await HttpClient.connect(scene.place);
        client.request('/', { fields: ['Connection: Upgrade', 'Upgrade: echo'] });
        await client.answerBegun();
        return client;
      });
      await stage.ejections.until('m2 passed', round + 1);
      for (const client of clients) client.reset();
      await until(() => scene.pool.stats.activeConnections === 0, 'they are gone');
    }
    await stage.ends();
  });

  test('stays on trial where the client leaves', async () => {
    await using stage = await scened(2, answers503, { outlierDetection: onTrial });
    const { scene, bad } = stage;
    await stage.fates(6);
    const asked = bad.requests.length;
    bad.does = () => {};
    await stage.ejections.until('m2 back: time, on trial');
    const clients = await oneByOne(2, () => HttpClient.connect(scene.place));
    for (const client of clients) client.request('/');
    await bad.request(asked + 1);
    for (const client of clients) client.reset();
    await until(() => scene.member('m2').stats.activeConnections === 0, 'it has left');
    expect(scene.member('m2').circuit?.isHalfOpen).toBe(true);
    bad.does = answers;
    await stage.served(2);
    expect(stage.ejections.heard.at(-1)).toBe('m2 passed');
    await stage.ends();
  });
});

describe('nobody is ejected for', () => {
  /** Not even suspected. */
  function isClean(scene: Scene): void {
    const { ejections = -1, detectedByCause = {} } = scene.pool.outlierStats ?? {};
    expect([ejections, ...Object.values(detectedByCause)].every((count) => count === 0)).toBe(true);
  }

  test('clients that leave while they wait', async () => {
    await using stage = await scened(2, answers);
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
    await using stage = await scened(2, answers);
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
    await using stage = await scened(2, answers);
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
    await using stage = await scened(2, (heard) => heard.answer('', { status: 500 }), {
      classify: ({ status }, outcome) => (status === 500 ? 'ignored' : outcome === 'success' ? 'success' : 'failure'),
    });
    expect(await stage.fates(20)).toEqual({ 200: 10, 500: 10 });
    isClean(stage.scene);
    await stage.ends();
  });

  test('requests that clients send badly or too slowly', async () => {
    await using stage = await scened(2, answers, {}, { timeouts: { client: 60 }, limits: { headSize: 1024 } });
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

  test('a drain whose deadline ends its requests', async () => {
    await using fleet = await HttpFleet.start(2, () => {});
    await using scene = await httpScene(fleet, { outlierDetection: { ...strict, consecutiveFailures: 1 } });
    const ejections = new Ejections(scene);
    const clients = await atOnce(4, () => HttpClient.connect(scene.place));
    for (const client of clients) client.request('/');
    await until(() => scene.pool.stats.requests === 4, 'all are asked');
    await scene.member('m1').drain({ deadline: 0 });
    isClean(scene);
    scene.member('m1').update({ enabled: true });
    for (const heard of fleet.of('m2').requests) heard.answer();
    const statuses = counted(await Promise.all(clients.map(async (client) => (await client.answer()).status)));
    expect(statuses).toEqual({ 200: 2, 503: 2 });
    for (const client of clients) client.end();
    await leavesNothing(scene, fleet, ejections.listeners);
  });

  test('kept connections that the member has closed', async () => {
    await using stage = await scened(2, answers);
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
