import { contextOf, type Environment } from '../core/environment.ts';
import { Fields, number } from '../core/spec.ts';
import { Ticker } from './ticker.ts';

/** How many retries there may be for so many requests. */
export interface RetryBudgetSpec {
  /** Retries for every hundred original requests, 0 to 1000; fractions are allowed. Default 20. */
  readonly percent?: number | null;
  /**
   * Retries a second that are allowed besides, 0 to 1000000, so that a client that has just started or is hardly used may retry,
   * too; fractions are allowed, but less than one in a `window` is none. Default 10.
   */
  readonly minPerSecond?: number | null;
  /** Milliseconds for which a request earns, and a retry costs, 1000 to 60000. Default 10000. */
  readonly window?: number | null;
}

/** Checked. Flat: two that agree field by field are the same budget. */
export interface RetryBudgetSettings {
  readonly percent: number;
  readonly minPerSecond: number;
  readonly window: number;
}

export function readRetryBudget(value: unknown, path: string): RetryBudgetSettings {
  const fields = new Fields(value, path, ['percent', 'minPerSecond', 'window']);
  return Object.freeze({
    percent: fields.read('percent', number(0, 1000), 20),
    minPerSecond: fields.read('minPerSecond', number(0, 1_000_000), 10),
    window: fields.read('window', number(1000, 60_000, 'milliseconds'), 10_000),
  });
}

/** The current slot and nine before it make up the window. */
const slots = 10;
/** Ten requests at 10 % make one retry, and not 0.9999999999999999 of one. */
const rounding = 1e-9;

/**
 * Keeps retries a share of the requests, so that a server that fails is not hit by a multiple of what felled it. A leaky token
 * bucket as in Finagle (`service/RetryBudget.scala`) and tower (`TpsBudget`): each original request deposits `percent` / 100 of a
 * retry, each retry withdraws one, and both are forgotten after a window, give or take a tenth; `minPerSecond` comes on top. In the
 * long run there are at most `percent` / 100 retries to a request and `minPerSecond` more.
 *
 * One budget serves all that calls the same servers. It needs no closing.
 *
 * Cost: a deposit is an increment, without a look at the clock; a withdrawal is O(1); memory is bounded. While there is something to
 * expire, a background timer runs ten times a window.
 */
export class RetryBudget {
  readonly settings: RetryBudgetSettings;
  /** How many withdrawals were refused. */
  exhausted = 0;
  readonly #earns: boolean;
  readonly #share: number;
  readonly #reserve: number;
  readonly #ticker: Ticker;
  /** In the current slot. */
  #deposits = 0;
  #withdrawals = 0;
  /** In the slots before it: each, and all. */
  readonly #pastDeposits = new Uint32Array(slots - 1);
  readonly #pastWithdrawals = new Uint32Array(slots - 1);
  #sumOfDeposits = 0;
  #sumOfWithdrawals = 0;
  /** Where the oldest slot is. */
  #oldest = 0;

  /** @throws SpecError where a setting is bad */
  constructor(settings: RetryBudgetSpec = {}, environment: Environment = {}) {
    this.settings = readRetryBudget(settings, '');
    const { percent, minPerSecond, window } = this.settings;
    this.#earns = percent > 0;
    this.#share = percent / 100;
    this.#reserve = (minPerSecond * window) / 1000;
    this.#ticker = new Ticker(contextOf(environment).clock, window / slots, (periods) => this.#rotate(periods));
  }

  /**
   * A request was sent, for the first time. Never call it for a retry: where requests turn into retries, the budget would follow the
   * retries instead of keeping them down.
   */
  deposit(): void {
    if (!this.#earns) return;
    this.#deposits++;
    if (!this.#ticker.isRunning) this.#ticker.start();
  }

  /** Takes a retry from the budget; false where there is none left, and then the request is not to be sent again. */
  withdraw(): boolean {
    if (!this.canWithdraw) {
      this.exhausted++;
      return false;
    }
    this.#withdrawals++;
    if (!this.#ticker.isRunning) this.#ticker.start();
    return true;
  }

  /** Whether `withdraw()` would say yes, for who must ask several budgets. */
  get canWithdraw(): boolean {
    return this.#left >= 1;
  }

  /** How many retries there may be now. */
  get balance(): number {
    return Math.max(0, Math.floor(this.#left));
  }

  get #left(): number {
    const earned = (this.#sumOfDeposits + this.#deposits) * this.#share;
    return this.#reserve + earned - this.#sumOfWithdrawals - this.#withdrawals + rounding;
  }

  /** Closes the current slot and forgets the oldest. Says whether there is anything left to forget. */
  #rotate(periods: number): boolean {
    for (let period = Math.min(periods, slots); period > 0; period--) {
      const oldest = this.#oldest;
      this.#sumOfDeposits += this.#deposits - (this.#pastDeposits[oldest] as number);
      this.#sumOfWithdrawals += this.#withdrawals - (this.#pastWithdrawals[oldest] as number);
      this.#pastDeposits[oldest] = this.#deposits;
      this.#pastWithdrawals[oldest] = this.#withdrawals;
      this.#deposits = 0;
      this.#withdrawals = 0;
      this.#oldest = (oldest + 1) % (slots - 1);
    }
    return this.#sumOfDeposits > 0 || this.#sumOfWithdrawals > 0;
  }
}
