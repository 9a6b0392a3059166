import { uncounted } from './circuit.ts';
import type { Member } from './member.ts';
import type { MemberState } from './member-state.ts';
import type { Refusal } from './refusal.ts';
import type { Counters } from './stats.ts';

/**
 * How a lease ended. `failure`: the member failed (before `connected()`: the connect failed). `ignored`: says nothing about
 * the member, for example a limit of our own. `aborted`: the client went away.
 */
export type Outcome = 'success' | 'failure' | 'ignored' | 'aborted';

/** What a pick ends in. `result.refused` tells the two apart. */
export type Acquired<T = unknown> = Lease<T> | Refusal;

/** The pool's books, as a lease sees them. */
export interface LeaseBooks<T> {
  readonly counters: Counters;
  /** The connection stands, and nothing more will be told of it before it ends. */
  connected(lease: Lease<T>): void;
  /** The first byte of an answer has come. */
  answered(lease: Lease<T>): void;
  released(lease: Lease<T>, outcome: Outcome): void;
}

/** What a lease has been through, as bits. */
const connected = 1;
const released = 2;

/**
 * One connection, request or session held on a member, from `pool.acquire()` to `release()`; the unit of accounting.
 * Release every lease exactly once; a second release is ignored.
 */
export class Lease<T = unknown> implements Disposable {
  /** The member that was picked. */
  readonly member: Member<T>;
  /** @internal */
  readonly state: MemberState<T>;
  /** @internal the clock's time; -1 where nobody wants to know */
  readonly takenAt: number;
  /** @internal whether the strategy was told how long the member took */
  isMeasured = false;
  /** @internal what outlier detection keeps of a connect that succeeded, see `OutlierRecord` */
  failuresBefore = -1;
  readonly #books: LeaseBooks<T>;
  #marks: number;
  #status = 0;
  #phase = 0;

  /** @internal leases are made by `pool.acquire()` */
  constructor(state: MemberState<T>, books: LeaseBooks<T>, takenAt: number, marks: number) {
    this.member = state.member;
    this.state = state;
    this.takenAt = takenAt;
    this.#books = books;
    this.#marks = marks;
  }

  get refused(): false {
    return false;
  }

  /** The status of the member's final answer, of HTTP; 0 where there was none. */
  get status(): number {
    return this.#status;
  }

  /** Whether the member could be connected to; for a pool's `classify`. */
  get wasConnected(): boolean {
    return (this.#phase & connected) !== 0;
  }

  /** @internal what it is counted as, see `Circuit` */
  get marks(): number {
    return this.#marks;
  }

  /** The connection to the member stands, and is all that there is to tell of: it counts in `totalConnections`. */
  connected(): void {
    if (this.#phase !== 0) return;
    this.connectedForRequest();
    this.#books.connected(this);
  }

  /** As `connected()`, where an answer is to come, by which to judge the member (`countFirstByte()`, `countResponse()`). */
  connectedForRequest(): void {
    if (this.#phase !== 0) return;
    this.resumed();
    this.state.counters.totalConnections++;
    this.#books.counters.totalConnections++;
  }

  /** A connection that was kept from an earlier lease serves this one: nothing new is counted. */
  resumed(): void {
    if (this.#phase !== 0) return;
    this.#phase = connected;
    if (this.#marks !== uncounted) this.#marks = this.state.circuit?.connected(this.#marks) ?? this.#marks;
  }

  /** A request was sent to the member. */
  countRequest(): void {
    this.state.counters.requests++;
    this.#books.counters.requests++;
    if (this.state.circuit !== undefined) this.#marks = this.state.circuit.requested(this.#marks);
  }

  /** The member has answered. */
  countResponse(status: number): void {
    if (status >= 200) this.#status = status;
    this.state.counters.countResponse(status);
    this.#books.counters.countResponse(status);
  }

  /** @param milliseconds from the request's head to the answer's */
  countFirstByte(milliseconds: number): void {
    this.state.counters.countFirstByte(milliseconds);
    this.#books.counters.countFirstByte(milliseconds);
    this.#books.answered(this);
  }

  /** The member gave no proper answer. */
  countRequestError(): void {
    this.state.counters.requestErrors++;
    this.#books.counters.requestErrors++;
  }

  /** The client left before it had its answer. */
  countAborted(): void {
    this.state.counters.abortedRequests++;
    this.#books.counters.abortedRequests++;
  }

  /** Accounts `bytes` that went from the client towards the member. */
  countIn(bytes: number): void {
    this.state.counters.bytesIn += bytes;
    this.#books.counters.bytesIn += bytes;
  }

  /** Accounts `bytes` that went from the member towards the client. */
  countOut(bytes: number): void {
    this.state.counters.bytesOut += bytes;
    this.#books.counters.bytesOut += bytes;
  }

  /**
   * Ends the lease. A lease that never was `connected()` counts as a connect failure where the outcome is `'failure'`, and as
   * a connection where it is `'success'`.
   */
  release(outcome: Outcome = 'success'): void {
    if ((this.#phase & released) !== 0) return;
    this.#countConnection(outcome);
    this.#phase |= released;
    this.#books.released(this, outcome);
  }

  #countConnection(outcome: Outcome): void {
    if (this.#phase !== 0) return;
    if (outcome === 'success') {
      this.connectedForRequest();
    } else if (outcome === 'failure') {
      this.state.counters.connectFailures++;
      this.#books.counters.connectFailures++;
    }
  }

  /** `release('success')`, for `using`. */
  [Symbol.dispose](): void {
    this.release();
  }
}
