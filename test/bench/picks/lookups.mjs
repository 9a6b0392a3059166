import { systemClock, systemRandom } from 'evenkeel';
import { nanosecondsPerStep } from './clock.mjs';
import { clientAddresses, clientCount } from './fixtures.mjs';
import { poolOf } from './pool-of.mjs';

/** The last answer is kept, so that none can be left out as useless. */
export let kept;

/** A picker's `pick()` by a client's key alone, without a pool around it: what other packages call a look-up. */
export function measure({ rounds, milliseconds, ...order }) {
  const { strategy, members } = poolOf(order);
  const picker = strategy.prepare(members, undefined, { clock: systemClock, random: systemRandom });
  const keys = clientAddresses();
  // One object for all, as in a pool.
  const request = {
    key: undefined,
    clientAddress: undefined,
    clientPort: undefined,
    path: undefined,
    header: () => undefined,
    accepts: () => true,
  };
  let client = 0;
  const loop = (steps) => {
    for (let n = 0; n < steps; n++) {
      request.key = keys[client];
      kept = picker.pick(request);
      client = (client + 1) & (clientCount - 1);
    }
  };
  return { pick: nanosecondsPerStep(loop, { rounds, milliseconds }) };
}
