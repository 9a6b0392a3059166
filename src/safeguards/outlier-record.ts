/** What made outlier detection eject a member. */
export type EjectionCause =
  | 'consecutive-failures'
  | 'consecutive-gateway-failures'
  | 'consecutive-local-origin-failures'
  | 'success-rate'
  | 'failure-percentage';

/** A member is kept from serving. */
export interface Ejection {
  readonly cause: EjectionCause;
  /** In words, for the member's `statusReason`. */
  readonly reason: string;
  /** The clock's time at which it may come back. */
  readonly until: number;
}

/** What outlier detection keeps of a member. It lives as long as the member does, whatever is changed in between. */
export class OutlierRecord {}
