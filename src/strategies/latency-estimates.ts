// What is known of a member lies together: of a large pool hardly anything is in the processor's cache when it is asked for.
const size = 4;
/** Milliseconds as of the last sample. 1 where there is none, so that such members compare by their load. */
const latency = 0;
/** The growth at the last sample, and at the one before it. */
const growth = 1;
const growthBefore = 2;

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
  readonly #known: Float64Array;
  /** When growth was 1. */
  #epoch: number;
  /** A time not long ago, and the growth then. */
  #recently: number;
  #growthThen = 1;

  /** @param decay milliseconds, above 0 */
  constructor(count: number, decay: number, now: number) {
    this.#decay = decay;
    this.#known = new Float64Array(size * count);
    for (let at = 0; at < this.#known.length; at += size) {
      this.#known[at + latency] = 1;
      this.#known[at + growth] = never;
      this.#known[at + growthBefore] = never;
    }
    this.#epoch = now;
    this.#recently = now;
  }

  /** Whether there was no sample, or none within hundreds of decay times. */
  isUnknown(place: number): boolean {
    return this.growthOf(place) === never;
  }

  /** Milliseconds; undefined where unknown. */
  at(place: number, now: number): number | undefined {
    return this.isUnknown(place) ? undefined : (this.latencyOf(place) * this.growthOf(place)) / this.#growthAt(now);
  }

  latencyOf(place: number): number {
    return this.#known[size * place + latency] as number;
  }

  growthOf(place: number): number {
    return this.#known[size * place + growth] as number;
  }

  /** Replaces what was known by a value that decays from now on. */
  set(place: number, milliseconds: number, now: number): void {
    this.#set(place, milliseconds, this.#growthAt(now));
  }

  /** A lease took so long. */
  record(place: number, milliseconds: number, now: number): void {
    const grown = this.#growthAt(now);
    const isPeak = this.isUnknown(place) || milliseconds > this.latencyOf(place);
    this.#draw(place, milliseconds, isPeak ? 0 : this.growthOf(place) / grown, grown);
  }

  /**
   * A lease failed, and is to count as one that took so long: no peak, since it is not a measurement, but draws the estimate up. It
   * does so by the time since the last sample but one, as the last one can be of the same lease. Nothing where unknown.
   */
  recordFailure(place: number, milliseconds: number, now: number): void {
    if (this.isUnknown(place) || milliseconds <= this.latencyOf(place)) return;
    const grown = this.#growthAt(now);
    this.#draw(place, milliseconds, (this.#known[size * place + growthBefore] as number) / grown, grown);
  }

  /** Takes over what another has found out about a member's latency. */
  copy(place: number, other: LatencyEstimates, placeThere: number, now: number): void {
    if (other.isUnknown(placeThere)) return;
    const scale = this.#growthAt(now) / other.#growthAt(now);
    const at = size * place;
    const there = size * placeThere;
    this.#known[at + latency] = other.#known[there + latency] as number;
    this.#known[at + growth] = Math.max(never, (other.#known[there + growth] as number) * scale);
    this.#known[at + growthBefore] = Math.max(never, (other.#known[there + growthBefore] as number) * scale);
  }

  /** @param left how much of the estimate is left, the rest being the new value's */
  #draw(place: number, milliseconds: number, left: number, grown: number): void {
    this.#set(place, milliseconds + (this.latencyOf(place) - milliseconds) * left, grown);
  }

  #set(place: number, milliseconds: number, grown: number): void {
    const at = size * place;
    this.#known[at + growthBefore] = this.isUnknown(place) ? grown : (this.#known[at + growth] as number);
    this.#known[at + latency] = milliseconds;
    this.#known[at + growth] = grown;
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
    for (let at = 0; at < this.#known.length; at += size) {
      this.#known[at + growth] = Math.max(never, (this.#known[at + growth] as number) * shrink);
      this.#known[at + growthBefore] = Math.max(never, (this.#known[at + growthBefore] as number) * shrink);
    }
    this.#epoch = now;
  }
}
