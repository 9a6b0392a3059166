import type { HealthMonitor } from '../health/monitor-spec.ts';
import { RiseFall } from '../health/rise-fall.ts';
import type { Drain, DrainOptions, DrainResult } from './drain.ts';
import { Member } from './member.ts';
import { type MemberConfig, type MemberUpdate, unlimited } from './member-spec.ts';
import { Counters } from './stats.ts';
import type { MemberStatus } from './status.ts';
import type { Tier } from './tier.ts';

/** What a member asks of its pool. */
export interface MemberOwner<T> {
  updateMember(state: MemberState<T>, change: MemberUpdate<T>): void;
  drainMember(state: MemberState<T>, options?: DrainOptions): Promise<DrainResult>;
  removeMember(state: MemberState<T>): boolean;
}

/**
 * What a pool knows of a member. The axes are separate (administrative, drain, health, capacity); only the pool combines
 * them, in `verdict`.
 */
export class MemberState<T> {
  readonly counters: Counters = new Counters();
  readonly member: Member<T>;
  readonly owner: MemberOwner<T>;
  config: MemberConfig<T>;
  /** `config.maxConnections`, at hand: with many members each object that a pick looks into is one that is not in the cache. */
  limit: number;
  isDraining = false;
  /** Undefined where nobody checks. */
  health: RiseFall | undefined;
  /** What the last check that counted said. */
  healthReason = 'not checked yet';
  status: MemberStatus = 'no-monitor';
  reason = '';
  /** Whether a strategy gets to see it. */
  isEligible = false;
  /** Where it may be picked; undefined while it is not eligible. */
  tier: Tier<T> | undefined;
  /** Those who wait for its last connection to end. */
  readonly drains: Set<Drain> = new Set<Drain>();

  constructor(config: MemberConfig<T>, owner: MemberOwner<T>) {
    this.config = config;
    this.limit = config.maxConnections;
    this.owner = owner;
    this.member = new Member(this);
  }

  get maxConnections(): number | undefined {
    return this.config.maxConnections === unlimited ? undefined : this.config.maxConnections;
  }

  get hasRoom(): boolean {
    return this.counters.activeConnections < this.limit;
  }

  /** Its health starts anew: as the monitor says of a member that was not checked yet. */
  expectFirstCheck(monitor: HealthMonitor<T>): void {
    this.health = new RiseFall(monitor);
    this.healthReason = 'not checked yet';
  }

  /** The one place where the axes become a status. */
  verdict(): { status: MemberStatus; reason: string } {
    if (!this.config.enabled) return { status: 'offline', reason: 'disabled' };
    if (this.health?.isUp === false) return { status: 'error', reason: this.healthReason };
    if (this.isDraining) return { status: 'draining', reason: 'drain requested' };
    if (this.config.weight === 0) return { status: 'draining', reason: 'weight is 0' };
    if (this.health === undefined) return { status: 'no-monitor', reason: 'no health monitor' };
    return { status: 'online', reason: this.healthReason };
  }
}
