import type { EjectionCause, Tally } from './outlier-record.ts';
import type { OutlierDetection } from './outlier-spec.ts';

/** A member's leases in an interval that has ended. */
export interface Rated<Subject> {
  readonly subject: Subject;
  /** How many of its leases ended. */
  readonly requests: number;
  /** Percent of them that went well. */
  readonly rate: number;
}

/** A member that did much worse than it may, and why that is said of it. */
export interface Outlier<Subject> {
  readonly subject: Subject;
  readonly cause: EjectionCause;
  readonly why: string;
}

/** Undefined for a member of which nothing ended. */
export function ratedBy<Subject>(subject: Subject, { passed, failed }: Tally): Rated<Subject> | undefined {
  const requests = passed + failed;
  return requests === 0 ? undefined : { subject, requests, rate: (100 * passed) / requests };
}

/**
 * Who did badly in an interval: by success rate, then by failure percentage. A member may be in the result twice.
 *
 * Source: Envoy, `outlier_detection_impl.cc` (`processSuccessRateEjections`). Cost: O(n).
 *
 * @param ofLocalOrigin whether it is about answers (or everything), or about whether there was one
 */
export function outliersAmong<Subject>(
  members: readonly Rated<Subject>[],
  { successRate, failurePercentage }: OutlierDetection,
  ofLocalOrigin: boolean,
): Outlier<Subject>[] {
  const outliers: Outlier<Subject>[] = [];
  const what = ofLocalOrigin ? 'rate of answered requests' : 'success rate';
  if (successRate !== undefined) {
    const enough = members.filter(({ requests }) => requests >= successRate.minRequests);
    const { mean, threshold } = rateThreshold(enough, successRate.deviationFactor);
    for (const { subject, rate } of enough.length < successRate.minMembers ? [] : enough) {
      if (rate >= threshold) continue;
      const cause = ofLocalOrigin ? 'local-origin-success-rate' : 'success-rate';
      const why = `${what} ${percent(rate)}, of all ${percent(mean)}, too low below ${percent(threshold)}`;
      outliers.push({ subject, cause, why });
    }
  }
  if (failurePercentage !== undefined) {
    const enough = members.filter(({ requests }) => requests >= failurePercentage.minRequests);
    for (const { subject, rate } of enough.length < failurePercentage.minMembers ? [] : enough) {
      if (100 - rate < failurePercentage.threshold) continue;
      const cause = ofLocalOrigin ? 'local-origin-failure-percentage' : 'failure-percentage';
      const failed = ofLocalOrigin ? 'without an answer' : 'failed';
      const why = `${percent(100 - rate)} of requests ${failed}, too many from ${failurePercentage.threshold} % on`;
      outliers.push({ subject, cause, why });
    }
  }
  return outliers;
}

/** Rates closer than this differ by rounding only. */
const tiny = 1e-9;

/** Below which rate one of several is an outlier: their mean less `factor` times their standard deviation. */
export function rateThreshold(
  members: readonly { readonly rate: number }[],
  factor: number,
): { readonly mean: number; readonly threshold: number } {
  if (members.length === 0) return { mean: 0, threshold: 0 };
  const mean = members.reduce((sum, { rate }) => sum + rate, 0) / members.length;
  const variance = members.reduce((sum, { rate }) => sum + (rate - mean) ** 2, 0) / members.length;
  return { mean, threshold: mean - Math.max(tiny, factor * Math.sqrt(variance)) };
}

/** One digit after the point is as much as one looks at. */
function percent(value: number): string {
  return `${Math.round(value * 10) / 10} %`;
}
