import type { Observer } from '../health/observer.ts';
import type { OutlierDetector, OutlierHost } from '../safeguards/outlier-detector.ts';
import { OutlierSwitch } from '../safeguards/outlier-switch.ts';
import { Shedding, type SheddingCause, type SheddingChange } from '../safeguards/shedding.ts';
import type { StrategyContext } from '../strategies/strategy.ts';
import type { Accounts } from './accounts.ts';
import type { ConcurrencyLimitStats, RetryBudgetStats } from './safeguard-stats.ts';
import type { Safeguards } from './safeguards-spec.ts';
import { watchersFor } from './watchers.ts';

/** A pool's safeguards: set up as its settings say, and what there is to know of them. */
export class Guards<T> {
  readonly #accounts: Accounts<T>;
  readonly #outliers: OutlierSwitch<T>;
  readonly #shedding: Shedding;
  readonly #context: StrategyContext;

  constructor(
    accounts: Accounts<T>,
    host: OutlierHost<T>,
    told: (change: SheddingChange) => void,
    context: StrategyContext,
  ) {
    this.#accounts = accounts;
    this.#outliers = new OutlierSwitch(host, context);
    this.#shedding = new Shedding(context.clock, told);
    this.#context = context;
  }

  /** @param observer the health monitor's, which hears of leases, too */
  follow(settings: Safeguards, observer: Observer<T> | undefined): void {
    const { watchers } = this.#accounts;
    this.#outliers.set(settings.outlierDetection);
    this.#accounts.watchers = watchersFor(settings, watchers, this.#outliers.detector, observer, this.#context);
  }

  get outliers(): OutlierDetector<T> | undefined {
    return this.#outliers.detector;
  }

  get retryBudgetStats(): RetryBudgetStats | undefined {
    const { retryBudget } = this.#accounts.watchers;
    return retryBudget && { balance: retryBudget.balance, refused: this.#shedding.totalOf('retry-budget') };
  }

  get concurrencyLimitStats(): ConcurrencyLimitStats | undefined {
    const { concurrencyGate } = this.#accounts.watchers;
    if (concurrencyGate === undefined) return undefined;
    const { algorithm, limit } = concurrencyGate;
    return { algorithm: algorithm.name, limit, refused: this.#shedding.totalOf('concurrency-limit') };
  }

  get shedding(): readonly SheddingCause[] {
    return this.#shedding.causes;
  }

  /** The safeguard that turns a lease away, whatever members there are; undefined where none does. */
  causeAgainst(isRetry: boolean): SheddingCause | undefined {
    const cause = this.#accounts.causeAgainst(isRetry);
    if (cause !== undefined) this.#shedding.refused(cause);
    return cause;
  }
}
