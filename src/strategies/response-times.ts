/** nginx counts in whole seconds: "more than 10" is 11. */
const second = 1000;

const classWidth = 20;
const longestTime = 5000;

// What is known of a member lies together: of a large pool hardly anything is in the processor's cache when it is asked for.
const size = 4;
/** Average time in whole milliseconds; 0 where there is none. */
const average = 0;
/** When it was picked, or failed, for the first time in `failTimeout`. */
const checked = 1;
const weight = 2;
const leases = 3;

/**
 * How long each member takes, and what follows for the time that it would take to be done with one client more.
 *
 * Source: nginx 1.31, `ngx_http_upstream_least_time_module.c`. The first time is taken as it is; from then on the average is
 * 0.95 × average + 0.05 × time + 0.5, in whole milliseconds. It halves in each `failTimeout` and a second in which the member was
 * not picked. Times of one class of 20 ms are alike, and so are all above 5 seconds.
 *
 * Cost: all O(1); the state of a member is 32 bytes, 48 where `countsUnanswered`.
 */
export class ResponseTimes {
  readonly #failTimeout: number;
  readonly #countsUnanswered: boolean;
  readonly #known: Float64Array;
  /** By place, leases without an answer: how many, and the sum of the times when they were taken. Empty where they do not count. */
  readonly #unanswered: Int32Array;
  readonly #takenAt: Float64Array;
  /** Of the members that have an average: how many there are, and the sum. */
  #measured = 0;
  #sum = 0;

  /** @param countsUnanswered whether a member is no faster than its leases without an answer are old on average */
  constructor(weights: Int32Array, failTimeout: number, countsUnanswered: boolean) {
    this.#failTimeout = failTimeout;
    this.#countsUnanswered = countsUnanswered;
    this.#known = new Float64Array(size * weights.length);
    this.#unanswered = new Int32Array(countsUnanswered ? weights.length : 0);
    this.#takenAt = new Float64Array(countsUnanswered ? weights.length : 0);
    for (const [place, each] of weights.entries()) {
      this.#known[size * place + weight] = each;
      this.#known[size * place + checked] = Number.NEGATIVE_INFINITY;
    }
  }

  weightOf(place: number): number {
    return this.#known[size * place + weight] as number;
  }

  /**
   * Milliseconds until the member would be done with all its leases and one more.
   *
   * @param failures leases that it is to be thought to hold besides; with any it is taken to be no faster than the average
   */
  untilDone(place: number, failures: number, now: number): number {
    const known = this.#known;
    const at = size * place;
    // As an integer: the remainder of a floating-point number costs ten times as much.
    let time = (known[at + average] as number) | 0;
    const unchecked = now - (known[at + checked] as number);
    if (unchecked > this.#failTimeout) {
      const halvings = unchecked / (this.#failTimeout + second);
      time = halvings < 31 ? time >> halvings : 0;
    }
    if (this.#countsUnanswered) time = Math.max(time, this.#unansweredFor(place, now));
    if (failures > 0 && this.#measured > 0) time = Math.max(time, Math.floor(this.#sum / this.#measured));
    time = time > longestTime ? longestTime : time + classWidth - (time % classWidth);
    return time * (1 + (known[at + leases] as number) + failures);
  }

  /** The member was picked, or has failed. */
  check(place: number, now: number): void {
    const at = size * place + checked;
    if (now - (this.#known[at] as number) > this.#failTimeout) this.#known[at] = now;
  }

  acquired(place: number): void {
    (this.#known[size * place + leases] as number)++;
  }

  /** As `acquired`, where leases without an answer count. */
  acquiredAt(place: number, now: number): void {
    this.acquired(place);
    (this.#unanswered[place] as number)++;
    (this.#takenAt[place] as number) += now;
  }

  record(place: number, milliseconds: number): void {
    const at = size * place + average;
    const before = this.#known[at] as number;
    const time = Math.floor(milliseconds);
    const after = before === 0 ? time : Math.floor(before * 0.95 + time * 0.05 + 0.5);
    this.#known[at] = after;
    this.#sum += after - before;
    if (before === 0 && after > 0) this.#measured++;
  }

  /** A lease without an answer, this old, has one. */
  answered(place: number, age: number, now: number): void {
    (this.#unanswered[place] as number)--;
    (this.#takenAt[place] as number) -= now - age;
    this.#limitUnanswered(place);
  }

  released(place: number): void {
    (this.#known[size * place + leases] as number)--;
    if (this.#countsUnanswered) this.#limitUnanswered(place);
  }

  /** Takes over what another has found out about a member. */
  copy(place: number, other: ResponseTimes, placeThere: number): void {
    const time = other.#known[size * placeThere + average] as number;
    this.#known[size * place + average] = time;
    this.#known[size * place + checked] = other.#known[size * placeThere + checked] as number;
    this.#sum += time;
    if (time > 0) this.#measured++;
    if (!this.#countsUnanswered || !other.#countsUnanswered) return;
    this.#unanswered[place] = other.#unanswered[placeThere] as number;
    this.#takenAt[place] = other.#takenAt[placeThere] as number;
  }

  /** For a picker that was not told of the leases that there are. */
  setLeases(place: number, count: number): void {
    this.#known[size * place + leases] = count;
  }

  #unansweredFor(place: number, now: number): number {
    const count = this.#unanswered[place] as number;
    return count === 0 ? 0 : Math.max(0, Math.floor(now - (this.#takenAt[place] as number) / count));
  }

  /** No more than there are leases, and without any no rounding error stays either. */
  #limitUnanswered(place: number): void {
    const held = Math.max(0, this.#known[size * place + leases] as number);
    const count = this.#unanswered[place] as number;
    if (count <= 0 || held === 0) {
      this.#unanswered[place] = 0;
      this.#takenAt[place] = 0;
    } else if (count > held) {
      (this.#takenAt[place] as number) *= held / count;
      this.#unanswered[place] = held;
    }
  }
}
