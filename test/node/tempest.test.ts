import { describe, expect, test } from 'vitest';
import { Backend } from '../fixtures/node/backend.ts';
import { ask, Client, refusalOf, tally } from '../fixtures/node/client.ts';
import { closedPort } from '../fixtures/node/places.ts';
import { Scene } from '../fixtures/node/scene.ts';
import { until } from '../fixtures/node/until.ts';

const healthMonitor = { type: 'tcp', delay: 60, timeout: 50, maxRetries: 2, maxRetriesDown: 2 } as const;

/** The TCP scenarios of Octavia's Tempest plugin (`octavia_tempest_plugin/tests/scenario/v2/test_traffic_ops.py`). */
describe('as in Octavia', () => {
  test('basic traffic goes to two members in equal shares', async () => {
    await using fleet = await Backend.fleet(2);
    await using scene = await Scene.open({ members: fleet.members });
    expect(await tally(scene.place, 20)).toEqual({ m1: 10, m2: 10 });
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ totalConnections: 20, bytesIn: 80, bytesOut: 40, rejects: 0 });
    expect(scene.shares).toEqual({ m1: 10, m2: 10 });
  });

  test('a health monitor takes out the member that does not answer, and its removal brings the member back', async () => {
    await using fleet = await Backend.fleet(2);
    const m3 = { id: 'm3', address: '192.0.2.1', port: 80, enabled: false };
    await using scene = await Scene.open({ members: [...fleet.members, m3] });
    expect(scene.memberStatuses).toBe('no-monitor,no-monitor,offline');
    expect(await tally(scene.place, 20)).toEqual({ m1: 10, m2: 10 });

    await fleet.backends[1]?.stop();
    scene.pool.update({ healthMonitor });
    await until(() => scene.memberStatuses === 'online,error,offline', 'the monitor has found out');
    expect(scene.pool.get('m2')?.statusReason).toContain('ECONNREFUSED');
    expect(scene.pool.status).toBe('degraded');
    const { connectFailures } = scene.vip.stats;
    expect(await tally(scene.place, 20)).toEqual({ m1: 20 });
    expect(scene.vip.stats.connectFailures).toBe(connectFailures);

    await fleet.backends[1]?.start();
    scene.pool.update({ healthMonitor: null });
    expect(scene.memberStatuses).toBe('no-monitor,no-monitor,offline');
    expect(await tally(scene.place, 20)).toEqual({ m1: 10, m2: 10 });
    await scene.isAtRest();
  });

  test('the checks of a health monitor are no connections in the books', async () => {
    await using fleet = await Backend.fleet(1);
    await using scene = await Scene.open({ members: fleet.members, healthMonitor });
    await until(() => (fleet.backends[0]?.accepted ?? 0) >= 3, 'three checks');
    await scene.isAtRest();
    expect(scene.vip.stats.totalConnections).toBe(0);
    expect(scene.pool.stats).toMatchObject({ totalConnections: 0, connectFailures: 0 });
  });

  test('IPv4 and IPv6 members of one pool are balanced', async () => {
    await using v4 = await Backend.start({ name: 'v4' });
    await using v6 = await Backend.start({ name: 'v6', host: '::1' });
    await using scene = await Scene.open({ members: [v4.at, v6.at] });
    expect(await tally(scene.place, 20)).toEqual({ v4: 10, v6: 10 });
    await scene.isAtRest();
  });

  test('IPv4 and IPv6 members serve behind an IPv6 virtual IP', async () => {
    await using v4 = await Backend.start({ name: 'v4' });
    await using v6 = await Backend.start({ name: 'v6', host: '::1' });
    await using scene = await Scene.open({ members: [v4.at, v6.at] }, { address: '::1' });
    expect(await tally(scene.place, 20)).toEqual({ v4: 10, v6: 10 });
    await scene.isAtRest();
  });

  test('least connections spreads short connections evenly', async () => {
    await using fleet = await Backend.fleet(2);
    await using scene = await Scene.open({ members: fleet.members, strategy: 'least-connections' });
    const counts: Record<string, number> = {};
    for (let turn = 0; turn < 20; turn++) {
      const name = await ask(scene.place);
      counts[name] = (counts[name] ?? 0) + 1;
      await until(() => scene.pool.stats.activeConnections === 0, 'the connection is over');
    }
    expect(counts).toEqual({ m1: 10, m2: 10 });
    await scene.isAtRest();
  });

  test('least connections sends new clients where fewer are', async () => {
    await using fleet = await Backend.fleet(2, (socket, { name }) => socket.write(name));
    await using scene = await Scene.open({ members: fleet.members, strategy: 'least-connections' });
    const clients: Client[] = [];
    for (let turn = 0; turn < 6; turn++) {
      const client = await Client.connect(scene.place);
      await client.receives('m');
      clients.push(client);
    }
    expect(scene.pool.members.map(({ stats }) => stats.activeConnections)).toEqual([3, 3]);
    for (const client of clients) if (client.received === 'm1') client.reset();
    await until(() => scene.pool.get('m1')?.stats.activeConnections === 0, 'those of m1 are gone');
    for (let turn = 0; turn < 2; turn++) {
      using client = await Client.connect(scene.place);
      await client.receives('m1');
      clients.push(await Client.connect(scene.place));
      await clients.at(-1)?.receives('m1');
      client.reset();
      await until(() => scene.pool.get('m1')?.stats.activeConnections === turn + 1, 'one stays');
    }
    for (const client of clients) client.reset();
    await scene.isAtRest();
  });

  test('source IP keeps each client address on one member', async () => {
    await using fleet = await Backend.fleet(4);
    await using scene = await Scene.open({ members: fleet.members, strategy: 'source-ip' });
    const homes = new Set<string>();
    for (let host = 1; host <= 24; host++) {
      const counts = await tally(scene.place, 4, { localAddress: `127.0.9.${host}` });
      expect(Object.values(counts)).toEqual([4]);
      homes.add(Object.keys(counts).join());
    }
    expect(homes.size).toBeGreaterThan(1);
    await scene.isAtRest();
  });

  test('source IP and port keeps each client address and port on one member', async () => {
    await using fleet = await Backend.fleet(4);
    await using scene = await Scene.open({ members: fleet.members, strategy: 'source-ip-port' });
    const homes = new Set<string>();
    for (let localPort = 20_000; localPort < 20_024; localPort++) {
      const counts = await tally(scene.place, 3, { localAddress: '127.0.9.99', localPort });
      expect(Object.values(counts)).toEqual([3]);
      homes.add(Object.keys(counts).join());
    }
    expect(homes.size).toBeGreaterThan(1);
    await scene.isAtRest();
  });

  describe.each([
    ['127.0.0.1', '0.0.0.0/0', '192.0.1.0/32'],
    ['::1', '::/0', '2001:db8::/128'],
  ])('allowed CIDRs at %s', (address, everyone, foreign) => {
    test.each(['round-robin', 'least-connections', 'source-ip', 'source-ip-port'] as const)(
      'admit and refuse as they are changed live, with %s',
      async (strategy) => {
        await using fleet = await Backend.fleet(2);
        await using scene = await Scene.open(
          { members: fleet.members, strategy },
          { address, allowedCidrs: [everyone] },
        );
        await tally(scene.place, 4);
        scene.vip.update({ allowedCidrs: [foreign] });
        for (let turn = 0; turn < 5; turn++) expect(await refusalOf(scene.place)).toBe('ECONNRESET');
        expect(scene.rejected.map(({ reason }) => reason)).toEqual(new Array(5).fill('not-allowed'));
        expect(scene.rejected[0]?.clientAddress).toBe(address);
        scene.vip.update({ allowedCidrs: [foreign, everyone] });
        await tally(scene.place, 4);
        await scene.isAtRest();
        expect(scene.vip.stats).toMatchObject({ totalConnections: 8, rejects: 5 });
      },
    );
  });

  test('a connection outlives a change of the allowed CIDRs that would refuse it', async () => {
    await using fleet = await Backend.fleet(1, (socket) => void socket.pipe(socket));
    await using scene = await Scene.open({ members: fleet.members });
    using client = await Client.connect(scene.place);
    await client.isEchoed('one');
    scene.vip.update({ allowedCidrs: [] });
    await client.isEchoed('two');
    expect(await refusalOf(scene.place)).toBe('ECONNRESET');
    client.end();
    await scene.isAtRest();
  });

  test('a backup member serves only while no other can', async () => {
    await using fleet = await Backend.fleet(2);
    await using scene = await Scene.open({
      members: fleet.members.map((member) => ({ ...member, backup: member.id === 'm2' })),
      healthMonitor: { type: 'tcp', delay: 50, maxRetries: 1, maxRetriesDown: 1 },
    });
    await until(() => scene.memberStatuses === 'online,online', 'both are checked');
    expect(await tally(scene.place, 10)).toEqual({ m1: 10 });
    scene.pool.get('m1')?.update({ enabled: false });
    expect(await tally(scene.place, 10)).toEqual({ m2: 10 });
    scene.pool.get('m1')?.update({ enabled: true });
    await until(() => scene.memberStatuses === 'online,online', 'm1 is back');
    expect(await tally(scene.place, 10)).toEqual({ m1: 10 });
    scene.pool.remove('m1');
    expect(await tally(scene.place, 10)).toEqual({ m2: 10 });
    await scene.isAtRest();
  });

  test('a pool none of whose members answers refuses its clients, and says so', async () => {
    await using scene = await Scene.open({
      members: [closedPort(), closedPort()],
      healthMonitor: { ...healthMonitor, maxRetriesDown: 1 },
    });
    await until(() => scene.vip.status === 'error', 'the virtual IP is down');
    expect(await refusalOf(scene.place)).toBe('ECONNRESET');
    expect(scene.rejected.at(-1)?.reason).toBe('no-eligible-member');
    await scene.isAtRest();
  });
});
