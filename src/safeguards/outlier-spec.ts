import { SpecError } from '../core/errors.ts';
import { at, boolean, duration, Fields, integer, number } from '../core/spec.ts';

/**
 * Takes members out whose clients fare badly: outlier detection as of Envoy and of gRPC (gRFC A50). `{}` is Envoy's defaults. Where
 * an update names it, it replaces what was there; members that are ejected stay so, and the new times apply to the next ejections.
 *
 * What counts as a failure is `classify`'s to say. What it calls `'ignored'` counts nowhere: by default leases that our own limits
 * ended, and those whose client left.
 */
export interface OutlierDetectionSpec {
  /** Milliseconds, 1 or more, after which the rates of all members are compared, and multiples of the base time fade. Default 10000. */
  readonly interval?: number | null;
  /**
   * Milliseconds, 1 or more, that a first ejection lasts. The second lasts twice as long, and so on; each interval without one
   * takes one off again. Default 30000.
   */
  readonly baseEjectionTime?: number | null;
  /** Milliseconds that an ejection lasts at most, `baseEjectionTime` or more. Default 300000, or `baseEjectionTime` where that is more. */
  readonly maxEjectionTime?: number | null;
  /** Up to so many milliseconds, 0 or more, are added by chance, so that members do not all come back at once. Default 0. */
  readonly ejectionJitter?: number | null;
  /**
   * Percent of the members of a level of priority that may be ejected at a time, 0 to 100. One may be in any case, except at 0; the
   * last healthy one of a level never is. Default 10.
   */
  readonly maxEjectionPercent?: number | null;
  /** Ejects after so many failures in a row, 0 to 2147483647; 0 is off. Default 5. */
  readonly consecutiveFailures?: number | null;
  /** The same of failures with status 502, 503 or 504 or without any answer. Default 0. */
  readonly consecutiveGatewayFailures?: number | null;
  /**
   * Whether failures without any answer (no connection, a timeout, a connection that broke) are counted apart, for
   * `consecutiveLocalOriginFailures` and with rates of their own, and not in the others. Default false.
   */
  readonly splitLocalOrigin?: boolean | null;
  /** With `splitLocalOrigin`: ejects after so many failures without any answer in a row, 0 to 2147483647; 0 is off. Default 5. */
  readonly consecutiveLocalOriginFailures?: number | null;
  /** Ejects members whose success rate in an interval is far below that of the others. Default on; `null` is off. */
  readonly successRate?: SuccessRateSpec | null;
  /** Ejects members of whose leases too many failed in an interval, whatever the others do. Default off; `{}` is on. */
  readonly failurePercentage?: FailurePercentageSpec | null;
  /** Percent of the outliers found that are ejected, by chance; 0 only counts and tells what would be. 0 to 100. Default 100. */
  readonly enforcing?: number | null;
  /**
   * Whether an active check that passes ends an ejection, once the member is up. A member that answers its clients with 503 usually
   * passes its checks all the while, and would be back at the next one; set it only where the check asks what clients ask.
   * Default false (Envoy's is true).
   */
  readonly unejectOnPassedCheck?: boolean | null;
  /**
   * After its ejection a member takes at most so many clients at a time, until one of them succeeds: then it takes all. The first
   * that fails ejects it again at once, for longer. So it is not run over as soon as it is back, and costs few clients if it is not
   * (Finagle's probing). 0 to 65536; 0 is off: it takes all its clients at once. Default 0.
   */
  readonly halfOpen?: number | null;
}

export interface SuccessRateSpec {
  /** Only where at least so many members had `minRequests`, 1 to 2147483647. Default 5. */
  readonly minMembers?: number | null;
  /** Only members of which at least so many leases ended in the interval, 1 to 2147483647. Default 100. */
  readonly minRequests?: number | null;
  /** Ejects below the mean rate less so many standard deviations, 0 to 100. Default 1.9. */
  readonly deviationFactor?: number | null;
}

export interface FailurePercentageSpec {
  /** Ejects from so many percent failed on, an integer from 1 to 100. Default 85. */
  readonly threshold?: number | null;
  /** As of `successRate`. Default 5. */
  readonly minMembers?: number | null;
  /** As of `successRate`. Default 50. */
  readonly minRequests?: number | null;
}

/** Checked. */
export interface OutlierDetection {
  readonly interval: number;
  readonly baseEjectionTime: number;
  readonly maxEjectionTime: number;
  readonly ejectionJitter: number;
  readonly maxEjectionPercent: number;
  readonly consecutiveFailures: number;
  readonly consecutiveGatewayFailures: number;
  readonly splitLocalOrigin: boolean;
  readonly consecutiveLocalOriginFailures: number;
  readonly successRate: SuccessRate | undefined;
  readonly failurePercentage: FailurePercentage | undefined;
  readonly enforcing: number;
  readonly unejectOnPassedCheck: boolean;
  readonly halfOpen: number;
}

interface SuccessRate {
  readonly minMembers: number;
  readonly minRequests: number;
  readonly deviationFactor: number;
}

interface FailurePercentage {
  readonly threshold: number;
  readonly minMembers: number;
  readonly minRequests: number;
}

const names = [
  'interval',
  'baseEjectionTime',
  'maxEjectionTime',
  'ejectionJitter',
  'maxEjectionPercent',
  'consecutiveFailures',
  'consecutiveGatewayFailures',
  'splitLocalOrigin',
  'consecutiveLocalOriginFailures',
  'successRate',
  'failurePercentage',
  'enforcing',
  'unejectOnPassedCheck',
  'halfOpen',
] as const satisfies readonly (keyof OutlierDetectionSpec)[];

const count = integer(0, 2_147_483_647);
const atLeastOne = integer(1, 2_147_483_647);
const percent = integer(0, 100);

export function readOutlierDetection(value: unknown, path: string): OutlierDetection {
  const fields = new Fields(value, path, names);
  const baseEjectionTime = fields.read('baseEjectionTime', duration(1), 30_000);
  return Object.freeze({
    interval: fields.read('interval', duration(1), 10_000),
    baseEjectionTime,
    maxEjectionTime: readMaxEjectionTime(fields, baseEjectionTime),
    ejectionJitter: fields.read('ejectionJitter', duration(0), 0),
    maxEjectionPercent: fields.read('maxEjectionPercent', percent, 10),
    consecutiveFailures: fields.read('consecutiveFailures', count, 5),
    consecutiveGatewayFailures: fields.read('consecutiveGatewayFailures', count, 0),
    splitLocalOrigin: fields.read('splitLocalOrigin', boolean, false),
    consecutiveLocalOriginFailures: fields.read('consecutiveLocalOriginFailures', count, 5),
    // Here null is not the default, which is on.
    successRate: fields.names('successRate')
      ? fields.read('successRate', readSuccessRate, undefined)
      : readSuccessRate({}, at(path, 'successRate')),
    failurePercentage: fields.read('failurePercentage', readFailurePercentage, undefined),
    enforcing: fields.read('enforcing', percent, 100),
    unejectOnPassedCheck: fields.read('unejectOnPassedCheck', boolean, false),
    halfOpen: fields.read('halfOpen', integer(0, 65_536), 0),
  });
}

function readMaxEjectionTime(fields: Fields<'maxEjectionTime'>, base: number): number {
  const most = fields.read('maxEjectionTime', duration(1), Math.max(300_000, base));
  if (most >= base) return most;
  throw new SpecError(at(fields.path, 'maxEjectionTime'), most, `milliseconds from baseEjectionTime (${base}) on`);
}

function readSuccessRate(value: unknown, path: string): SuccessRate {
  const fields = new Fields(value, path, ['minMembers', 'minRequests', 'deviationFactor']);
  return Object.freeze({
    minMembers: fields.read('minMembers', atLeastOne, 5),
    minRequests: fields.read('minRequests', atLeastOne, 100),
    deviationFactor: fields.read('deviationFactor', number(0, 100), 1.9),
  });
}

function readFailurePercentage(value: unknown, path: string): FailurePercentage {
  const fields = new Fields(value, path, ['threshold', 'minMembers', 'minRequests']);
  return Object.freeze({
    threshold: fields.read('threshold', integer(1, 100), 85),
    minMembers: fields.read('minMembers', atLeastOne, 5),
    minRequests: fields.read('minRequests', atLeastOne, 50),
  });
}
