import type { AgentView } from '../health/agent/agent-view.ts';
import type { HealthMonitor } from '../health/monitor-spec.ts';
import { RiseFall } from '../health/rise-fall.ts';
import type { Ejection, OutlierRecord } from '../safeguards/outlier-record.ts';
import { Circuit } from './circuit.ts';
import type { Drain, DrainOptions, DrainResult } from './drain.ts';
import type { Level } from './levels.ts';
import type { LoadReport } from './load-report.ts';
import { Member } from './member.ts';
import { type MemberConfig, type MemberUpdate, unlimited } from './member-spec.ts';
import type { PoolLoad } from './pool-load.ts';
import { Counters } from './stats.ts';
import type { MemberStatus } from './status.ts';
import type { Tier } from './tier.ts';

/** What a member asks of its pool. */
export interface MemberOwner<T> {
  readonly load: PoolLoad;
  updateMember(state: MemberState<T>, change: MemberUpdate<T>): void;
  drainMember(state: MemberState<T>, options?: DrainOptions): Promise<DrainResult>;
  removeMember(state: MemberState<T>): boolean;
  isServing(state: MemberState<T>): boolean;
  reportLoad(state: MemberState<T>, report: LoadReport): void;
  reportAgent(state: MemberState<T>, line: string): void;
}

/**
 * What a pool knows of a member. The axes are separate (administrative, drain, health, agent, capacity); only the pool combines
 * them, in `verdict`.
 */
export class MemberState<T> {
  // What picks and leases look into comes first, side by side: with many members none of it is in the cache.
  readonly counters: Counters = new Counters();
  /** The most connections, whatever the pool's load. */
  limit: number;
  /** The most when the pool is full; above `limit` only where that moves with the load. */
  most: number;
  /** Its limits beside `limit`, and the half-open state; undefined until it has one of them. */
  circuit: Circuit | undefined;
  /** Where it may be picked, and its place there; undefined while it does not serve. */
  tier: Tier<T> | undefined;
  place = 0;
  /** Those who wait for its last connection to end; undefined where nobody does. */
  drains: Set<Drain> | undefined;
  readonly member: Member<T>;

  readonly owner: MemberOwner<T>;
  config: MemberConfig<T>;
  isDraining = false;
  /** Why outlier detection keeps it from serving; undefined while it does not. */
  ejection: Ejection | undefined;
  /** What outlier detection knows of it; undefined where nobody looks. */
  outlier: OutlierRecord | undefined;
  /** Undefined where nobody checks. */
  health: RiseFall | undefined;
  /** What its agent has said; undefined where nothing is known of one. */
  agent: AgentView | undefined;
  /** What the last check that counted said. */
  healthReason = 'not checked yet';
  status: MemberStatus = 'no-monitor';
  reason = '';
  /** Whether it is meant to serve: enabled, of a weight above 0, not draining. */
  isInService = false;
  /** Whether it may serve: in service, and neither down nor ejected. */
  isEligible = false;
  /** Nobody knows yet whether it is up, and it counts as down until somebody does. */
  isUnchecked = false;
  isEjected = false;
  level: Level<T> | undefined;

  constructor(config: MemberConfig<T>, owner: MemberOwner<T>) {
    this.config = config;
    this.limit = this.most = config.maxConnections;
    this.owner = owner;
    this.limitConnections();
    this.member = new Member(this);
    this.limitCircuit();
  }

  get maxConnections(): number | undefined {
    return this.most === unlimited ? undefined : this.most;
  }

  /** Its share, as its owner and its agent have it together. */
  get weight(): number {
    return this.agent === undefined ? this.config.weight : this.agent.weightOf(this.config.weight);
  }

  get hasRoom(): boolean {
    const { activeConnections } = this.counters;
    return activeConnections < this.limit || this.stretchesBeyond(activeConnections);
  }

  /** Whether it has no room whatever the load. */
  get isFull(): boolean {
    return this.counters.activeConnections >= this.most;
  }

  /** Whether the pool's load permits it one more than so many. To be asked from `limit` on. */
  stretchesBeyond(connections: number): boolean {
    return this.most > this.limit && connections < this.owner.load.limitOf(this.limit, this.most);
  }

  /** Its owner's limit is not for its agent to lift. */
  limitConnections(): void {
    const { maxConnections, minConnections } = this.config;
    this.most = Math.min(maxConnections, this.agent?.limit ?? unlimited);
    this.limit = this.owner.load.fullConnections === undefined ? this.most : Math.min(minConnections, this.most);
  }

  /** Whether both its owner and its agent want it to serve. */
  get isWanted(): boolean {
    return this.config.enabled && !this.isDraining && (this.agent === undefined || this.agent.mode === 'ready');
  }

  /** Follows `config`'s limits. A circuit stays, so that the leases it has counted can be counted out. */
  limitCircuit(): void {
    const { config } = this;
    if (this.circuit !== undefined) this.circuit.limits = config;
    else if (Math.min(config.maxPending, config.maxRequests, config.maxRetries) < unlimited)
      this.circuit = new Circuit(config);
  }

  /** Its health starts anew: as the monitor says of a member that was not checked yet. */
  expectFirstCheck(monitor: HealthMonitor<T>): void {
    this.health = new RiseFall(monitor);
    this.healthReason = 'not checked yet';
  }

  /** The one place where the axes become a status. */
  verdict(): { status: MemberStatus; reason: string } {
    if (!this.config.enabled) return { status: 'offline', reason: 'disabled' };
    if (this.agent?.mode === 'maint') return { status: 'offline', reason: 'agent: maint' };
    if (this.health?.isUp === false) return { status: 'error', reason: this.healthReason };
    if (this.agent?.isDown === true) return { status: 'error', reason: this.agent.reason };
    if (this.ejection !== undefined) return { status: 'error', reason: this.ejection.reason };
    if (this.isDraining) return { status: 'draining', reason: 'drain requested' };
    if (this.agent?.mode === 'drain') return { status: 'draining', reason: 'agent: drain' };
    if (this.weight === 0 && this.config.weight > 0) return { status: 'draining', reason: 'agent: 0%' };
    if (this.config.weight === 0) return { status: 'draining', reason: 'weight is 0' };
    if (this.health === undefined) return { status: 'no-monitor', reason: 'no health monitor' };
    return { status: 'online', reason: this.healthReason };
  }
}
