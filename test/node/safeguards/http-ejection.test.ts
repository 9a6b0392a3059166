import { describe, expect, test } from 'vitest';
import { poolStatus } from '../../../src/core/report.ts';
import { slowStart } from '../../../src/index.ts';
import { leavesNothing } from '../../fixtures/node/aftermath.ts';
import { brief, Ejections, strict } from '../../fixtures/node/ejections.ts';
import { fateOf, HttpClient } from '../../fixtures/node/http/client.ts';
import { answers, answers503, ejecting } from '../../fixtures/node/http/ejecting.ts';
import { type Handler, HttpFleet } from '../../fixtures/node/http/member.ts';
import { Patients } from '../../fixtures/node/http/patients.ts';
import { httpScene } from '../../fixtures/node/http/scene.ts';
import { atOnce, oneByOne } from '../../fixtures/node/repeat.ts';
import { until } from '../../fixtures/node/until.ts';

/** Connections do not grow old by themselves. */
const keepAlive = { idleTimeout: 600_000 };

describe('an ejection', () => {
  test('shows in status, reason, statistics and events', async () => {
    await using stage = await ejecting(3, answers503);
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
    await using stage = await ejecting(3, answers503, { outlierDetection: brief });
    await stage.fates(9);
    stage.bad.does = answers;
    await stage.ejections.until('m3 back: time');
    expect(await stage.served(30)).toEqual({ m1: 10, m2: 10, m3: 10 });
    expect(stage.scene.statuses).toEqual(['m3 error', 'm3 no-monitor']);
    await stage.ends();
  });

  test('is followed by a slow start where the pool has one', async () => {
    const strategy = slowStart('round-robin', { window: 2_000_000_000 });
    await using stage = await ejecting(3, answers503, { outlierDetection: brief, strategy });
    await stage.fates(9);
    stage.bad.does = answers;
    await stage.ejections.until('m3 back: time');
    const { m3 = 0 } = await stage.served(84);
    // A share of 0.1 to 1 and 1 is 4 of 84.
    expect(m3).toBeGreaterThanOrEqual(2);
    expect(m3).toBeLessThanOrEqual(6);
    await stage.ends();
  });

  test('is followed by a longer one where the member still fails', async () => {
    await using stage = await ejecting(3, answers503, { outlierDetection: brief });
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
    await using stage = await ejecting(2, answers, { keepAlive });
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
    const does: Handler = (heard) => heard.target !== '/slow' && answers503(heard);
    await using stage = await ejecting(3, does, { keepAlive });
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
    await using stage = await ejecting(1, answers503);
    expect(await stage.fates(7)).toEqual({ 503: 7 });
    expect(stage.ejections.heard).toEqual(['m1 stays: last-healthy', 'm1 stays: last-healthy']);
    expect(stage.scene.pool.outlierStats).toMatchObject({ ejected: 0, overflow: 2 });
    await stage.ends();
  });

  test('leaves one member of all that fail, and its clients get what it says', async () => {
    await using stage = await ejecting(3, answers503);
    for (const member of stage.fleet.all) member.does = answers503;
    const fates = await stage.fates(30);
    expect(fates).toEqual({ 503: 30 });
    expect(stage.scene.pool.outlierStats).toMatchObject({ ejected: 2 });
    expect(stage.scene.rejected).toEqual([]);
    await stage.ends();
  });

  test('is over before its time when all others are gone', async () => {
    await using stage = await ejecting(3, answers503);
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
    await using stage = await ejecting(3, answers503);
    await stage.fates(9);
    stage.scene.pool.update({ outlierDetection: null });
    expect(stage.ejections.heard).toEqual(['m3 ejected: consecutive-failures', 'm3 back: switched-off']);
    expect(await stage.fates(30)).toEqual({ 200: 20, 503: 10 });
    await stage.ends();
  });

  test('is over when the member is elsewhere', async () => {
    await using stage = await ejecting(3, answers503);
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
    await using stage = await ejecting(4, answers, { panic: { threshold: 50 } });
    for (const name of ['m2', 'm3', 'm4']) stage.fleet.of(name).does = answers503;
    await stage.fates(12);
    expect(stage.scene.pool.outlierStats).toMatchObject({ ejected: 3 });
    expect(stage.scene.pool.isPanicking).toBe(true);
    for (const member of stage.fleet.all) member.does = answers;
    expect(await stage.served(20)).toEqual({ m1: 5, m2: 5, m3: 5, m4: 5 });
    await stage.ends();
  });
});
