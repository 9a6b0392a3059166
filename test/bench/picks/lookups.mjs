import { nanosecondsPerStep } from '../apart/clock.mjs';
import { pickingLoop } from './picking.mjs';
import { poolOf } from './pool-of.mjs';

/** A pick by key alone: what other packages call a look-up. */
export function measure({ rounds, milliseconds, ...order }) {
  return { pick: nanosecondsPerStep(pickingLoop(poolOf(order), 'key'), { rounds, milliseconds }) };
}
