import fc from 'fast-check';
import { expect, test } from 'vitest';
import { VirtualClock } from '../../../src/core/clock.ts';
import type { Lease, Outcome } from '../../../src/core/lease.ts';
import type { Member } from '../../../src/core/member.ts';
import { strategyNames } from '../../../src/strategies/built-in.ts';
import { murmur3 } from '../../../src/strategies/murmur3.ts';
import type { Strategy } from '../../../src/strategies/strategy.ts';
import { client, makePool, settled, spec } from '../../fixtures/core.ts';
import { anyWrapper } from '../../fixtures/random-strategies.ts';

/** Picks the first that will do; hears of everything, and objects where the place that it is told is not the member's. */
const attentive: Strategy = {
  name: 'attentive',
  prepare: (members) => {
    const held = members.map(() => 0);
    const check = (member: Member, place: number) => {
      if (members[place] !== member) throw new Error(`${member.id} is not at ${place}`);
    };
    return {
      hashOf: (request) => murmur3(request.clientAddress ?? ''),
      pick: (request) => members.find((member) => request.accepts(member)),
      acquired: (member, place) => {
        check(member, place);
        held[place] = (held[place] ?? 0) + 1;
      },
      measured: check,
      released: check,
      reported: check,
    };
  },
};

/** Asks nobody. */
const careless: Strategy = {
  name: 'careless',
  prepare: (members, _previous, { random }) => ({ pick: () => members[Math.floor(random() * members.length)] }),
};

const leaf = fc.constantFrom<unknown>(...strategyNames, attentive, careless) as fc.Arbitrary<Strategy>;

const stack = fc
  .tuple(leaf, fc.array(anyWrapper, { minLength: 1, maxLength: 4 }))
  .map(([strategy, wraps]) => wraps.reduce((inner, around) => around(inner), strategy));

const nth = fc.nat(11);
const zones = ['a', 'b', null];
const operation = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('acquire' as const),
      number: fc.nat(99),
      exclude: fc.subarray([0, 1, 2, 3, 4, 5]),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('release' as const),
      nth,
      outcome: fc.constantFrom<Outcome>('success', 'failure', 'ignored', 'aborted'),
    }),
  },
  fc.record({ do: fc.constant('weight' as const), nth, weight: fc.integer({ min: 0, max: 5 }) }),
  fc.record({ do: fc.constant('limit' as const), nth, most: fc.option(fc.integer({ min: 1, max: 3 })) }),
  fc.record({ do: fc.constant('enable' as const), nth, enabled: fc.boolean() }),
  fc.record({ do: fc.constant('zone' as const), nth, zone: fc.constantFrom(...zones) }),
  fc.record({ do: fc.constant('report' as const), nth }),
  fc.record({ do: fc.constant('remove' as const), nth }),
  fc.record({
    do: fc.constant('add' as const),
    weight: fc.integer({ min: 0, max: 3 }),
    zone: fc.constantFrom(...zones),
  }),
  fc.record({ do: fc.constant('strategy' as const), strategy: stack }),
  fc.record({ do: fc.constant('pass' as const), time: fc.constantFrom(1, 10, 100, 1000) }),
  fc.record({ do: fc.constant('settle' as const) }),
);
type Operation = typeof operation extends fc.Arbitrary<infer Value> ? Value : never;

test('any stack of wrappers around any strategy serves whom it can, whatever happens', async () => {
  await fc.assert(
    fc.asyncProperty(stack, fc.array(operation, { maxLength: 80 }), async (strategy, operations) => {
      const clock = new VirtualClock();
      const members = Array.from({ length: 6 }, (_, index) =>
        spec(`m${index}`, { zone: zones[index % 3] ?? null, weight: 1 + (index % 2) }),
      );
      const pool = makePool({ strategy, members }, { clock });
      const errors: unknown[] = [];
      pool.on('strategy-error', (error) => errors.push(error));
      const held: Lease[] = [];
      let names = members.length;

      const acquire = (number: number, exclude: readonly Member[]): void => {
        const fit = pool.members.filter(
          (member) =>
            member.enabled &&
            member.weight > 0 &&
            !exclude.includes(member) &&
            member.stats.activeConnections < (member.maxConnections ?? Number.POSITIVE_INFINITY),
        );
        const result = pool.acquire({ ...client(number), key: `k${number}`, exclude });
        expect(result.refused ? [] : fit.includes(result.member)).toEqual(fit.length === 0 ? [] : true);
        if (!result.refused) held.push(result);
      };

      const act = (operation: Operation): unknown => {
        const member = 'nth' in operation ? pool.members[operation.nth % pool.members.length] : undefined;
        switch (operation.do) {
          case 'acquire':
            return acquire(
              operation.number,
              pool.members.filter((_, index) => operation.exclude.includes(index)),
            );
          case 'release':
            return held.splice(operation.nth % Math.max(1, held.length), 1)[0]?.release(operation.outcome);
          case 'weight':
            return member?.update({ weight: operation.weight });
          case 'limit':
            return member?.update({ maxConnections: operation.most });
          case 'enable':
            return member?.update({ enabled: operation.enabled });
          case 'zone':
            return member?.update({ zone: operation.zone });
          case 'report':
            return member?.reportLoad({ utilization: 0.5, requestsPerSecond: 10 });
          case 'remove':
            return member?.remove();
          case 'add': {
            const { weight, zone } = operation;
            return pool.add(spec(`m${names++}`, { weight, zone }));
          }
          case 'strategy':
            return pool.update({ strategy: operation.strategy });
          case 'pass':
            return clock.advance(operation.time);
          case 'settle':
            return settled();
        }
      };

      for (const each of operations) {
        await act(each);
        expect(pool.stats.activeConnections).toBe(held.length);
      }
      for (const lease of held) lease.release();
      expect(errors).toEqual([]);
    }),
    { seed: 11, numRuns: 600 },
  );
});
