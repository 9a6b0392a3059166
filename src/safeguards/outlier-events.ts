import type { Member } from '../core/member.ts';
import type { EjectionCause } from './outlier-record.ts';

/** Outlier detection has taken a member out. */
export interface MemberEjected<T> {
  readonly member: Member<T>;
  readonly cause: EjectionCause;
  /** In words: `ejected for 30 s: 5 consecutive failures`. */
  readonly reason: string;
  /** Milliseconds after which it is let in again, unless something else does that before. */
  readonly duration: number;
}

/** What ended an ejection. */
export type ReadmissionCause =
  /** Its time was over. */
  | 'time'
  /** An active check of it passed (`unejectOnPassedCheck`). */
  | 'passed-check'
  /** Its address or port changed: it is another server now. */
  | 'new-address'
  /** It was disabled, and somebody has enabled it again. */
  | 'enabled'
  /** All others are down, drained or gone: better one that failed than none. */
  | 'last-resort'
  /** `outlierDetection` was switched off. */
  | 'switched-off';

/** An ejection is over. */
export interface MemberReadmitted<T> {
  readonly member: Member<T>;
  readonly by: ReadmissionCause;
  /** Whether it takes but a few clients (`halfOpen`) until one of them has succeeded. */
  readonly isOnTrial: boolean;
}

/** Why an outlier is not ejected. */
export type WithheldBecause =
  /** No other member of its level of priority is healthy, those on trial apart. */
  | 'last-healthy'
  /** `maxEjectionPercent` is reached. */
  | 'max-ejection-percent'
  /** Chance has it so: `enforcing` is below 100. */
  | 'not-enforced';

/** A member is an outlier, and goes on serving. */
export interface EjectionWithheld<T> {
  readonly member: Member<T>;
  readonly cause: EjectionCause;
  /** In words: `5 consecutive failures`. */
  readonly reason: string;
  readonly because: WithheldBecause;
}
