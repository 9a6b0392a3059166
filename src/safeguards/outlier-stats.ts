import type { WithheldBecause } from './outlier-events.ts';
import type { EjectionCause } from './outlier-record.ts';

/** What outlier detection has done in a pool. */
export interface OutlierStats {
  /** Members that are ejected now. */
  readonly ejected: number;
  /** Members that are on trial now (`halfOpen`). */
  readonly onTrial: number;
  /** Ejections so far. */
  readonly ejections: number;
  readonly ejectionsByCause: Readonly<Record<EjectionCause, number>>;
  /** How often a member was found to be an outlier, whether or not it was ejected. */
  readonly detectedByCause: Readonly<Record<EjectionCause, number>>;
  /** Of these, those that were not ejected: `maxEjectionPercent` was reached, or it was the last healthy member of its level. */
  readonly overflow: number;
  /** Those that were not ejected since `enforcing` is below 100. */
  readonly notEnforced: number;
}

const none: Readonly<Record<EjectionCause, number>> = {
  'consecutive-failures': 0,
  'consecutive-gateway-failures': 0,
  'consecutive-local-origin-failures': 0,
  'success-rate': 0,
  'local-origin-success-rate': 0,
  'failure-percentage': 0,
  'local-origin-failure-percentage': 0,
  'failed-trial': 0,
};

/** The writable side of `OutlierStats`. */
export class OutlierCounters {
  ejections = 0;
  overflow = 0;
  notEnforced = 0;
  readonly #ejected: Record<EjectionCause, number> = { ...none };
  readonly #detected: Record<EjectionCause, number> = { ...none };

  ejected(cause: EjectionCause): void {
    this.#detected[cause]++;
    this.ejections++;
    this.#ejected[cause]++;
  }

  withheld(cause: EjectionCause, because: WithheldBecause): void {
    this.#detected[cause]++;
    if (because === 'not-enforced') this.notEnforced++;
    else this.overflow++;
  }

  /** A copy, with what is the case now. */
  snapshot(ejected: number, onTrial: number): OutlierStats {
    const { ejections, overflow, notEnforced } = this;
    const byCause = { ejectionsByCause: { ...this.#ejected }, detectedByCause: { ...this.#detected } };
    return { ejected, onTrial, ejections, ...byCause, overflow, notEnforced };
  }
}
