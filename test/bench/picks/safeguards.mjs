import { nanosecondsInTurns, summary } from '../apart/clock.mjs';
import { poolOf } from './pool-of.mjs';

/** A lease's life as callers lead it. */
const lives = {
  /** Acquired and released, as one who does nothing but pick. */
  pick: (pool) => pool.acquire().release(),
  /** As a TCP connection. */
  connection: (pool) => {
    const lease = pool.acquire();
    lease.connected();
    lease.release();
  },
  /** As an HTTP request on a new connection. */
  request: (pool) => {
    const lease = pool.acquire();
    lease.connectedForRequest();
    lease.countRequest();
    lease.countResponse(200);
    lease.countFirstByte(1);
    lease.release();
  },
};

/**
 * The same pool without safeguards and with some, in turns in one process.
 *
 * @param life of `lives`, by name
 * @param off strategy, settings and fields of members that both have
 * @param on those that one of them has besides
 * @param settle milliseconds until these have found out how much there is to do
 */
export async function measure({ life, off, on, settle, members, rounds, milliseconds }) {
  const without = loopOf(lives[life], poolOf({ ...off, members }));
  const guarded = loopOf(lives[life], poolOf({ ...off, ...on, members }));
  const [before, after] = await nanosecondsInTurns([without, guarded], { rounds, milliseconds, settle });
  return {
    off: summary(before),
    on: summary(after),
    more: summary(after.map((figure, round) => figure - before[round])),
  };
}

function loopOf(life, pool) {
  return (steps) => {
    for (let n = 0; n < steps; n++) life(pool);
  };
}
