import { Worker } from 'node:worker_threads';
import { seeded } from '../seeded.mjs';
import { now } from './clock.mjs';

/** As many at a time as kept connections there are at most; more would only wait for each other. */
const mostAtATime = 32;

/** Full speed: the next request starts when one is done, until the time is up. Resolves with how many were done. */
export function rush(all, { milliseconds }) {
  const lanes = all.slice(0, mostAtATime);
  return new Promise((resolve, reject) => {
    const until = now() + milliseconds;
    let units = 0;
    let busy = lanes.length;
    for (const lane of lanes) {
      lane.failed = reject;
      lane.done = () => {
        units++;
        if (now() < until) return lane.start();
        busy--;
        if (busy === 0) resolve({ units });
      };
      lane.start();
    }
  });
}

/**
 * Requests at a rate, whether or not those before are done: they arrive by chance, as from many clients that know nothing of each
 * other. One that finds no lane free waits, and its latency counts from when it was due.
 *
 * @param order.seed the same for all contestants of a round, who so have the same arrivals
 */
export async function pace(lanes, { rate, milliseconds, seed }) {
  const arrivals = arrivalsOf(rate, milliseconds, seed);
  const pacemaker = new Worker(new URL('pacemaker.mjs', import.meta.url), { workerData: arrivals });
  try {
    return await latenciesOf(lanes, arrivals, pacemaker);
  } finally {
    await pacemaker.terminate();
  }
}

function latenciesOf(lanes, arrivals, pacemaker) {
  const latencies = new Float64Array(arrivals.length);
  const free = [...lanes];
  let from = 0;
  let due = 0;
  let started = 0;
  let done = 0;
  const begin = () => {
    while (started < due && free.length > 0) {
      const lane = free.shift();
      lane.request = started++;
      lane.start();
    }
  };
  return new Promise((resolve, reject) => {
    for (const lane of lanes) {
      lane.failed = reject;
      lane.done = () => {
        const time = now() - from;
        latencies[lane.request] = time - arrivals[lane.request];
        free.push(lane);
        done++;
        if (done === arrivals.length) resolve(summary(latencies, time, arrivals.at(-1)));
        else begin();
      };
    }
    pacemaker.on('message', (first) => {
      from = first;
      const time = now() - from;
      while (due < arrivals.length && arrivals[due] <= time) due++;
      begin();
    });
  });
}

/** When requests are due, in milliseconds: the gaps between them are those of a Poisson process. */
function arrivalsOf(rate, milliseconds, seed) {
  const random = seeded(seed);
  const arrivals = new Float64Array(Math.round((rate * milliseconds) / 1000));
  let time = 0;
  for (let n = 0; n < arrivals.length; n++) {
    time -= (Math.log(1 - random()) * 1000) / rate;
    arrivals[n] = time;
  }
  return arrivals;
}

/** What took far longer than the requests were spread over was too much for the contestant. */
function summary(latencies, took, planned) {
  latencies.sort();
  const percentile = (percent) => latencies[Math.ceil((latencies.length * percent) / 100) - 1];
  return { units: latencies.length, p50: percentile(50), p99: percentile(99), keptUp: took <= planned * 1.1 + 50 };
}
