import type { StrategyContext } from '../strategies/strategy.ts';
import { type Clock, systemClock } from './clock.ts';
import { type Random, systemRandom } from './random.ts';

/** What evenkeel takes from the outside; replace it to test or to simulate. */
export interface Environment {
  /** Default: the runtime's monotonic clock and timers. */
  readonly clock?: Clock | undefined;
  /** Default: `Math.random`. */
  readonly random?: Random | undefined;
}

export function contextOf({ clock = systemClock, random = systemRandom }: Environment): StrategyContext {
  return { clock, random };
}
