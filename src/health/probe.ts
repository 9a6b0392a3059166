import type { Member } from '../core/member.ts';

/** What a probe is asked to look at. */
export interface ProbeTarget<T = unknown> {
  readonly member: Member<T>;
  /** Where to knock: an IP literal, a host name, or `unix:/path`. */
  readonly address: string;
  /** 0 for a Unix socket. */
  readonly port: number;
  /** Aborts when the monitor's timeout passes, or the monitor stops. */
  readonly signal: AbortSignal;
}

/**
 * One check of one member. The monitor decides when and how often; a probe only answers.
 * Built-in and user-written probes have this same interface.
 */
export interface Probe<T = unknown> {
  /** Shown in the status tree, for example `tcp`. */
  readonly name: string;
  /**
   * Resolves where the member is fine and rejects where it is not; the error's message becomes the reason that events
   * carry. Rejects with an `InconclusiveError` where nothing can be said about the member. A probe that has not settled
   * when `signal` aborts counts as failed.
   */
  check(target: ProbeTarget<T>): Promise<void>;
}
