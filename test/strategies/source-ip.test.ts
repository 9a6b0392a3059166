import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import type { AcquireRequest } from '../../src/core/pick-request.ts';
import type { Pool } from '../../src/core/pool.ts';
import { sourceIp } from '../../src/strategies/source-ip.ts';
import { sourceIpPort } from '../../src/strategies/source-ip-port.ts';
import { client, equal, makePool, memberOf, spec, tally, visit, visits, weighing } from '../fixtures/core.ts';
import { request } from '../fixtures/hash-request.ts';

type Mapping = readonly string[];
const clients = 1000;

/** What both hash strategies promise; they differ in what they take for one client. */
for (const strategy of ['source-ip', 'source-ip-port'] as const) {
  const poolOf = (members: ReturnType<typeof equal>): Pool => makePool({ strategy, members });
  const mapping = (pool: Pool, exclude?: AcquireRequest['exclude']): Mapping =>
    visits(pool, clients, (number) => ({ ...client(number), exclude }));
  /** The clients that were moved, as `from>to`. */
  const moves = (before: Mapping, after: Mapping): string[] =>
    before.flatMap((from, number) => (from === after[number] ? [] : [`${from}>${after[number]}`]));

  const pools = fc
    .array(fc.integer({ min: 1, max: 256 }), { minLength: 2, maxLength: 20 })
    .map((weights) => weights.map((weight, index) => spec(`m${index}`, { weight })));

  describe(strategy, () => {
    test('sends a client to the same member every time', () => {
      const pool = poolOf(equal(10));
      expect(mapping(pool)).toEqual(mapping(pool));
    });

    test('maps clients the same way in every process', () => {
      const one = makePool({ strategy, members: equal(10) }, { random: () => 0.1 });
      const other = makePool({ strategy, members: equal(10) }, { random: () => 0.9 });
      expect(mapping(one)).toEqual(mapping(other));
    });

    test('does not depend on the order of the members', () => {
      fc.assert(
        fc.property(
          pools.chain((members) =>
            fc.tuple(fc.constant(members), fc.shuffledSubarray(members, { minLength: members.length })),
          ),
          ([members, shuffled]) => {
            expect(mapping(poolOf(shuffled))).toEqual(mapping(poolOf(members)));
          },
        ),
        { seed: 21, numRuns: 30 },
      );
    });

    test('moves only the clients of a member that is removed', () => {
      fc.assert(
        fc.property(pools, fc.nat(19), (members, nth) => {
          const pool = poolOf(members);
          const gone = `m${nth % members.length}`;
          const before = mapping(pool);
          pool.remove(gone);
          expect(moves(before, mapping(pool)).filter((move) => !move.startsWith(`${gone}>`))).toEqual([]);
        }),
        { seed: 22, numRuns: 40 },
      );
    });

    test('spreads the clients of a removed member over all others', () => {
      const pool = poolOf(equal(5));
      const before = mapping(pool);
      pool.remove('m2');
      expect(new Set(moves(before, mapping(pool)))).toEqual(new Set(['m2>m0', 'm2>m1', 'm2>m3', 'm2>m4']));
    });

    test('moves clients only to a member that is added', () => {
      fc.assert(
        fc.property(pools, fc.integer({ min: 1, max: 256 }), (members, weight) => {
          const pool = poolOf(members);
          const before = mapping(pool);
          pool.add(spec('new', { weight }));
          expect(moves(before, mapping(pool)).filter((move) => !move.endsWith('>new'))).toEqual([]);
        }),
        { seed: 23, numRuns: 40 },
      );
    });

    test('brings the old mapping back with a member that returns', () => {
      const pool = poolOf(equal(8));
      const before = mapping(pool);
      pool.remove('m3');
      mapping(pool);
      pool.add(spec('m3'));
      expect(mapping(pool)).toEqual(before);
    });

    test('keeps the mapping of a member that moves to another address', () => {
      const pool = poolOf(equal(8));
      const before = mapping(pool);
      memberOf(pool, 'm3').update({ address: '10.9.9.9', port: 4242 });
      expect(mapping(pool)).toEqual(before);
    });

    test('moves clients only to or from a member whose weight changes', () => {
      fc.assert(
        fc.property(pools, fc.nat(19), fc.integer({ min: 1, max: 256 }), (members, nth, weight) => {
          const pool = poolOf(members);
          const changed = `m${nth % members.length}`;
          const before = mapping(pool);
          memberOf(pool, changed).update({ weight });
          const foreign = moves(before, mapping(pool)).filter((move) => !move.split('>').includes(changed));
          expect(foreign).toEqual([]);
        }),
        { seed: 24, numRuns: 40 },
      );
    });

    test('places a client that cannot go to some members as if they were not there', () => {
      fc.assert(
        fc.property(pools, fc.array(fc.nat(19), { minLength: 1, maxLength: 8 }), (members, nths) => {
          const without = members.filter((_, index) => !nths.some((nth) => nth % members.length === index));
          if (without.length === 0) return;
          const pool = poolOf(members);
          const exclude = pool.members.filter(({ id }) => !without.some((member) => member.id === id));
          expect(mapping(pool, exclude)).toEqual(mapping(poolOf(without)));
        }),
        { seed: 25, numRuns: 40 },
      );
    });

    test('gives equal members equal shares within a third', () => {
      const shares = tally(visits(poolOf(equal(10)), 20_000));
      expect(Object.values(shares).filter((count) => count < 1340 || count > 2660)).toEqual([]);
    });

    test('gives unequal members shares within a third of their weights', () => {
      const weights = { a: 1, b: 2, c: 5, d: 10, e: 20 };
      const counts = tally(visits(poolOf(weighing(weights)), 38_000));
      const ratios = Object.entries(weights).map(([id, weight]) => (counts[id] ?? 0) / (1000 * weight));
      expect(ratios.filter((ratio) => ratio < 0.67 || ratio > 1.33)).toEqual([]);
    });

    test('spreads equal members evenly on average: the scatter is below 12 percent', () => {
      const counts = Object.values(tally(visits(poolOf(equal(100)), 200_000)));
      const scatter = Math.sqrt(counts.reduce((sum, count) => sum + (count / 2000 - 1) ** 2, 0) / 100);
      expect(scatter).toBeLessThan(0.12);
    });

    test('serves every member of a pool of one to nine', () => {
      const served = Array.from({ length: 9 }, (_, index) => new Set(mapping(poolOf(equal(index + 1)))).size);
      expect(served).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    });

    test('places a client without an address by its key', () => {
      const pool = poolOf(equal(20));
      const byKey = (key: string) => visit(pool, { key });
      const keys = Array.from({ length: 200 }, (_, number) => `user-${number}`);
      expect([keys.map(byKey), new Set(keys.map(byKey)).size]).toEqual([keys.map(byKey), 20]);
    });

    test('places clients of whom nothing is known by chance', () => {
      const ids = visits(poolOf(equal(5)), 500, () => ({}));
      expect(new Set(ids).size).toBe(5);
      expect(visits(poolOf(equal(5)), 500, () => ({}))).toEqual(ids);
    });

    test('tells by what hash it places a client', () => {
      const built = strategy === 'source-ip' ? sourceIp() : sourceIpPort();
      const picker = built.prepare(poolOf(equal(3)).members, undefined, { random: () => 0, clock: new VirtualClock() });
      const hashes = Array.from({ length: 100 }, (_, number) => {
        const { clientAddress, clientPort } = client(number);
        return picker.hashOf?.(request({ clientAddress, clientPort }));
      });
      expect(hashes.filter((hash) => hash === undefined || hash !== hash >>> 0)).toEqual([]);
      expect(new Set(hashes).size).toBe(100);
      expect(picker.hashOf?.(request({}))).toBe(undefined);
    });
  });
}

test('source-ip takes all ports of an address for one client', () => {
  const pool = makePool({ strategy: 'source-ip', members: equal(10) });
  const ids = visits(pool, 200, (number) => ({ clientAddress: '192.0.2.7', clientPort: 1024 + number }));
  expect(new Set(ids).size).toBe(1);
});
