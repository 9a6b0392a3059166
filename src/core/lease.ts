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
  /** It is no longer pending: to be told where the member's circuit has counted it. */
  begun(lease: Lease<T>): void;
  /** The first byte of an answer has come. */
  answered(lease: Lease<T>): void;
  released(lease: Lease<T>, outcome: Outcome): void;
}

/** One of a lease's `notes`: see `Lease.isKept`. */
export const kept = 4;

/** What a lease has been through: it is taken, may be connected, and is released, connected or not. */
const taken = 0;
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
  takenAt = -1;
  /** @internal what the member's circuit counts it as */
  marks = uncounted;
  /** @internal who wants to hear of it: `Accounts` keeps bits of its own here, beside `kept` */
  notes = 0;
  /** @internal when it was taken, as outlier detection counts time, see `OutlierDetector` */
  epoch = 0;
  /** @internal what outlier detection keeps of a connect that succeeded; -1 where it heard of none */
  failuresBefore = -1;
  readonly #books: LeaseBooks<T>;
  #status = 0;
  #phase = taken;

  /** @internal leases are made by `pool.acquire()` */
  constructor(state: MemberState<T>, books: LeaseBooks<T>) {
    this.member = state.member;
    this.state = state;
    this.#books = books;
  }

  get refused(): false {
    return false;
  }

  /** The status of the member's final answer, of HTTP; 0 where there was none. */
  get status(): number {
    return this.#status;
  }

  /** Whether the pool's `persistence` has led the client here; false where the strategy has picked the member. */
  get isKept(): boolean {
    return (this.notes & kept) !== 0;
  }

  /** Whether the member could be connected to; for a pool's `classify`. */
  get wasConnected(): boolean {
    return (this.#phase & connected) !== 0;
  }

  /** The connection to the member stands, and is all that there is to tell of: it counts in `totalConnections`. */
  connected(): void {
    if (this.#phase !== taken) return;
    this.connectedForRequest();
    this.#books.connected(this);
  }

  /** As `connected()`, where an answer is to come, by which to judge the member (`countFirstByte()`, `countResponse()`). */
  connectedForRequest(): void {
    if (this.#phase !== taken) return;
    this.resumed();
    this.state.counters.totalConnections++;
    this.#books.counters.totalConnections++;
  }

  /** A connection that was kept from an earlier lease serves this one: nothing new is counted. */
  resumed(): void {
    if (this.#phase !== taken) return;
    this.#phase = connected;
    if (this.marks !== uncounted) this.#books.begun(this);
  }

  /** A request was sent to the member. */
  countRequest(): void {
    this.state.counters.requests++;
    this.#books.counters.requests++;
    // What nobody will count out is not counted in.
    const { circuit } = this.state;
    if (circuit === undefined || this.#phase >= released) return;
    // What is sent is sent on a connection that stands, a kept one perhaps, of which nobody says so before it answers.
    this.#books.begun(this);
    circuit.requested(this);
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
    if (this.#phase >= released) return;
    if (this.#phase === taken) {
      if (outcome === 'success') {
        this.connectedForRequest();
      } else if (outcome === 'failure') {
        this.state.counters.connectFailures++;
        this.#books.counters.connectFailures++;
      }
    }
    this.#phase |= released;
    this.#books.released(this, outcome);
  }

  /** `release('success')`, for `using`. */
  [Symbol.dispose](): void {
    this.release();
  }
}
