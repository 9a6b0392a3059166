/** So many values are averaged plainly, before there is anything to smooth. */
const warmUp = 10;

/** The exponentially smoothed mean of values, plain over the first ten of them (Netflix, `ExpAvgMeasurement`). */
export class MovingMean {
  readonly #factor: number;
  #count = 0;
  #sum = 0;
  #mean = 0;

  /** @param window in values: each weighs 2 / (window + 1) */
  constructor(window: number) {
    this.#factor = 2 / (window + 1);
  }

  /** The mean with one more value. */
  add(value: number): number {
    if (this.#count < warmUp) {
      this.#count++;
      this.#sum += value;
      this.#mean = this.#sum / this.#count;
    } else {
      this.#mean = this.#mean * (1 - this.#factor) + value * this.#factor;
    }
    return this.#mean;
  }

  /** Corrects the mean; during the first ten values that does not last. */
  scale(by: number): void {
    this.#mean *= by;
  }

  /** Forgets all that there was; the mean is this one, and is smoothed from now on. */
  restart(mean: number): void {
    this.#count = warmUp;
    this.#mean = mean;
  }
}
