import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Balancer } from '../../src/core/balancer.ts';
import { VirtualClock } from '../../src/core/clock.ts';
import { SpecError } from '../../src/core/errors.ts';
import type { Outcome } from '../../src/core/lease.ts';
import type { MemberFields, MemberUpdate } from '../../src/core/member-spec.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { Classifier } from '../../src/core/verdict.ts';
import type { ConcurrencyAlgorithm } from '../../src/safeguards/concurrency-limit.ts';
import type { OutlierDetectionSpec } from '../../src/safeguards/outlier-spec.ts';
import { client, spec } from '../fixtures/core.ts';
import { RandomPool, type RandomUpdate } from '../fixtures/random-pool.ts';
import { anyStrategy, tantrum } from '../fixtures/random-strategies.ts';

const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
const few = fc.constantFrom(null, null, 1, 2, 3);
const memberSettings = {
  weight: fc.constantFrom(0, 1, 1, 1, 2, 5, null),
  priority: fc.constantFrom(0, 0, 0, 0, 1, 2, null),
  zone: fc.constantFrom('a', 'b', null),
  backup: fc.constantFrom(false, false, false, false, true, null),
  enabled: fc.constantFrom(true, true, true, false, null),
  maxConnections: few,
  maxPending: few,
  maxRequests: few,
  maxRetries: fc.constantFrom(null, null, 0, 1, 2),
  port: fc.constantFrom(80, 80, 80, 81),
};
const settings: fc.Arbitrary<Partial<MemberFields>> = fc.record(memberSettings, { requiredKeys: [] });
const memberChange: fc.Arbitrary<MemberUpdate> = fc
  .constantFrom(...Object.keys(memberSettings))
  .chain((name) =>
    memberSettings[name as 'weight'].map((value): MemberUpdate => ({ [name]: value ?? (name === 'port' ? 80 : null) })),
  );
const listOf = (minLength: number): fc.Arbitrary<MemberFields[]> =>
  fc
    .shuffledSubarray(ids, { minLength })
    .chain((some) => fc.tuple(...some.map((id) => settings.map((each) => spec(id, each)))));

const fixed = (limit: number): ConcurrencyAlgorithm => ({
  name: 'fixed',
  start: () => ({ limit, ended: () => {} }),
});
const ignoresOverload: Classifier = ({ status }, outcome) =>
  status === 503 ? 'ignored' : outcome === 'success' ? 'success' : 'failure';
const throws: Classifier = () => {
  throw new Error(tantrum);
};

const outlierDetection: fc.Arbitrary<OutlierDetectionSpec> = fc.record({
  interval: fc.constantFrom(1000, 10_000),
  consecutiveFailures: fc.constantFrom(0, 1, 1, 2, 3),
  consecutiveGatewayFailures: fc.integer({ min: 0, max: 3 }),
  maxEjectionPercent: fc.constantFrom(0, 10, 50, 100, 100, 100),
  splitLocalOrigin: fc.boolean(),
  consecutiveLocalOriginFailures: fc.integer({ min: 0, max: 3 }),
  successRate: fc.constantFrom(null, { minMembers: 2, minRequests: 2, deviationFactor: 0.5 }),
  failurePercentage: fc.constantFrom(null, { threshold: 50, minMembers: 1, minRequests: 2 }),
  halfOpen: fc.integer({ min: 0, max: 2 }),
  unejectOnPassedCheck: fc.boolean(),
  enforcing: fc.constantFrom(100, 50),
  ejectionJitter: fc.constantFrom(0, 5000),
  baseEjectionTime: fc.constantFrom(500, 10_000, 30_000),
});
const panic = fc.record(
  { threshold: fc.constantFrom(0, 50, 100), minHealthy: fc.nat(3), failTraffic: fc.boolean() },
  { requiredKeys: [] },
);
/** Clients are known by all but four bits of their address, so that there are few, and never forgotten. */
const sixteens = { type: 'source-ip', timeout: 0, granularity: { ipv4: 28 } } as const;
const poolSettings = {
  stack: anyStrategy,
  enabled: fc.constantFrom(true, true, true, false, null),
  panic: fc.option(panic),
  overprovisioningFactor: fc.constantFrom(100, 140, 300, null),
  outlierDetection: fc.option(outlierDetection),
  retryBudget: fc.option(
    fc.record({
      percent: fc.constantFrom(0, 20, 100),
      minPerSecond: fc.constantFrom(0, 0.2, 2, 100),
      window: fc.constantFrom(1000, 10_000),
    }),
  ),
  most: fc.constantFrom(
    null,
    { spec: { type: 'aimd', initial: 4, min: 4, max: 4 } as const, limit: 4 },
    { spec: { type: 'gradient', min: 9, max: 9 } as const, limit: 9 },
    { spec: fixed(6), limit: 6 },
  ),
  classify: fc.constantFrom(null, null, ignoresOverload, throws),
  initialHealth: fc.constantFrom('up' as const, 'down' as const, 'fully-up' as const, null),
  persistence: fc.constantFrom(null, sixteens, { ...sixteens, maxEntries: 1000 }),
};
const update: fc.Arbitrary<RandomUpdate> = fc
  .constantFrom(...Object.keys(poolSettings))
  .chain((name) => poolSettings[name as 'stack'].map((value): RandomUpdate => ({ [name]: value })));
const first = fc.record({
  ...poolSettings,
  enabled: fc.constant(true),
  outlierDetection: fc.option(outlierDetection, { freq: 5 }),
  retryBudget: fc.option(fc.constant({ minPerSecond: 1000 })),
  members: listOf(3),
});

/** None of them may change anything. */
const bad = fc.constantFrom<object>(
  { panic: { threshold: 101 } },
  { outlierDetection: { interval: Number.NaN } },
  { retryBudget: { percent: '20' } },
  { concurrencyLimit: { type: 'aimd', min: 5, max: 4 } },
  { overprovisioningFactor: 99 },
  { classify: 'success' },
  { strategy: 'round robin' },
  { members: [spec('a'), spec('a')] },
  { enabled: false, panic: [] },
  { members: [], healthMonitor: { type: 'tcp', delay: -1 } },
);

const nth = fc.nat(20);
const outcome = fc.constantFrom<Outcome>('success', 'success', 'failure', 'failure', 'ignored', 'aborted');
const step = fc.oneof(
  {
    weight: 16,
    arbitrary: fc.record({
      do: fc.constant('take' as const),
      number: fc.nat(99),
      exclude: fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, fc.subarray([0, 1, 2, 3, 4, 5])),
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('release' as const), nth, outcome }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom('connected' as const, 'connectedForRequest' as const, 'resumed' as const, 'request' as const),
      nth,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('answer' as const), nth, status: fc.constantFrom(100, 200, 404, 500, 503) }),
  },
  { weight: 7, arbitrary: fc.record({ do: fc.constant('fail' as const), nth, times: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('check' as const), nth, passed: fc.boolean() }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('member' as const), nth, change: memberChange }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('update' as const), update }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('pass' as const), time: fc.constantFrom(1, 100, 1000, 10_000, 40_000) }),
  },
  fc.record({ do: fc.constant('list' as const), members: listOf(0) }),
  fc.record({ do: fc.constant('drain' as const), nth, deadline: fc.option(fc.nat(5000), { nil: undefined }) }),
  fc.record({ do: fc.constant('remove' as const), nth }),
  fc.record({ do: fc.constant('add' as const), id: fc.constantFrom(...ids), settings }),
  fc.record({ do: fc.constant('report' as const), nth, utilization: fc.constantFrom(0, 0.3, 2) }),
  fc.record({ do: fc.constant('bad' as const), update: bad }),
  fc.record({ do: fc.constant('listen' as const), isCurious: fc.boolean() }),
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

function act(play: RandomPool, clock: VirtualClock, step: Step): unknown {
  const { pool, model, leases } = play;
  const held = 'nth' in step ? leases[step.nth % Math.max(1, leases.length)] : undefined;
  const member = 'nth' in step ? model.members[step.nth % Math.max(1, model.members.length)] : undefined;
  switch (step.do) {
    case 'take': {
      const { number, exclude } = step;
      const tried = exclude && pool.members.filter((_, index) => exclude.includes(index));
      const header = (name: string) => (number % 2 === 0 ? `${name} ${number}` : undefined);
      const about = { ...client(number), header, path: `/${number}`, ...(number % 3 ? { key: `k${number}` } : {}) };
      return play.acquire({ ...about, ...(tried === undefined ? {} : { exclude: tried }) });
    }
    case 'release':
      return held && play.release(held, step.outcome);
    case 'connected':
    case 'connectedForRequest':
    case 'resumed':
      return held && play.connect(held, step.do);
    case 'request':
      return held && play.request(held);
    case 'answer':
      held?.lease.countResponse(step.status);
      return held?.lease.countFirstByte(step.nth);
    case 'fail': {
      const exclude = pool.members.filter((each) => each !== member?.member);
      for (let time = 0; time < step.times; time++) {
        const lease = play.acquire({ exclude });
        if (lease !== undefined) play.release(lease, 'failure');
      }
      return undefined;
    }
    case 'check':
      return member && play.check(member, step.passed);
    case 'member':
      return member && play.updateMember(member, step.change);
    case 'update':
      return play.update(step.update);
    case 'list':
      return play.update({ members: step.members });
    case 'drain':
      return member && play.drain(member, step.deadline);
    case 'remove':
      return member && play.remove(member);
    case 'add':
      return pool.get(step.id) === undefined ? play.add(spec(step.id, step.settings)) : undefined;
    case 'report':
      return member?.member.reportLoad({ utilization: step.utilization, requestsPerSecond: 10 });
    case 'bad':
      return expect(() => pool.update(step.update)).toThrow(SpecError);
    case 'pass':
      return clock.advance(step.time);
    case 'listen':
      play.isCurious = step.isCurious;
      return undefined;
  }
}

test('every strategy, wrapper and safeguard together keep what each promises, whatever happens', async () => {
  let ejections = 0;
  let panics = 0;
  let kept = 0;
  let moved = 0;
  const refusals: Record<string, number> = {};
  const property = fc.asyncProperty(
    fc.nat(),
    first,
    fc.array(step, { minLength: 10, maxLength: 80, size: 'max' }),
    async (seed, start, steps) => {
      const clock = new VirtualClock();
      const balancer = new Balancer({ clock, random: seededRandom(seed) });
      const play = new RandomPool(balancer, clock, start);
      for (const each of steps) {
        await act(play, clock, each);
        play.compare();
      }
      for (const held of [...play.leases]) play.release(held, 'success');
      // All comes to rest by itself, with whatever is still switched on.
      await clock.advance(5_000_000);
      play.compare();
      expect([clock.pending, play.pool.outlierStats?.ejected ?? 0]).toEqual([0, 0]);
      expect(play.drains.every(({ isSettled }) => isSettled)).toBe(true);
      expect(play.errors.filter((error) => (error as Error).message !== tantrum)).toEqual([]);
      ejections += play.ejections;
      panics += play.told.panics;
      kept += play.kept;
      moved += play.moved;
      for (const [reason, count] of Object.entries(play.refusals)) refusals[reason] = (refusals[reason] ?? 0) + count;
    },
  );
  await fc.assert(property, { seed: 4, numRuns: 240 });
  // Or this would prove nothing.
  expect([ejections, panics, kept, moved].every((count) => count > 50)).toBe(true);
  const reasons = ['disabled', 'no-eligible-member', 'members-full', 'circuit-limits', 'panic', 'concurrency-limit'];
  for (const reason of [...reasons, 'retry-budget', 'members-tried', 'none-picked'])
    expect([reason, (refusals[reason] ?? 0) > 10]).toEqual([reason, true]);
});
