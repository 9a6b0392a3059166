import type { ConcurrencyAlgorithm } from '../safeguards/concurrency-limit.ts';
import { type ConcurrencyLimitSpec, readConcurrencyLimit } from '../safeguards/concurrency-limit-spec.ts';
import { type OutlierDetection, type OutlierDetectionSpec, readOutlierDetection } from '../safeguards/outlier-spec.ts';
import { type RetryBudgetSettings, type RetryBudgetSpec, readRetryBudget } from '../safeguards/retry-budget.ts';
import { type PanicSpec, readPanic } from './panic-spec.ts';
import type { PanicSettings } from './priority-load.ts';
import { type Fields, integer, theFunction } from './spec.ts';
import { type Classifier, classifyByDefault } from './verdict.ts';

/** What a pool does about members that fail and about too much load. All of it is off unless named; `null` switches it off. */
export interface SafeguardsSpec {
  /**
   * Percent of its share that a healthy member is taken to be able to carry, an integer from 100 to 10000: with 140 a level of
   * priority keeps all its clients until fewer than 100 of 140 of its members are healthy. Default 140 (Envoy's).
   */
  readonly overprovisioningFactor?: number | null;
  /** What happens when too few members are healthy. Default: nothing. */
  readonly panic?: PanicSpec | null;
  /** Takes members out whose clients fare badly. Default: none. */
  readonly outlierDetection?: OutlierDetectionSpec | null;
  /** Bounds the retries of all clients together. Default: as many as `retries` of the virtual IP permits. */
  readonly retryBudget?: RetryBudgetSpec | null;
  /** Bounds how many leases are held at a time, by what the members turn out to carry; for requests. Default: no bound. */
  readonly concurrencyLimit?: ConcurrencyLimitSpec | null;
  /** What counts as a failure of a member. Default: no proper answer, or one of 500 and above. */
  readonly classify?: Classifier | null;
}

/** Checked. */
export interface Safeguards {
  readonly overprovisioningFactor: number;
  readonly panic: PanicSettings | undefined;
  readonly outlierDetection: OutlierDetection | undefined;
  readonly retryBudget: RetryBudgetSettings | undefined;
  readonly concurrencyLimit: ConcurrencyAlgorithm | undefined;
  readonly classify: Classifier;
}

export const safeguardNames = [
  'overprovisioningFactor',
  'panic',
  'outlierDetection',
  'retryBudget',
  'concurrencyLimit',
  'classify',
] as const;

export const noSafeguards: Safeguards = {
  overprovisioningFactor: 140,
  panic: undefined,
  outlierDetection: undefined,
  retryBudget: undefined,
  concurrencyLimit: undefined,
  classify: classifyByDefault,
};

/** What `fields` leave of the current ones. */
export function readSafeguards(fields: Fields<(typeof safeguardNames)[number]>, current: Safeguards): Safeguards {
  type Name = (typeof safeguardNames)[number];
  const optional = <Value>(name: Name, read: (value: unknown, path: string) => Value, now: Value | undefined) =>
    fields.change<Value | undefined>(name, read, undefined, now);
  return {
    overprovisioningFactor: fields.change(
      'overprovisioningFactor',
      integer(100, 10_000),
      140,
      current.overprovisioningFactor,
    ),
    panic: optional('panic', readPanic, current.panic),
    outlierDetection: optional('outlierDetection', readOutlierDetection, current.outlierDetection),
    retryBudget: optional('retryBudget', readRetryBudget, current.retryBudget),
    concurrencyLimit: optional('concurrencyLimit', readConcurrencyLimit, current.concurrencyLimit),
    classify: fields.change('classify', theFunction<Classifier>('(end, outcome)'), classifyByDefault, current.classify),
  };
}
