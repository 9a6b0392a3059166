import { describe, expect, test } from 'vitest';
import type { MemberFields } from '../../../src/core/member-spec.ts';
import { seededRandom } from '../../../src/core/random.ts';
import { leastConnections } from '../../../src/strategies/least-connections.ts';
import { murmur3 } from '../../../src/strategies/murmur3.ts';
import { roundRobin } from '../../../src/strategies/round-robin.ts';
import type { Strategy } from '../../../src/strategies/strategy.ts';
import { slowStart } from '../../../src/strategies/wrappers/slow-start.ts';
import { type ZonePreferenceOptions, zonePreference } from '../../../src/strategies/wrappers/zone-preference.ts';
import {
  client,
  makePool,
  memberOf,
  refusalOf,
  settled,
  spec,
  take,
  takeFrom,
  tally,
  visit,
  visits,
} from '../../fixtures/core.ts';

/** So many members in each zone: `a0`, `a1`, …; those of zone `''` say none. */
function inZones(counts: Readonly<Record<string, number>>, settings: Partial<MemberFields> = {}): MemberFields[] {
  return Object.entries(counts).flatMap(([zone, count]) =>
    Array.from({ length: count }, (_, index) =>
      spec(`${zone}${index}`, { port: 1000 + index, ...(zone === '' ? {} : { zone }), ...settings }),
    ),
  );
}

function poolOf(
  members: readonly MemberFields[],
  options: ZonePreferenceOptions,
  strategy: Strategy | 'round-robin' = 'round-robin',
  random = seededRandom(1),
) {
  return makePool({ members, strategy: zonePreference(strategy as Strategy, options) }, { random });
}

/** How often members of each zone were picked. */
const zonesOf = (ids: readonly string[]) => tally(ids.map((id) => id.slice(0, 1)));

function expectShares(
  counts: Readonly<Record<string, number>>,
  shares: Readonly<Record<string, number>>,
  most: number,
) {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  expect(Object.keys(counts).sort()).toEqual(Object.keys(shares).sort());
  for (const [zone, share] of Object.entries(shares)) {
    expect(Math.abs((counts[zone] ?? 0) / total - share), `zone ${zone}`).toBeLessThan(most);
  }
}

/** By a hash of the address, among whom it may pick. */
const hashing: Strategy = {
  name: 'hashing',
  prepare: (members) => ({
    hashOf: (request) => murmur3(request.clientAddress ?? ''),
    pick: (request) => {
      const fit = members.filter((member) => request.accepts(member));
      return fit[murmur3(request.clientAddress ?? '') % fit.length];
    },
  }),
};

describe('the members of the own zone', () => {
  test('get all its clients where all zones have as much as they need', () => {
    const pool = poolOf(inZones({ a: 3, b: 3, c: 3 }), { zone: 'b' });
    expect(tally(visits(pool, 300))).toEqual({ b0: 100, b1: 100, b2: 100 });
  });

  test('get as many as they can carry, and zones with something left the others', () => {
    const pool = poolOf(inZones({ a: 1, b: 2, c: 2 }), { zone: 'a', minMembers: 5 });
    expectShares(zonesOf(visits(pool, 20_000)), { a: 0.6, b: 0.2, c: 0.2 }, 0.015);
  });

  test('count by weight', () => {
    const members = [...inZones({ a: 1 }, { weight: 4 }), ...inZones({ b: 2, c: 2 }, { weight: 2 })];
    const pool = poolOf(members, { zone: 'a', minMembers: 5 });
    expect(zonesOf(visits(pool, 500))).toEqual({ a: 500 });
  });

  test('count against the clients that there are by what the options say', () => {
    const pool = poolOf(inZones({ a: 3, b: 3 }), { zone: 'a', clients: { a: 3, b: 1 } });
    expectShares(zonesOf(visits(pool, 20_000)), { a: 2 / 3, b: 1 / 3 }, 0.015);
  });

  test('get none where there are none: the other zones share the clients by what they have left', () => {
    const pool = poolOf(inZones({ b: 6, c: 2 }), { zone: 'a' });
    const zones = zonesOf(visits(pool, 20_000));
    // Left over: b 3/4 - 1/3, c nothing.
    expect(zones).toEqual({ b: 20_000 });
  });

  test('are none of those that name no zone', () => {
    const pool = poolOf(inZones({ a: 4, '': 4 }), { zone: 'a' });
    expect(zonesOf(visits(pool, 500))).toEqual({ a: 500 });
  });
});

// Numbers of random() at the borders, as in Envoy's round_robin_lb_test.cc.
describe('a draw', () => {
  const chosen = (members: readonly MemberFields[], options: ZonePreferenceOptions, draw: number): string =>
    visit(poolOf(members, { minMembers: 1, ...options }, 'round-robin', () => draw)).slice(0, 1);

  test.each([
    [0, 'b'],
    [0.6665, 'b'],
    [0.6667, 'c'],
    [0.9999, 'c'],
  ])('of %f means, where two thirds may stay, zone %s (ZoneAwareDifferentZoneSize)', (draw, zone) => {
    expect(chosen(inZones({ a: 1, b: 1, c: 1 }), { zone: 'b', clients: { a: 1, b: 1 } }, draw)).toBe(zone);
  });

  test.each([
    [0.01, 'a'],
    [0.3749, 'a'],
    [0.3751, 'c'],
    [0.6153, 'c'],
    [0.6155, 'd'],
    [0.8557, 'd'],
    [0.8559, 'e'],
    [0.9999, 'e'],
  ])('of %f means zone %s (ZoneAwareResidualsMismatched)', (draw, zone) => {
    const clients = { a: 2, b: 2, c: 1, d: 1 };
    expect(chosen(inZones({ a: 1, c: 3, d: 3, e: 1 }), { zone: 'a', clients }, draw)).toBe(zone);
  });

  test('is not made where every client stays', () => {
    const pool = poolOf(inZones({ a: 3, b: 3 }), { zone: 'a' }, 'round-robin', () => {
      throw new Error('nothing to draw for');
    });
    expect(visit(pool)).toMatch(/^a/);
  });
});

describe('zones make no difference', () => {
  test.each<[string, readonly MemberFields[], ZonePreferenceOptions]>([
    ['with fewer members than minMembers (NoZoneAwareSmallCluster)', inZones({ a: 1, b: 2, c: 2 }), { zone: 'a' }],
    ['where all members are in one', inZones({ b: 6 }), { zone: 'a' }],
    ['where no member names one', inZones({ '': 6 }), { zone: 'a' }],
    ['where all clients are in one', inZones({ a: 3, b: 3 }), { zone: 'a', clients: { a: 7, b: 0 } }],
  ])('%s', (_when, members, options) => {
    const pool = poolOf(members, options);
    const counts = tally(visits(pool, 100 * members.length));
    expect(Object.values(counts)).toEqual(members.map(() => 100));
  });

  test('from one member too few on, and again from one enough', async () => {
    const pool = poolOf(inZones({ a: 3, b: 3 }), { zone: 'a' });
    const seen: string[][] = [];
    for (const enabled of [true, false, true]) {
      memberOf(pool, 'b2').update({ enabled });
      seen.push(Object.keys(zonesOf(visits(pool, 50))).sort());
    }
    expect(seen).toEqual([['a'], ['a', 'b'], ['a']]);
  });
});

describe('other zones', () => {
  test('serve where all members of the own are full', () => {
    const pool = poolOf(inZones({ a: 3, b: 3, c: 3 }, { maxConnections: 2 }), { zone: 'a' });
    const ids = Array.from({ length: 18 }, () => take(pool).member.id);
    expect([zonesOf(ids.slice(0, 6)), zonesOf(ids), visit(pool)]).toEqual([
      { a: 6 },
      { a: 6, b: 6, c: 6 },
      'members-full',
    ]);
  });

  test('serve where all members of the own were tried', () => {
    const pool = poolOf(inZones({ a: 3, b: 3 }), { zone: 'a' });
    const exclude = pool.members.filter(({ zone }) => zone === 'a');
    expect(visit(pool, { exclude })).toMatch(/^b/);
  });

  test('share what the own zone cannot take by their capacity, not all of it to the next', () => {
    const pool = poolOf(inZones({ a: 4, b: 2, c: 4, d: 2 }), { zone: 'a' });
    const exclude = pool.members.filter(({ zone }) => zone === 'a');
    const zones = zonesOf(visits(pool, 20_000, () => ({ exclude })));
    expectShares(zones, { b: 0.25, c: 0.5, d: 0.25 }, 0.015);
  });

  test('are asked after the own one where the zone that a client was to go to is full', () => {
    const pool = poolOf(inZones({ a: 1, b: 2, c: 2 }), { zone: 'a', minMembers: 1 }, 'round-robin', () => 0.99);
    const exclude = pool.members.filter(({ zone }) => zone === 'c');
    expect([visit(pool), visit(pool, { exclude })]).toEqual(['c0', 'a0']);
  });
});

describe('a client of a hash strategy', () => {
  test('keeps its zone', () => {
    const pool = poolOf(inZones({ a: 1, b: 2, c: 2 }), { zone: 'a', minMembers: 1 }, hashing);
    const first = visits(pool, 2000);
    expect(visits(pool, 2000)).toEqual(first);
    expectShares(zonesOf(first), { a: 0.6, b: 0.2, c: 0.2 }, 0.04);
  });

  test('keeps it whatever the order of the members', () => {
    const members = inZones({ a: 1, b: 2, c: 2 });
    const options = { zone: 'a', minMembers: 1 };
    const backwards = poolOf([...members].reverse(), options, hashing);
    expect(visits(backwards, 500).map((id) => id[0])).toEqual(
      visits(poolOf(members, options, hashing), 500).map((id) => id[0]),
    );
  });

  test('keeps it where another member of the zone goes', () => {
    const pool = poolOf(inZones({ a: 2, b: 2, c: 4 }), { zone: 'a', clients: { a: 2, b: 1, c: 1 } }, hashing);
    const before = visits(pool, 2000).map((id) => id[0]);
    memberOf(pool, 'c3').update({ enabled: false });
    const after = visits(pool, 2000).map((id) => id[0]);
    // c had half of the capacity and has 3/7, so some move; but nobody leaves a zone that has no less than before.
    const strays = before.filter((zone, index) => zone === 'a' && after[index] !== 'a');
    expect(strays).toEqual([]);
  });

  test('is spread within its zone over all members', () => {
    const pool = poolOf(inZones({ a: 1, b: 4, c: 4 }), { zone: 'a', minMembers: 1 }, hashing);
    expect(Object.keys(tally(visits(pool, 3000))).length).toBe(9);
  });
});

describe('each zone', () => {
  test('goes on with its cycle when members of another come and go', async () => {
    const pool = poolOf(inZones({ a: 4, b: 4 }), { zone: 'a' });
    const cycle = visits(pool, 4);
    visits(pool, 2);
    memberOf(pool, 'b1').update({ enabled: false });
    await settled();
    expect(visit(pool)).toBe(cycle[2]);
  });

  test('goes on with its cycle when zones begin to make a difference', async () => {
    const pool = poolOf(inZones({ a: 3, b: 2 }), { zone: 'a' });
    const last = visits(pool, 6).at(-1);
    pool.add(spec('b9', { address: '10.0.0.9', zone: 'b' }));
    expect([visit(pool), visit(pool), visit(pool)].sort()).toEqual(['a0', 'a1', 'a2']);
    expect(last).toMatch(/^[ab]/);
  });

  test('knows what its members hold', () => {
    const pool = poolOf(inZones({ a: 3, b: 3 }), { zone: 'a' }, leastConnections());
    takeFrom(pool, 'a0');
    takeFrom(pool, 'a2');
    takeFrom(pool, 'a2');
    expect([take(pool), take(pool)].map(({ member }) => member.id).sort()).toEqual(['a0', 'a1']);
  });

  test('follows a member that moves to another', async () => {
    const pool = poolOf(inZones({ a: 3, b: 4 }), { zone: 'a' });
    visits(pool, 3);
    memberOf(pool, 'b3').update({ zone: 'a' });
    expect(Object.keys(tally(visits(pool, 40))).sort()).toEqual(['a0', 'a1', 'a2', 'b3']);
  });

  test('warms up a member that comes, and nobody when zones begin or cease to make a difference', async () => {
    const strategy = slowStart(roundRobin(), { window: 60_000 });
    const pool = poolOf(inZones({ a: 3, b: 3 }), { zone: 'a' }, strategy);
    visit(pool);
    memberOf(pool, 'b2').update({ enabled: false });
    const together = tally(visits(pool, 500));
    memberOf(pool, 'b2').update({ enabled: true });
    const apart = tally(visits(pool, 300));
    pool.add(spec('a9', { address: '10.0.0.9', zone: 'a' }));
    const { a9 = 0 } = tally(visits(pool, 310));
    expect(together).toEqual({ a0: 100, a1: 100, a2: 100, b0: 100, b1: 100 });
    expect(apart).toEqual({ a0: 100, a1: 100, a2: 100 });
    expect(a9).toBeLessThan(15);
  });
});

test('a picker that does not ask whom it may pick is made up for within the zone', () => {
  const stubborn: Strategy = { name: 'stubborn', prepare: (members) => ({ pick: () => members[0] }) };
  const pool = poolOf(inZones({ b: 3, a: 3 }, { maxConnections: 1 }), { zone: 'a' }, stubborn);
  expect([take(pool), take(pool), take(pool)].map(({ member }) => member.id)).toEqual(['a0', 'a1', 'a2']);
});

describe('the options', () => {
  const refusal = (options: unknown) =>
    refusalOf(() => zonePreference('round-robin', options as ZonePreferenceOptions));

  test.each([
    [{}, 'zone'],
    [{ zone: '' }, 'zone'],
    [{ zone: 'a', clients: { a: 0, b: 1 } }, 'clients.a'],
    [{ zone: 'a', clients: { b: 1 } }, 'clients.a'],
    [{ zone: 'a', clients: { a: 1, b: -1 } }, 'clients.b'],
    [{ zone: 'a', clients: [1, 2] }, 'clients'],
    [{ zone: 'a', minMembers: 1.5 }, 'minMembers'],
    [{ zone: 'a', minSize: 3 }, 'minSize'],
  ])('%j are refused for %s', (options, path) => {
    expect(refusal(options).path).toBe(path);
  });

  test('may be null for their default', () => {
    const pool = poolOf(inZones({ a: 3, b: 3 }), { zone: 'a', clients: null, minMembers: null });
    expect(zonesOf(visits(pool, 50, client))).toEqual({ a: 50 });
  });
});
