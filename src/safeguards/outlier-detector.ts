import type { Lease } from '../core/lease.ts';
import type { MemberState } from '../core/member-state.ts';
import type { Verdict } from '../core/verdict.ts';
import type { Ejection } from './outlier-record.ts';

/** What the detector asks of its pool. */
export interface OutlierHost<T> {
  /** All members. */
  readonly states: Iterable<MemberState<T>>;
  /** Takes a member out, all at once: status, events, pickers. */
  eject(state: MemberState<T>, ejection: Ejection): void;
  /** Lets it serve again. */
  readmit(state: MemberState<T>): void;
}

export class OutlierDetector<T> {
  /** A connection stands, and nothing more will be told of it before it ends. */
  connected(_lease: Lease<T>): void {}

  released(_lease: Lease<T>, _verdict: Verdict): void {}

  /** An active check of the member has passed. */
  checkPassed(_state: MemberState<T>): void {}
}
