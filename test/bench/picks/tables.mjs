import { systemClock, systemRandom } from 'evenkeel';
import { nanosecondsInTurns } from '../apart/clock.mjs';
import { median } from '../median.mjs';
import { seeded } from '../seeded.mjs';
import { poolOf } from './pool-of.mjs';

/**
 * Preparing a strategy from nothing, in turns with `Float64Array.prototype.sort` of as many numbers by chance as its table has points.
 *
 * @returns milliseconds of both, and the median of the rounds' ratios
 */
export async function measure({ points, rounds, milliseconds, ...order }) {
  const { strategy, members } = poolOf(order);
  const context = { clock: systemClock, random: systemRandom };
  const [builds, sorts] = await nanosecondsInTurns(
    [
      (steps) => {
        for (let n = 0; n < steps; n++) kept = strategy.prepare(members, undefined, context);
      },
      sorting(points),
    ],
    { rounds, milliseconds },
  );
  return {
    points,
    build: median(builds) / 1e6,
    sort: median(sorts) / 1e6,
    ratio: median(builds.map((build, round) => build / sorts[round])),
  };
}

/** The last table is kept, so that none can be left out as useless. */
export let kept;

function sorting(points) {
  const random = seeded(17);
  const numbers = Float64Array.from({ length: points }, random);
  const sorted = new Float64Array(points);
  return (steps) => {
    for (let n = 0; n < steps; n++) {
      sorted.set(numbers);
      sorted.sort();
    }
  };
}
