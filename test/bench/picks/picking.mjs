import { systemClock, systemRandom } from 'evenkeel';
import { clientAddresses } from './fixtures.mjs';

/** The last answer is kept, so that none can be left out as useless. */
export let kept;

/**
 * Steps that are a picker's `pick()` alone: without a pool, which would hear what becomes of it.
 *
 * @param by the field of requests that clients are told apart by; undefined where they are not
 */
export function pickingLoop({ strategy, members }, by) {
  const picker = strategy.prepare(members, undefined, { clock: systemClock, random: systemRandom });
  const clients = by === undefined ? [undefined] : clientAddresses();
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
  return (steps) => {
    for (let n = 0; n < steps; n++) {
      if (by !== undefined) request[by] = clients[client];
      kept = picker.pick(request);
      client = client + 1 === clients.length ? 0 : client + 1;
    }
  };
}
