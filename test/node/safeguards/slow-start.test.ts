import { describe, expect, test } from 'vitest';
import { roundRobin, type Strategy, slowStart } from '../../../src/index.ts';
import { leavesNothing } from '../../fixtures/node/aftermath.ts';
import { Backend, echoes } from '../../fixtures/node/backend.ts';
import { Client } from '../../fixtures/node/client.ts';
import { ask, HttpClient, tally } from '../../fixtures/node/http/client.ts';
import { bodyOf, httpLoad } from '../../fixtures/node/http/load.ts';
import { HttpFleet } from '../../fixtures/node/http/member.ts';
import { Patients } from '../../fixtures/node/http/patients.ts';
import { httpScene } from '../../fixtures/node/http/scene.ts';
import { counted, oneByOne } from '../../fixtures/node/repeat.ts';
import { Scene } from '../../fixtures/node/scene.ts';
import { until } from '../../fixtures/node/until.ts';

/** So long that a member that comes is at the floor for the whole of a test. */
const forEver = { window: 2_000_000_000 };
const once = { fields: ['Connection: close'] };

describe.each(['http', 'tcp'] as const)('a member of an %s virtual IP that was down and comes back', (protocol) => {
  /** One of three falls ill and recovers. */
  async function comeback(strategy: Strategy) {
    const patients = await Patients.start(3);
    const healthMonitor = patients.monitor;
    const scene = await Scene.open({ members: patients.fleet.members, healthMonitor, strategy }, { protocol });
    patients.fallIll('m3');
    await until(() => scene.member('m3').status === 'error', 'it is down');
    patients.recover('m3');
    await until(() => scene.member('m3').status === 'online', 'it is back');
    return { patients, scene };
  }

  const served = async (scene: Scene, clients: number) =>
    counted(await oneByOne(clients, () => bodyOf(scene.place, '/', once)));

  test('takes a third at once without slow start', async () => {
    const { patients, scene } = await comeback(roundRobin());
    await using _patients = patients;
    await using _scene = scene;
    expect(await served(scene, 60)).toEqual({ m1: 20, m2: 20, m3: 20 });
    await leavesNothing(scene, patients.fleet);
  });

  test('takes a tenth of its share at first, and no more', async () => {
    const { patients, scene } = await comeback(slowStart('round-robin', forEver));
    await using _patients = patients;
    await using _scene = scene;
    const { m1 = 0, m2 = 0, m3 = 0 } = await served(scene, 210);
    // A share of 0.1 to 1 and 1 is 10 of 210.
    expect(m3).toBeGreaterThanOrEqual(8);
    expect(m3).toBeLessThanOrEqual(12);
    expect(Math.abs(m1 - m2)).toBeLessThanOrEqual(12);
    await leavesNothing(scene, patients.fleet);
  });

  test('takes as little as the floor says', async () => {
    const { patients, scene } = await comeback(slowStart('round-robin', { ...forEver, floor: 0.5 }));
    await using _patients = patients;
    await using _scene = scene;
    const { m3 = 0 } = await served(scene, 100);
    // 0.5 to 1 and 1 is 20 of 100.
    expect(m3).toBeGreaterThanOrEqual(18);
    expect(m3).toBeLessThanOrEqual(22);
    await leavesNothing(scene, patients.fleet);
  });

  test('takes its full share when its window is over', async () => {
    const { patients, scene } = await comeback(slowStart('round-robin', { window: 150 }));
    await using _patients = patients;
    await using _scene = scene;
    // Near the end of its window it can have a third of thirty clients by luck, but not of ten times as many.
    await until(async () => (await served(scene, 300))['m3'] === 100, 'it has its third');
    await leavesNothing(scene, patients.fleet);
  });

  test('takes every client where no other member can', async () => {
    const { patients, scene } = await comeback(slowStart('round-robin', forEver));
    await using _patients = patients;
    await using _scene = scene;
    for (const id of ['m1', 'm2']) scene.member(id).update({ enabled: false });
    expect(await served(scene, 20)).toEqual({ m3: 20 });
    expect(scene.vip.stats.rejects).toBe(0);
    await leavesNothing(scene, patients.fleet);
  });
});

describe('with least connections, which sends everybody to who has nothing,', () => {
  /** Two members hold twenty connections each, and a third one is added; how many of the next twenty it gets. */
  async function stampede(strategy: Strategy | 'least-connections'): Promise<number> {
    await using fleet = await Backend.fleet(3, echoes);
    const [m1, m2, m3] = fleet.members;
    if (m1 === undefined || m2 === undefined || m3 === undefined) throw new Error('three are three');
    await using scene = await Scene.open({ members: [m1, m2], strategy });
    const connected = async (): Promise<Client> => {
      const client = await Client.connect(scene.place);
      await client.isEchoed('hello');
      return client;
    };
    const clients = await oneByOne(40, connected);
    expect(scene.shares).toEqual({ m1: 20, m2: 20 });
    scene.pool.add(m3);
    clients.push(...(await oneByOne(20, connected)));
    const taken = scene.member('m3').stats.activeConnections;
    for (const client of clients) client.end();
    await leavesNothing(scene, fleet);
    return taken;
  }

  test('a new member gets all of the next twenty connections', async () => {
    expect(await stampede('least-connections')).toBe(20);
  });

  test('and gets two at most with slow start', async () => {
    const taken = await stampede(slowStart('least-connections', forEver));
    expect(taken).toBeLessThanOrEqual(2);
  });
});

describe('slow start', () => {
  test('leaves alone whoever was there from the beginning', async () => {
    await using fleet = await HttpFleet.start(3);
    await using scene = await httpScene(fleet, { strategy: slowStart('round-robin', forEver) });
    using client = await HttpClient.connect(scene.place);
    expect(await tally(() => client.ask('/'), 30)).toEqual({ m1: 10, m2: 10, m3: 10 });
    client.end();
    await leavesNothing(scene, fleet);
  });

  test('is the same for a member that is added, enabled again, or drained and called back', async () => {
    await using fleet = await HttpFleet.start(3);
    const [m1, m2, m3] = fleet.members;
    if (m1 === undefined || m2 === undefined || m3 === undefined) throw new Error('three are three');
    const strategy = slowStart('round-robin', forEver);
    await using scene = await httpScene(fleet, { members: [m1, m2, { ...m3, enabled: false }], strategy });
    const shareOfM3 = async (): Promise<number> => (await tally(() => ask(scene.place), 42))['m3'] ?? 0;
    expect(await shareOfM3()).toBe(0);
    scene.member('m3').update({ enabled: true });
    expect(await shareOfM3()).toBeLessThanOrEqual(4);
    await scene.member('m3').drain({ deadline: 0 });
    expect(await shareOfM3()).toBe(0);
    scene.member('m3').update({ enabled: true });
    expect(await shareOfM3()).toBeLessThanOrEqual(4);
    scene.pool.remove('m3');
    expect(await shareOfM3()).toBe(0);
    scene.pool.add(m3);
    expect(await shareOfM3()).toBeLessThanOrEqual(4);
    await leavesNothing(scene, fleet);
  });

  test('of members that come and go under load costs no client anything', async () => {
    await using fleet = await HttpFleet.start(3);
    await using scene = await httpScene(fleet, { strategy: slowStart('least-connections', { window: 60 }) });
    await using load = httpLoad(scene.place, 16);
    await load.more(50);
    for (let round = 0; round < 3; round++) {
      await fleet.of('m2').stop();
      await load.more(100);
      scene.member('m2').update({ enabled: false });
      await fleet.of('m2').start();
      scene.member('m2').update({ enabled: true });
      await load.moreOf('m2', 10);
    }
    await load.stop();
    expect(load.complaints()).toEqual({});
    await leavesNothing(scene, fleet);
  });
});
