import type { Member } from '../core/member.ts';
import type { ProxyProtocolVersion } from '../core/send-proxy-protocol.ts';

/** What a probe is asked to look at. */
export interface ProbeTarget<T = unknown> {
  readonly member: Member<T>;
  /** Where to knock: an IP literal, a host name, or `unix:/path`. */
  readonly address: string;
  /** 0 for a Unix socket. */
  readonly port: number;
  /** The PROXY header to begin with, one that tells of nobody (`LOCAL`, or `PROXY UNKNOWN`); undefined for none. */
  readonly proxyProtocol?: ProxyProtocolVersion | undefined;
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
