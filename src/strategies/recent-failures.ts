import type { Clock } from '../core/clock.ts';
import type { Member } from '../core/member.ts';
import { placesBefore } from './places-before.ts';

/** Milliseconds for which a failure counts as load, unless told otherwise. */
export const defaultFailurePenalty = 10_000;

/** Sweeps in the time that a failure counts: what it still counts for is never more than a 32nd out of date. */
const sweeps = 32;

/**
 * Failures that count as load for a while, so that a member that fails fast is not taken for one that is fast: a failed lease
 * counts as one that goes on for `penalty` milliseconds. What the failures of a member count for drains evenly, down to nothing
 * `penalty` milliseconds after the last one. A member that fails at a steady rate thus carries rate × penalty leases, as if each
 * took that long; and one that has recovered is given its load back bit by bit, not by a herd at the moment of pardon.
 *
 * Source: the remedy against "sinkholing" in B. Beyer et al., "Site Reliability Engineering" (2016), chapter 20; the mistake is
 * that of envoyproxy/envoy#39737 and of AWS Builders' Library, "Implementing health checks".
 *
 * Cost: `add` and `of` O(1). Memory for n members from the first failure on. While no failure counts, `areNone` is all there is to
 * ask, and the clock is not read; else each `expire` reads it, and 32 times in `penalty` milliseconds goes through the members
 * that have failed.
 */
export class RecentFailures<T> {
  readonly #members: readonly Member<T>[];
  readonly #clock: Clock;
  readonly #penalty: number;
  /** By place: what the failures count for in whole leases, as of the last sweep. Empty before the first failure. */
  #load: Int32Array = new Int32Array(0);
  /** By place: what they counted for at the last failure, and when that was. */
  #peak: Float64Array = new Float64Array(0);
  #since: Float64Array = new Float64Array(0);
  /** The places whose load is above 0, the first `#count` entries. */
  #places: Int32Array = new Int32Array(0);
  #count = 0;
  #nextSweep = 0;

  /**
   * @param members those that a picker was prepared for; a place is an index in here
   * @param penalty milliseconds, 0 and up; 0: failures count for nothing
   * @param previous of the picker before: what its members failed still counts
   */
  constructor(members: readonly Member<T>[], clock: Clock, penalty: number, previous?: RecentFailures<T>) {
    this.#members = members;
    this.#clock = clock;
    this.#penalty = penalty;
    if (previous !== undefined && previous.#count > 0 && penalty > 0) this.#carryOn(previous);
  }

  /** Whether no failure counts, so that neither `expire` nor `of` need be asked. */
  get areNone(): boolean {
    return this.#count === 0;
  }

  /** How many leases a member is to be thought to hold besides those that it does hold: an integer, parts of one count as one. */
  of(place: number): number {
    return this.#count === 0 ? 0 : (this.#load[place] as number);
  }

  /** The member has failed just now. */
  add(place: number): void {
    if (this.#penalty === 0) return;
    const now = this.#clock.now();
    this.#note(place, this.#count === 0 ? 1 : this.#loadAt(place, now) + 1, now);
  }

  /**
   * Lets time pass. To be called before the loads are looked at, where not `areNone`.
   *
   * @param changed is told of each member whose load has become another
   */
  expire(changed?: (place: number) => void): void {
    if (this.#count === 0) return;
    const now = this.#clock.now();
    if (now < this.#nextSweep) return;
    this.#nextSweep = now + this.#penalty / sweeps;
    for (let entry = this.#count - 1; entry >= 0; entry--) {
      const place = this.#places[entry] as number;
      const load = Math.ceil(this.#loadAt(place, now));
      if (load === this.#load[place]) continue;
      this.#load[place] = load;
      if (load === 0) this.#places[entry] = this.#places[--this.#count] as number;
      changed?.(place);
    }
  }

  #loadAt(place: number, now: number): number {
    const left = 1 - (now - (this.#since[place] as number)) / this.#penalty;
    return left > 0 ? (this.#peak[place] as number) * left : 0;
  }

  #note(place: number, peak: number, since: number, load: number = peak): void {
    if (this.#load.length === 0) {
      this.#load = new Int32Array(this.#members.length);
      this.#peak = new Float64Array(this.#members.length);
      this.#since = new Float64Array(this.#members.length);
      this.#places = new Int32Array(this.#members.length);
    }
    if (this.#count === 0) this.#nextSweep = since + this.#penalty / sweeps;
    if (this.#load[place] === 0) this.#places[this.#count++] = place;
    this.#peak[place] = peak;
    this.#since[place] = since;
    this.#load[place] = Math.ceil(load);
  }

  #carryOn(previous: RecentFailures<T>): void {
    const now = this.#clock.now();
    for (const [place, before] of placesBefore(this.#members, previous.#members).entries()) {
      if (before < 0 || previous.#load[before] === 0) continue;
      const peak = previous.#peak[before] as number;
      const since = previous.#since[before] as number;
      const left = 1 - (now - since) / this.#penalty;
      if (left > 0) this.#note(place, peak, since, peak * left);
    }
    this.#nextSweep = now;
  }
}
