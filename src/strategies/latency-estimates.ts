/** The growth at the time of an estimate that was never made: before all others, whatever their time. */
const never = 1e-280;

/** In decay times: how long an epoch lasts at most. e^256 is 1e111, so products of growths stay far from what a number can hold. */
const longestEpoch = 256;

/** In decay times: up to here e^x is taken as 1 + x + x² / 2, which is wrong by less than 2e-10. */
const smallStep = 1e-3;

/**
 * The peak-sensitive moving average of each member's latency ("peak EWMA"): a sample above the estimate replaces it at once; one
 * below draws it down by as much as the time since the last sample says, with a mean lifetime of `decay`; and while there is no
 * sample the estimate decays towards 0.
 *
 * Source: Finagle, `PeakEwma.scala`; tower, `load/peak_ewma.rs`. Unlike there, to look at an estimate does not change it.
 *
 * What decays everywhere at the same pace need not be decayed to be compared. So an estimate is kept as of its last sample, together
 * with what e^(time / decay) had grown to by then: latency × growth is what it comes to at a common time, and to compare two members
 * takes neither the clock nor an `exp`.
 *
 * Cost: O(1); once in 256 decay times O(n).
 */
export class LatencyEstimates {
  readonly #decay: number;
  /** By place: milliseconds as of the last sample. 1 where there is none, so that such members compare by their load. */
  readonly latency: Float64Array;
  /** By place: the growth at the last sample, and at the one before it. */
  readonly growth: Float64Array;
  readonly #growthBefore: Float64Array;
  /** When growth was 1. */
  #epoch: number;
  /** A time not long ago, and the growth then. */
  #recently: number;
  #growthThen = 1;

  /** @param decay milliseconds, above 0 */
  constructor(count: number, decay: number, now: number) {
    this.#decay = decay;
    this.latency = new Float64Array(count).fill(1);
    this.growth = new Float64Array(count).fill(never);
    this.#growthBefore = new Float64Array(count).fill(never);
    this.#epoch = now;
    this.#recently = now;
  }

  /** Whether there was no sample, or none within hundreds of decay times. */
  isUnknown(place: number): boolean {
    return this.growth[place] === never;
  }

  /** Milliseconds; undefined where unknown. */
  at(place: number, now: number): number | undefined {
    if (this.isUnknown(place)) return undefined;
    return ((this.latency[place] as number) * (this.growth[place] as number)) / this.#growthAt(now);
  }

  /** Replaces what was known by a value that decays from now on. */
  set(place: number, milliseconds: number, now: number): void {
    this.#set(place, milliseconds, this.#growthAt(now));
  }

  /** A lease took so long. */
  record(place: number, milliseconds: number, now: number): void {
    const growth = this.#growthAt(now);
    const isPeak = this.isUnknown(place) || milliseconds > (this.latency[place] as number);
    const left = isPeak ? 0 : (this.growth[place] as number) / growth;
    this.#draw(place, milliseconds, left, growth);
  }

  /**
   * A lease failed, and is to count as one that took so long: no peak, since it is not a measurement, but draws the estimate up. It
   * does so by the time since the last sample but one, as the last one can be of the same lease. Nothing where unknown.
   */
  recordFailure(place: number, milliseconds: number, now: number): void {
    if (this.isUnknown(place) || milliseconds <= (this.latency[place] as number)) return;
    const growth = this.#growthAt(now);
    this.#draw(place, milliseconds, (this.#growthBefore[place] as number) / growth, growth);
  }

  /** Takes over what another has found out about a member. */
  copy(place: number, other: LatencyEstimates, placeThere: number, now: number): void {
    if (other.isUnknown(placeThere)) return;
    const scale = this.#growthAt(now) / other.#growthAt(now);
    this.latency[place] = other.latency[placeThere] as number;
    this.growth[place] = Math.max(never, (other.growth[placeThere] as number) * scale);
    this.#growthBefore[place] = Math.max(never, (other.#growthBefore[placeThere] as number) * scale);
  }

  /** @param left how much of the estimate is left, the rest being the new value's */
  #draw(place: number, milliseconds: number, left: number, growth: number): void {
    this.#set(place, milliseconds + ((this.latency[place] as number) - milliseconds) * left, growth);
  }

  #set(place: number, milliseconds: number, growth: number): void {
    this.#growthBefore[place] = this.isUnknown(place) ? growth : (this.growth[place] as number);
    this.latency[place] = milliseconds;
    this.growth[place] = growth;
  }

  #growthAt(now: number): number {
    const step = (now - this.#recently) / this.#decay;
    if (step < smallStep) return this.#growthThen * (1 + step + (step * step) / 2);
    if (now - this.#epoch > longestEpoch * this.#decay) this.#beginEpoch(now);
    this.#recently = now;
    this.#growthThen = Math.exp((now - this.#epoch) / this.#decay);
    return this.#growthThen;
  }

  #beginEpoch(now: number): void {
    const shrink = Math.exp((this.#epoch - now) / this.#decay);
    for (let place = 0; place < this.growth.length; place++) {
      this.growth[place] = Math.max(never, (this.growth[place] as number) * shrink);
      this.#growthBefore[place] = Math.max(never, (this.#growthBefore[place] as number) * shrink);
    }
    this.#epoch = now;
  }
}
