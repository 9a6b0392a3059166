import type { StrategyContext } from '../strategies/strategy.ts';

/**
 * A way to find out how many requests a server can work on at a time. `gradientLimit()` and `aimdLimit()` are two; a user-written
 * one has this same interface.
 */
export interface ConcurrencyAlgorithm {
  /** Shown in the status tree, for example `gradient`. */
  readonly name: string;
  /** A limit that starts to learn. */
  start(context: StrategyContext): ConcurrencyLimit;
}

/** What has been found out so far. */
export interface ConcurrencyLimit {
  /** How many requests may be under way at a time: an integer. */
  readonly limit: number;
  /**
   * A request has ended.
   *
   * @param milliseconds how long it took
   * @param inFlight how many were under way with it, itself included
   * @param wasDropped the server was overloaded: it did not answer in time, or said that it has no room. Then the time says little
   * @param now when it ended, by the clock of `start()`
   */
  ended(milliseconds: number, inFlight: number, wasDropped: boolean, now: number): void;
}

/** An algorithm with its settings, flat: two of one name whose settings agree field by field are the same. */
export class BuiltInAlgorithm<Settings extends object = object> implements ConcurrencyAlgorithm {
  readonly name: string;
  readonly settings: Settings;
  readonly #start: (settings: Settings, context: StrategyContext) => ConcurrencyLimit;

  /** @internal made by `gradientLimit()` and the like */
  constructor(
    name: string,
    settings: Settings,
    start: (settings: Settings, context: StrategyContext) => ConcurrencyLimit,
  ) {
    this.name = name;
    this.settings = Object.freeze(settings);
    this.#start = start;
  }

  start(context: StrategyContext): ConcurrencyLimit {
    return this.#start(this.settings, context);
  }
}
