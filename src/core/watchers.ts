import type { Observer } from '../health/observer.ts';
import { ConcurrencyGate } from '../safeguards/concurrency-gate.ts';
import type { OutlierDetector } from '../safeguards/outlier-detector.ts';
import { RetryBudget } from '../safeguards/retry-budget.ts';
import type { StrategyContext } from '../strategies/strategy.ts';
import type { Safeguards } from './safeguards-spec.ts';
import { isSame } from './spec.ts';
import { type Classifier, classifyByDefault } from './verdict.ts';

/** Who wants to be asked before a lease is taken, or to hear how it ended; undefined what is off. */
export interface Watchers<T> {
  readonly classify: Classifier;
  readonly outliers: OutlierDetector<T> | undefined;
  readonly observer: Observer<T> | undefined;
  readonly retryBudget: RetryBudget | undefined;
  readonly concurrencyGate: ConcurrencyGate | undefined;
}

export const noWatchers: Watchers<unknown> & { readonly outliers: undefined; readonly observer: undefined } = {
  classify: classifyByDefault,
  outliers: undefined,
  observer: undefined,
  retryBudget: undefined,
  concurrencyGate: undefined,
};

/** Those whom the settings ask for; what one has counted or learned goes on where its own settings are the same. */
export function watchersFor<T>(
  { classify, retryBudget, concurrencyLimit }: Safeguards,
  before: Watchers<T>,
  outliers: OutlierDetector<T> | undefined,
  observer: Observer<T> | undefined,
  context: StrategyContext,
): Watchers<T> {
  return {
    classify,
    outliers,
    observer,
    retryBudget: isSame(before.retryBudget?.settings, retryBudget)
      ? before.retryBudget
      : retryBudget && new RetryBudget(retryBudget, context),
    concurrencyGate:
      before.concurrencyGate?.algorithm === concurrencyLimit
        ? before.concurrencyGate
        : concurrencyLimit && new ConcurrencyGate(concurrencyLimit, context),
  };
}
