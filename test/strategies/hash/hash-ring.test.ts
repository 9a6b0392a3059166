import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Member } from '../../../src/core/member.ts';
import { envoyPoints } from '../../../src/strategies/hash/envoy-points.ts';
import { HashRing, Points } from '../../../src/strategies/hash/hash-ring.ts';
import { idFor, localMembers, localPorts, namedMembers, portFor } from '../../fixtures/hash-tables.ts';
import { halves } from '../../fixtures/hashes.ts';

const last = (1n << 64n) - 1n;

function envoyRing(members: readonly Member[], minRingSize: number, maxRingSize = 8_388_608) {
  return new HashRing(members, envoyPoints(members, { hash: 'xx-hash', minRingSize, maxRingSize }));
}

describe("lookups in Envoy's ring of six members and twelve points", () => {
  const ring = envoyRing(localPorts(90, 6), 12);

  for (const [hash, port] of [
    [0n, 94],
    [last, 94],
    [3551244743356806947n, 95],
    [3551244743356806948n, 93],
    [16117243373044804880n, 90],
  ] as const) {
    test(`${hash} goes to ${port}`, () => {
      expect(portFor(ring, hash)).toBe(port);
    });
  }

  test('a client that its member cannot take goes to the next point, and on', () => {
    expect([portFor(ring, 0n, [94]), portFor(ring, 0n, [94, 92]), portFor(ring, 0n, [94, 92, 90])]).toEqual([
      92, 90, 95,
    ]);
  });

  test('the walk goes around the end of the circle', () => {
    expect(portFor(ring, 16117243373044804889n, [90])).toBe(94);
  });

  test('nobody is found where nobody is a candidate', () => {
    expect(portFor(ring, 0n, [90, 91, 92, 93, 94, 95])).toBe(undefined);
  });
});

describe("Envoy's even steps around a large ring hit as often as there", () => {
  const hits = (ring: HashRing<unknown>, steps: number): number[] => {
    const counts = new Map<number | undefined, number>();
    for (let step = 0n; step < steps; step++) {
      const port = portFor(ring, step * (last / BigInt(steps)));
      counts.set(port, (counts.get(port) ?? 0) + 1);
    }
    return [90, 91, 92, 93].map((port) => counts.get(port) ?? 0);
  };

  test('weights 1, 2, 3', () => {
    expect(hits(envoyRing(localMembers({ 90: 1, 91: 2, 92: 3 }), 6144), 6000)).toEqual([987, 1932, 3081, 0]);
  });

  test('weights 1, 2, 2, 4', () => {
    const members = localMembers({ 90: 1, 91: 2, 92: 2, 93: 4 });
    expect(hits(envoyRing(members, 9216), 9000)).toEqual([924, 2009, 2053, 4014]);
  });

  test('512 and 511 points', () => {
    expect(hits(envoyRing(localPorts(90, 2), 1023, 1023), 1023)).toEqual([526, 497, 0, 0]);
  });
});

/** A ring of these places, each point another member's. */
function ringOf(places: readonly bigint[]): HashRing<unknown> {
  const points = new Points(places.length);
  for (const [at, place] of places.entries()) {
    const [high, low] = halves(place);
    points.high[at] = high;
    points.low[at] = low;
    points.owner[at] = at;
  }
  return new HashRing(localPorts(1, places.length), points);
}

test('the first point at a place or after it is found wherever points and place are', () => {
  const place = fc.oneof(
    fc.bigInt({ min: 0n, max: last }),
    fc.bigInt({ min: 0n, max: 3n }),
    fc.bigInt({ min: last - 3n, max: last }),
  );
  const places = fc.uniqueArray(place, { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(places, place, (points, hash) => {
      const ascending = [...points].sort((a, b) => (a < b ? -1 : 1));
      const first = ascending.find((point) => point >= hash) ?? ascending[0];
      expect(portFor(ringOf(points), hash)).toBe(1 + points.indexOf(first as bigint));
    }),
    { seed: 3, numRuns: 500 },
  );
});

test('points that share the upper half are told apart by the lower one', () => {
  const ring = ringOf([0x5_8000_0000n, 0x5_0000_0001n, 0x5_ffff_ffffn, 0x5_7fff_ffffn]);
  const at = (hash: bigint) => portFor(ring, hash);
  expect([at(0x5_0000_0000n), at(0x5_0000_0002n), at(0x5_8000_0000n), at(0x5_8000_0001n), at(0x6_0000_0000n)]).toEqual([
    2, 4, 1, 3, 2,
  ]);
});

test('of two members at one place it is the one with the lesser id, in whatever order they come', () => {
  for (const ids of [
    ['a', 'b'],
    ['b', 'a'],
  ]) {
    const points = new Points(2);
    points.owner[1] = 1;
    const ring = new HashRing(namedMembers(Object.fromEntries(ids.map((id) => [id, 1]))), points);
    expect(idFor(ring, 0n)).toBe('a');
  }
});

test('a member without a point serves whoever can go to nobody else', () => {
  const members = localPorts(90, 4);
  const ring = envoyRing(members, 2, 2);
  for (const { port } of members) {
    const others = members.map((member) => member.port).filter((other) => other !== port);
    expect(portFor(ring, 12345n, others)).toBe(port);
  }
});

test('a walk is given up, and the client still finds its member', () => {
  const members = localMembers({ 90: 256, 91: 1 });
  const ring = envoyRing(members, 200_000);
  let asked = 0;
  const onlyLight = {
    accepts: ({ port }: Member) => {
      asked++;
      return port === 91;
    },
  };
  for (let place = 0n; place < 100n; place++) {
    asked = 0;
    expect(ring.find(...halves(place << 57n), onlyLight)?.port).toBe(91);
    expect(asked).toBeLessThan(1100);
  }
});
