import { describe, expect, test } from 'vitest';
import type { MemberFields, PoolSpec } from '../../../src/index.ts';
import { HttpClient } from '../../fixtures/node/http/client.ts';
import { HttpFleet } from '../../fixtures/node/http/member.ts';
import { httpScene } from '../../fixtures/node/http/scene.ts';

type Limits = Partial<MemberFields<unknown>>;

/**
 * So many requests, one after the other, that are answered in part and then held: who has got each, `-` where nobody could. As nginx's
 * `peers()` and `parallel()` do, whose requests wait for `closeall`.
 */
async function held(pool: PoolSpec, limits: readonly Limits[], count: number): Promise<string> {
  await using fleet = await HttpFleet.start(limits.length);
  for (let index = 1; index <= limits.length; index++) {
    fleet.of(`m${index}`).does = (heard) =>
      heard.say(`HTTP/1.1 200 OK\r\nServer: p${index}\r\nContent-Length: 3\r\n\r\nO`);
  }
  const members = fleet.members.map((member, index) => ({ ...member, ...limits[index] }));
  await using scene = await httpScene([], { ...pool, members });
  const clients: HttpClient[] = [];
  const peers: string[] = [];
  for (let turn = 0; turn < count; turn++) {
    const client = await HttpClient.connect(scene.place);
    clients.push(client);
    client.request('/');
    const answer = await client.answerBegun();
    peers.push(answer.status === 200 ? (answer.field('server') ?? '') : '-');
  }
  for (const client of clients) client.reset();
  await scene.isAtRest();
  return peers.join(' ');
}

function tally(peers: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const peer of peers.split(' ')) counts[peer] = (counts[peer] ?? 0) + 1;
  return counts;
}

/** nginx's own tests, `upstream_max_conns.t`: who gets requests that stay. */
describe("nginx's max_conns", () => {
  const one = { maxConnections: 1 };
  const two = { maxConnections: 2 };
  const three = { maxConnections: 3 };

  test.each<[string, PoolSpec, Limits[], number, Record<string, number>]>([
    ['unlimited', {}, [{}, {}], 4, { p1: 2, p2: 2 }],
    ['single', {}, [three], 4, { p1: 3, '-': 1 }],
    ['all peers', {}, [one, one], 4, { p1: 1, p2: 1, '-': 2 }],
    ['some peers', {}, [one, {}], 4, { p1: 1, p2: 3 }],
    ['weight, which does not change the limit', {}, [{ ...one, weight: 2 }, {}], 4, { p1: 1, p2: 3 }],
    ['least_conn', { strategy: 'least-connections' }, [one, {}], 4, { p1: 1, p2: 3 }],
    ['ip_hash', { strategy: 'source-ip' }, [one, two], 4, { p1: 1, p2: 2, '-': 1 }],
    ['hash', { strategy: 'rendezvous' }, [one, two], 4, { p1: 1, p2: 2, '-': 1 }],
    ['hash consistent', { strategy: 'ring-hash' }, [one, two], 4, { p1: 1, p2: 2, '-': 1 }],
  ])('%s', async (_, pool, limits, count, expected) => {
    expect(tally(await held(pool, limits, count))).toEqual(expected);
  });

  test.each<[string, PoolSpec, Limits[], string]>([
    ['backup', {}, [two, { backup: true }], 'p1 p1 p2 p2 p2 p2'],
    ['backup limited', {}, [two, { backup: true, ...three }], 'p1 p1 p2 p2 p2 -'],
    ['least_conn backup', { strategy: 'least-connections' }, [two, { backup: true }], 'p1 p1 p2 p2 p2 p2'],
    [
      'least_conn backup limited',
      { strategy: 'least-connections' },
      [two, { backup: true, ...three }],
      'p1 p1 p2 p2 p2 -',
    ],
  ])('%s', async (_, pool, limits, expected) => {
    expect(await held(pool, limits, 6)).toBe(expected);
  });

  test('conn subtraction: what has ended makes room, and a limit counts what is left', async () => {
    await using fleet = await HttpFleet.start(1);
    const member = fleet.of('m1');
    member.does = (heard) => (heard.target === '/close' ? heard.answer() : heard.say('HTTP/1.1 200 OK\r\n\r\nO'));
    await using scene = await httpScene([], { members: [{ ...member.spec, ...three }] });
    const clients: HttpClient[] = [];
    for (const target of ['/', '/', '/close', '/', '/close']) {
      const client = await HttpClient.connect(scene.place);
      clients.push(client);
      client.request(target);
      await client.answerBegun();
    }
    expect(clients.map(({ answers }) => answers[0]?.status)).toEqual([200, 200, 200, 200, 503]);
    for (const client of clients) client.reset();
    await scene.isAtRest();
  });

  test('proxy_next_upstream: connections to a peer that a retry has come to are counted', async () => {
    await using fleet = await HttpFleet.start(3);
    const [broken, p1, p2] = ['m1', 'm2', 'm3'].map((name) => fleet.of(name));
    if (broken === undefined || p1 === undefined || p2 === undefined) throw new Error('three were started');
    broken.does = (heard) => heard.wire.reset();
    for (const peer of [p1, p2]) peer.does = (heard) => heard.say(`HTTP/1.1 200 OK\r\n\r\nO`);
    const members = [broken.spec, { ...p1.spec, ...one }, { ...p2.spec, ...two }];
    await using scene = await httpScene([], { members }, { retries: 3 });
    const clients: HttpClient[] = [];
    for (let turn = 0; turn < 4; turn++) {
      const client = await HttpClient.connect(scene.place);
      clients.push(client);
      client.request('/');
      await client.answerBegun();
    }
    expect([p1.requests.length, p2.requests.length]).toEqual([1, 2]);
    expect(clients.map(({ answers }) => answers[0]?.status)).toEqual([200, 200, 200, 502]);
    for (const client of clients) client.reset();
    await scene.isAtRest();
  });
});

/** `upstream_least_conn.t` */
describe("nginx's least_conn", () => {
  test('balanced', async () => {
    await using fleet = await HttpFleet.start(2);
    await using scene = await httpScene(fleet, { strategy: 'least-connections' });
    for (let turn = 0; turn < 10; turn++) {
      using client = await HttpClient.connect(scene.place);
      await client.ask('/', { fields: ['Connection: close'] });
      await client.closed();
    }
    await scene.isAtRest();
    expect([fleet.of('m1').requests.length, fleet.of('m2').requests.length]).toEqual([5, 5]);
  });

  test('a peer that is busy with one gets no other', async () => {
    await using fleet = await HttpFleet.start(2);
    fleet.of('m1').does = () => {};
    await using scene = await httpScene(fleet, { strategy: 'least-connections' });
    const clients: HttpClient[] = [];
    for (let turn = 0; turn < 10; turn++) {
      const client = await HttpClient.connect(scene.place);
      clients.push(client);
      client.request('/w');
      if (turn === 0) await fleet.of('m1').request(1);
      else await client.answerBegun();
    }
    expect([fleet.of('m1').requests.length, fleet.of('m2').requests.length]).toEqual([1, 9]);
    for (const client of clients) client.reset();
    await scene.isAtRest();
  });
});
