import { contextOf, type Environment } from '../core/environment.ts';
import { Histogram } from '../core/histogram.ts';
import { Fields, integer, number } from '../core/spec.ts';
import { RetryBudget } from './retry-budget.ts';
import { Ticker } from './ticker.ts';

/** When a request is sent a second time, to another member, while the first is still waited for. */
export interface HedgeSpec {
  /** A hedge is sent when a request takes longer than so many percent of all do, 1 to 99.99; fractions are allowed. Default 95. */
  readonly percentile?: number | null;
  /** Hedges for every hundred requests that were answered, 0 to 100; fractions are allowed. Default 5. */
  readonly maxExtraPercent?: number | null;
  /** Milliseconds that are waited at least, 1 to 2147483647. Default 1. */
  readonly minDelay?: number | null;
  /** There are no hedges before so many requests were answered within the window, 1 to 1000000. Default 20. */
  readonly minSamples?: number | null;
  /** Milliseconds for which an answer counts, 1000 to 60000; the later half of them at least. Default 30000. */
  readonly window?: number | null;
}

/** Checked. Flat: two that agree field by field are the same hedge. */
export interface HedgeSettings {
  readonly percentile: number;
  readonly maxExtraPercent: number;
  readonly minDelay: number;
  readonly minSamples: number;
  readonly window: number;
}

export function readHedge(value: unknown, path: string): HedgeSettings {
  const fields = new Fields(value, path, ['percentile', 'maxExtraPercent', 'minDelay', 'minSamples', 'window']);
  return Object.freeze({
    percentile: fields.read('percentile', number(1, 99.99), 95),
    maxExtraPercent: fields.read('maxExtraPercent', number(0, 100), 5),
    minDelay: fields.read('minDelay', number(1, 2_147_483_647, 'milliseconds'), 1),
    minSamples: fields.read('minSamples', integer(1, 1_000_000), 20),
    window: fields.read('window', number(1000, 60_000, 'milliseconds'), 30_000),
  });
}

/**
 * A histogram knows a percentile to a sixteenth. To its upper edge then: where most requests take about the same time, a delay that
 * is a hair too short would hedge them all.
 */
const upward = 17 / 16;

/**
 * Says how long to wait for an answer before the same request goes to a second member as well, and keeps these hedges a small share
 * of all requests: the slowest few percent are answered sooner for a few percent more load. As Finagle's `BackupRequestFilter` and
 * tower's `Hedge`.
 *
 * The delay is a percentile of how long requests took in the last window: two histograms that take turns, so that there is history
 * from the first samples on. The budget is earned by requests that were answered, and by nothing else: where a server stops
 * answering, hedges stop, too, instead of doubling the load.
 *
 * To be used for requests only that may be sent twice. It needs no closing.
 *
 * Cost: `delay` is a field; a sample some 10 ns, of which the histogram is most, and now and then a microsecond for a new
 * percentile; memory is bounded, 2 KiB. While there are samples, two background timers run, without keeping the process alive.
 */
export class Hedge {
  readonly settings: HedgeSettings;
  readonly #budget: RetryBudget;
  readonly #ticker: Ticker;
  #current = new Histogram();
  #previous = new Histogram();
  #delay: number | undefined;
  /** Samples until the percentile is worked out again. */
  #untilNext: number;

  /** @throws SpecError where a setting is bad */
  constructor(settings: HedgeSpec = {}, environment: Environment = {}) {
    this.settings = readHedge(settings, '');
    const { maxExtraPercent, minSamples, window } = this.settings;
    this.#budget = new RetryBudget({ percent: maxExtraPercent, minPerSecond: 0, window }, environment);
    this.#ticker = new Ticker(contextOf(environment).clock, window / 2, (periods) => this.#rotate(periods));
    this.#untilNext = minSamples;
  }

  /**
   * An original request was answered; or was given up for its hedge, since it would have taken at least that long. Not to be called
   * for what failed fast, which would make the delay too short, nor for hedges, which are to earn no hedges.
   */
  record(milliseconds: number): void {
    this.#budget.deposit();
    this.#current.record(milliseconds);
    if (!this.#ticker.isRunning) this.#ticker.start();
    this.#untilNext--;
    if (this.#untilNext <= 0) this.#measure();
  }

  /** Milliseconds after which to ask for a hedge; undefined where too little is known, and then there is to be none. */
  get delay(): number | undefined {
    return this.#delay;
  }

  /** The delay has passed without an answer: takes a hedge from the budget, or says that there is to be none. */
  withdraw(): boolean {
    return this.#budget.withdraw();
  }

  /** Whether `withdraw()` would say yes, for who must ask a retry budget, too. */
  get canWithdraw(): boolean {
    return this.#budget.canWithdraw;
  }

  /** How many hedges there may be now. */
  get balance(): number {
    return this.#budget.balance;
  }

  /** How many hedges were refused. */
  get exhausted(): number {
    return this.#budget.exhausted;
  }

  #measure(): void {
    const { percentile, minDelay, minSamples } = this.settings;
    const samples = this.#current.count + this.#previous.count;
    if (samples < minSamples) {
      this.#delay = undefined;
      this.#untilNext = minSamples - samples;
      return;
    }
    const all = this.#previous.copy();
    all.add(this.#current);
    this.#delay = Math.max(minDelay, all.percentile(percentile) * upward);
    // A sixteenth more samples move a percentile little, and working it out costs as much as fifty samples.
    this.#untilNext = Math.ceil(samples / 16);
  }

  #rotate(periods: number): boolean {
    this.#previous = periods === 1 ? this.#current : new Histogram();
    this.#current = new Histogram();
    this.#measure();
    return this.#previous.count > 0;
  }
}
