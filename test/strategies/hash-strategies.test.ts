import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Member } from '../../src/core/member.ts';
import type { Pool } from '../../src/core/pool.ts';
import { maglev } from '../../src/strategies/maglev.ts';
import { rendezvous } from '../../src/strategies/rendezvous.ts';
import { ringHash } from '../../src/strategies/ring-hash.ts';
import type { Strategy } from '../../src/strategies/strategy.ts';
import { equal, makePool, memberOf, spec, tally, visits, weighing } from '../fixtures/core.ts';

// What all strategies that place clients by a key promise; source-ip and source-ip-port have tests of their own.

interface Promises {
  readonly strategy: () => Strategy;
  /** The share of keys that may move though their member stays, when one of ten members goes or comes. */
  readonly strays: number;
  /** How far the shares of ten equal members may be from even. */
  readonly unevenness: number;
}

const kinds: Readonly<Record<string, Promises>> = {
  'ring-hash': { strategy: ringHash, strays: 0.15, unevenness: 0.33 },
  'ring-hash by Murmur': { strategy: () => ringHash({ hash: 'murmur-2' }), strays: 0.15, unevenness: 0.33 },
  'ring-hash as ketama': { strategy: () => ringHash({ placement: 'ketama' }), strays: 0, unevenness: 0.3 },
  maglev: { strategy: maglev, strays: 0.01, unevenness: 0.08 },
  rendezvous: { strategy: rendezvous, strays: 0, unevenness: 0.08 },
};

type Mapping = readonly string[];

const byKey = (number: number) => ({ key: `user-${number}` });
const mapping = (pool: Pool, clients: number, exclude?: readonly Member[]): Mapping =>
  visits(pool, clients, (number) => ({ ...byKey(number), exclude }));

/** The clients that were moved, as `from>to`. */
function moves(before: Mapping, after: Mapping): string[] {
  return before.flatMap((from, number) => (from === after[number] ? [] : [`${from}>${after[number]}`]));
}

for (const [name, { strategy, strays, unevenness }] of Object.entries(kinds)) {
  describe(name, () => {
    const poolOf = (members: ReturnType<typeof equal>): Pool => makePool({ strategy: strategy(), members });
    const pools = fc
      .array(fc.integer({ min: 1, max: 16 }), { minLength: 2, maxLength: 12 })
      .map((weights) => weights.map((weight, index) => spec(`m${index}`, { weight })));

    test('sends a client to the same member every time', () => {
      const pool = poolOf(equal(10));
      expect(mapping(pool, 300)).toEqual(mapping(pool, 300));
    });

    test('maps clients the same way in every process', () => {
      const one = makePool({ strategy: strategy(), members: equal(10) }, { random: () => 0.1 });
      const other = makePool({ strategy: strategy(), members: equal(10) }, { random: () => 0.9 });
      expect(mapping(one, 300)).toEqual(mapping(other, 300));
    });

    test('does not depend on the order of the members', () => {
      fc.assert(
        fc.property(
          pools.chain((members) =>
            fc.tuple(fc.constant(members), fc.shuffledSubarray(members, { minLength: members.length })),
          ),
          ([members, shuffled]) => {
            expect(mapping(poolOf(shuffled), 200)).toEqual(mapping(poolOf(members), 200));
          },
        ),
        { seed: 31, numRuns: 15 },
      );
    });

    test('keeps the mapping of a member that moves to another address', () => {
      const pool = poolOf(equal(8));
      const before = mapping(pool, 300);
      memberOf(pool, 'm3').update({ address: '10.9.9.9', port: 4242 });
      expect(mapping(pool, 300)).toEqual(before);
    });

    test('brings the old mapping back with a member that returns', () => {
      const pool = poolOf(equal(8));
      const before = mapping(pool, 300);
      pool.remove('m3');
      mapping(pool, 300);
      pool.add(spec('m3'));
      expect(mapping(pool, 300)).toEqual(before);
    });

    test(`moves the clients of a member that goes, and of the others at most ${100 * strays} %`, () => {
      const pool = poolOf(equal(10));
      const before = mapping(pool, 4000);
      pool.remove('m3');
      const others = moves(before, mapping(pool, 4000)).filter((move) => !move.startsWith('m3>'));
      expect(others.length / 4000).toBeLessThanOrEqual(strays);
    });

    test(`moves clients to a member that comes, and between others at most ${100 * strays} %`, () => {
      const pool = poolOf(equal(10));
      const before = mapping(pool, 4000);
      pool.add(spec('new'));
      const others = moves(before, mapping(pool, 4000)).filter((move) => !move.endsWith('>new'));
      expect(others.length / 4000).toBeLessThanOrEqual(strays);
    });

    test('spreads the clients of a member that goes over all others', () => {
      const pool = poolOf(equal(5));
      const before = mapping(pool, 1000);
      pool.remove('m2');
      const heirs = moves(before, mapping(pool, 1000)).filter((move) => move.startsWith('m2>'));
      expect(new Set(heirs)).toEqual(new Set(['m2>m0', 'm2>m1', 'm2>m3', 'm2>m4']));
    });

    test('sends only those elsewhere who cannot go to their member, and always to the same one', () => {
      fc.assert(
        fc.property(pools, fc.nat(11), (members, nth) => {
          const pool = poolOf(members);
          const gone = memberOf(pool, `m${nth % members.length}`);
          const before = mapping(pool, 200);
          const after = mapping(pool, 200, [gone]);
          expect(moves(before, after).filter((move) => !move.startsWith(`${gone.id}>`))).toEqual([]);
          expect(mapping(pool, 200, [gone])).toEqual(after);
          expect(after).not.toContain(gone.id);
        }),
        { seed: 32, numRuns: 15 },
      );
    });

    test(`gives equal members equal shares within ${100 * unevenness} %`, () => {
      const counts = Object.values(tally(mapping(poolOf(equal(10)), 20_000)));
      expect(counts.length).toBe(10);
      expect(counts.filter((count) => Math.abs(count / 2000 - 1) > unevenness)).toEqual([]);
    });

    test(`gives unequal members shares by weight within ${100 * unevenness} %`, () => {
      const weights = { a: 2, b: 3, c: 5, d: 10, e: 20 };
      const counts = tally(mapping(poolOf(weighing(weights)), 40_000));
      const ratios = Object.entries(weights).map(([id, weight]) => (counts[id] ?? 0) / (1000 * weight));
      expect(ratios.filter((ratio) => Math.abs(ratio - 1) > unevenness)).toEqual([]);
    });

    test('spreads clients that have no key by weight, too', () => {
      const counts = tally(visits(poolOf(weighing({ a: 1, b: 3 })), 8000, () => ({})));
      expect(Math.abs((counts['a'] ?? 0) / 2000 - 1)).toBeLessThan(unevenness + 0.05);
    });

    test('serves every member of a pool of one to nine', () => {
      const served = Array.from({ length: 9 }, (_, index) => new Set(mapping(poolOf(equal(index + 1)), 300)).size);
      expect(served).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    });
  });
}

for (const name of ['ring-hash as ketama', 'rendezvous']) {
  const { strategy } = kinds[name] as Promises;

  test(`${name} moves clients only to or from a member whose weight changes`, () => {
    const weights = fc.record({ weight: fc.integer({ min: 1, max: 30 }), change: fc.integer({ min: 1, max: 30 }) });
    fc.assert(
      fc.property(weights, ({ weight, change }) => {
        const members = weighing({ a: 4, b: weight, c: 9, d: 1 });
        const pool = makePool({ strategy: strategy(), members });
        const before = mapping(pool, 300);
        memberOf(pool, 'b').update({ weight: change });
        expect(moves(before, mapping(pool, 300)).filter((move) => !move.split('>').includes('b'))).toEqual([]);
      }),
      { seed: 33, numRuns: 20 },
    );
  });

  test(`${name} places a client that cannot go to some members as if they were not there`, () => {
    const members = equal(9);
    const pool = makePool({ strategy: strategy(), members });
    const exclude = pool.members.filter((_, index) => index % 3 === 1);
    const without = makePool({ strategy: strategy(), members: members.filter((_, index) => index % 3 !== 1) });
    expect(mapping(pool, 500, exclude)).toEqual(mapping(without, 500));
  });
}
