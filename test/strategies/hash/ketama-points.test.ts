import { describe, expect, test } from 'vitest';
import type { Member } from '../../../src/core/member.ts';
import { crc32 } from '../../../src/strategies/hash/crc32.ts';
import { HashRing } from '../../../src/strategies/hash/hash-ring.ts';
import { ketamaPoints } from '../../../src/strategies/hash/ketama-points.ts';
import { makePool } from '../../fixtures/core.ts';
import { idFor, localMembers, localPorts, namedMembers, portFor } from '../../fixtures/hash-tables.ts';

const largest = 8_388_608;

/** The 64-bit place of a key. */
const place = (key: string): bigint => BigInt(crc32(key)) << 32n;

function ringOf(members: readonly Member[]): HashRing<unknown> {
  return new HashRing(members, ketamaPoints(members, largest));
}

function membersAt(...endpoints: string[]): readonly Member[] {
  return makePool({ members: endpoints }).members;
}

/** Whom a client goes to first, second, …, member by member. */
function preferences(ring: HashRing<unknown>, key: string, count: number): (string | undefined)[] {
  const ids: string[] = [];
  while (ids.length < count) ids.push(idFor(ring, place(key), ids) ?? '');
  return ids;
}

describe("Pingora's and nginx's rings are ours", () => {
  test('points', () => {
    const { high, owner } = ketamaPoints(localPorts(7777, 2), largest);
    const points = Array.from(high, (point, at) => [point, 7777 + (owner[at] as number)]);
    points.sort(([a = 0], [b = 0]) => a - b);
    expect([points.length, ...points.slice(0, 4)]).toEqual([
      320,
      [1475464, 7777],
      [14414652, 7778],
      [29299196, 7778],
      [50042253, 7778],
    ]);
  });

  for (const [key, port] of [
    ['/some/path', 7778],
    ['/some/longer/path', 7777],
    ['/sad/zaidoon', 7778],
    ['/g', 7777],
    ['/pingora/team/is/cool/and/this/is/a/long/uri', 7778],
    ['/i/am/not/confident/in/this/code', 7777],
  ] as const) {
    test(`${key} goes to ${port}`, () => {
      expect(portFor(ringOf(localPorts(7777, 2)), place(key))).toBe(port);
    });
  }

  test('an eleventh host leaves keys where they were', () => {
    const hosts = Array.from({ length: 11 }, (_, index) => `127.0.0.${index + 1}:6443`);
    for (const count of [10, 11]) {
      const ring = ringOf(membersAt(...hosts.slice(0, count)));
      expect([idFor(ring, place('a')), idFor(ring, place('b'))]).toEqual(['127.0.0.10:6443', '127.0.0.5:6443']);
    }
  });

  test('keys of a host that is gone go to the next point', () => {
    const hosts = ['1.1.1.1:80', '1.0.0.1:80', '1.0.0.255:80'];
    const mapping = (ring: HashRing<unknown>) =>
      Array.from({ length: 10 }, (_, number) => 1 + hosts.indexOf(idFor(ring, place(`test${number}`)) ?? ''));
    expect(mapping(ringOf(membersAt(...hosts)))).toEqual([2, 1, 1, 1, 1, 3, 1, 3, 1, 2]);
    expect(mapping(ringOf(membersAt(...hosts.slice(0, 2))))).toEqual([2, 1, 1, 1, 1, 2, 1, 1, 1, 2]);
  });

  test('those that cannot take a client are passed over in the order of the points', () => {
    // Pingora's node_iter, without repetitions: 78 79 79 77 77 78 …
    const ring = ringOf(localPorts(7777, 3));
    expect(preferences(ring, 'doghash', 3)).toEqual(['127.0.0.1:7778', '127.0.0.1:7779', '127.0.0.1:7777']);
  });

  test('an IPv6 host written as Pingora writes it', () => {
    const ring = ringOf(namedMembers({ '::1:7777': 1, '::1:7778': 1, '::1:7779': 1 }));
    expect(preferences(ring, 'doghash', 3)).toEqual(['::1:7777', '::1:7778', '::1:7779']);
  });

  describe('what nginx answered for nine servers of weight 100', () => {
    const servers = Array.from({ length: 9 }, (_, index) => ({
      address: `10.0.0.${index + 1}`,
      port: 443,
      weight: 100,
    }));
    const ring = ringOf(makePool({ members: servers }).members);

    for (const [uri, server] of [
      ['/81fa1d251d605775d647b5b55565e71526d4cef6', 7],
      ['/2fec328e6ccdda6a7edf329f9f780e546ea183b4', 5],
      ['/19fb835d90883a6263ec4279c6da184e3f1a79b2', 4],
      ['/da7a88e542f7aaddc074f988164b9df7e5f7fea6', 4],
      ['/8f87cfd8005306643b6528b3d4125cf005139a7e', 5],
      ['/26d2769eab098458bc3e4e641a4b7d8abffd0aea', 6],
      ['/aa5b5323980f2d3e21246212ebd820c3949c1e88', 7],
      ['/d9c4bc3cc4517c629e8f4c911c2fd8baf260ae65', 1],
      ['/28c1c069a2904bb3b3e0f9731b1ff8de9ab7a76d', 4],
      ['/fe5199bdfeee5cd431ae7e9f77f178164f9995a0', 9],
      ['/43992eee187920c5e8695332f71ca6e23ef6ac4b', 3],
      ['/38528aab753a6f32de86b5a7acdbb0c885137a81', 9],
      ['/12d4b9155ff599c0ac554226796b58a2278b450f', 7],
      ['/77766138aaf0c016bdd1f6b996177fc8ca1d2204', 8],
      ['/668fd6d99bfb50b85b0928a8915761be2ca19089', 2],
      ['/fefbfb22035c938b44d305dbb71b11d531257af8', 2],
    ] as const) {
      test(uri, () => {
        expect(idFor(ring, place(uri))).toBe(`10.0.0.${server}:443`);
      });
    }
  });
});

test('a Unix socket is known by its path, as in nginx', () => {
  const [socket] = membersAt('unix:/run/a.sock');
  const [path] = namedMembers({ '/run/a.sock': 1 });
  expect(ketamaPoints([socket as Member], largest).high).toEqual(ketamaPoints([path as Member], largest).high);
});

describe('how many points a member gets', () => {
  const counts = (weights: Record<number, number>, maxRingSize: number): number[] => {
    const members = localMembers(weights);
    const points = members.map(() => 0);
    for (const owner of ketamaPoints(members, maxRingSize).owner) (points[owner] as number)++;
    return points;
  };

  test('is 160 for each unit of its weight', () => {
    expect(counts({ 80: 1, 81: 3 }, 640)).toEqual([160, 480]);
  });

  test('is what fits into maxRingSize where that is less', () => {
    expect(counts({ 80: 1, 81: 3 }, 400)).toEqual([100, 300]);
  });

  test('is one at least', () => {
    expect(counts({ 80: 1, 81: 255 }, 100)).toEqual([1, 99]);
  });
});

test('the places are 32 bits', () => {
  expect(new Set(ketamaPoints(localPorts(80, 3), largest).low)).toEqual(new Set([0]));
});
