import type { OutlierDetector } from '../safeguards/outlier-detector.ts';
import { uncounted } from './circuit.ts';
import type { Clock } from './clock.ts';
import { Lease, type LeaseBooks, type Outcome } from './lease.ts';
import type { MemberState } from './member-state.ts';
import { Counters } from './stats.ts';
import { type Classifier, classifyByDefault, type Verdict } from './verdict.ts';

/**
 * A pool's leases, from the pick to the release: counts them, times them where somebody wants to know, judges how they ended, and
 * tells strategy and safeguards.
 */
export class Accounts<T> implements LeaseBooks<T> {
  readonly counters: Counters = new Counters();
  readonly #clock: Clock;
  /** A user's classifier threw. */
  readonly #failed: (cause: unknown) => void;
  classify: Classifier = classifyByDefault;
  outliers: OutlierDetector<T> | undefined;

  constructor(clock: Clock, failed: (cause: unknown) => void) {
    this.#clock = clock;
    this.#failed = failed;
  }

  open(state: MemberState<T>, isRetry: boolean): Lease<T> {
    state.counters.activeConnections++;
    this.counters.activeConnections++;
    if (isRetry) {
      state.counters.retries++;
      this.counters.retries++;
    }
    const { tier, circuit } = state;
    const marks = circuit === undefined ? uncounted : circuit.acquired(isRetry);
    tier?.acquired(state);
    const takenAt = tier?.isTimed === true ? this.#clock.now() : -1;
    return new Lease(state, this, takenAt, marks);
  }

  connected(lease: Lease<T>): void {
    this.answered(lease);
    this.outliers?.connected(lease);
  }

  answered(lease: Lease<T>): void {
    if (lease.takenAt < 0 || lease.isMeasured || lease.status >= 500) return;
    const { tier } = lease.state;
    if (tier === undefined || tier.measuresLastByte) return;
    lease.isMeasured = true;
    tier.measured(lease.state, this.#clock.now() - lease.takenAt);
  }

  released(lease: Lease<T>, outcome: Outcome): void {
    const { state, marks } = lease;
    state.counters.activeConnections--;
    this.counters.activeConnections--;
    const verdict = this.#judge(lease, outcome);
    this.#tell(lease, verdict, outcome);
    if (marks !== uncounted) state.circuit?.released(marks);
    this.outliers?.released(lease, verdict);
    if (state.counters.activeConnections === 0 && state.drains.size > 0) {
      for (const drain of state.drains) drain.idle();
    }
  }

  #tell(lease: Lease<T>, verdict: Verdict, outcome: Outcome): void {
    const { state, takenAt } = lease;
    const { tier } = state;
    if (tier === undefined) return;
    let age = 0;
    if (takenAt >= 0) {
      age = this.#clock.now() - takenAt;
      if (verdict === 'success' && !lease.isMeasured) tier.measured(state, age);
    }
    tier.released(state, verdict === 'ignored' && outcome === 'aborted' ? outcome : verdict, age);
  }

  #judge(lease: Lease<T>, outcome: Outcome): Verdict {
    const { classify } = this;
    if (classify === classifyByDefault) return classifyByDefault(lease, outcome);
    try {
      return classify(lease, outcome);
    } catch (cause) {
      this.#failed(cause);
      return classifyByDefault(lease, outcome);
    }
  }
}
