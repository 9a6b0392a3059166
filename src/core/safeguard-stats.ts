/** A pool's retry budget. */
export interface RetryBudgetStats {
  /** How many retries there may be now. */
  readonly balance: number;
  /** How many it has refused since the beginning. */
  readonly refused: number;
}

/** A pool's adaptive limit. */
export interface ConcurrencyLimitStats {
  /** Its name, for example `gradient`. */
  readonly algorithm: string;
  /** How many leases may be held at a time now. */
  readonly limit: number;
  /** How many it has refused since the beginning. */
  readonly refused: number;
}
