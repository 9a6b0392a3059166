import { time } from '../apart/clock.mjs';
import { median } from '../median.mjs';
import { seeded } from '../seeded.mjs';
import { clientsBy } from './clients.mjs';

/** As many texts at a time as need not much memory themselves. */
const batchSize = 65_536;
/** Steps between two looks at the clock. */
const chunkSize = 1024;
/** Milliseconds of CPU that are enough for a pass: some get slow with many entries. */
const enough = 150;

/** The clients of a kind from one number on, in batches. */
export function* batches(kind, from, count) {
  for (let next = from; next < from + count; next += batchSize) {
    yield Array.from({ length: Math.min(batchSize, from + count - next) }, (_, n) => clientsBy[kind](next + n));
  }
}

/** A batch of those that came first, by chance. */
export function known(kind, count, round) {
  const random = seeded(round);
  return Array.from({ length: batchSize }, () => clientsBy[kind](Math.floor(random() * count)));
}

/** A batch of those that have not come yet. */
export function unknown(kind, count, round) {
  return [...batches(kind, count + round * batchSize, batchSize)][0];
}

/**
 * Nanoseconds for one client: the median of several rounds, after one that does not count. The texts are made beforehand, and what that
 * leaves behind is collected.
 *
 * @param clientsOf the batch of a round
 * @param step what is done with a client
 */
export function nanosecondsPerClient(clientsOf, step, rounds) {
  const figures = Array.from({ length: rounds + 1 }, (_, round) => {
    const clients = clientsOf(round);
    globalThis.gc();
    return pass(clients, step);
  });
  return median(figures.slice(1));
}

/**
 * Nanoseconds a client.
 *
 * @param most milliseconds of CPU; what is not done by then is left out
 */
export function pass(clients, step, most = enough) {
  let done = 0;
  const loop = (steps) => {
    for (const end = Math.min(done + steps, clients.length); done < end; done++) step(clients[done]);
  };
  let milliseconds = 0;
  while (done < clients.length && milliseconds < most) milliseconds += time(loop, chunkSize);
  return (milliseconds * 1e6) / done;
}
