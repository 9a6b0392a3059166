import { expect, test } from 'vitest';
import { Backend } from '../../fixtures/node/backend.ts';
import { ask, refusalOf } from '../../fixtures/node/client.ts';
import { get } from '../../fixtures/node/http/node-client.ts';
import { NodeMember } from '../../fixtures/node/http/node-member.ts';
import { ownHost } from '../../fixtures/node/places.ts';
import { Scene } from '../../fixtures/node/scene.ts';
import { until } from '../../fixtures/node/until.ts';

test('a member whose checks pass, and that its clients cannot reach, is taken out by what they meet', async () => {
  const host = ownHost();
  await using sidecar = await Backend.start({ host });
  await using other = await Backend.start({ name: 'other' });
  await using scene = await Scene.open({
    members: [{ id: 'm', address: host, port: 9, monitorPort: sidecar.port }, other.at],
    healthMonitor: { type: 'tcp', delay: 100_000, observe: 'connect', errorLimit: 3, onError: 'mark-down' },
  });
  await until(() => sidecar.accepted === 1 && other.accepted === 1, 'both are checked');
  for (let turn = 0; turn < 10; turn++) expect(await ask(scene.place)).toBe('other');
  expect(scene.member('m').statusReason).toBe('3 failures in a row');
  expect(scene.member('m').stats.connectFailures).toBe(3);
  await scene.isAtRest();
});

test('a member that answers with 500 fails its requests, and recovers by its checks', async () => {
  let status = 500;
  await using member = await NodeMember.start((request, response) => {
    response.statusCode = request.url === '/health' ? 200 : status;
    response.end();
  });
  const monitor = { type: 'http', urlPath: '/health', observe: 'request', onError: 'mark-down' } as const;
  await using scene = await Scene.open(
    {
      members: [member.spec],
      healthMonitor: { ...monitor, errorLimit: 4, delay: 100_000, fastDelay: 20 },
    },
    { protocol: 'http' },
  );
  const ask = async (): Promise<number | undefined> => (await get(scene.place, '/')).status;
  for (let turn = 0; turn < 4; turn++) expect(await ask()).toBe(500);
  expect(scene.statuses).toEqual([`${member.spec.id} error`]);
  status = 200;
  await until(() => scene.memberStatuses === 'online', 'two checks have passed');
  expect(await ask()).toBe(200);
});

test('a TCP member that refuses everybody goes down though nobody checks it for long', async () => {
  const address = ownHost();
  await using scene = await Scene.open({
    members: [{ id: 'm', address, port: 9 }],
    healthMonitor: {
      type: { name: 'fine', check: async () => {} },
      delay: 100_000,
      observe: 'connect',
      errorLimit: 1,
      onError: 'mark-down',
    },
  });
  expect(await refusalOf(scene.place)).toBe('ECONNRESET');
  expect(scene.memberStatuses).toBe('error');
  await scene.isAtRest();
});
