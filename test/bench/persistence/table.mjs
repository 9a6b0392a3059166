import { time } from '../apart/clock.mjs';
import { batches, known, nanosecondsPerClient, unknown } from './passes.mjs';
import { remembering } from './remembering.mjs';

/**
 * A table by itself: filled with so many clients, which is as many as it may have; then asked for them, and for others; then for new ones,
 * each of which takes the place of an old one.
 *
 * @param kind of `remembering`
 * @param clients of `clientsBy`
 */
export function measure({ kind, clients, entries, rounds }) {
  warmUp(kind, clients);
  const before = bytesHeld();
  const table = remembering[kind](entries);
  const { find, keep, size } = table;
  const insert = fill(table, clients, entries);
  const bytes = (bytesHeld() - before) / entries;
  if (size() !== entries) throw new Error(`the table has ${size()} of ${entries} entries`);
  return {
    bytes,
    insert,
    hit: nanosecondsPerClient((round) => known(clients, entries, round), expecting(find, true), rounds),
    miss: nanosecondsPerClient((round) => unknown(clients, entries, round), expecting(find, false), rounds),
    evict: nanosecondsPerClient(
      // Others than those that were missed.
      (round) => unknown(clients, entries, rounds + 1 + round),
      (client) => {
        find(client);
        keep(client);
      },
      rounds,
    ),
  };
}

/** A table whose answers are wrong is not measured. */
function expecting(find, isKnown) {
  return (client) => {
    if ((find(client) !== undefined) !== isKnown) throw new Error(`${client} is ${isKnown ? 'forgotten' : 'known'}`);
  };
}

/** Nanoseconds a client, each of which is looked for first. */
function fill({ find, keep }, clients, entries) {
  let milliseconds = 0;
  for (const batch of batches(clients, 0, entries)) {
    milliseconds += time((steps) => {
      for (let n = 0; n < steps; n++) {
        find(batch[n]);
        keep(batch[n]);
      }
    }, batch.length);
  }
  return (milliseconds * 1e6) / entries;
}

/** Until V8 has compiled it all, so that neither the time nor the memory for that is an entry's. */
function warmUp(kind, clients) {
  const table = remembering[kind](5000);
  for (let round = 0; round < 3; round++) fill(table, clients, 20_000);
}

/** What the heap holds, and what it holds outside of it. */
function bytesHeld() {
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
