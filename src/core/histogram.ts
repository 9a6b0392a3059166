/** Eight buckets to each doubling: a value is off by at most a sixteenth. */
const bucketsPerDoubling = 8;
/** In microseconds; 35 minutes. */
const most = 2 ** 31 - 1;
const size = 29 * bucketsPerDoubling;

/** How a histogram reads in JSON: milliseconds, but for the count. */
export interface HistogramSummary {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/**
 * Durations, counted in buckets that widen with the value, as HdrHistogram does: bounded memory (under 1 KiB), and percentiles
 * within 6.25 % and half a microsecond up to half an hour.
 */
export class Histogram {
  count = 0;
  /** Milliseconds, exact. */
  max = 0;
  #sum = 0;
  readonly #buckets = new Uint32Array(size);

  /** @param milliseconds what is negative counts as 0 */
  record(milliseconds: number): void {
    const duration = Math.max(0, milliseconds);
    this.count++;
    this.#sum += duration;
    if (duration > this.max) this.max = duration;
    const index = indexOf(Math.min(most, Math.round(duration * 1000)));
    this.#buckets[index] = (this.#buckets[index] as number) + 1;
  }

  /** Milliseconds; 0 where nothing was recorded. */
  get mean(): number {
    return this.count === 0 ? 0 : this.#sum / this.count;
  }

  /**
   * The value that so many percent of all do not exceed, in milliseconds; 0 where nothing was recorded.
   *
   * @param percent 0 to 100
   */
  percentile(percent: number): number {
    const rank = Math.max(1, Math.ceil((Math.min(100, Math.max(0, percent)) * this.count) / 100));
    let seen = 0;
    for (let index = 0; index < size; index++) {
      seen += this.#buckets[index] as number;
      if (seen >= rank) return Math.min(this.max, middleOf(index) / 1000);
    }
    return this.max;
  }

  /** Adds what another one has counted. */
  add(other: Histogram): void {
    this.count += other.count;
    this.#sum += other.#sum;
    this.max = Math.max(this.max, other.max);
    for (let index = 0; index < size; index++) {
      this.#buckets[index] = (this.#buckets[index] as number) + (other.#buckets[index] as number);
    }
  }

  /** A copy that no longer changes. */
  copy(): Histogram {
    const copy = new Histogram();
    copy.add(this);
    return copy;
  }

  toJSON(): HistogramSummary {
    const { count, mean, max } = this;
    return { count, mean, p50: this.percentile(50), p90: this.percentile(90), p99: this.percentile(99), max };
  }
}

/** 0 to 7 have a bucket each; from there on the three bits below the highest one tell the bucket. */
function indexOf(microseconds: number): number {
  if (microseconds < bucketsPerDoubling) return microseconds;
  const doublings = 28 - Math.clz32(microseconds);
  return doublings * bucketsPerDoubling + (microseconds >>> doublings);
}

function middleOf(index: number): number {
  if (index < 2 * bucketsPerDoubling) return index;
  const doublings = Math.floor(index / bucketsPerDoubling) - 1;
  const lowest = (index - doublings * bucketsPerDoubling) * 2 ** doublings;
  return lowest + (2 ** doublings - 1) / 2;
}
