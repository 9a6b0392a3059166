import { describe, expect, test } from 'vitest';
import type { CircuitUse } from '../../../src/core/circuit.ts';
import { first } from '../../../src/index.ts';
import { leavesNothing } from '../../fixtures/node/aftermath.ts';
import { Backend, echoes } from '../../fixtures/node/backend.ts';
import { ask, Client, refusalOf } from '../../fixtures/node/client.ts';
import { fateOf, HttpClient, ask as request, tally } from '../../fixtures/node/http/client.ts';
import { HttpFleet, HttpMember } from '../../fixtures/node/http/member.ts';
import { httpScene } from '../../fixtures/node/http/scene.ts';
import { closedPort } from '../../fixtures/node/places.ts';
import { BlackHole } from '../../fixtures/node/process.ts';
import { atOnce, counted, oneByOne } from '../../fixtures/node/repeat.ts';
import { Scene } from '../../fixtures/node/scene.ts';
import { until } from '../../fixtures/node/until.ts';

const nothing: CircuitUse = { pending: 0, requests: 0, retries: 0, isHalfOpen: false };

function specOf(hole: BlackHole, settings: { readonly maxPending: number }) {
  const { host, port } = hole.place as { host: string; port: number };
  return { id: 'hole', address: host, port, ...settings };
}

describe('maxPending of a member that does not take its connections', () => {
  test('keeps all but so many TCP clients from it', async () => {
    await using hole = await BlackHole.open();
    await using good = await Backend.start({ name: 'good' });
    await using scene = await Scene.open({ members: [specOf(hole, { maxPending: 2 }), good.at] });
    using _one = await Client.connect(scene.place);
    expect(await ask(scene.place)).toBe('good');
    using _two = await Client.connect(scene.place);
    await until(() => scene.member('hole').circuit?.pending === 2, 'two are being connected');
    expect(counted(await oneByOne(20, () => ask(scene.place)))).toEqual({ good: 20 });
    expect(scene.member('hole').circuit).toMatchObject({ ...nothing, pending: 2 });
    expect(scene.rejected).toEqual([]);
    // What they hold is free again when they are sent elsewhere.
    await scene.member('hole').drain({ deadline: 0 });
    await leavesNothing(scene, [good]);
  });

  test('refuses TCP clients where there is nobody else', async () => {
    await using hole = await BlackHole.open();
    await using scene = await Scene.open({ members: [specOf(hole, { maxPending: 2 })] });
    using _one = await Client.connect(scene.place);
    using _two = await Client.connect(scene.place);
    await until(() => scene.member('hole').circuit?.pending === 2, 'two are being connected');
    expect(await refusalOf(scene.place)).toBe('ECONNRESET');
    expect(scene.rejected.map(({ reason }) => reason)).toEqual(['circuit-limits']);
    expect([scene.pool.stats.rejects, scene.member('hole').stats.rejects]).toEqual([1, 0]);
    await scene.member('hole').drain({ deadline: 0 });
    await leavesNothing(scene, []);
  });

  test('is free for the next client when a connect has timed out', async () => {
    await using hole = await BlackHole.open();
    await using good = await Backend.start({ name: 'good' });
    const members = [specOf(hole, { maxPending: 1 }), good.at];
    await using scene = await Scene.open({ members }, { timeouts: { connect: 60 } });
    expect(counted(await oneByOne(6, () => ask(scene.place)))).toEqual({ good: 6 });
    expect(scene.member('hole').stats.connectFailures).toBeGreaterThan(1);
    expect(scene.member('hole').circuit).toMatchObject(nothing);
    await leavesNothing(scene, [good]);
  });

  test('keeps all but so many HTTP requests from it, and answers 503 where there is nobody else', async () => {
    await using hole = await BlackHole.open();
    await using good = await HttpMember.start({ name: 'good' });
    const spec = specOf(hole, { maxPending: 2 });
    await using scene = await httpScene([good], { members: [spec, good.spec] });
    const waiting = await atOnce(4, () => HttpClient.connect(scene.place));
    for (const client of waiting) client.request('/');
    await until(() => scene.member('hole').circuit?.pending === 2, 'two are being connected');
    expect(await tally(() => request(scene.place), 20)).toEqual({ good: 20 });
    expect(scene.rejected).toEqual([]);
    scene.pool.remove('good');
    const { status, body } = await request(scene.place);
    expect([status, body]).toEqual([503, '503 Service Unavailable: every member is busy\n']);
    expect(scene.rejected.map(({ reason }) => reason)).toEqual(['circuit-limits']);
    for (const client of waiting) client.reset();
    await until(() => scene.member('hole').circuit?.pending === 0, 'who left holds nothing any more');
    await leavesNothing(scene, [good]);
  });

  test('is no hindrance to a member that answers: a kept connection is not pending', async () => {
    await using fleet = await HttpFleet.start(1);
    const members = fleet.members.map((member) => ({ ...member, maxPending: 1 }));
    await using scene = await httpScene(fleet, { members });
    using client = await HttpClient.connect(scene.place);
    expect(await tally(() => client.ask('/'), 50)).toEqual({ m1: 50 });
    // Two at once on two connections that are kept, where only one could be connected at a time.
    using other = await HttpClient.connect(scene.place);
    fleet.of('m1').does = () => {};
    client.request('/');
    await fleet.of('m1').request(51);
    expect(scene.member('m1').circuit).toMatchObject({ ...nothing, requests: 1 });
    other.request('/');
    const last = await fleet.of('m1').request(52);
    expect(scene.member('m1').circuit).toMatchObject({ ...nothing, requests: 2 });
    last.answer();
    fleet.of('m1').requests[50]?.answer();
    await Promise.all([client.answer(), other.answer()]);
    client.end();
    other.end();
    await leavesNothing(scene, fleet);
  });
});

describe('maxRequests of a member', () => {
  test('sends what is more elsewhere', async () => {
    await using fleet = await HttpFleet.start(2, () => {});
    const members = fleet.members.map((member) => (member.id === 'm1' ? { ...member, maxRequests: 2 } : member));
    await using scene = await httpScene(fleet, { members });
    const clients = await atOnce(8, () => HttpClient.connect(scene.place));
    for (const client of clients) client.request('/');
    await fleet.of('m2').request(6);
    expect(fleet.all.map(({ requests }) => requests.length)).toEqual([2, 6]);
    expect(scene.member('m1').circuit).toMatchObject({ ...nothing, requests: 2 });
    for (const member of fleet.all) for (const heard of member.requests) heard.answer();
    for (const client of clients) expect((await client.answer()).status).toBe(200);
    for (const client of clients) client.end();
    await leavesNothing(scene, fleet);
  });

  test('answers 503 where there is nobody else, and takes the next one as soon as one is done', async () => {
    await using fleet = await HttpFleet.start(1, () => {});
    const members = fleet.members.map((member) => ({ ...member, maxRequests: 1 }));
    await using scene = await httpScene(fleet, { members });
    using one = await HttpClient.connect(scene.place);
    one.request('/');
    const heard = await fleet.of('m1').request(1);
    const { status, body } = await request(scene.place);
    expect([status, body]).toEqual([503, '503 Service Unavailable: every member is busy\n']);
    expect(scene.rejected.map(({ reason }) => reason)).toEqual(['circuit-limits']);
    expect(scene.member('m1').stats).toMatchObject({ requests: 1, rejects: 0 });
    fleet.of('m1').does = (next) => next.answer();
    heard.answer();
    await one.answer();
    expect(await fateOf(scene.place)).toBe(200);
    one.end();
    await leavesNothing(scene, fleet);
  });

  test('is held by an upgraded connection until that ends', async () => {
    await using fleet = await HttpFleet.start(1, (heard) => heard.switch());
    const members = fleet.members.map((member) => ({ ...member, maxRequests: 1 }));
    await using scene = await httpScene(fleet, { members });
    using tunnel = await HttpClient.connect(scene.place);
    expect((await tunnel.ask('/', { fields: ['Connection: Upgrade', 'Upgrade: echo'] })).status).toBe(101);
    expect(await fateOf(scene.place)).toBe(503);
    tunnel.reset();
    await until(() => scene.member('m1').circuit?.requests === 0, 'the tunnel is gone');
    fleet.of('m1').does = (heard) => heard.answer();
    expect(await fateOf(scene.place)).toBe(200);
    await leavesNothing(scene, fleet);
  });

  test('counts nothing of a request whose client leaves, or whose member goes', async () => {
    await using fleet = await HttpFleet.start(1, () => {});
    const members = fleet.members.map((member) => ({ ...member, maxRequests: 1 }));
    await using scene = await httpScene(fleet, { members }, { retries: 0 });
    using leaver = await HttpClient.connect(scene.place);
    leaver.request('/');
    await fleet.of('m1').request(1);
    leaver.reset();
    await until(() => scene.member('m1').circuit?.requests === 0, 'the client that left counts no more');
    using other = await HttpClient.connect(scene.place);
    other.request('/');
    (await fleet.of('m1').request(2)).wire.reset();
    expect((await other.answer()).status).toBe(502);
    other.end();
    expect(scene.member('m1').circuit).toMatchObject(nothing);
    await leavesNothing(scene, fleet);
  });
});

describe('maxRetries of a member', () => {
  test('keeps those from it who failed elsewhere, not those who come first', async () => {
    await using good = await Backend.start({ name: 'good', does: echoes });
    const { host, port } = good.place as { host: string; port: number };
    const members = [
      { id: 'dead', address: closedPort().split(':')[0] as string, port: 9 },
      { id: 'good', address: host, port, maxRetries: 1 },
    ];
    await using scene = await Scene.open({ members, strategy: first() });
    using one = await Client.connect(scene.place);
    await one.isEchoed('one');
    expect(scene.member('good').circuit).toMatchObject({ ...nothing, retries: 1 });
    expect(await refusalOf(scene.place)).toBe('ECONNRESET');
    expect(scene.rejected.map(({ reason }) => reason)).toEqual(['circuit-limits']);
    scene.member('dead').update({ enabled: false });
    using two = await Client.connect(scene.place);
    await two.isEchoed('two');
    scene.member('dead').update({ enabled: true });
    one.end();
    await one.closed();
    await until(() => scene.member('good').circuit?.retries === 0, 'the retry is over');
    using three = await Client.connect(scene.place);
    await three.isEchoed('three');
    two.end();
    three.end();
    await leavesNothing(scene, [good]);
  });

  test('of 0 on all members answers each failed request at once', async () => {
    await using fleet = await HttpFleet.start(3, (heard) => heard.wire.reset());
    const members = fleet.members.map((member) => ({ ...member, maxRetries: 0 }));
    await using scene = await httpScene(fleet, { members });
    expect(counted(await oneByOne(9, () => fateOf(scene.place)))).toEqual({ 502: 9 });
    expect(fleet.all.map(({ backend }) => backend.accepted)).toEqual([3, 3, 3]);
    expect(counted(scene.rejected.map(({ reason }) => reason))).toEqual({ 'circuit-limits': 9 });
    await leavesNothing(scene, fleet);
  });
});

test('limits that come and go while requests run upset no count', async () => {
  await using fleet = await HttpFleet.start(1, () => {});
  await using scene = await httpScene(fleet);
  const clients = await atOnce(3, () => HttpClient.connect(scene.place));
  const m1 = scene.member('m1');
  const send = async (index: number): Promise<void> => {
    clients[index]?.request('/');
    await fleet.of('m1').request(index + 1);
  };
  await send(0);
  m1.update({ maxRequests: 2 });
  // The one that runs already is not counted.
  await send(1);
  expect(m1.circuit).toMatchObject({ ...nothing, requests: 1 });
  await send(2);
  expect(await fateOf(scene.place)).toBe(503);
  m1.update({ maxRequests: null });
  for (const heard of fleet.of('m1').requests) heard.answer();
  for (const client of clients) expect((await client.answer()).status).toBe(200);
  expect(m1.circuit).toMatchObject(nothing);
  for (const client of clients) client.end();
  await leavesNothing(scene, fleet);
});
