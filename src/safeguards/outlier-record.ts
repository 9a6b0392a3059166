/** What made outlier detection eject a member. */
export type EjectionCause =
  | 'consecutive-failures'
  | 'consecutive-gateway-failures'
  | 'consecutive-local-origin-failures'
  | 'success-rate'
  | 'local-origin-success-rate'
  | 'failure-percentage'
  | 'local-origin-failure-percentage'
  /** It failed the first client that it got after its last ejection. */
  | 'failed-trial';

/** A member is kept from serving. */
export interface Ejection {
  readonly cause: EjectionCause;
  /** In words, for the member's `statusReason`: `ejected for 30 s: 5 consecutive failures`. */
  readonly reason: string;
  /** Milliseconds for which it is meant to last. */
  readonly duration: number;
  /** The clock's time at which it may come back. */
  readonly until: number;
}

/** Leases that ended: failures in a row, and how many went well and did not in the interval so far. */
export class Tally {
  run = 0;
  passed = 0;
  failed = 0;

  pass(): void {
    this.run = 0;
    this.passed++;
  }

  /** @param before failures in a row that a success seemed to have ended; -1 where there are none */
  fail(before: number): void {
    this.run = Math.max(this.run, before) + 1;
    this.failed++;
  }

  /** A new interval begins. */
  rotate(): void {
    this.passed = this.failed = 0;
  }

  clear(): void {
    this.run = this.passed = this.failed = 0;
  }
}

/** Later than any epoch: for a member none of whose leases count, because it is ejected or gone. */
export const never = 2_147_483_647;

/**
 * What outlier detection keeps of a member. It stays with it through every change but that of where it is, and that from disabled to
 * enabled: then it starts anew.
 */
export class OutlierRecord {
  /** All leases; where failures of local origin are split off, those that the member answered. */
  readonly answers: Tally = new Tally();
  /** Where they are split off: whether there was an answer at all. */
  readonly local: Tally = new Tally();
  /** Failures in a row with 502, 503, 504, or no answer. */
  gatewayRun = 0;
  /** The epoch from which on leases that were taken count: those before speak of the member as it was. */
  since: number;
  /** Back from an ejection, and nothing has gone well yet. */
  isOnTrial = false;
  /** By how much the next ejection is longer than the first one, in times of `baseEjectionTime`. */
  multiplier = 0;
  /** The clock's time from which on it has served without ejection or trial. */
  cleanSince = 0;

  constructor(since: number) {
    this.since = since;
  }

  /** All that is counted starts at 0, for leases from this epoch on. */
  restart(since: number): void {
    this.since = since;
    this.answers.clear();
    this.local.clear();
    this.gatewayRun = 0;
  }
}
