import { parentPort, workerData } from 'node:worker_threads';
import { now } from './clock.mjs';

/**
 * Wakes the client whenever a request is due, having told it when the first moment is. A thread of its own, since timers of the event
 * loop are up to a millisecond late.
 */
const never = new Int32Array(new SharedArrayBuffer(4));
const from = now() + 5;
parentPort.postMessage(from);
for (const arrival of workerData) {
  const wait = from + arrival - now();
  // The client has been woken for the one before, and has seen or will see that this one is due too.
  if (wait <= 0) continue;
  Atomics.wait(never, 0, 0, wait);
  parentPort.postMessage(from);
}
parentPort.postMessage(from);
