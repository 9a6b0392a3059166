import { describe, expect, test } from 'vitest';
import type { PoolSpec, VipSpec } from '../../../src/index.ts';
import { leavesNothing } from '../../fixtures/node/aftermath.ts';
import { Backend, echoes, listensOnly, type Service } from '../../fixtures/node/backend.ts';
import { Client, Load, refusalOf } from '../../fixtures/node/client.ts';
import { brief, Ejections, strict } from '../../fixtures/node/ejections.ts';
import { BlackHole } from '../../fixtures/node/process.ts';
import { atOnce, counted, oneByOne } from '../../fixtures/node/repeat.ts';
import { Scene } from '../../fixtures/node/scene.ts';
import { until } from '../../fixtures/node/until.ts';

const tells: Service = (socket, { name }) => void socket.once('data', () => socket.end(name));
const resetsAtOnce: Service = (socket) => void socket.resetAndDestroy();
/** A moment later, when the connection has been seen to stand: a reset at once looks like a connect that failed. */
const resets: Service = (socket) => void setTimeout(() => socket.resetAndDestroy(), 5);

/** Does what it is told at the moment. */
class Fickle {
  does: Service;

  constructor(does: Service) {
    this.does = does;
  }

  readonly service: Service = (socket, backend) => this.does(socket, backend);
}

/** Members m1, m2 and so on, the last of which does this, and a virtual IP in front of them that ejects. */
async function scened(size: number, does: Service, pool: PoolSpec = {}, settings: Partial<VipSpec> = {}) {
  const mood = new Fickle(does);
  const names = Array.from({ length: size }, (_, index) => `m${index + 1}`);
  const backends = await oneByOne(size, (index) => {
    const isBad = index === size - 1;
    return Backend.start({ name: names[index] as string, does: isBad ? mood.service : tells });
  });
  const bad = backends.at(-1) as Backend;
  const members = backends.map(({ name, place }) => {
    const { host, port } = place as { host: string; port: number };
    return { id: name, address: host, port };
  });
  const scene = await Scene.open({ members, outlierDetection: strict, ...pool }, settings);
  const ejections = new Ejections(scene);
  return {
    scene,
    ejections,
    bad,
    mood,
    /** What becomes of so many clients, one after the other. */
    fates: async (clients: number) => counted(await oneByOne(clients, () => refusalOf(scene.place))),
    ends: () => leavesNothing(scene, backends, ejections.listeners),
    async [Symbol.asyncDispose]() {
      await scene[Symbol.asyncDispose]();
      await Promise.all(backends.map((backend) => backend.stop()));
    },
  };
}

const fair = (each: number, ...names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [`answered '${name}'`, each]));

describe('a TCP member', () => {
  test('that refuses is ejected after three tries, and no client notices', async () => {
    await using stage = await scened(3, tells);
    await stage.bad.stop();
    const fates = await stage.fates(30);
    expect(Object.keys(fates).toSorted()).toEqual(["answered 'm1'", "answered 'm2'"]);
    expect(stage.ejections.heard).toEqual(['m3 ejected: consecutive-failures']);
    expect(stage.scene.vip.stats).toMatchObject({ connectFailures: 3, rejects: 0 });
    expect(stage.scene.member('m3').statusReason).toBe('ejected for 600 s: 3 consecutive failures');
    await stage.ends();
  });

  test('that resets whoever it has taken is ejected after three, and costs three clients', async () => {
    await using stage = await scened(3, resets);
    const { ECONNRESET, ...served } = await stage.fates(33);
    expect([ECONNRESET, served]).toEqual([3, fair(15, 'm1', 'm2')]);
    expect(stage.ejections.heard).toEqual(['m3 ejected: consecutive-failures']);
    expect(stage.bad.accepted).toBe(3);
    await stage.ends();
  });

  test('that resets whoever it has taken at once is ejected after three, too', async () => {
    await using stage = await scened(3, resetsAtOnce);
    await stage.fates(33);
    expect(stage.ejections.heard).toEqual(['m3 ejected: consecutive-failures']);
    expect(stage.bad.accepted).toBe(3);
    await stage.ends();
  });

  test('that resets whoever says a word is ejected as well', async () => {
    await using stage = await scened(3, (socket) => void socket.once('data', () => socket.resetAndDestroy()));
    expect((await stage.fates(33))['ECONNRESET']).toBe(3);
    expect(stage.ejections.heard).toEqual(['m3 ejected: consecutive-failures']);
    await stage.ends();
  });

  test('that takes no connections is ejected after three that did not come about in time', async () => {
    await using hole = await BlackHole.open();
    await using good = await Backend.start({ name: 'good' });
    const { host, port } = hole.place as { host: string; port: number };
    const members = [{ id: 'hole', address: host, port }, good.at];
    await using scene = await Scene.open({ members, outlierDetection: strict }, { timeouts: { connect: 60 } });
    const ejections = new Ejections(scene);
    expect(counted(await oneByOne(12, () => refusalOf(scene.place)))).toEqual(fair(12, 'good'));
    expect(ejections.heard).toEqual(['hole ejected: consecutive-failures']);
    expect(scene.vip.stats.connectFailures).toBe(3);
    await leavesNothing(scene, [good], ejections.listeners);
  });

  test('that serves between its failures is not ejected', async () => {
    let turn = 0;
    await using stage = await scened(3, (socket, backend) => (++turn % 3 === 0 ? tells : resets)(socket, backend));
    expect(await stage.fates(45)).toEqual({ ...fair(15, 'm1', 'm2'), ...fair(5, 'm3'), ECONNRESET: 10 });
    expect(stage.ejections.heard).toEqual([]);
    await stage.ends();
  });

  test('under load fails no more clients than were with it, and three', async () => {
    await using stage = await scened(4, resets);
    await using load = Load.on(stage.scene.place, 16);
    await load.more(400);
    await load.stop();
    expect(stage.ejections.heard).toEqual(['m4 ejected: consecutive-failures']);
    expect(load.failures.length).toBeLessThanOrEqual(16 + 3);
    await stage.ends();
  });
});

describe('an ejected TCP member', () => {
  test('keeps the connections that it has', async () => {
    await using stage = await scened(2, echoes);
    const { scene, mood } = stage;
    const clients = await oneByOne(2, () => Client.connect(scene.place));
    await until(() => scene.member('m2').stats.activeConnections === 1, 'one is with it');
    mood.does = resets;
    await stage.fates(6);
    expect(stage.ejections.heard).toEqual(['m2 ejected: consecutive-failures']);
    const mine = clients[1] as Client;
    await mine.isEchoed('still there');
    for (const client of clients) client.end('bye');
    await stage.ends();
  });

  test('is back when its time is over', async () => {
    await using stage = await scened(3, resets, { outlierDetection: brief });
    await stage.fates(9);
    stage.mood.does = tells;
    await stage.ejections.until('m3 back: time');
    expect(await stage.fates(30)).toEqual(fair(10, 'm1', 'm2', 'm3'));
    expect(stage.scene.statuses).toEqual(['m3 error', 'm3 no-monitor']);
    await stage.ends();
  });

  test('is out for longer each time', async () => {
    await using stage = await scened(2, resets, { outlierDetection: { ...brief, baseEjectionTime: 40 } });
    for (let round = 1; round <= 3; round++) {
      await until(async () => {
        await stage.fates(2);
        return stage.ejections.durations.length === round;
      }, 'it is ejected');
      await stage.ejections.until('m2 back: time', round);
    }
    expect(stage.ejections.durations).toEqual([40, 80, 120]);
    await stage.ends();
  });

  test('is not the last one', async () => {
    await using stage = await scened(1, resets);
    expect(await stage.fates(6)).toEqual({ ECONNRESET: 6 });
    expect(stage.ejections.heard).toEqual(['m1 stays: last-healthy', 'm1 stays: last-healthy']);
    await stage.ends();
  });
});

describe('a TCP member that is back on trial', () => {
  const onTrial = { ...brief, halfOpen: 1 };

  test('passes with the first connection that stands', async () => {
    await using stage = await scened(2, resets, { outlierDetection: onTrial });
    await stage.fates(6);
    stage.mood.does = tells;
    await stage.ejections.until('m2 back: time, on trial');
    expect(stage.scene.member('m2').circuit?.isHalfOpen).toBe(true);
    await stage.fates(2);
    expect(stage.ejections.heard.at(-1)).toBe('m2 passed');
    expect(await stage.fates(20)).toEqual(fair(10, 'm1', 'm2'));
    await stage.ends();
  });

  test('takes one client at a time while it is being connected to', async () => {
    await using hole = await BlackHole.open();
    await using good = await Backend.start({ name: 'good' });
    const { host, port } = hole.place as { host: string; port: number };
    const members = [{ id: 'hole', address: host, port }, good.at];
    const outlierDetection = { ...onTrial, consecutiveFailures: 1 };
    await using scene = await Scene.open({ members, outlierDetection }, { timeouts: { connect: 400 } });
    const ejections = new Ejections(scene);
    await oneByOne(2, () => refusalOf(scene.place));
    await ejections.until('hole back: time, on trial');
    const fates = atOnce(20, () => refusalOf(scene.place));
    await until(() => scene.vip.stats.activeConnections > 0, 'they come');
    expect(counted(await fates)).toEqual(fair(20, 'good'));
    expect(ejections.heard.slice(0, 3)).toEqual([
      'hole ejected: consecutive-failures',
      'hole back: time, on trial',
      'hole ejected: failed-trial',
    ]);
    // One before the first ejection, and one on trial.
    expect(scene.member('hole').stats.connectFailures).toBe(2);
    await leavesNothing(scene, [good], ejections.listeners);
  });

  test('is ejected again where it resets the client on trial, though its connection stood', async () => {
    await using stage = await scened(2, resets, { outlierDetection: onTrial });
    await stage.fates(6);
    await stage.ejections.until('m2 back: time, on trial');
    const { ECONNRESET = 0 } = await stage.fates(6);
    expect(ECONNRESET).toBe(1);
    expect(stage.ejections.heard.slice(2)).toEqual(['m2 passed', 'm2 ejected: failed-trial']);
    expect(stage.ejections.durations).toEqual([100, 200]);
    await stage.ends();
  });
});

describe('no TCP member is ejected for', () => {
  function isClean(scene: Scene): void {
    const { ejections = -1, detectedByCause = {} } = scene.pool.outlierStats ?? {};
    expect([ejections, ...Object.values(detectedByCause)].every((count) => count === 0)).toBe(true);
  }

  async function two(
    does: Service,
    settings: Partial<VipSpec> = {},
    member: { readonly maxConnections?: number } = {},
  ) {
    const fleet = await Backend.fleet(2, does);
    const members = fleet.members.map((each) => ({ ...each, ...member }));
    const outlierDetection = { ...strict, consecutiveFailures: 1 };
    const scene = await Scene.open({ members, outlierDetection }, settings);
    return { fleet, scene };
  }

  test('clients that leave, one way or another', async () => {
    const { fleet, scene } = await two(echoes);
    await using _fleet = fleet;
    await using _scene = scene;
    for (let turn = 0; turn < 8; turn++) {
      using client = await Client.connect(scene.place);
      await client.isEchoed('hello');
      if (turn % 2 === 0) client.reset();
      else client.socket.destroy();
      await until(() => scene.vip.stats.activeConnections === 0, 'it has left');
    }
    isClean(scene);
    await leavesNothing(scene, fleet);
  });

  test('clients that are idle, and members that have nothing to say', async () => {
    const { fleet, scene } = await two(listensOnly, { timeouts: { client: 40, member: 40 } });
    await using _fleet = fleet;
    await using _scene = scene;
    for (const client of await oneByOne(4, () => Client.connect(scene.place))) await client.isLetGo();
    isClean(scene);
    await leavesNothing(scene, fleet);
  });

  test('limits of our own', async () => {
    const { fleet, scene } = await two(echoes, { connectionLimit: 3, backlog: 0 }, { maxConnections: 1 });
    await using _fleet = fleet;
    await using _scene = scene;
    const clients = await oneByOne(2, async () => {
      const client = await Client.connect(scene.place);
      await client.isEchoed('hello');
      return client;
    });
    expect(counted(await oneByOne(4, () => refusalOf(scene.place)))).toEqual({ ECONNRESET: 4 });
    scene.vip.update({ connectionLimit: 2 });
    expect(counted(await oneByOne(4, () => refusalOf(scene.place)))).toEqual({ ECONNRESET: 4 });
    expect(counted(scene.rejected.map(({ reason }) => reason))).toEqual({ 'members-full': 4, 'connection-limit': 4 });
    isClean(scene);
    for (const client of clients) client.end();
    await leavesNothing(scene, fleet);
  });

  test('a drain whose deadline ends its connections, not together with what fails afterwards either', async () => {
    await using stage = await scened(2, echoes);
    const { scene, mood } = stage;
    const clients = await oneByOne(4, () => Client.connect(scene.place));
    const bad = scene.member('m2');
    await until(() => bad.stats.totalConnections === 2, 'two are with it');
    await bad.drain({ deadline: 0 });
    await until(() => bad.stats.activeConnections === 0, 'they are gone');
    bad.update({ enabled: true });
    mood.does = resets;
    // Two that were ended and two that failed were three in a row.
    expect(await stage.fates(4)).toEqual({ ...fair(2, 'm1'), ECONNRESET: 2 });
    isClean(scene);
    for (const client of clients) client.end('bye');
    await stage.ends();
  });
});
