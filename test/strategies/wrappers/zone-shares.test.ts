import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { zoneShares } from '../../../src/strategies/wrappers/zone-shares.ts';

type Counts = Readonly<Record<string, number>>;

const mapOf = (counts: Counts) => new Map(Object.entries(counts));
const sharesOf = (own: string, members: Counts, clients: Counts) => zoneShares(own, mapOf(members), mapOf(clients));

/** As percent, rounded as Envoy's tests have it. */
function percents(own: string, members: Counts, clients: Counts): Counts | undefined {
  const shares = sharesOf(own, members, clients);
  if (shares === undefined) return undefined;
  return Object.fromEntries(Array.from(shares, ([zone, share]) => [zone, Math.round(share * 10_000) / 100]));
}

describe("Envoy's round_robin_lb_test.cc", () => {
  test('ZoneAwareRoutingLargeZoneSwitchOnOff: with equal zones everything stays', () => {
    expect(percents('b', { a: 1, b: 1, c: 1 }, { a: 1, b: 1, c: 1 })).toEqual({ b: 100 });
  });

  test('ZoneAwareZonesMismatched: in zone A everything stays', () => {
    expect(percents('a', { a: 1, c: 1 }, { a: 1, b: 1 })).toEqual({ a: 100 });
  });

  test('ZoneAwareZonesMismatched: zone B has no members, and A has nothing left, so everything goes to C', () => {
    expect(percents('b', { a: 1, c: 1 }, { a: 1, b: 1 })).toEqual({ c: 100 });
  });

  test('ZoneAwareDifferentZoneSize: of B two thirds stay and one goes to C, where there are no clients', () => {
    expect(percents('b', { a: 1, b: 1, c: 1 }, { a: 1, b: 1 })).toEqual({ b: 66.67, c: 33.33 });
  });

  test('ZoneAwareRoutingSmallZone: of A three fifths stay, the others go half to B, half to C', () => {
    expect(percents('a', { a: 1, b: 2, c: 2 }, { a: 1, b: 1, c: 1 })).toEqual({ a: 60, b: 20, c: 20 });
  });

  test('ZoneAwareResidualsMismatched: what is left is looked up by zone, not by its place in a list (their legacy bug)', () => {
    // Left over: C and D 20.83 % each, E 12.5 %.
    expect(percents('a', { a: 1, c: 3, d: 3, e: 1 }, { a: 2, b: 2, c: 1, d: 1 })).toEqual({
      a: 37.5,
      c: 24.04,
      d: 24.04,
      e: 14.42,
    });
  });

  test('ZoneAwareNoMatchingZones: everything goes evenly elsewhere', () => {
    expect(percents('a', { d: 1, e: 1, f: 1 }, { a: 1, b: 1, c: 1 })).toEqual({ d: 33.33, e: 33.33, f: 33.33 });
  });

  test('ZoneAwareEmptyLocalities: C and F have 8.33 % left, E and H 16.67 %', () => {
    expect(percents('a', { a: 0, b: 0, c: 2, d: 0, e: 1, f: 2, g: 0, h: 1 }, { a: 1, c: 1, d: 1, f: 1 })).toEqual({
      c: 16.67,
      e: 33.33,
      f: 16.67,
      h: 33.33,
    });
  });

  test('LowPrecisionForDistribution: what Envoy rounds to no capacity left is counted here', () => {
    const shares = sharesOf('a', { a: 44_999, b: 55_001 }, { a: 45_000, b: 55_000 });
    expect(shares?.get('a')).toBeCloseTo(44_999 / 45_000, 12);
    expect(shares?.get('b')).toBeCloseTo(1 / 45_000, 12);
  });

  test.each<[string, Counts, Counts]>([
    ['NoZoneAwareNotEnoughLocalZones', { a: 1, b: 1 }, { a: 1 }],
    ['NoZoneAwareNotEnoughUpstreamZones', { a: 1 }, { a: 1, b: 1 }],
    ['NoZoneAwareRoutingNoLocalLocality', { a: 1, b: 1 }, { b: 1, c: 1 }],
    ['NoZoneAwareRoutingLocalEmpty', { a: 1, b: 1 }, {}],
  ])('%s: zones make no difference', (_name, members, clients) => {
    expect(sharesOf('a', members, clients)).toBeUndefined();
  });
});

test('over all zones and clients every zone gets what it has capacity for', () => {
  const zones = ['a', 'b', 'c', 'd', 'e'];
  const counts = fc.tuple(...zones.map(() => fc.nat(20)));
  fc.assert(
    fc.property(counts, counts, (members, clients) => {
      const capacity = new Map(zones.map((zone, index) => [zone, members[index] ?? 0]));
      const spread = new Map(zones.map((zone, index) => [zone, clients[index] ?? 0]));
      const totals = { members: sum(capacity), clients: sum(spread) };
      const load = new Map<string, number>();
      for (const [zone, count] of spread) {
        if (count === 0) continue;
        const shares = zoneShares(zone, capacity, spread);
        if (shares === undefined) return;
        expect(Math.abs(sum(shares) - 1)).toBeLessThan(1e-9);
        for (const [to, share] of shares) {
          load.set(to, (load.get(to) ?? 0) + (share * count) / totals.clients);
        }
      }
      for (const [zone, weight] of capacity) {
        expect(Math.abs((load.get(zone) ?? 0) - weight / totals.members)).toBeLessThan(1e-9);
      }
    }),
    { seed: 4, numRuns: 300 },
  );
});

function sum(amounts: ReadonlyMap<string, number>): number {
  return [...amounts.values()].reduce((total, amount) => total + amount, 0);
}
