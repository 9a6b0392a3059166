import type { Outcome } from './lease.ts';

/** What a lease says of its member: that it serves well, that it failed, or nothing. */
export type Verdict = 'success' | 'failure' | 'ignored';

/** What is known of a lease at its end. A `Lease` is one. */
export interface LeaseEnd {
  /** The status of the member's final answer, of HTTP; 0 where there was none. */
  readonly status: number;
  /** Whether the member could be connected to. */
  readonly wasConnected: boolean;
}

/**
 * Says what counts as a failure of a member: for outlier detection, and for strategies that keep away from members that fail. It is
 * not asked about a lease that was released as `ignored`.
 *
 * @param outcome what the lease was released with
 */
export type Classifier = (end: LeaseEnd, outcome: Outcome) => Verdict;

/** What a user's classifier returned, if it is a verdict. Throws `TypeError` where it is not: a promise, say. */
export function checkVerdict(verdict: Verdict): Verdict {
  if (verdict === 'success' || verdict === 'failure' || verdict === 'ignored') return verdict;
  throw new TypeError(`expected 'success', 'failure' or 'ignored', and got ${String(verdict)}`);
}

/** A member failed where it gave no proper answer, or one of 500 and above; Envoy's rule. */
export const classifyByDefault: Classifier = ({ status }, outcome) => {
  if (outcome === 'success') return status >= 500 ? 'failure' : 'success';
  return outcome === 'failure' ? 'failure' : 'ignored';
};
