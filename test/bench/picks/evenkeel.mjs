import { nanosecondsPerStep } from '../apart/clock.mjs';
import { median } from '../median.mjs';
import { clientAddresses, clientCount } from './fixtures.mjs';
import { pickingLoop } from './picking.mjs';
import { poolOf } from './pool-of.mjs';

/**
 * `pool.acquire()` and `lease.release()`.
 *
 * @param inFlight how many leases are held at a time; a lease is released when so many others have been taken after it
 * @param isKeyed whether clients have addresses, by which they are placed
 * @param prepares whether to measure preparing too
 * @param alone whether to measure the picker's `pick()` too, without the lease
 */
export function measure({ inFlight, isKeyed, prepares, alone, rounds, milliseconds, ...order }) {
  const pool = poolOf(order);
  const loop = isKeyed ? fromClients(pool, inFlight) : fromAnyone(pool, inFlight);
  const pick = nanosecondsPerStep(loop, { rounds, milliseconds });
  const picking = alone ? pickingLoop(pool, isKeyed ? 'clientAddress' : undefined) : undefined;
  return {
    pick,
    alone: picking && nanosecondsPerStep(picking, { rounds, milliseconds }),
    prepare: prepares ? prepareMilliseconds(pool, 4 * milliseconds) : undefined,
  };
}

function fromAnyone(pool, inFlight) {
  if (inFlight === 0) {
    return (steps) => {
      for (let n = 0; n < steps; n++) pool.acquire().release();
    };
  }
  const held = Array.from({ length: inFlight }, () => pool.acquire());
  let next = 0;
  return (steps) => {
    for (let n = 0; n < steps; n++) {
      held[next].release();
      held[next] = pool.acquire();
      next = next + 1 === inFlight ? 0 : next + 1;
    }
  };
}

function fromClients(pool, inFlight) {
  const requests = clientAddresses().map((clientAddress, n) => ({ clientAddress, clientPort: 1024 + (n % 60_000) }));
  const held = Array.from({ length: Math.max(1, inFlight) }, (_, n) => pool.acquire(requests[n]));
  let client = 0;
  let next = 0;
  return (steps) => {
    for (let n = 0; n < steps; n++) {
      held[next].release();
      held[next] = pool.acquire(requests[client]);
      client = (client + 1) & (clientCount - 1);
      next = next + 1 === held.length ? 0 : next + 1;
    }
  };
}

/**
 * From a change of one member's state to the first pick after it, which has to wait for the strategy to be prepared anew. The
 * median of as many changes as the time allows; where that is but a few, nothing is gained by warming up.
 */
function prepareMilliseconds(pool, milliseconds) {
  const cold = changes(pool, milliseconds);
  return median(cold.length < 20 ? cold : changes(pool, milliseconds));
}

function changes(pool, milliseconds) {
  const { members } = pool;
  const figures = [];
  const until = performance.now() + milliseconds;
  for (let n = 0; n === 0 || performance.now() < until; n++) {
    const member = members[(n * 7919) % members.length];
    for (const enabled of [false, true]) figures.push(changeAndPick(pool, member, { enabled }));
  }
  return figures;
}

function changeAndPick(pool, member, change) {
  const start = performance.now();
  member.update(change);
  pool.acquire({ key: 'bench' }).release();
  return performance.now() - start;
}
