import type { ConcurrencySample } from '../safeguards/concurrency-gate.ts';
import type { SheddingCause } from '../safeguards/shedding.ts';
import { Circuit, uncounted } from './circuit.ts';
import type { Clock } from './clock.ts';
import type { Drain } from './drain.ts';
import { Lease, type LeaseBooks, type Outcome } from './lease.ts';
import type { MemberState } from './member-state.ts';
import { Counters } from './stats.ts';
import { checkVerdict, classifyByDefault, type Verdict } from './verdict.ts';
import { noWatchers, type Watchers } from './watchers.ts';

/** A lease's `notes`. */
const isMeasured = 1;
const isSampled = 2;

/**
 * A pool's leases, from the pick to the release: counts them, times them where somebody wants to know, judges how they ended, and
 * tells strategy and safeguards. Where nobody watches, counting is all it does.
 */
export class Accounts<T> implements LeaseBooks<T> {
  readonly counters: Counters = new Counters();
  readonly #clock: Clock;
  /** A member may take one that it could not take before; undefined where nobody waits for that. */
  freed: ((state: MemberState<T>) => void) | undefined;
  /** A user's classifier or algorithm threw. */
  readonly #failed: (message: string, cause: unknown) => void;
  /** Undefined where nobody watches. */
  #watchers: Watchers<T> | undefined;

  constructor(clock: Clock, failed: (message: string, cause: unknown) => void) {
    this.#clock = clock;
    this.#failed = failed;
  }

  get watchers(): Watchers<T> {
    return this.#watchers ?? noWatchers;
  }

  set watchers(watchers: Watchers<T>) {
    const { classify, outliers, observer, retryBudget, concurrencyGate } = watchers;
    const areNone = classify === classifyByDefault && !outliers && !observer && !retryBudget && !concurrencyGate;
    this.#watchers = areNone ? undefined : watchers;
  }

  /** Whether `causeAgainst()` must be asked. */
  get isGated(): boolean {
    const { retryBudget, concurrencyGate } = this.watchers;
    return retryBudget !== undefined || concurrencyGate !== undefined;
  }

  /** Whether the adaptive limit lets one more in. */
  get admits(): boolean {
    return this.watchers.concurrencyGate?.admits(this.counters.activeConnections) !== false;
  }

  /** The safeguard that turns a lease away, whatever members there are; undefined where none does. */
  causeAgainst(isRetry: boolean): SheddingCause | undefined {
    const { retryBudget, concurrencyGate } = this.watchers;
    if (concurrencyGate !== undefined && !this.admits) return 'concurrency-limit';
    // The retry itself is withdrawn when there is a member for it; asking in vain is only counted.
    if (isRetry && retryBudget?.canWithdraw === false && !retryBudget.withdraw()) return 'retry-budget';
    return undefined;
  }

  open(state: MemberState<T>, isRetry: boolean): Lease<T> {
    state.counters.activeConnections++;
    this.counters.activeConnections++;
    const { tier } = state;
    tier?.acquired(state);
    const lease = new Lease(state, this);
    if (tier?.isTimed === true && tier.wantsTime(state)) lease.takenAt = this.#clock.now();
    if (isRetry || this.#watchers !== undefined || state.circuit !== undefined) this.#note(lease, isRetry);
    return lease;
  }

  connected(lease: Lease<T>): void {
    if (lease.takenAt >= 0) this.#measure(lease, this.#clock.now());
    if (this.#watchers === undefined) return;
    this.#watchers.outliers?.connected(lease);
    this.#watchers.observer?.connected(lease);
  }

  answered(lease: Lease<T>): void {
    if (lease.marks !== uncounted && Circuit.isTrial(lease)) this.#triedOut(lease);
    if (lease.takenAt < 0) return;
    const now = this.#clock.now();
    if (lease.status < 500) this.#measure(lease, now);
    this.#sample(lease, now, 'success', this.counters.activeConnections);
  }

  released(lease: Lease<T>, outcome: Outcome): void {
    const { state } = lease;
    state.counters.activeConnections--;
    this.counters.activeConnections--;
    if (lease.marks !== uncounted) state.circuit?.released(lease);
    // The straight way for all that nobody asks about; `#tell` says the same at length.
    if (this.#watchers !== undefined || lease.takenAt >= 0 || lease.status >= 500) this.#tell(lease, outcome);
    else state.tier?.released(state, outcome, 0, false);
    if (state.drains !== undefined) this.#idle(state, state.drains);
    if (this.freed !== undefined) this.freed(state);
  }

  begun(lease: Lease<T>): void {
    const { state } = lease;
    state.circuit?.connected(lease);
    if (this.freed !== undefined) this.freed(state);
  }

  #idle(state: MemberState<T>, drains: Iterable<Drain>): void {
    if (state.counters.activeConnections > 0) return;
    for (const drain of drains) drain.idle();
  }

  #note(lease: Lease<T>, isRetry: boolean): void {
    const { state } = lease;
    if (isRetry) {
      state.counters.retries++;
      this.counters.retries++;
    }
    state.circuit?.acquired(lease, isRetry);
    if (this.#watchers === undefined) return;
    const { outliers, retryBudget, concurrencyGate } = this.#watchers;
    if (outliers !== undefined) lease.epoch = outliers.epoch;
    if (isRetry) retryBudget?.withdraw();
    else retryBudget?.deposit();
    if (concurrencyGate?.isSampled() !== true) return;
    lease.notes |= isSampled;
    if (lease.takenAt < 0) lease.takenAt = this.#clock.now();
  }

  /** A trial need not wait for the end of an answer that has begun well: a stream may never end. */
  #triedOut(lease: Lease<T>): void {
    const { outliers } = this.watchers;
    if (outliers !== undefined && this.#judge(lease, 'success') === 'success') outliers.answered(lease);
  }

  /** Tells everybody who wants to know how a lease ended. */
  #tell(lease: Lease<T>, outcome: Outcome): void {
    const { state, takenAt } = lease;
    const { tier } = state;
    const verdict = this.#judge(lease, outcome);
    const now = takenAt < 0 ? 0 : this.#clock.now();
    if (tier !== undefined) {
      const isTimed = tier.isTimed && takenAt >= 0;
      const age = isTimed ? now - takenAt : 0;
      if (isTimed && verdict === 'success' && (lease.notes & isMeasured) === 0) {
        lease.notes |= isMeasured;
        tier.measured(state, age, now);
      }
      const wasMeasured = (lease.notes & isMeasured) !== 0;
      tier.released(state, verdict === 'ignored' && outcome === 'aborted' ? 'aborted' : verdict, age, wasMeasured);
    }
    // Whatever is still told of it comes too late.
    lease.notes |= isMeasured;
    this.#watchers?.outliers?.released(lease, verdict);
    this.#watchers?.observer?.released(lease, outcome, verdict);
    this.#sample(lease, now, verdict, this.counters.activeConnections + 1);
  }

  /** Tells the strategy how long the member took, once. */
  #measure(lease: Lease<T>, now: number): void {
    const { tier } = lease.state;
    if (tier?.isTimed !== true || tier.measuresLastByte || (lease.notes & isMeasured) !== 0) return;
    lease.notes |= isMeasured;
    tier.measured(lease.state, now - lease.takenAt, now);
  }

  /** Tells the adaptive limit, once: by the first byte of an answer, since how long the rest takes is up to the client, too. */
  #sample(lease: Lease<T>, now: number, verdict: Verdict, active: number): void {
    if ((lease.notes & isSampled) === 0) return;
    lease.notes &= ~isSampled;
    try {
      this.watchers.concurrencyGate?.ended(lease.takenAt, now, active, sampleOf(lease.status, verdict));
    } catch (cause) {
      // As little as what a strategy throws may this cost the lease, or those who wait for its end.
      this.#failed('the concurrency limit threw', cause);
    }
  }

  #judge(lease: Lease<T>, outcome: Outcome): Verdict {
    const { classify } = this.watchers;
    // A limit of our own says nothing of the member, whatever anybody makes of it.
    if (outcome === 'ignored') return 'ignored';
    try {
      return checkVerdict(classify(lease, outcome));
    } catch (cause) {
      this.#failed('classify threw', cause);
      return classifyByDefault(lease, outcome);
    }
  }
}

/** What the end of a lease says of the load: no answer at all, or one that says so, comes from a member that has too much. */
function sampleOf(status: number, verdict: Verdict): ConcurrencySample {
  if (status === 503 || status === 429 || (verdict === 'failure' && status === 0)) return 'dropped';
  return verdict === 'success' ? 'success' : 'ignored';
}
