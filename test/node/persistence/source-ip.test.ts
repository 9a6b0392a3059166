import { describe, expect, test } from 'vitest';
import { Balancer } from '../../../src/index.ts';
import { listen } from '../../../src/node/index.ts';
import { Backend, listensOnly } from '../../fixtures/node/backend.ts';
import { ask, Client } from '../../fixtures/node/client.ts';
import { ask as request } from '../../fixtures/node/http/client.ts';
import { HttpFleet } from '../../fixtures/node/http/member.ts';
import { httpScene } from '../../fixtures/node/http/scene.ts';
import { ownFolder, ownHost } from '../../fixtures/node/places.ts';
import { counted } from '../../fixtures/node/repeat.ts';
import { Scene } from '../../fixtures/node/scene.ts';
import { until } from '../../fixtures/node/until.ts';

const persistence = { type: 'source-ip' } as const;

const from = (number: number) => ({ localAddress: `127.0.0.${number}` });

/** Who answers a client at this address, so many times in a row. */
async function visits(scene: Scene, client: number, times: number): Promise<string[]> {
  const names: string[] = [];
  for (let turn = 0; turn < times; turn++) names.push(await ask(scene.place, from(client)));
  return names;
}

async function ends(scene: Scene): Promise<void> {
  await scene.isAtRest();
  expect(scene.troubles).toEqual([]);
}

describe('TCP clients of a pool that goes by their addresses', () => {
  test('each keep their member', async () => {
    await using fleet = await Backend.fleet(3);
    await using scene = await Scene.open({ persistence, members: fleet.members });
    const homes: string[] = [];
    for (let client = 2; client < 11; client++) homes.push(...(await visits(scene, client, 1)));
    expect(counted(homes)).toEqual({ m1: 3, m2: 3, m3: 3 });
    for (let client = 2; client < 11; client++)
      expect(await visits(scene, client, 2)).toEqual(Array(2).fill(homes[client - 2]));
    expect(scene.pool.persistenceStats).toEqual({ name: 'source-ip', size: 9, evicted: 0, kept: 18, moved: 0 });
    await ends(scene);
  });

  test('move when it is down, and stay where they are then', async () => {
    await using fleet = await Backend.fleet(3);
    await using scene = await Scene.open({ persistence, members: fleet.members });
    expect(await visits(scene, 2, 1)).toEqual(['m1']);
    const [m1] = fleet.backends;
    await m1?.stop();
    const [home = ''] = await visits(scene, 2, 1);
    expect(['m2', 'm3']).toContain(home);
    expect(scene.connectFailures.map(({ memberId }) => memberId)).toEqual(['m1']);
    await m1?.start();
    expect(await visits(scene, 2, 4)).toEqual(Array(4).fill(home));
    expect(scene.connectFailures.length).toBe(1);
    await ends(scene);
  });

  test('stay on one that drains, not on one that is disabled', async () => {
    await using fleet = await Backend.fleet(3);
    await using scene = await Scene.open({ persistence, members: fleet.members });
    await visits(scene, 2, 1);
    scene.member('m1').update({ weight: 0 });
    expect(await visits(scene, 2, 3)).toEqual(['m1', 'm1', 'm1']);
    const others: string[] = [];
    for (let client = 3; client < 9; client++) others.push(...(await visits(scene, client, 1)));
    expect(counted(others)).toEqual({ m2: 3, m3: 3 });
    scene.member('m1').update({ enabled: false });
    const [home = ''] = await visits(scene, 2, 1);
    expect(home).not.toBe('m1');
    scene.member('m1').update({ enabled: true, weight: 1 });
    expect(await visits(scene, 2, 3)).toEqual([home, home, home]);
    await ends(scene);
  });

  test('may be in the middle of something when the persistence comes, changes and goes', async () => {
    await using one = await Backend.start({ name: 'one', does: listensOnly });
    await using scene = await Scene.open({ members: [one.at] });
    const client = await Client.connect(scene.place, from(2));
    client.send('a');
    for (const change of [persistence, { ...persistence, granularity: { ipv4: 8 } }, null]) {
      const { bytesReceived } = one;
      scene.pool.update({ persistence: change });
      client.send('b');
      await until(() => one.bytesReceived > bytesReceived, 'it arrives');
    }
    expect(one.accepted).toBe(1);
    client.end();
    await client.closed();
    await ends(scene);
  });

  test('count as one where their addresses agree in as many bits as are asked for', async () => {
    await using fleet = await Backend.fleet(2);
    const granularity = { ipv4: 31 };
    await using scene = await Scene.open({ persistence: { ...persistence, granularity }, members: fleet.members });
    expect([...(await visits(scene, 2, 1)), ...(await visits(scene, 3, 1)), ...(await visits(scene, 4, 1))]).toEqual([
      'm1',
      'm1',
      'm2',
    ]);
    await ends(scene);
  });

  test('are not known where they have no address', async () => {
    await using folder = await ownFolder();
    await using fleet = await Backend.fleet(2);
    const address = `unix:${folder.socket('vip')}`;
    await using scene = await Scene.open({ persistence, members: fleet.members }, { address });
    const names: string[] = [];
    for (let turn = 0; turn < 4; turn++) names.push(await ask(scene.place));
    expect([names, scene.pool.persistenceStats?.size]).toEqual([['m1', 'm2', 'm1', 'm2'], 0]);
    await ends(scene);
  });

  test('are the same clients on a dual-stack listener', async () => {
    await using fleet = await Backend.fleet(2);
    await using scene = await Scene.open({ persistence, members: fleet.members }, { address: '::' });
    const { port } = scene.place as { port: number };
    const home = scene.pool.acquire({ clientAddress: '127.0.0.2' });
    if (home.refused) throw new Error('refused');
    home.release('ignored');
    for (let turn = 0; turn < 3; turn++) expect(await ask({ host: '127.0.0.1', port }, from(2))).toBe(home.member.id);
    await ends(scene);
  });
});

describe('HTTP clients of a pool that goes by their addresses', () => {
  test('keep their member with all their requests, and nothing is added to them', async () => {
    await using fleet = await HttpFleet.start(3);
    await using scene = await httpScene(fleet, { persistence });
    const ask = async (client: number) => request(scene.place, '/', { fields: ['Cookie: SRV=x; a=b'] }, from(client));
    const homes: string[] = [];
    for (let client = 2; client < 8; client++) homes.push((await ask(client)).body);
    expect(counted(homes)).toEqual({ m1: 2, m2: 2, m3: 2 });
    for (let client = 2; client < 8; client++) {
      const answer = await ask(client);
      expect([answer.body, answer.field('Set-Cookie')]).toEqual([homes[client - 2], undefined]);
    }
    for (const { requests } of fleet.all)
      expect(requests.map(({ message }) => message.field('Cookie'))).toEqual(Array(4).fill('SRV=x; a=b'));
    await ends(scene);
  });

  test('meet the member that they met over TCP, where two virtual IPs lead to one pool', async () => {
    await using fleet = await HttpFleet.start(3);
    const balancer = new Balancer();
    const place = { host: ownHost(), port: 80 };
    const { host: address } = place;
    balancer.createPool({ name: 'pool', persistence, members: fleet.members });
    balancer.createVip({ address, port: 80, protocol: 'http', pool: 'pool' });
    balancer.createVip({ address, port: 81, protocol: 'tcp', pool: 'pool' });
    await using _listener = await listen(balancer);
    const homes: string[] = [];
    for (const port of [80, 81, 80, 81])
      for (const client of [2, 3]) homes.push((await request({ ...place, port }, '/', {}, from(client))).body);
    expect(homes).toEqual(['m1', 'm2', 'm1', 'm2', 'm1', 'm2', 'm1', 'm2']);
  });
});
