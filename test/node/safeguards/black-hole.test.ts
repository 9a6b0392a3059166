import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { leastConnections, leastTime, peakEwma, powerOfTwo, type Strategy } from '../../../src/index.ts';
import { leavesNothing } from '../../fixtures/node/aftermath.ts';
import { Backend, type Service } from '../../fixtures/node/backend.ts';
import { Load } from '../../fixtures/node/client.ts';
import { httpLoad } from '../../fixtures/node/http/load.ts';
import { HttpFleet } from '../../fixtures/node/http/member.ts';
import { httpScene } from '../../fixtures/node/http/scene.ts';
import { closedPort } from '../../fixtures/node/places.ts';
import { Scene } from '../../fixtures/node/scene.ts';

/** Each of the good members takes some time for a client, as servers do; the bad one takes none at all. */
const worksAWhile: Service = (socket, { name }) => {
  socket.once('data', () => void sleep(10).then(() => socket.end(name)));
};

type Make = (options: { readonly failurePenalty?: number }) => Strategy;
const strategies: readonly (readonly [string, Make])[] = [
  ['least-connections', leastConnections],
  ['power-of-two', powerOfTwo],
  ['peak-ewma', peakEwma],
  ['least-time', leastTime],
];

/** Of so many clients a quarter is the fair share of a fourth member. */
const clients = 600;

describe.each(strategies)('with %s', (name, make) => {
  /** How many of the clients a member that refuses at once is tried with, in percent, and how many fail for it. */
  async function refusing(strategy: Strategy) {
    await using fleet = await Backend.fleet(3, worksAWhile);
    const [address = ''] = closedPort().split(':');
    const members = [...fleet.members, { id: 'hole', address, port: 9 }];
    await using scene = await Scene.open({ members, strategy });
    await using load = Load.on(scene.place, 16);
    await load.more(clients);
    await load.stop();
    const share = (100 * scene.member('hole').stats.connectFailures) / load.answered;
    await leavesNothing(scene, fleet);
    return { share, failed: load.failures.length };
  }

  test('a TCP member that refuses at once is tried by few, and none of them notices', async () => {
    const { share, failed } = await refusing(make({}));
    expect(share).toBeLessThan(10);
    expect(failed).toBe(0);
  });

  if (name === 'least-connections') {
    test('it is tried by nearly everybody where failures count for nothing', async () => {
      const { share, failed } = await refusing(make({ failurePenalty: 0 }));
      expect(share).toBeGreaterThan(50);
      expect(failed).toBe(0);
    });
  }

  test('a TCP member that takes each client and resets it at once gets few', async () => {
    await using fleet = await Backend.fleet(3, worksAWhile);
    await using hole = await Backend.start({ name: 'hole', does: (socket) => void socket.resetAndDestroy() });
    const { host, port } = hole.place as { host: string; port: number };
    const members = [...fleet.members, { id: 'hole', address: host, port }];
    await using scene = await Scene.open({ members, strategy: make({}) });
    await using load = Load.on(scene.place, 16);
    await load.more(clients);
    await load.stop();
    expect(load.failures.length).toBeLessThan(clients / 10);
    expect(hole.accepted).toBeLessThan(clients / 10);
    await leavesNothing(scene, [...fleet.backends, hole]);
  });

  test('an HTTP member that answers 503 at once gets few requests', async () => {
    await using fleet = await HttpFleet.start(4, (heard) => void sleep(10).then(() => heard.answer()));
    fleet.of('m4').does = (heard) => heard.answer('', { status: 503 });
    await using scene = await httpScene(fleet, { strategy: make({}) });
    await using load = httpLoad(scene.place, 16);
    await load.more(clients);
    await load.stop();
    expect(load.complaints()).toEqual({ 503: fleet.of('m4').requests.length });
    expect(fleet.of('m4').requests.length).toBeLessThan(clients / 10);
    await leavesNothing(scene, fleet);
  });
});
