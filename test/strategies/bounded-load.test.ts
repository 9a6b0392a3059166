import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import type { Lease } from '../../src/core/lease.ts';
import type { Member } from '../../src/core/member.ts';
import type { Pool } from '../../src/core/pool.ts';
import { maglev } from '../../src/strategies/maglev.ts';
import { rendezvous } from '../../src/strategies/rendezvous.ts';
import { ringHash } from '../../src/strategies/ring-hash.ts';
import { sourceIp } from '../../src/strategies/source-ip.ts';
import { sourceIpPort } from '../../src/strategies/source-ip-port.ts';
import type { Strategy } from '../../src/strategies/strategy.ts';
import {
  equal,
  makePool,
  memberOf,
  refusalOf,
  settled,
  spec,
  take,
  takeFrom,
  tally,
  weighing,
} from '../fixtures/core.ts';
import { request } from '../fixtures/hash-request.ts';

/** Each hash strategy, with this bound or without one. */
const kinds: Readonly<Record<string, (maxLoadFactor: number | null) => Strategy>> = {
  'ring-hash': (maxLoadFactor) => ringHash({ maxLoadFactor }),
  'ring-hash as ketama': (maxLoadFactor) => ringHash({ placement: 'ketama', maxLoadFactor }),
  maglev: (maxLoadFactor) => maglev({ tableSize: 1009, maxLoadFactor }),
  rendezvous: (maxLoadFactor) => rendezvous({ maxLoadFactor }),
  'source-ip': (maxLoadFactor) => sourceIp({ maxLoadFactor }),
  'source-ip-port': (maxLoadFactor) => sourceIpPort({ maxLoadFactor }),
};

const context = { random: () => 0.5, clock: new VirtualClock() };

/** The most that a member may hold once there are so many leases: the definition, as it is written. */
function boundOf(member: Member, members: readonly Member[], leases: number, factor: number): number {
  const weights = members.reduce((sum, { weight }) => sum + weight, 0);
  const slots = Math.floor((leases * factor + 99) / 100);
  return Math.max(1, Math.ceil((slots * member.weight) / weights));
}

const leasesOn = (members: readonly Member[]): number =>
  members.reduce((sum, { stats }) => sum + stats.activeConnections, 0);

const operation = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('acquire' as const), key: fc.nat(4) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('release' as const), nth: fc.nat(30) }) },
  fc.record({ do: fc.constant('weigh' as const), nth: fc.nat(4), weight: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ do: fc.constant('enable' as const), nth: fc.nat(4), enabled: fc.boolean() }),
  fc.record({ do: fc.constant('remove' as const), nth: fc.nat(4) }),
  fc.record({ do: fc.constant('add' as const), weight: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ do: fc.constant('settle' as const) }),
);
type Operation = typeof operation extends fc.Arbitrary<infer Value> ? Value : never;

/** Plays the operations and checks each pick against the same strategy without a bound, asked for the members below theirs. */
async function play(
  strategyOf: (typeof kinds)[string],
  factor: number,
  operations: readonly Operation[],
): Promise<void> {
  const pool = makePool({ strategy: strategyOf(factor), members: weighing({ a: 1, b: 2, c: 3, d: 1, e: 5 }) });
  const held: Lease[] = [];
  let names = 0;
  const acquire = (key: string): void => {
    const members = pool.members.filter(({ enabled }) => enabled);
    if (members.length === 0) return;
    const leases = leasesOn(members) + 1;
    const hasRoom = (member: Member) => member.stats.activeConnections < boundOf(member, members, leases, factor);
    const unbounded = strategyOf(null).prepare(members, undefined, context);
    const expected = unbounded.pick(request({ clientAddress: key, key, accepts: hasRoom }));
    const lease = take(pool, { clientAddress: key, key });
    held.push(lease);
    expect(lease.member).toBe(expected);
    expect(lease.member.stats.activeConnections).toBeLessThanOrEqual(boundOf(lease.member, members, leases, factor));
  };
  for (const step of operations) {
    const member = 'nth' in step ? pool.members[step.nth % pool.members.length] : undefined;
    if (step.do === 'acquire') acquire(`hot-${step.key}`);
    else if (step.do === 'release') held.splice(step.nth % Math.max(1, held.length), 1)[0]?.release();
    else if (step.do === 'weigh') member?.update({ weight: step.weight });
    else if (step.do === 'enable') member?.update({ enabled: step.enabled });
    else if (step.do === 'remove') member?.remove();
    else if (step.do === 'add') pool.add(spec(`new-${names++}`, { weight: step.weight }));
    else await settled();
  }
}

for (const [name, strategyOf] of Object.entries(kinds)) {
  describe(`${name} with bounded loads`, () => {
    const hot = { clientAddress: '192.0.2.7', clientPort: 5000, key: '192.0.2.7' };
    const hold = (pool: Pool, count: number) => Array.from({ length: count }, () => take(pool, hot).member.id);

    test('keeps every member within its bound, and moves only those clients whose member has reached it', async () => {
      const factor = fc.constantFrom(100, 110, 125, 150, 200, 400);
      await fc.assert(
        fc.asyncProperty(factor, fc.array(operation, { maxLength: 60 }), (percent, operations) =>
          play(strategyOf, percent, operations),
        ),
        { seed: 41, numRuns: 60 },
      );
    });

    test('spreads one hot key over as many members as it takes, none more than a quarter above the mean', () => {
      const counts = Object.values(tally(hold(makePool({ strategy: strategyOf(125), members: equal(8) }), 800)));
      expect(counts.sort((a, b) => b - a)).toEqual([125, 125, 125, 125, 125, 125, 50]);
    });

    test('leaves a key on its member while that has not reached its bound', () => {
      const pool = makePool({ strategy: strategyOf(200), members: equal(4) });
      const [home] = hold(pool, 1);
      // Leases of others raise the mean; this key's member may then hold twice that.
      for (const { id } of pool.members) if (id !== home) for (let n = 0; n < 10; n++) takeFrom(pool, id);
      expect(new Set(hold(pool, 14))).toEqual(new Set([home]));
    });

    test('brings a key back once its member has room', () => {
      const pool = makePool({ strategy: strategyOf(100), members: equal(4) });
      const first = take(pool, hot);
      const second = take(pool, hot);
      expect(second.member).not.toBe(first.member);
      first.release();
      expect(take(pool, hot).member).toBe(first.member);
    });

    test('gives a client the least loaded where all that it can go to are at their bound', () => {
      const pool = makePool({ strategy: strategyOf(100), members: weighing({ a: 1, b: 1, c: 1, d: 4 }) });
      for (const [id, count] of [
        ['a', 5],
        ['b', 3],
        ['c', 4],
      ] as const) {
        for (let n = 0; n < count; n++) takeFrom(pool, id);
      }
      expect(take(pool, { ...hot, exclude: [memberOf(pool, 'd')] }).member.id).toBe('b');
    });

    test('counts leases that were taken before, whoever picked their members', () => {
      const pool = makePool({ strategy: 'round-robin', members: equal(4) });
      const leases = Array.from({ length: 40 }, () => take(pool));
      pool.update({ strategy: strategyOf(100) });
      const [home] = hold(pool, 1);
      expect(new Set(hold(pool, 3)).has(home as string)).toBe(false);
      for (const lease of leases) lease.release();
      expect(Math.max(...Object.values(tally(hold(pool, 36))))).toBeLessThanOrEqual(10);
      expect(pool.members.map(({ stats }) => stats.activeConnections)).toEqual([10, 10, 10, 10]);
    });

    test('counts leases of those members only among which it chooses (Envoy, issue 37965)', () => {
      const backup = spec('b', { backup: true });
      const pool = makePool({ strategy: strategyOf(100), members: [...equal(2), backup] });
      for (let n = 0; n < 100; n++) takeFrom(pool, 'b');
      expect(new Set(hold(pool, 2)).size).toBe(2);
    });

    test('gives a member of little weight one lease at least', () => {
      const pool = makePool({ strategy: strategyOf(100), members: weighing({ a: 1, b: 200 }) });
      const exclude = [memberOf(pool, 'b')];
      expect(take(pool, { ...hot, exclude }).member.id).toBe('a');
    });

    test('is a factor of 100 percent or more', () => {
      expect(refusalOf(() => strategyOf(99))).toMatchObject({ path: 'maxLoadFactor', value: 99 });
      expect(strategyOf(100).name).toBe(strategyOf(null).name);
    });
  });
}
