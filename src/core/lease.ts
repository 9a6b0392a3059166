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
  released(state: MemberState<T>, outcome: Outcome): void;
}

const acquired = 0;
const connected = 1;
const released = 2;

/**
 * One connection, request or session held on a member, from `pool.acquire()` to `release()`; the unit of accounting.
 * Release every lease exactly once; a second release is ignored.
 */
export class Lease<T = unknown> implements Disposable {
  /** The member that was picked. */
  readonly member: Member<T>;
  readonly #state: MemberState<T>;
  readonly #books: LeaseBooks<T>;
  #phase: typeof acquired | typeof connected | typeof released = acquired;

  /** @internal leases are made by `pool.acquire()` */
  constructor(state: MemberState<T>, books: LeaseBooks<T>) {
    this.member = state.member;
    this.#state = state;
    this.#books = books;
  }

  get refused(): false {
    return false;
  }

  /** The connection to the member stands: it counts in `totalConnections`. */
  connected(): void {
    if (this.#phase !== acquired) return;
    this.#phase = connected;
    this.#state.counters.totalConnections++;
    this.#books.counters.totalConnections++;
  }

  /** A connection that was kept from an earlier lease serves this one: nothing new is counted. */
  resumed(): void {
    if (this.#phase === acquired) this.#phase = connected;
  }

  /** A request was sent to the member. */
  countRequest(): void {
    this.#state.counters.requests++;
    this.#books.counters.requests++;
  }

  /** The member has answered. */
  countResponse(status: number): void {
    this.#state.counters.countResponse(status);
    this.#books.counters.countResponse(status);
  }

  /** @param milliseconds from the request's head to the answer's */
  countFirstByte(milliseconds: number): void {
    this.#state.counters.countFirstByte(milliseconds);
    this.#books.counters.countFirstByte(milliseconds);
  }

  /** The member gave no proper answer. */
  countRequestError(): void {
    this.#state.counters.requestErrors++;
    this.#books.counters.requestErrors++;
  }

  /** The client left before it had its answer. */
  countAborted(): void {
    this.#state.counters.abortedRequests++;
    this.#books.counters.abortedRequests++;
  }

  /** Accounts `bytes` that went from the client towards the member. */
  countIn(bytes: number): void {
    this.#state.counters.bytesIn += bytes;
    this.#books.counters.bytesIn += bytes;
  }

  /** Accounts `bytes` that went from the member towards the client. */
  countOut(bytes: number): void {
    this.#state.counters.bytesOut += bytes;
    this.#books.counters.bytesOut += bytes;
  }

  /**
   * Ends the lease. A lease that never was `connected()` counts as a connect failure where the outcome is `'failure'`, and as
   * a connection where it is `'success'`.
   */
  release(outcome: Outcome = 'success'): void {
    if (this.#phase === released) return;
    if (this.#phase === acquired) {
      if (outcome === 'success') {
        this.connected();
      } else if (outcome === 'failure') {
        this.#state.counters.connectFailures++;
        this.#books.counters.connectFailures++;
      }
    }
    this.#phase = released;
    this.#books.released(this.#state, outcome);
  }

  /** `release('success')`, for `using`. */
  [Symbol.dispose](): void {
    this.release();
  }
}
