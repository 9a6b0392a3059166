import type { AgentStatus } from '../health/agent/agent-view.ts';
import type { Ejection } from '../safeguards/outlier-record.ts';
import type { CircuitUse } from './circuit.ts';
import type { DrainOptions, DrainResult } from './drain.ts';
import type { LoadReport } from './load-report.ts';
import { type MemberUpdate, unlimited } from './member-spec.ts';
import type { MemberState } from './member-state.ts';
import type { Stats } from './stats.ts';
import type { MemberStatus } from './status.ts';

/** The pool's view of a member; inside the package only. */
export let stateOf: <T>(member: Member<T>) => MemberState<T>;

/**
 * One service instance of a pool. Its identity is its `id`: address, weight and everything else may change while
 * connections, counters and health live on.
 *
 * @typeParam T what the pool's owner keeps in `data`
 */
export class Member<T = unknown> {
  /** Identity within the pool. */
  readonly id: string;
  /** Live counters. */
  readonly stats: Stats;
  readonly #state: MemberState<T>;

  /** @internal members are made by `pool.add()` */
  constructor(state: MemberState<T>) {
    this.id = state.config.id;
    this.stats = state.counters;
    this.#state = state;
  }

  /** An IP literal, a host name, or `unix:/path`. */
  get address(): string {
    return this.#state.config.address;
  }

  /** 1 to 65535; 0 for a Unix socket. */
  get port(): number {
    return this.#state.config.port;
  }

  /** 0 to 256; 0 takes no new clients. What its agent wants of it is allowed for. */
  get weight(): number {
    return this.#state.weight;
  }

  /** 0 to 127, 0 first. */
  get priority(): number {
    return this.#state.config.priority;
  }

  /** Where it is; undefined where nobody said. */
  get zone(): string | undefined {
    return this.#state.config.zone;
  }

  /** Serves only while no other member can. */
  get backup(): boolean {
    return this.#state.config.backup;
  }

  get enabled(): boolean {
    return this.#state.config.enabled;
  }

  /** The most connections it may hold at a time, also as its agent wants it; undefined where there is no limit. */
  get maxConnections(): number | undefined {
    return this.#state.maxConnections;
  }

  /** The most connections while its pool has little to do; `maxConnections` where nobody said. */
  get minConnections(): number | undefined {
    const { most, config } = this.#state;
    const least = Math.min(most, config.minConnections);
    return least === unlimited ? undefined : least;
  }

  /** The most connections that it may hold for the load that its pool has now; undefined where there is no limit. */
  get connectionLimit(): number | undefined {
    const { limit, most, owner } = this.#state;
    if (most === unlimited) return undefined;
    return most > limit ? owner.load.limitOf(limit, most) : most;
  }

  /** Where checks knock instead of at `address`; undefined where nobody said. */
  get monitorAddress(): string | undefined {
    return this.#state.config.monitorAddress;
  }

  /** Where checks knock instead of at `port`; undefined where nobody said. */
  get monitorPort(): number | undefined {
    return this.#state.config.monitorPort;
  }

  /** Whether clients can come to it now: it is eligible, or its pool panics. */
  get isServing(): boolean {
    return this.#state.owner.isServing(this.#state);
  }

  /** The TCP port of its agent; undefined where it has none of its own. */
  get agentPort(): number | undefined {
    return this.#state.config.agentPort;
  }

  /** What its agent has said; undefined where it was not asked or has not answered yet. */
  get agent(): AgentStatus | undefined {
    return this.#state.agent;
  }

  /** What of its limits beside `maxConnections` is in use; undefined where it has none and never was on trial. */
  get circuit(): CircuitUse | undefined {
    return this.#state.circuit;
  }

  /** Why outlier detection keeps it from serving, and until when; undefined while it does not. */
  get ejection(): Ejection | undefined {
    return this.#state.ejection;
  }

  get data(): T | undefined {
    return this.#state.config.data;
  }

  get status(): MemberStatus {
    return this.#state.status;
  }

  /** Why the status is what it is, in words. */
  get statusReason(): string {
    return this.#state.reason;
  }

  /** Changes what is named and keeps the rest. Throws `SpecError` and changes nothing where a value is bad. */
  update(change: MemberUpdate<T>): void {
    this.#state.owner.updateMember(this.#state, change);
  }

  /** As `pool.drain()`. */
  drain(options?: DrainOptions): Promise<DrainResult> {
    return this.#state.owner.drainMember(this.#state, options);
  }

  /**
   * The member says how busy it is; for strategies that go by it (`utilization`).
   *
   * Throws `SpecError` where a figure is not a number from 0 up.
   */
  reportLoad(report: LoadReport): void {
    this.#state.owner.reportLoad(this.#state, report);
  }

  /**
   * The member's agent says how it is: a line of HAProxy's agent protocol, `75% maxconn:30 drain`, say. For agents that are heard
   * otherwise than by the pool's `agentCheck`.
   */
  reportAgent(line: string): void {
    this.#state.owner.reportAgent(this.#state, line);
  }

  /** As `pool.remove()`; says whether it was still there. */
  remove(): boolean {
    return this.#state.owner.removeMember(this.#state);
  }

  static {
    stateOf = (member) => member.#state;
  }
}
