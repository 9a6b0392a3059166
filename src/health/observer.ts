import type { Lease, Outcome } from '../core/lease.ts';
import type { MemberState } from '../core/member-state.ts';
import type { Verdict } from '../core/verdict.ts';

/** What of its clients' fortunes a monitor observes: connects, or all that the pool's `classify` judges. */
export type Observed = 'connect' | 'request';

/** What follows when a member has failed its clients too often in a row. */
export type ErrorAction = 'fast-delay' | 'fail-check' | 'sudden-death' | 'mark-down';

/** A lease's `notes`, beside those of the pool's accounts: its connect was told of when it came about. */
const isObserved = 4;

/**
 * HAProxy's passive checks (`observe`, its `health_adjust()`): counts how often in a row a member has failed its clients. A success
 * starts the count anew, and so does what follows from it.
 */
export class Observer<T> {
  readonly #observed: Observed;
  readonly #errorLimit: number;
  readonly #failed: (state: MemberState<T>) => void;

  /** @param failed `errorLimit` times in a row */
  constructor(observed: Observed, errorLimit: number, failed: (state: MemberState<T>) => void) {
    this.#observed = observed;
    this.#errorLimit = errorLimit;
    this.#failed = failed;
  }

  /** A connection stands of which nothing more will be told before it ends. */
  connected(lease: Lease<T>): void {
    lease.notes |= isObserved;
    if (this.#observed === 'connect') this.#good(lease.state);
  }

  released(lease: Lease<T>, outcome: Outcome, verdict: Verdict): void {
    if (this.#observed === 'request') {
      if (verdict === 'failure') this.#bad(lease.state);
      else if (verdict === 'success') this.#good(lease.state);
    } else if (!lease.wasConnected) {
      if (outcome === 'failure') this.#bad(lease.state);
    } else if ((lease.notes & isObserved) === 0) {
      this.#good(lease.state);
    }
  }

  #good({ health }: MemberState<T>): void {
    if (health !== undefined) health.errors = 0;
  }

  #bad(state: MemberState<T>): void {
    const { health } = state;
    if (health === undefined || ++health.errors < this.#errorLimit) return;
    health.errors = 0;
    this.#failed(state);
  }
}
