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
      this.requests < maxRequests &&
      this.#trials < this.#mostTrials &&
      !(isRetry && this.retries >= maxRetries)
    );
  }

  /** From now on at most so many of the leases that are taken from now on run at a time. */
  halfOpen(mostTrials: number): void {
    this.#trials = 0;
    this.#mostTrials = mostTrials;
  }

  close(): void {
    this.#mostTrials = unlimited;
  }

  /** @returns what a new lease is counted as */
  acquired(isRetry: boolean): number {
    this.pending++;
    if (isRetry) this.retries++;
    if (this.isHalfOpen) this.#trials++;
    return asPending | (isRetry ? asRetry : uncounted) | (this.isHalfOpen ? asTrial : uncounted);
  }

  /** @returns what the lease is counted as from now on */
  connected(marks: number): number {
    if ((marks & asPending) !== 0) this.pending--;
    return marks & ~asPending;
  }

  requested(marks: number): number {
    if ((marks & asRequest) !== 0) return marks;
    this.requests++;
    return marks | asRequest;
  }

  released(marks: number): void {
    if ((marks & asPending) !== 0) this.pending--;
    if ((marks & asRequest) !== 0) this.requests--;
    if ((marks & asRetry) !== 0) this.retries--;
    // Trials of an earlier half-open state are forgotten when the next one begins.
    if ((marks & asTrial) !== 0 && this.#trials > 0) this.#trials--;
  }

  /** Whether the lease decides how the trial ends. */
  static isTrial(marks: number): boolean {
    return (marks & asTrial) !== 0;
  }
}
