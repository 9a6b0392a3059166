import type { HealthMonitor } from './monitor-spec.ts';
import type { ErrorAction } from './observer.ts';

type Thresholds = Pick<HealthMonitor, 'maxRetries' | 'maxRetriesDown' | 'initialHealth'>;

/**
 * The rise/fall state machine of one member, as in HAProxy's `src/check.c`: a score from 0 to rise + fall - 1, up from
 * `rise` on. A passed check adds one and, once up, fills the score; a failed one takes one and, once down, empties it.
 * So only successive results count, and a member that starts at exactly `rise` goes down at its first failed check.
 */
export class RiseFall {
  #rise: number;
  #fall: number;
  #score: number;
  #isUnchecked = true;
  /** How often in a row the member has failed its clients, where anybody observes that. */
  errors = 0;

  constructor(thresholds: Thresholds) {
    this.#rise = thresholds.maxRetries;
    this.#fall = thresholds.maxRetriesDown;
    this.#score = { up: this.#rise, 'fully-up': this.#full, down: this.#rise - 1, 'fully-down': 0 }[
      thresholds.initialHealth
    ];
  }

  get isUp(): boolean {
    return this.#score >= this.#rise;
  }

  /** Whether no check has told anything yet. */
  get isUnchecked(): boolean {
    return this.#isUnchecked;
  }

  /** Whether no change is pending: further results like the last one change nothing. */
  get isSteady(): boolean {
    return this.#score === 0 || this.#score === this.#full;
  }

  get #full(): number {
    return this.#rise + this.#fall - 1;
  }

  record(passed: boolean): void {
    this.#isUnchecked = false;
    if (passed) {
      this.#score = this.#score + 1 >= this.#rise ? this.#full : this.#score + 1;
    } else {
      this.#score = this.#score - 1 < this.#rise ? 0 : this.#score - 1;
    }
  }

  /** The member has failed its clients too often. Says whether that counts for its health. */
  recordErrors(action: ErrorAction): boolean {
    if (action === 'fast-delay') return false;
    // One more failed check shall take it down, or this one.
    if (action === 'sudden-death') this.#score = Math.min(this.#score, this.#rise + 1);
    if (action === 'mark-down') this.#score = Math.min(this.#score, this.#rise);
    this.record(false);
    return true;
  }

  /** New thresholds; a member that is up stays up, one that is down stays down, and the count of successive results restarts. */
  retune(thresholds: Thresholds): void {
    const { isUp } = this;
    this.#rise = thresholds.maxRetries;
    this.#fall = thresholds.maxRetriesDown;
    this.#score = isUp ? this.#full : 0;
  }
}
