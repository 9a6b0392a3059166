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
  return summary(Array.from({ length: rounds }, () => nanoseconds(loop, steps)));
}

/**
 * Nanoseconds for one step of each of several loops, in every round: they take turns, the last one first in every other round, so that
 * whatever changes in the meantime is the same for all. Timers run in between. A first round, after the pause, does not count.
 *
 * @param {readonly ((steps: number) => void)[]} loops
 * @param settle milliseconds to wait after the warm-up
 */
export async function nanosecondsInTurns(loops, { rounds, milliseconds, settle = 0 }) {
  const turns = loops.map((loop) => ({ loop, steps: 0, figures: [] }));
  for (const turn of turns) turn.steps = Math.ceil(milliseconds / warmUp(turn.loop, 3 * milliseconds));
  await pause(settle);
  globalThis.gc();
  for (let round = 0; round <= rounds; round++) {
    for (const { loop, steps, figures } of round % 2 === 0 ? turns : turns.toReversed()) {
      figures.push(nanoseconds(loop, steps));
      await pause(0);
    }
  }
  return turns.map(({ figures }) => figures.slice(1));
}

export function summary(figures) {
  return { median: median(figures), least: Math.min(...figures), most: Math.max(...figures) };
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * Runs until time and steps suffice for V8 to compile the loop, but a step that takes long only twice. Returns the milliseconds of a step
 * at the best, as a pause must not make the rounds short.
 */
function warmUp(loop, milliseconds) {
  let steps = 1;
  let total = 0;
  let best = Number.POSITIVE_INFINITY;
  for (let chunk = 0; total < milliseconds || chunk < 26; chunk++) {
    const taken = time(loop, steps);
    total += taken;
    // What is over at once is beyond the clock.
    if (taken > milliseconds / 50) best = Math.min(best, taken / steps);
    if (taken < milliseconds / 20) steps *= 2;
    else if (steps === 1 && chunk > 0 && taken > milliseconds) break;
  }
  return best;
}

const nanoseconds = (loop, steps) => (time(loop, steps) * 1e6) / steps;

/** Milliseconds of CPU, of all threads, that so many steps take. */
export function time(loop, steps) {
  const before = process.cpuUsage();
  loop(steps);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
