import { unlimited } from './member-spec.ts';

/** Limits of a member beside `maxConnections`; `unlimited` where there is none. */
export interface CircuitLimits {
  readonly maxPending: number;
  readonly maxRequests: number;
  readonly maxRetries: number;
}

/** What of a member's circuit is in use. */
export interface CircuitUse {
  /** Leases whose member is not connected yet. */
  readonly pending: number;
  /** Requests sent to the member that it has not answered in full. */
  readonly requests: number;
  /** Leases that follow a failed try of the same client. */
  readonly retries: number;
  /** Whether the member is on trial after an ejection, and takes but a few clients at a time. */
  readonly isHalfOpen: boolean;
}

/** Nothing counted yet; the bits below are what a lease has been counted as. */
export const uncounted = 0;
const asPending = 1;
const asRequest = 2;
const asRetry = 4;
const asTrial = 8;
/** The bits above tell of which half-open state a trial is. */
const roundShift = 4;
const rounds = 2 ** 26;

/** A lease keeps what it was counted as. */
export interface CountedLease {
  marks: number;
}

/**
 * What, beside `maxConnections`, can close a member to further clients: limits as of Envoy's circuit breakers (pending, requests,
 * retries), and the half-open state after an ejection. Members that have neither have no circuit, and pay nothing.
 *
 * Each lease keeps in a few bits what it was counted as, so that a limit that comes or goes meanwhile upsets no count.
 */
export class Circuit implements CircuitUse {
  pending = 0;
  requests = 0;
  retries = 0;
  #trials = 0;
  /** The half-open states are numbered, so that a trial left over from an earlier one is none of a later one. */
  #round = 0;
  #mostTrials = unlimited;
  #limits: CircuitLimits;

  constructor(limits: CircuitLimits) {
    this.#limits = limits;
  }

  set limits(limits: CircuitLimits) {
    this.#limits = limits;
  }

  get isHalfOpen(): boolean {
    return this.#mostTrials !== unlimited;
  }

  permits(isRetry: boolean): boolean {
    const { maxPending, maxRequests, maxRetries } = this.#limits;
    return (
      this.pending < maxPending &&
      // Those that are not connected yet are about to be requests.
      this.pending + this.requests < maxRequests &&
      this.#trials < this.#mostTrials &&
      !(isRetry && this.retries >= maxRetries)
    );
  }

  /** From now on at most so many of the leases that are taken from now on run at a time. */
  halfOpen(mostTrials: number): void {
    this.#trials = 0;
    this.#round = (this.#round + 1) % rounds;
    this.#mostTrials = mostTrials;
  }

  close(): void {
    this.#mostTrials = unlimited;
  }

  acquired(lease: CountedLease, isRetry: boolean): void {
    this.pending++;
    if (isRetry) this.retries++;
    lease.marks = asPending | (isRetry ? asRetry : uncounted);
    if (!this.isHalfOpen) return;
    this.#trials++;
    lease.marks |= asTrial | (this.#round << roundShift);
  }

  connected(lease: CountedLease): void {
    if ((lease.marks & asPending) === 0) return;
    this.pending--;
    lease.marks &= ~asPending;
  }

  requested(lease: CountedLease): void {
    if ((lease.marks & asRequest) !== 0) return;
    this.connected(lease);
    this.requests++;
    lease.marks |= asRequest;
  }

  released({ marks }: CountedLease): void {
    if ((marks & asPending) !== 0) this.pending--;
    if ((marks & asRequest) !== 0) this.requests--;
    if ((marks & asRetry) !== 0) this.retries--;
    if ((marks & asTrial) !== 0 && marks >>> roundShift === this.#round) this.#trials--;
  }

  /** Whether the lease decides how the trial ends. */
  static isTrial({ marks }: CountedLease): boolean {
    return (marks & asTrial) !== 0;
  }
}
