import { describe, expect, test } from 'vitest';
import type { PoolSpec, VipSpec } from '../../../src/index.ts';
import { leavesNothing } from '../../fixtures/node/aftermath.ts';
import { ask, fateOf, HttpClient } from '../../fixtures/node/http/client.ts';
import { bodyOf, httpLoad } from '../../fixtures/node/http/load.ts';
import { Patients } from '../../fixtures/node/http/patients.ts';
import { counted, oneByOne } from '../../fixtures/node/repeat.ts';
import { Scene } from '../../fixtures/node/scene.ts';
import { until } from '../../fixtures/node/until.ts';

const all = ['m1', 'm2', 'm3', 'm4'];

/** A virtual IP in front of them, and what its pool tells of panic. */
async function scened({ fleet, monitor }: Patients, pool: PoolSpec, settings: Partial<VipSpec> = {}) {
  const scene = await Scene.open({ members: fleet.members, healthMonitor: monitor, ...pool }, settings);
  const panics: boolean[] = [];
  scene.pool.on('panic', ({ isPanicking }) => panics.push(isPanicking));
  return { scene, panics };
}

function statusesOf({ pool }: Scene): Record<string, number> {
  return counted(pool.members.map(({ status }) => status));
}

/** Waits until the checks have found out who is ill. */
async function noticed(scene: Scene, sick: number): Promise<void> {
  await until(() => (statusesOf(scene)['error'] ?? 0) === sick, `${sick} are down`);
}

describe.each(['http', 'tcp'] as const)(
  'a pool of an %s virtual IP whose members fail all their checks and yet serve',
  (protocol) => {
    // Through a TCP virtual IP as well: each asks on a connection of its own, and asks for its end.
    const once = { fields: ['Connection: close'] };

    test('serves with all of them in panic, and says so', async () => {
      await using patients = await Patients.start(4);
      const { scene, panics } = await scened(patients, { panic: {} }, { protocol });
      await using _scene = scene;
      patients.fallIll(...all);
      await noticed(scene, 4);
      expect([scene.pool.isPanicking, scene.pool.status, scene.vip.status, panics]).toEqual([
        true,
        'error',
        'error',
        [true],
      ]);
      const served = await oneByOne(40, () => bodyOf(scene.place, '/', once));
      expect(counted(served)).toEqual({ m1: 10, m2: 10, m3: 10, m4: 10 });
      patients.recover(...all);
      await noticed(scene, 0);
      expect([scene.pool.isPanicking, scene.pool.status, panics]).toEqual([false, 'online', [true, false]]);
      expect(scene.rejected).toEqual([]);
      await leavesNothing(scene, patients.fleet, { panic: 1 });
    });

    test('turns clients away where failTraffic says so, and serves again when one is back', async () => {
      await using patients = await Patients.start(4);
      const { scene } = await scened(patients, { panic: { failTraffic: true, threshold: 25 } }, { protocol });
      await using _scene = scene;
      patients.fallIll(...all);
      await noticed(scene, 4);
      const fates = counted(await oneByOne(5, () => fateOf(scene.place, '/', once)));
      expect(fates).toEqual(protocol === 'http' ? { 503: 5 } : { ECONNRESET: 5 });
      expect(counted(scene.rejected.map(({ reason }) => reason))).toEqual({ panic: 5 });
      expect(scene.pool.stats.rejects).toBe(5);
      patients.recover('m3');
      await noticed(scene, 3);
      expect(counted(await oneByOne(5, () => bodyOf(scene.place, '/', once)))).toEqual({ m3: 5 });
      await leavesNothing(scene, patients.fleet, { panic: 1 });
    });

    test('turns clients away without panic', async () => {
      await using patients = await Patients.start(4);
      const { scene, panics } = await scened(patients, {}, { protocol });
      await using _scene = scene;
      patients.fallIll(...all);
      await noticed(scene, 4);
      const fates = counted(await oneByOne(5, () => fateOf(scene.place, '/', once)));
      expect(fates).toEqual(protocol === 'http' ? { 503: 5 } : { ECONNRESET: 5 });
      expect(counted(scene.rejected.map(({ reason }) => reason))).toEqual({ 'no-eligible-member': 5 });
      expect(panics).toEqual([]);
      await leavesNothing(scene, patients.fleet, { panic: 1 });
    });

    test('uses those who are down only below the threshold', async () => {
      await using patients = await Patients.start(4);
      const { scene, panics } = await scened(patients, { panic: { threshold: 50 } }, { protocol });
      await using _scene = scene;
      const served = async () => counted(await oneByOne(12, () => bodyOf(scene.place, '/', once)));
      patients.fallIll('m1', 'm2');
      await noticed(scene, 2);
      expect([await served(), panics]).toEqual([{ m3: 6, m4: 6 }, []]);
      patients.fallIll('m3');
      await noticed(scene, 3);
      expect([await served(), panics]).toEqual([{ m1: 3, m2: 3, m3: 3, m4: 3 }, [true]]);
      patients.recover('m1');
      await noticed(scene, 2);
      expect([await served(), panics]).toEqual([{ m1: 6, m4: 6 }, [true, false]]);
      await leavesNothing(scene, patients.fleet, { panic: 1 });
    });
  },
);

describe('a pool in panic', () => {
  test('answers 503 and says why where it fails its traffic, on a client’s kept connection, too', async () => {
    await using patients = await Patients.start(2);
    const { scene } = await scened(patients, { panic: { failTraffic: true } }, { protocol: 'http' });
    await using _scene = scene;
    using client = await HttpClient.connect(scene.place);
    expect((await client.ask('/')).status).toBe(200);
    patients.fallIll(...all);
    await noticed(scene, 2);
    const { status, body } = await client.ask('/');
    expect([status, body]).toEqual([503, '503 Service Unavailable: too few members are healthy\n']);
    await client.closed();
    await leavesNothing(scene, patients.fleet, { panic: 1 });
  });

  test('sends a request that a member fails to another one, as ever', async () => {
    await using patients = await Patients.start(3);
    const { scene } = await scened(patients, { panic: {} }, { protocol: 'http' });
    await using _scene = scene;
    patients.fallIll(...all);
    await noticed(scene, 3);
    await patients.fleet.of('m2').stop();
    const served = counted(await oneByOne(30, () => bodyOf(scene.place)));
    expect(Object.keys(served).toSorted()).toEqual(['m1', 'm3']);
    expect(scene.vip.stats.connectFailures).toBeGreaterThan(0);
    await leavesNothing(scene, patients.fleet, { panic: 1 });
  });

  test('comes and goes under load without one client that fails', async () => {
    await using patients = await Patients.start(3);
    const { scene, panics } = await scened(patients, { panic: {} }, { protocol: 'http' });
    await using _scene = scene;
    await using load = httpLoad(scene.place, 16);
    for (let round = 1; round <= 3; round++) {
      patients.fallIll(...all);
      await until(() => panics.length === 2 * round - 1, 'it panics');
      for (const name of ['m1', 'm2', 'm3']) await load.moreOf(name, 5);
      patients.recover(...all);
      await until(() => panics.length === 2 * round, 'it is over');
      await load.more(20);
    }
    await load.stop();
    expect(load.complaints()).toEqual({});
    expect(scene.vip.stats.rejects).toBe(0);
    await leavesNothing(scene, patients.fleet, { panic: 1 });
  });

  test('is switched on and off while clients come', async () => {
    await using patients = await Patients.start(2);
    const { scene, panics } = await scened(patients, {}, { protocol: 'http' });
    await using _scene = scene;
    patients.fallIll(...all);
    await noticed(scene, 2);
    expect((await ask(scene.place)).status).toBe(503);
    scene.pool.update({ panic: {} });
    expect((await ask(scene.place)).status).toBe(200);
    scene.pool.update({ panic: { failTraffic: true } });
    expect((await ask(scene.place)).status).toBe(503);
    scene.pool.update({ panic: null });
    expect((await ask(scene.place)).status).toBe(503);
    expect(scene.rejected.map(({ reason }) => reason)).toEqual(['no-eligible-member', 'panic', 'no-eligible-member']);
    expect(panics).toEqual([true, false]);
    await leavesNothing(scene, patients.fleet, { panic: 1 });
  });
});
