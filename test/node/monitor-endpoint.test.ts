import { expect, test } from 'vitest';
import { Backend } from '../fixtures/node/backend.ts';
import { tally } from '../fixtures/node/client.ts';
import { Scene } from '../fixtures/node/scene.ts';
import { until } from '../fixtures/node/until.ts';

const healthMonitor = { type: 'tcp', delay: 60, timeout: 50, maxRetries: 2, maxRetriesDown: 2 } as const;

/** Octavia's Tempest scenario `test_healthmonitor_*_traffic`, with the closed `monitor_port` that it has. */
test('as in Octavia: a closed monitor port takes out a member that would serve, until there is no monitor', async () => {
  await using fleet = await Backend.fleet(2);
  const [m1, m2] = fleet.members;
  const m3 = { id: 'm3', address: '192.0.2.1', port: 80, enabled: false };
  const members = [{ ...m1, address: m1?.address ?? '' }, { ...m2, address: m2?.address ?? '', monitorPort: 9 }, m3];
  await using scene = await Scene.open({ members });
  expect(scene.memberStatuses).toBe('no-monitor,no-monitor,offline');
  expect(await tally(scene.place, 20)).toEqual({ m1: 10, m2: 10 });

  scene.pool.update({ healthMonitor });
  await until(() => scene.memberStatuses === 'online,error,offline', 'the monitor has found out');
  expect(await tally(scene.place, 20)).toEqual({ m1: 20 });

  scene.pool.update({ healthMonitor: null });
  expect(scene.memberStatuses).toBe('no-monitor,no-monitor,offline');
  expect(await tally(scene.place, 20)).toEqual({ m1: 10, m2: 10 });
  await scene.isAtRest();
});

test('a member is judged by a sidecar at another address and port, and clients never get there', async () => {
  await using member = await Backend.start({ name: 'member' });
  await using sidecar = await Backend.start({ name: 'sidecar' });
  const [, address = '', port = ''] = /^(.*):(\d+)$/.exec(member.at) ?? [];
  const [, monitorAddress = ''] = /^(.*):\d+$/.exec(sidecar.at) ?? [];
  await using scene = await Scene.open({
    members: [{ id: 'm', address, port: Number(port), monitorAddress, monitorPort: sidecar.port }],
    healthMonitor,
  });
  expect(await tally(scene.place, 4)).toEqual({ member: 4 });
  await until(() => sidecar.accepted >= 2, 'two checks');
  await sidecar.stop();
  await until(() => scene.memberStatuses === 'error', 'the sidecar is missed');
  await sidecar.start();
  await until(() => scene.memberStatuses === 'online', 'the sidecar is back');
  expect(member.accepted).toBe(4);
  await scene.isAtRest();
});
