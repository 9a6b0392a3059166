/**
 * What went wrong in other balancers, and goes right in every strategy here. Mistakes that concern one of them are tested beside it:
 *
 * - black holes, members that fail fast (envoy#39737): black-hole.test.ts, least-connections-failures.test.ts
 * - herds on a member that comes or comes back (envoy#19526): wrappers/slow-start.test.ts
 * - one bad sample starves a member (traefik#12306): least-time.test.ts, peak-ewma.test.ts
 * - steep weights under two choices (tower#696): power-of-two.test.ts
 * - bounds over another population than the one that is chosen from (envoy#37965): bounded-load.test.ts
 * - the mean of weights for the mean of periods, and back (grpc-js): utilization.test.ts
 * - a heap that loses its order (httplb): load-order.test.ts, least-connections-reference.test.ts
 * - a list of the caller's that is reordered (httplb): wrappers/subset.test.ts
 * - identity that includes the weight (Pingora): test/core/pool.test.ts
 * - all ejected, the last one ejected, ejected twice, over all priorities together, until the next tick only (envoy#17504, istio#20135,
 *   grpc-js): test/safeguards/outlier-ejection.test.ts, outlier-envoy.test.ts
 * - all unhealthy (coredns#170): test/core/panic.test.ts
 * - retry storms (envoy#10869): test/safeguards/retry-budget.test.ts
 */
import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import { seededRandom } from '../../src/core/random.ts';
import { type StrategyName, strategyNames } from '../../src/strategies/built-in.ts';
import { leastConnections } from '../../src/strategies/least-connections.ts';
import { leastTime } from '../../src/strategies/least-time.ts';
import { roundRobin } from '../../src/strategies/round-robin.ts';
import type { Strategy } from '../../src/strategies/strategy.ts';
import { slowStart } from '../../src/strategies/wrappers/slow-start.ts';
import { subset } from '../../src/strategies/wrappers/subset.ts';
import { zonePreference } from '../../src/strategies/wrappers/zone-preference.ts';
import { client, equal, makePool, spec, take, tally, visit, visits } from '../fixtures/core.ts';

const nameOf = (strategy: StrategyName | Strategy): string => (typeof strategy === 'string' ? strategy : strategy.name);

const wrapped: readonly Strategy[] = [
  slowStart('least-connections', { window: 60_000 }),
  subset('round-robin', { size: 3, client: 'me' }),
  zonePreference('peak-ewma', { zone: 'a', minMembers: 1 }),
];

describe('a member that is ejected while its picker stands (envoy#28304)', () => {
  test.each([...strategyNames, ...wrapped].map((strategy) => [nameOf(strategy), strategy] as const))(
    'gets not one client more under %s, and none is turned away for it',
    (_, strategy) => {
      const outlierDetection = { consecutiveFailures: 1 };
      const members = equal(4).map((member, index) => ({ ...member, zone: index < 2 ? 'a' : 'b' }));
      const pool = makePool({ members, strategy, outlierDetection });
      visits(pool, 20);
      const lease = take(pool, client(1));
      const out = lease.member.id;
      lease.release('failure');
      const picked = tally(visits(pool, 200));
      expect([picked[out], picked['none-picked'], lease.member.ejection?.cause]).toEqual([
        undefined,
        undefined,
        'consecutive-failures',
      ]);
    },
  );
});

describe('a member that comes (tower#134: never tried)', () => {
  // Fills one member before the next.
  const strategies = [...strategyNames.filter((name) => name !== 'first'), wrapped[0] as Strategy];

  test.each(strategies.map((strategy) => [nameOf(strategy), strategy] as const))(
    'is tried soon under %s, and not by everybody at once',
    async (_, strategy) => {
      const clock = new VirtualClock();
      const pool = makePool({ members: equal(5), strategy }, { clock });
      /** Clients that stay for 20 ms each, one every 5 ms. */
      const serve = async (first: number): Promise<Record<string, number>> => {
        const picked: string[] = [];
        for (let number = first; number < first + 60; number++) {
          const lease = take(pool, client(number * 7919));
          picked.push(lease.member.id);
          clock.setTimeout(() => lease.release(), 20);
          await clock.advance(5);
        }
        return tally(picked);
      };
      await serve(0);
      pool.add(spec('new', { port: 9999 }));
      const { new: ofNew = 0 } = await serve(60);
      // Its share is 10 of 60.
      expect(ofNew).toBeGreaterThan(0);
      expect(ofNew).toBeLessThanOrEqual(30);
    },
  );
});

describe('many balancers that start together (grpc-java#4462: all begin with the first member)', () => {
  const strategies: readonly (StrategyName | Strategy)[] = [
    roundRobin({ randomStart: true }),
    leastConnections({ randomStart: true }),
    leastTime({ randomStart: true }),
    'power-of-two',
    'peak-ewma',
    'utilization',
    'random',
    slowStart(roundRobin({ randomStart: true }), { window: 1000 }),
    zonePreference(leastConnections({ randomStart: true }), { zone: 'x' }),
  ];

  test.each(strategies.map((strategy) => [nameOf(strategy), strategy] as const))(
    'send their first clients everywhere under %s',
    (_, strategy) => {
      const firsts = Array.from({ length: 400 }, (_each, seed) =>
        visit(makePool({ members: equal(8), strategy }, { random: seededRandom(seed) }), client(seed)),
      );
      const counts = Object.values(tally(firsts));
      expect(counts.length).toBe(8);
      // 50 on average.
      expect(Math.max(...counts)).toBeLessThan(80);
    },
  );
});

describe('members of which none can take the client (Traefik: the search never ends)', () => {
  test.each([...strategyNames, ...wrapped].map((strategy) => [nameOf(strategy), strategy] as const))(
    'are told apart from members that are not there under %s',
    (_, strategy) => {
      const members = Array.from({ length: 300 }, (_each, index) =>
        spec(`m${index}`, { maxConnections: 1, weight: 1 + (index % 256) }),
      );
      const pool = makePool({ members, strategy });
      for (let number = 0; number < 300; number++) take(pool, client(number));
      expect([visit(pool, client(1)), visit(pool, { exclude: pool.members })]).toEqual([
        'members-full',
        'members-tried',
      ]);
      pool.update({ members: [] });
      expect(visit(pool, client(1))).toBe('no-eligible-member');
    },
  );
});
