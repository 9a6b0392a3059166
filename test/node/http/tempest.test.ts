import { describe, expect, test } from 'vitest';
import { ask, fateOf, HttpClient, tally } from '../../fixtures/node/http/client.ts';
import { HttpFleet, HttpMember } from '../../fixtures/node/http/member.ts';
import { httpScene } from '../../fixtures/node/http/scene.ts';
import { ownHost } from '../../fixtures/node/places.ts';
import { until } from '../../fixtures/node/until.ts';

const healthMonitor = { type: 'http', delay: 60, timeout: 50, maxRetries: 2, maxRetriesDown: 2 } as const;

/** The HTTP scenarios of Octavia's Tempest plugin (`octavia_tempest_plugin/tests/scenario/v2/test_traffic_ops.py`). */
describe('as in Octavia', () => {
  test('basic traffic goes to two members in equal shares, on one connection and on many', async () => {
    await using fleet = await HttpFleet.start(2);
    await using scene = await httpScene(fleet);
    using session = await HttpClient.connect(scene.place);
    expect(await tally(() => session.ask('/'), 20)).toEqual({ m1: 10, m2: 10 });
    expect(await tally(() => ask(scene.place), 20)).toEqual({ m1: 10, m2: 10 });
    session.end();
    await scene.isAtRest();
  });

  test('a health monitor takes out the member that does not answer, and its removal brings the member back', async () => {
    await using fleet = await HttpFleet.start(2);
    const m3 = { id: 'm3', address: '192.0.2.1', port: 80, enabled: false };
    await using scene = await httpScene(fleet, { members: [...fleet.members, m3] });
    const m2 = fleet.of('m2');
    expect(scene.memberStatuses).toBe('no-monitor,no-monitor,offline');
    expect(await tally(() => ask(scene.place), 20)).toEqual({ m1: 10, m2: 10 });

    m2.does = (heard) => heard.answer('', { status: 500 });
    scene.pool.update({ healthMonitor });
    await until(() => scene.memberStatuses === 'online,error,offline', 'the monitor has found out');
    expect(scene.pool.get('m2')?.statusReason).toContain('500');
    expect(scene.pool.status).toBe('degraded');
    expect(await tally(() => ask(scene.place), 20)).toEqual({ m1: 20 });

    m2.does = (heard) => heard.answer();
    scene.pool.update({ healthMonitor: null });
    expect(scene.memberStatuses).toBe('no-monitor,no-monitor,offline');
    expect(await tally(() => ask(scene.place), 20)).toEqual({ m1: 10, m2: 10 });
    await scene.isAtRest();
  });

  test('the checks of a health monitor are no requests in the books', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member], { healthMonitor });
    await member.request(3);
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ totalConnections: 0, requests: 0, responses2xx: 0 });
    expect(scene.pool.stats).toMatchObject({ totalConnections: 0, requests: 0, responses2xx: 0 });
  });

  test.each([
    ['an IPv4 virtual IP', '127.0.0.1'],
    ['an IPv6 virtual IP', '::1'],
  ])('IPv4 and IPv6 members of one pool are balanced behind %s', async (_what, address) => {
    await using v4 = await HttpMember.start({ name: 'v4', host: ownHost() });
    await using v6 = await HttpMember.start({ name: 'v6', host: '::1' });
    await using scene = await httpScene([v4, v6], {}, { address });
    using session = await HttpClient.connect(scene.place);
    expect(await tally(() => session.ask('/'), 20)).toEqual({ v4: 10, v6: 10 });
    session.end();
    await scene.isAtRest();
  });

  test('two IPv6 members are balanced behind an IPv6 virtual IP', async () => {
    await using one = await HttpMember.start({ name: 'one', host: '::1' });
    await using two = await HttpMember.start({ name: 'two', host: '::1' });
    await using scene = await httpScene([one, two], {}, { address: '::1' });
    expect(await tally(() => ask(scene.place), 20)).toEqual({ one: 10, two: 10 });
    await scene.isAtRest();
  });

  test('least connections spreads requests evenly', async () => {
    await using fleet = await HttpFleet.start(2);
    await using scene = await httpScene(fleet, { strategy: 'least-connections' });
    using session = await HttpClient.connect(scene.place);
    expect(await tally(() => session.ask('/'), 20)).toEqual({ m1: 10, m2: 10 });
    session.end();
    await scene.isAtRest();
  });

  test('source IP sends all requests of an address to one member', async () => {
    await using fleet = await HttpFleet.start(2);
    await using scene = await httpScene(fleet, { strategy: 'source-ip' });
    expect(Object.values(await tally(() => ask(scene.place), 20))).toEqual([20]);
    await scene.isAtRest();
  });

  test('source IP and port sends all requests of an address and port to one member', async () => {
    await using fleet = await HttpFleet.start(2);
    await using scene = await httpScene(fleet, { strategy: 'source-ip-port' });
    const from = { localAddress: '127.0.9.98', localPort: 21_000 };
    using session = await HttpClient.connect(scene.place, from);
    expect(Object.values(await tally(() => session.ask('/'), 20))).toEqual([20]);
    session.end();
    await scene.isAtRest();
  });

  test('headers are inserted as told, and differently after an update', async () => {
    await using member = await HttpMember.start();
    await using scene = await httpScene([member], {}, { insertHeaders: { 'X-Forwarded-For': 'true' } });
    const { place } = scene;
    const port = 'port' in place ? String(place.port) : '';
    using session = await HttpClient.connect(place, { localAddress: '127.0.9.7' });
    const last = () => {
      const { message } = member.requests.at(-1) ?? {};
      return ['X-Forwarded-For', 'X-Forwarded-Port', 'X-Forwarded-Proto'].map((name) => message?.field(name));
    };
    await session.ask('/');
    expect(last()).toEqual(['127.0.9.7', undefined, undefined]);
    scene.vip.update({ insertHeaders: { 'X-Forwarded-Port': true, 'X-Forwarded-Proto': true } });
    await session.ask('/');
    expect(last()).toEqual([undefined, port, 'http']);
    session.end();
    await scene.isAtRest();
  });

  test('a backup member serves only while no other can', async () => {
    await using fleet = await HttpFleet.start(2);
    const [m1, m2] = fleet.members as [object, object];
    const members = [m1, { ...m2, backup: true }] as never[];
    await using scene = await httpScene(fleet, {
      members,
      healthMonitor: { type: 'http', delay: 50, timeout: 40, maxRetries: 1, maxRetriesDown: 1 },
    });
    const only = async (name: string): Promise<void> => {
      expect(await tally(() => ask(scene.place), 10)).toEqual({ [name]: 10 });
    };
    await until(() => scene.memberStatuses === 'online,online', 'both are checked');
    await only('m1');
    scene.pool.get('m1')?.update({ enabled: false });
    await only('m2');
    scene.pool.get('m1')?.update({ enabled: true });
    await only('m1');
    scene.pool.remove('m1');
    await only('m2');
    await scene.isAtRest();
  });

  describe.each([
    ['127.0.0.1', '0.0.0.0/0', '192.0.1.0/32'],
    ['::1', '::/0', '2001:db8::/128'],
  ])('allowed CIDRs at %s', (address, everyone, foreign) => {
    test.each(['round-robin', 'least-connections', 'source-ip', 'source-ip-port'] as const)(
      'admit and refuse as they are changed live, with %s',
      async (strategy) => {
        await using fleet = await HttpFleet.start(2);
        await using scene = await httpScene(fleet, { strategy }, { address, allowedCidrs: [everyone] });
        await tally(() => ask(scene.place), 4);
        scene.vip.update({ allowedCidrs: [foreign] });
        for (let turn = 0; turn < 5; turn++) expect(await fateOf(scene.place)).toBe('ECONNRESET');
        expect(scene.rejected.map(({ reason }) => reason)).toEqual(new Array(5).fill('not-allowed'));
        scene.vip.update({ allowedCidrs: [foreign, everyone] });
        await tally(() => ask(scene.place), 4);
        await scene.isAtRest();
        expect(scene.vip.stats).toMatchObject({ totalConnections: 8, requests: 8, rejects: 5 });
      },
    );
  });
});
