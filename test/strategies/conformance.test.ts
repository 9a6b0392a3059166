import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import type { Lease, Outcome } from '../../src/core/lease.ts';
import type { Member } from '../../src/core/member.ts';
import { seededRandom } from '../../src/core/random.ts';
import { type StrategyName, strategyNames } from '../../src/strategies/built-in.ts';
import type { Strategy } from '../../src/strategies/strategy.ts';
import { slowStart } from '../../src/strategies/wrappers/slow-start.ts';
import { subset } from '../../src/strategies/wrappers/subset.ts';
import { zonePreference } from '../../src/strategies/wrappers/zone-preference.ts';
import { client, FakeProbe, makePool, memberOf, settled, spec, take, visit, visits } from '../fixtures/core.ts';

/** What a user would write in a minute. */
const firstFit: Strategy = {
  name: 'first-fit',
  prepare: (members) => ({ pick: (request) => members.find((member) => request.accepts(member)) }),
};

/** What a user would write in half a minute: it never asks whether its choice can take the client. */
const careless: Strategy = {
  name: 'careless',
  prepare: (members, _previous, { random }) => ({ pick: () => members[Math.floor(random() * members.length)] }),
};

const prefersTheFirst = (strategy: StrategyName | Strategy): boolean => strategy === firstFit || strategy === 'first';

const wrapped: readonly Strategy[] = [
  slowStart('round-robin', { window: 1000 }),
  subset('random', { size: 4, client: { index: 1, of: 3 } }),
  zonePreference(subset(slowStart(careless, { window: 1000 }), { size: 4, client: 'me' }), { zone: 'a' }),
];

const strategies: readonly (StrategyName | Strategy)[] = [...strategyNames, firstFit, careless, ...wrapped];

for (const strategy of strategies) {
  const name = typeof strategy === 'string' ? strategy : `user-written ${strategy.name}`;

  describe(name, () => {
    const poolOf = (...members: ReturnType<typeof spec>[]) => makePool({ strategy, members });
    const served = (pool: ReturnType<typeof poolOf>) => new Set(visits(pool, 200));

    test('serves a pool of one member', () => {
      const pool = poolOf(spec('a'));
      expect(served(pool)).toEqual(new Set(['a']));
    });

    test('is never asked about an empty pool', () => {
      expect(visit(poolOf())).toBe('no-eligible-member');
    });

    test('never picks a member of weight 0', () => {
      expect(served(poolOf(spec('a', { weight: 0 }), spec('b')))).toEqual(new Set(['b']));
    });

    test('never picks a disabled member', () => {
      expect(served(poolOf(spec('a', { enabled: false }), spec('b')))).toEqual(new Set(['b']));
    });

    test('never picks a member that is down', () => {
      const pool = poolOf(spec('a'), spec('b'));
      pool.update({ healthMonitor: { type: new FakeProbe(new VirtualClock()) } });
      pool.recordCheck(memberOf(pool, 'a'), false, 'refused');
      expect(served(pool)).toEqual(new Set(['b']));
    });

    test('never picks a draining member', () => {
      const pool = poolOf(spec('a'), spec('b'));
      void pool.drain('a');
      expect(served(pool)).toEqual(new Set(['b']));
    });

    test('never picks a removed member', () => {
      const pool = poolOf(spec('a'), spec('b'));
      served(pool);
      pool.remove('a');
      expect(served(pool)).toEqual(new Set(['b']));
    });

    test('never picks a member that the request excludes', () => {
      const pool = poolOf(spec('a'), spec('b'), spec('c'));
      const exclude = [memberOf(pool, 'a'), memberOf(pool, 'c')];
      const picked = new Set(visits(pool, 200, (number) => ({ ...client(number), exclude })));
      expect(picked).toEqual(new Set(['b']));
    });

    test('says that all were tried where the request excludes every member', () => {
      const pool = poolOf(spec('a'), spec('b'));
      expect(visit(pool, { exclude: pool.members })).toBe('members-tried');
    });

    test('gives a full member no client', () => {
      const pool = poolOf(spec('a', { maxConnections: 1 }), spec('b'));
      const held = Array.from({ length: 200 }, (_, number) => take(pool, client(number)));
      expect(held.filter(({ member }) => member.id === 'a').length).toBe(1);
    });

    test('says that all are full where every member holds maxConnections', () => {
      const pool = poolOf(spec('a', { maxConnections: 1 }), spec('b', { maxConnections: 2 }));
      for (let number = 0; number < 3; number++) take(pool, client(number));
      expect(visit(pool, client(3))).toBe('members-full');
    });

    test('serves a member again once it is no longer full', () => {
      const pool = poolOf(spec('a', { maxConnections: 1 }));
      const lease = take(pool);
      visit(pool);
      lease.release();
      expect(visit(pool)).toBe('a');
    });

    test('heeds a limit that was lowered while connections run', () => {
      const pool = poolOf(spec('a'));
      take(pool);
      take(pool);
      memberOf(pool, 'a').update({ maxConnections: 2 });
      expect(visit(pool)).toBe('members-full');
    });

    test('leaves a backup idle while a primary can serve', () => {
      expect(served(poolOf(spec('a'), spec('b', { backup: true })))).toEqual(new Set(['a']));
    });

    test('serves every backup once no primary is eligible', () => {
      const pool = poolOf(spec('a'), spec('b', { backup: true }), spec('c', { backup: true }));
      memberOf(pool, 'a').update({ enabled: false });
      const backups = prefersTheFirst(strategy) ? ['b'] : ['b', 'c'];
      expect(served(pool)).toEqual(new Set(backups));
    });

    test('turns to a backup where all primaries are full', () => {
      const pool = poolOf(spec('a', { maxConnections: 1 }), spec('b', { backup: true }));
      take(pool);
      expect(visit(pool)).toBe('b');
    });

    test('turns to a backup where all primaries were tried', () => {
      const pool = poolOf(spec('a'), spec('b', { backup: true }));
      expect(visit(pool, { exclude: [memberOf(pool, 'a')] })).toBe('b');
    });

    test('goes back to the primary when it returns', () => {
      const pool = poolOf(spec('a', { enabled: false }), spec('b', { backup: true }));
      visits(pool, 5);
      memberOf(pool, 'a').update({ enabled: true });
      expect(served(pool)).toEqual(new Set(['a']));
    });

    test('serves a member that was added', () => {
      const pool = poolOf(spec('a'), spec('b'));
      visits(pool, 7);
      pool.add(spec('c', { address: '10.0.0.3' }));
      memberOf(pool, 'a').update({ enabled: false });
      memberOf(pool, 'b').update({ enabled: false });
      expect(served(pool)).toEqual(new Set(['c']));
    });

    test('reaches every member of a pool', () => {
      if (prefersTheFirst(strategy)) return;
      const pool = poolOf(...['a', 'b', 'c', 'd'].map((id) => spec(id)));
      expect(served(pool)).toEqual(new Set(['a', 'b', 'c', 'd']));
    });

    test('finds the one member among hundreds that can take a client', () => {
      const pool = poolOf(...Array.from({ length: 300 }, (_, index) => spec(`m${index}`, { weight: 1 + (index % 9) })));
      const exclude = pool.members.filter(({ id }) => id !== 'm123');
      expect(new Set(visits(pool, 20, (number) => ({ ...client(number), exclude })))).toEqual(new Set(['m123']));
    });

    test('picks the same members again from the same seed', () => {
      const run = () => {
        const members = [1, 2, 3, 4, 5].map((weight) => spec(`m${weight}`, { weight }));
        return visits(makePool({ strategy, members }, { random: seededRandom(42) }), 100);
      };
      expect(run()).toEqual(run());
    });

    test('holds what a pool promises in any interleaving of clients and changes', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(operation, { maxLength: 60 }), (operations) => play(strategy, operations)),
        { seed: 7, numRuns: 150 },
      );
    });
  });
}

const nth = fc.nat({ max: 7 });
const outcome = fc.constantFrom<Outcome>('success', 'failure', 'ignored', 'aborted');
const operation = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('acquire' as const),
      number: fc.nat(99),
      exclude: fc.subarray([0, 1, 2, 3]),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('connected' as const), nth }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('release' as const), nth, outcome }) },
  fc.record({ do: fc.constant('weight' as const), nth, weight: fc.integer({ min: 0, max: 5 }) }),
  fc.record({ do: fc.constant('limit' as const), nth, most: fc.option(fc.integer({ min: 1, max: 3 })) }),
  fc.record({ do: fc.constant('enable' as const), nth, enabled: fc.boolean() }),
  fc.record({ do: fc.constant('backup' as const), nth, backup: fc.boolean() }),
  fc.record({ do: fc.constant('drain' as const), nth }),
  fc.record({ do: fc.constant('check' as const), nth, passed: fc.boolean() }),
  fc.record({ do: fc.constant('remove' as const), nth }),
  fc.record({ do: fc.constant('add' as const), weight: fc.integer({ min: 0, max: 3 }), backup: fc.boolean() }),
  fc.record({ do: fc.constant('strategy' as const), nth }),
  fc.record({ do: fc.constant('settle' as const) }),
);
type Operation = typeof operation extends fc.Arbitrary<infer Value> ? Value : never;

async function play(strategy: StrategyName | Strategy, operations: readonly Operation[]): Promise<void> {
  const clock = new VirtualClock();
  const pool = makePool({
    strategy,
    members: [spec('m0'), spec('m1', { weight: 2, maxConnections: 2 }), spec('m2', { backup: true })],
    healthMonitor: { type: new FakeProbe(clock), maxRetries: 1, maxRetriesDown: 1 },
  });
  const everyMember = new Set<Member>(pool.members);
  const held: Lease[] = [];
  const draining = new Set<Member>();
  const down = new Set<Member>();
  let names = 3;
  let connections = 0;
  const stood = new Set<Lease>();

  const mayServe = (member: Member): boolean =>
    pool.get(member.id) === member && member.enabled && member.weight > 0 && !draining.has(member) && !down.has(member);
  const hasRoom = (member: Member): boolean =>
    member.stats.activeConnections < (member.maxConnections ?? Number.POSITIVE_INFINITY);

  const acquire = (number: number, exclude: readonly Member[]): void => {
    const eligible = pool.members.filter(mayServe);
    const left = eligible.filter((member) => !exclude.includes(member));
    const fit = left.filter(hasRoom);
    const first = fit.some((member) => !member.backup) ? fit.filter((member) => !member.backup) : fit;
    const result = pool.acquire({ ...client(number), exclude });
    if (result.refused) {
      const reason = left.length > 0 ? 'members-full' : 'members-tried';
      expect([first.length, result.reason]).toEqual([0, eligible.length > 0 ? reason : 'no-eligible-member']);
    } else {
      expect(first).toContain(result.member);
      held.push(result);
    }
  };

  const act = (operation: Operation): unknown => {
    switch (operation.do) {
      case 'acquire':
        return acquire(
          operation.number,
          pool.members.filter((_, index) => operation.exclude.includes(index)),
        );
      case 'settle':
        return undefined;
      case 'add': {
        const { weight, backup } = operation;
        return everyMember.add(pool.add(spec(`m${names++}`, { weight, backup })));
      }
      case 'strategy':
        return pool.update({ strategy: strategies[operation.nth % strategies.length] ?? null });
      case 'connected':
      case 'release': {
        const lease = held[operation.nth % held.length];
        if (lease === undefined) return undefined;
        if (operation.do === 'connected') {
          if (!stood.has(lease)) connections++;
          stood.add(lease);
          return lease.connected();
        }
        if (operation.outcome === 'success' && !stood.has(lease)) connections++;
        held.splice(held.indexOf(lease), 1);
        return lease.release(operation.outcome);
      }
    }
    const member = pool.members[operation.nth % pool.members.length];
    if (member === undefined) return undefined;
    switch (operation.do) {
      case 'weight':
        return member.update({ weight: operation.weight });
      case 'limit':
        return member.update({ maxConnections: operation.most });
      case 'backup':
        return member.update({ backup: operation.backup });
      case 'enable':
        if (operation.enabled) {
          draining.delete(member);
          if (!member.enabled) down.delete(member);
        }
        return member.update({ enabled: operation.enabled });
      case 'drain':
        draining.add(member);
        return void member.drain();
      case 'check':
        if (operation.passed) down.delete(member);
        else down.add(member);
        return pool.recordCheck(member, operation.passed, 'a check');
      case 'remove':
        return member.remove();
    }
  };

  for (const operation of operations) {
    act(operation);
    if (operation.do === 'settle') await settled();
    expect(pool.stats.activeConnections).toBe(held.length);
  }
  for (const lease of held) lease.release('aborted');
  expect([pool.stats.activeConnections, ...Array.from(everyMember, ({ stats }) => stats.activeConnections)]).toEqual([
    0,
    ...Array.from(everyMember, () => 0),
  ]);
  expect(pool.stats.totalConnections).toBe(connections);
}
