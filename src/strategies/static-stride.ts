/** The scaled weight of a place that has its turn in every round. */
const most = 65_535;

/** By how much the phase of a place differs from that of the one before: two alike that are often skipped are not so in the same round. */
const offset = 32_767;

/** What is heavier than so many times the mean counts as that, so that of ten turns at least one is taken. */
const mostRatio = 10;
/** The mean of few that are all but infinitely heavy and many others says nothing of the others; one is heavy beyond this. */
const oddRatio = 20;
/** What is lighter than so many times the mean counts as that: who is all but unused must still be able to tell that it is better. */
const leastRatio = 0.01;

/**
 * Static stride scheduling: goes round the places, and in each round passes over those whose weight gives them no turn in it. A place of
 * half the greatest weight has a turn in every second round, and so on, with the picks of each spread evenly over the rounds.
 *
 * Source: gRPC, A58; `src/core/load_balancing/weighted_round_robin/static_stride_scheduler.cc` (also for the bounds of the ratios) and
 * grpc-go's `balancer/weightedroundrobin/scheduler.go`. Against gRPC's, one weight that is beyond all measure does not make all others
 * count as the least there is (`meanOf`).
 *
 * Cost: a pick O(1): at the worst twenty places are looked at on average, fewer the more alike the weights are; making one O(n).
 */
export class StaticStride {
  readonly #weights: Uint16Array;
  /** The place that is looked at next, and in which round: 0 to 65534, as they repeat themselves. */
  #place: number;
  #round: number;
  /** `offset` times the place, modulo `most`. */
  #phase: number;

  /**
   * @param weights by place, each above 0; at least one
   * @param place at which to begin
   * @param round in which to begin, an integer from 0
   */
  constructor(weights: Float64Array, place: number, round: number) {
    const mean = meanOf(weights);
    const greatest = Math.min(greatestOf(weights), mostRatio * mean);
    const scale = most / greatest;
    const least = Math.max(1, Math.round(Math.round(scale * mean) * leastRatio));
    this.#weights = Uint16Array.from(weights, (weight) =>
      Math.max(least, Math.round(Math.min(weight, greatest) * scale)),
    );
    this.#place = place;
    this.#round = round % most;
    this.#phase = (place * offset) % most;
  }

  /** The place that is looked at next. */
  get place(): number {
    return this.#place;
  }

  get round(): number {
    return this.#round;
  }

  /** The place whose turn it is. The heaviest has one in every round, so there is always one. */
  next(): number {
    for (;;) {
      const place = this.#place;
      const weight = this.#weights[place] as number;
      // Both factors are below 2^16, so that the product is an unsigned integer of 32 bits.
      const progress = ((Math.imul(weight, this.#round) >>> 0) % most) + this.#phase;
      this.#step();
      if ((progress >= most ? progress - most : progress) >= most - weight) return place;
    }
  }

  #step(): void {
    if (++this.#place < this.#weights.length) {
      this.#phase += offset;
      if (this.#phase >= most) this.#phase -= most;
      return;
    }
    this.#place = 0;
    this.#phase = 0;
    if (++this.#round === most) this.#round = 0;
  }
}

/**
 * The mean of those weights that are not 0; 0 where all are. One that is more than twenty times the mean counts as ten times the mean of all,
 * and as ten times the mean that this makes, until nobody is.
 */
export function meanOf(weights: Float64Array): number {
  let cap = greatestOf(weights);
  for (;;) {
    let sum = 0;
    let count = 0;
    for (let place = 0; place < weights.length; place++) {
      const weight = weights[place] as number;
      if (weight === 0) continue;
      sum += Math.min(weight, cap);
      count++;
    }
    const mean = count === 0 ? 0 : sum / count;
    // Each round at least halves the cap, so there are few.
    if (cap <= oddRatio * mean) return mean;
    cap = mostRatio * mean;
  }
}

function greatestOf(weights: Float64Array): number {
  let greatest = 0;
  for (let place = 0; place < weights.length; place++) greatest = Math.max(greatest, weights[place] as number);
  return greatest;
}
