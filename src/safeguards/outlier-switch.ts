import type { StrategyContext } from '../strategies/strategy.ts';
import { OutlierDetector, type OutlierHost } from './outlier-detector.ts';
import type { OutlierDetection } from './outlier-spec.ts';

/**
 * Switches outlier detection on and off and keeps its detector all the while: leases that were taken before may still run, and are
 * not to be taken for new ones. Where it was never on there is none.
 */
export class OutlierSwitch<T> {
  readonly #host: OutlierHost<T>;
  readonly #context: StrategyContext;
  #detector: OutlierDetector<T> | undefined;
  #isOn = false;

  constructor(host: OutlierHost<T>, context: StrategyContext) {
    this.#host = host;
    this.#context = context;
  }

  /** Undefined where it is off. */
  get detector(): OutlierDetector<T> | undefined {
    return this.#isOn ? this.#detector : undefined;
  }

  /** Has it follow the settings: undefined is off. */
  set(settings: OutlierDetection | undefined): void {
    const wasOn = this.#isOn;
    this.#isOn = settings !== undefined;
    if (settings === undefined) {
      if (wasOn) this.#detector?.stop();
    } else if (this.#detector === undefined) {
      this.#detector = new OutlierDetector(this.#host, this.#context, settings);
    } else if (wasOn) {
      this.#detector.tune(settings);
    } else {
      this.#detector.start(settings);
    }
  }
}
