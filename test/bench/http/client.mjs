import { setTimeout as sleep } from 'node:timers/promises';
import { makeLanes } from './lanes.mjs';
import { pace, rush } from './pace.mjs';

/** The clients of all workloads, in one process, which does as it is told: `process.send()` brings an order and takes the outcome back. */
let lanes = [];
/** No order takes longer than this, in milliseconds, where a contestant works. */
const patience = 15_000;

const orders = {
  async open(order) {
    lanes = makeLanes(order);
    // Each does a first request, whose connection is likely to be new to the contestant's side too.
    await Promise.all(lanes.map((lane) => lane.open()));
    return {};
  },
  rush: (order) => rush(lanes, order),
  pace: (order) => pace(lanes, order),
  async close() {
    await Promise.all(lanes.map((lane) => lane.close()));
    return {};
  },
};

process.on('disconnect', () => process.exit());
process.on('message', async ({ what, ...order }) => {
  const done = new AbortController();
  const tooLong = sleep(patience, undefined, { signal: done.signal }).then(() => {
    throw new Error(`no end to "${what}" in ${patience / 1000} s`);
  });
  try {
    process.send(await Promise.race([orders[what](order), tooLong]));
  } catch (error) {
    for (const lane of lanes) lane.drop();
    process.send({ failed: error.message });
  } finally {
    // What it rejects with then has been seen to by the race.
    done.abort();
  }
});
