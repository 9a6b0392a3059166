import { describe, expect, test } from 'vitest';
import { zonePreference } from '../../../src/index.ts';
import { leavesNothing } from '../../fixtures/node/aftermath.ts';
import { Backend } from '../../fixtures/node/backend.ts';
import { Load } from '../../fixtures/node/client.ts';
import { HttpClient, tally } from '../../fixtures/node/http/client.ts';
import { bodyOf, httpLoad } from '../../fixtures/node/http/load.ts';
import { HttpFleet } from '../../fixtures/node/http/member.ts';
import { Patients } from '../../fixtures/node/http/patients.ts';
import { httpScene } from '../../fixtures/node/http/scene.ts';
import { counted, oneByOne } from '../../fixtures/node/repeat.ts';
import { Scene } from '../../fixtures/node/scene.ts';
import { until } from '../../fixtures/node/until.ts';

type Spec = HttpFleet['members'][number];

/** The first so many of them come first. */
const inLevels = (members: readonly Spec[], first: number) =>
  members.map((member, index) => ({ ...member, priority: index < first ? 0 : 1 }));

describe('members of a second priority', () => {
  test('take over under load from an HTTP virtual IP’s first when those die, and hand back, and no client fails', async () => {
    await using fleet = await HttpFleet.start(4);
    const healthMonitor = { type: 'tcp', delay: 25, timeout: 2000, maxRetries: 1, maxRetriesDown: 1 } as const;
    await using scene = await httpScene(fleet, { members: inLevels(fleet.members, 2), healthMonitor });
    await using load = httpLoad(scene.place, 24);
    await load.more(100);
    expect([load.of('m3'), load.of('m4')]).toEqual([0, 0]);
    await Promise.all([fleet.of('m1').stop(), fleet.of('m2').stop()]);
    await load.moreOf('m3', 50);
    await load.moreOf('m4', 50);
    expect(scene.memberStatuses).toBe('error,error,online,online');
    await Promise.all([fleet.of('m1').start(), fleet.of('m2').start()]);
    await until(() => scene.memberStatuses === 'online,online,online,online', 'they are back');
    await load.more(48);
    const [m3, m4] = [load.of('m3'), load.of('m4')];
    await load.more(200);
    expect([load.of('m3'), load.of('m4')]).toEqual([m3, m4]);
    await load.stop();
    expect(load.complaints()).toEqual({});
    await leavesNothing(scene, fleet);
  });

  test('take over from a TCP virtual IP’s first', async () => {
    await using fleet = await Backend.fleet(4);
    const healthMonitor = { type: 'tcp', delay: 25, timeout: 2000, maxRetries: 1, maxRetriesDown: 1 } as const;
    await using scene = await Scene.open({ members: inLevels(fleet.members, 2), healthMonitor });
    await using load = Load.on(scene.place, 24);
    await load.more(100);
    expect([load.of('m3'), load.of('m4')]).toEqual([0, 0]);
    await Promise.all(fleet.backends.slice(0, 2).map((backend) => backend.stop()));
    const era = load.mark();
    await load.moreOf('m3', 50);
    await load.moreOf('m4', 50);
    await load.stop();
    // Who was with one that died is lost with it; nobody else is.
    expect(load.complaints(era)).toEqual({});
    expect(load.failures.length).toBeLessThanOrEqual(24);
    await leavesNothing(scene, fleet);
  });

  test('take what the healthy ones of the first cannot carry: 30 percent where half of them are down', async () => {
    await using patients = await Patients.start(6);
    const members = inLevels(patients.fleet.members, 4);
    await using scene = await Scene.open({ members, healthMonitor: patients.monitor }, { protocol: 'http' });
    const shareOfSecond = async (requests: number): Promise<number> => {
      const { m5 = 0, m6 = 0 } = counted(await oneByOne(requests, () => bodyOf(scene.place)));
      return m5 + m6;
    };
    patients.fallIll('m1');
    await until(() => scene.member('m1').status === 'error', 'one is down');
    // Three of four, at 140 percent, carry everything.
    expect(await shareOfSecond(50)).toBe(0);
    patients.fallIll('m2');
    await until(() => scene.member('m2').status === 'error', 'two are down');
    // Two of four, at 140 percent, carry 70: six standard deviations either side of 90 of 300.
    const share = await shareOfSecond(300);
    expect(share).toBeGreaterThan(40);
    expect(share).toBeLessThan(140);
    await leavesNothing(scene, patients.fleet);
  });

  test('serve who finds those of the first full', async () => {
    await using fleet = await HttpFleet.start(2, () => {});
    const members = inLevels(fleet.members, 1).map((member) => ({ ...member, maxConnections: member.priority + 1 }));
    await using scene = await httpScene(fleet, { members });
    const clients = await oneByOne(3, () => HttpClient.connect(scene.place));
    for (const client of clients) client.request('/');
    await fleet.of('m2').request(2);
    expect(fleet.of('m1').requests).toHaveLength(1);
    for (const member of fleet.all) for (const heard of member.requests) heard.answer();
    for (const client of clients) await client.answer();
    for (const client of clients) client.end();
    await leavesNothing(scene, fleet);
  });
});

describe('members of other zones', () => {
  const zoned = (members: readonly Spec[]) =>
    members.map((member, index) => ({ ...member, zone: index < 2 ? 'a' : 'b' }));
  const strategy = zonePreference('round-robin', { zone: 'a', minMembers: 0 });

  test('get nothing while the own zone has its share of the capacity', async () => {
    await using fleet = await HttpFleet.start(4);
    await using scene = await httpScene(fleet, { members: zoned(fleet.members), strategy });
    using client = await HttpClient.connect(scene.place);
    expect(await tally(() => client.ask('/'), 40)).toEqual({ m1: 20, m2: 20 });
    client.end();
    await leavesNothing(scene, fleet);
  });

  test('get what the own zone is too small for', async () => {
    await using fleet = await HttpFleet.start(4);
    // One member of four is in this zone, where half of all clients are: it keeps half of them.
    const members = fleet.members.map((member, index) => ({ ...member, zone: index < 1 ? 'a' : 'b' }));
    await using scene = await httpScene(fleet, { members, strategy });
    using client = await HttpClient.connect(scene.place);
    const { m1 = 0 } = await tally(() => client.ask('/'), 300);
    expect(m1).toBeGreaterThan(100);
    expect(m1).toBeLessThan(200);
    client.end();
    await leavesNothing(scene, fleet);
  });

  test('get everybody when the own zone is down, under load and without one that fails', async () => {
    await using fleet = await HttpFleet.start(4);
    const healthMonitor = { type: 'tcp', delay: 25, timeout: 2000, maxRetries: 1, maxRetriesDown: 1 } as const;
    await using scene = await httpScene(fleet, { members: zoned(fleet.members), strategy, healthMonitor });
    await using load = httpLoad(scene.place, 16);
    await load.more(100);
    expect([load.of('m3'), load.of('m4')]).toEqual([0, 0]);
    await Promise.all([fleet.of('m1').stop(), fleet.of('m2').stop()]);
    await load.moreOf('m3', 50);
    await load.moreOf('m4', 50);
    await Promise.all([fleet.of('m1').start(), fleet.of('m2').start()]);
    await load.moreOf('m1', 20);
    await load.moreOf('m2', 20);
    await load.stop();
    expect(load.complaints()).toEqual({});
    await leavesNothing(scene, fleet);
  });
});
