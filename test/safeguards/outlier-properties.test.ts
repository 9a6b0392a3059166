import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Lease, Outcome } from '../../src/core/lease.ts';
import type { Member } from '../../src/core/member.ts';
import type { OutlierDetectionSpec } from '../../src/safeguards/outlier-spec.ts';
import { FakeProbe, spec } from '../fixtures/core.ts';
import { OutlierStage } from './outlier-stage.ts';

const ids = ['a', 'b', 'c', 'd', 'e'];

/** One thing that can happen to a pool. */
type Step =
  | { readonly kind: 'take'; readonly id: string }
  | {
      readonly kind: 'end';
      readonly lease: number;
      readonly status: number;
      readonly outcome: Outcome;
      readonly connects: boolean;
    }
  | { readonly kind: 'fail'; readonly id: string }
  | { readonly kind: 'pass'; readonly milliseconds: number }
  | { readonly kind: 'check'; readonly id: string; readonly passed: boolean }
  | { readonly kind: 'update'; readonly id: string; readonly change: object }
  | { readonly kind: 'drain'; readonly id: string }
  | { readonly kind: 'remove'; readonly id: string }
  | { readonly kind: 'add'; readonly id: string }
  | { readonly kind: 'settings'; readonly settings: OutlierDetectionSpec | null };

const id = fc.constantFrom(...ids);
const settings: fc.Arbitrary<OutlierDetectionSpec> = fc.record({
  consecutiveFailures: fc.integer({ min: 0, max: 3 }),
  consecutiveGatewayFailures: fc.integer({ min: 0, max: 3 }),
  maxEjectionPercent: fc.constantFrom(0, 10, 50, 100),
  splitLocalOrigin: fc.boolean(),
  consecutiveLocalOriginFailures: fc.integer({ min: 0, max: 3 }),
  failurePercentage: fc.constantFrom(null, { threshold: 50, minMembers: 1, minRequests: 2 }),
  halfOpen: fc.integer({ min: 0, max: 2 }),
  unejectOnPassedCheck: fc.boolean(),
  enforcing: fc.constantFrom(100, 50),
  ejectionJitter: fc.constantFrom(0, 5_000),
  baseEjectionTime: fc.constantFrom(500, 10_000, 30_000),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('take' as const), id }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      lease: fc.nat(50),
      status: fc.constantFrom(0, 200, 500, 503),
      outcome: fc.constantFrom<Outcome>('success', 'failure', 'failure', 'ignored', 'aborted'),
      connects: fc.boolean(),
    }),
  },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('fail' as const), id }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), milliseconds: fc.constantFrom(1, 1_000, 15_000) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('check' as const),
      id,
      passed: fc.integer({ min: 0, max: 3 }).map((chance) => chance > 0),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('update' as const),
      id,
      change: fc.constantFrom(
        { enabled: false },
        { enabled: true },
        { weight: 0 },
        { weight: 3 },
        { priority: 1 },
        { priority: 0 },
        { backup: true },
        { backup: false },
        { port: 7777 },
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('drain' as const, 'remove' as const), id }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('add' as const), id }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('settings' as const), settings: fc.option(settings, { freq: 5 }) }),
  },
);

class Play {
  readonly stage: OutlierStage;
  readonly #leases: Lease[] = [];
  /** Broken promises. */
  readonly complaints: string[] = [];

  constructor(settings: OutlierDetectionSpec) {
    const healthMonitor = { type: new FakeProbe(new OutlierStage().clock), maxRetries: 1, maxRetriesDown: 1 };
    this.stage = new OutlierStage(settings, {
      members: ids.map((id, index) => spec(id, { port: 1000 + index })),
      healthMonitor,
    });
    const { pool } = this.stage;
    pool.on('member-ejected', ({ member }) => {
      const others = pool.members.filter((other) => other !== member && isOfLevel(other, member) && isHealthy(other));
      // One on trial takes but a few.
      if (!others.some((other) => other.circuit?.isHalfOpen !== true))
        this.complaints.push(`${member.id}: nobody left`);
    });
  }

  async do(step: Step): Promise<void> {
    const { pool, clock } = this.stage;
    switch (step.kind) {
      case 'take':
        return this.#take(step.id);
      case 'end':
        return this.#end(step);
      case 'fail':
        for (let time = 0; time < 3; time++) this.#fail(step.id);
        return;
      case 'pass':
        return clock.advance(step.milliseconds);
      case 'settings':
        return pool.update({ outlierDetection: step.settings });
      case 'add':
        if (pool.get(step.id) === undefined) pool.add(spec(step.id));
        return;
      default:
        return this.#change(step);
    }
  }

  #change(step: Extract<Step, { readonly kind: 'check' | 'update' | 'drain' | 'remove' }>): void {
    const { pool } = this.stage;
    const member = pool.get(step.id);
    if (member === undefined) return;
    if (step.kind === 'check') pool.recordCheck(member, step.passed, step.passed ? 'fine' : 'refused');
    else if (step.kind === 'update') member.update(step.change);
    else if (step.kind === 'drain') void member.drain();
    else member.remove();
  }

  #take(id: string): void {
    const lease = this.#lease(id);
    if (lease !== undefined) this.#leases.push(lease);
  }

  #fail(id: string): void {
    this.#lease(id)?.release('failure');
  }

  #lease(id: string): Lease | undefined {
    const { pool } = this.stage;
    const result = pool.acquire({ exclude: pool.members.filter((member) => member.id !== id) });
    return result.refused ? undefined : result;
  }

  #end({ lease: index, status, outcome, connects }: Extract<Step, { readonly kind: 'end' }>): void {
    const [lease] = this.#leases.splice(index % Math.max(1, this.#leases.length), 1);
    if (lease === undefined) return;
    if (connects) lease.connected();
    if (status > 0) {
      lease.connectedForRequest();
      lease.countResponse(status);
    }
    lease.release(outcome);
  }

  endAll(): void {
    for (const lease of this.#leases.splice(0)) lease.release();
  }
}

/** By what anybody can see. */
const isHealthy = (member: Member): boolean => member.status === 'online';
const isOfLevel = (a: Member, b: Member): boolean => a.backup === b.backup && a.priority === b.priority;
const isOnlyEjected = (member: Member): boolean =>
  member.enabled && member.weight > 0 && member.statusReason === member.ejection?.reason;

describe('whatever happens', () => {
  test('an ejection leaves a healthy member in its level, all counts are right, and all comes to rest', async () => {
    let ejections = 0;
    const property = fc.asyncProperty(
      settings,
      fc.array(step, { minLength: 20, maxLength: 120, size: 'max' }),
      async (first, steps) => {
        const play = new Play(first);
        const { stage } = play;
        const { pool, clock } = stage;
        const draining = new Set<Member>();
        for (const step of steps) {
          await play.do(step);
          const of = 'id' in step ? pool.get(step.id) : undefined;
          if (of !== undefined && step.kind === 'drain') draining.add(of);
          if (of !== undefined && step.kind === 'update' && 'enabled' in step.change && step.change.enabled)
            draining.delete(of);
          expect(play.complaints).toEqual([]);
          const { members } = pool;
          const isServed = members.some(isHealthy);
          const isKept = members.some((member) => isOnlyEjected(member) && !draining.has(member));
          expect([isServed, isKept]).not.toEqual([false, true]);
          const ejected = members.filter(({ ejection }) => ejection !== undefined);
          expect(pool.outlierStats?.ejected ?? 0).toBe(ejected.length);
          expect(ejected.every(({ ejection }) => (ejection?.until ?? 0) > clock.now())).toBe(true);
          const onTrial = members.filter(({ circuit }) => circuit?.isHalfOpen === true);
          expect(pool.outlierStats?.onTrial ?? 0).toBe(onTrial.length);
        }
        play.endAll();
        ejections += pool.outlierStats?.ejections ?? 0;
        await clock.advance(2_000_000);
        expect([pool.outlierStats?.ejected ?? 0, clock.pending]).toEqual([0, 0]);
        expect(pool.members.every(({ circuit }) => (circuit?.pending ?? 0) === 0)).toBe(true);
        pool.update({ outlierDetection: null, members: [] });
        expect(clock.pending).toBe(0);
      },
    );
    await fc.assert(property, { seed: 9, numRuns: 400 });
    // Or this would prove nothing.
    expect(ejections).toBeGreaterThan(200);
  });
});
