import { median } from '../median.mjs';

/**
 * Nanoseconds for one step of `loop(steps)`: the median of several rounds after a warm-up. CPU time of the whole process, so that
 * the garbage that a step leaves is paid for, and what else runs on the machine is not.
 *
 * @param {(steps: number) => void} loop
 */
export function nanosecondsPerStep(loop, { rounds, milliseconds }) {
  // What creation left behind is collected now, or the collector's threads would do it during the first rounds.
  globalThis.gc();
  const steps = Math.ceil(milliseconds / warmUp(loop, 3 * milliseconds));
  const figures = Array.from({ length: rounds }, () => (time(loop, steps) * 1e6) / steps);
  return { median: median(figures), least: Math.min(...figures), most: Math.max(...figures) };
}

/**
 * Runs until time and steps suffice for V8 to compile the loop. Returns the milliseconds of a step at the best, as a pause must not
 * make the rounds short.
 */
function warmUp(loop, milliseconds) {
  let steps = 64;
  let total = 0;
  let best = Number.POSITIVE_INFINITY;
  for (let chunk = 0; total < milliseconds || chunk < 20; chunk++) {
    const taken = time(loop, steps);
    total += taken;
    best = Math.min(best, taken / steps);
    if (taken < milliseconds / 20) steps *= 2;
  }
  return best;
}

/** Milliseconds of CPU, of all threads. */
function time(loop, steps) {
  const before = process.cpuUsage();
  loop(steps);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
