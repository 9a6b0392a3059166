import type { AgentStatus } from '../health/agent/agent-view.ts';
import type { ProbeType } from '../health/monitor-spec.ts';
import type { Probe } from '../health/probe.ts';
import type { OutlierStats } from '../safeguards/outlier-stats.ts';
import type { SheddingCause } from '../safeguards/shedding.ts';
import type { PersistenceStats } from './affinity.ts';
import type { CircuitUse } from './circuit.ts';
import type { Member } from './member.ts';
import type { Pool } from './pool.ts';
import type { ConcurrencyLimitStats, RetryBudgetStats } from './safeguard-stats.ts';
import { type Stats, snapshot } from './stats.ts';
import type { MemberStatus, OperatingStatus } from './status.ts';
import type { Protocol } from './vip-spec.ts';
import { type VipStats, vipSnapshot } from './vip-stats.ts';
import type { VirtualIP } from './virtual-ip.ts';
import type { QueueStats } from './wait-queue.ts';

/** What `balancer.statusTree()` and `balancer.stats()` are made of: plain data that can go into JSON. */

export interface BalancerStatus {
  readonly name: string;
  readonly status: OperatingStatus;
  readonly vips: readonly VipStatus[];
  /** Every pool, also those that no virtual IP leads to. */
  readonly pools: readonly PoolStatus[];
}

export interface VipStatus {
  readonly name: string;
  readonly status: OperatingStatus;
  readonly address: string;
  readonly port: number;
  readonly protocol: Protocol;
  readonly pool: PoolStatus;
  /** Of `sniRouting`; empty where there is none. */
  readonly routes: readonly RouteStatus[];
}

export interface RouteStatus {
  readonly serverNames: readonly string[];
  /** Null where it is for all protocols. */
  readonly alpn: readonly string[] | null;
  readonly pool: PoolStatus;
}

export interface PoolStatus {
  readonly name: string;
  readonly status: OperatingStatus;
  readonly strategy: string;
  /** Null where nobody checks the members. */
  readonly healthMonitor: { readonly type: string } | null;
  /** Whether `panic` has taken effect, in one level of priority at least. */
  readonly isPanicking: boolean;
  /** The safeguards that turn leases away, at the moment or within the last second. */
  readonly shedding: readonly SheddingCause[];
  /** Null where nothing keeps clients on their members. */
  readonly persistence: Pick<PersistenceStats, 'name' | 'size' | 'evicted'> | null;
  /** How many clients wait for a member; null where there is no queue. */
  readonly queue: { readonly waiting: number } | null;
  /** How many members are ejected, and on trial after it; null where it is off. */
  readonly outlierDetection: Pick<OutlierStats, 'ejected' | 'onTrial'> | null;
  readonly members: readonly MemberReport[];
}

export interface MemberReport {
  readonly id: string;
  readonly status: MemberStatus;
  readonly reason: string;
  readonly address: string;
  readonly port: number;
  readonly weight: number;
  readonly priority: number;
  /** Null where nobody said. */
  readonly zone: string | null;
  readonly backup: boolean;
  /** What of its limits beside `maxConnections` is in use; null where it has none and never was on trial. */
  readonly circuit: CircuitUse | null;
  /** Where checks knock; null where they knock where clients go. */
  readonly monitor: { readonly address: string; readonly port: number } | null;
  /** What its agent has said; null where nothing is known. */
  readonly agent: AgentStatus | null;
}

export interface BalancerStats extends Stats {
  readonly name: string;
  readonly vips: readonly (VipStats & { readonly name: string })[];
  readonly pools: readonly PoolStats[];
}

export interface PoolStats extends Stats {
  readonly name: string;
  /** What outlier detection has done; null where it is off. */
  readonly outlierDetection: OutlierStats | null;
  /** Null where there is none. */
  readonly retryBudget: RetryBudgetStats | null;
  readonly concurrencyLimit: ConcurrencyLimitStats | null;
  readonly queue: QueueStats | null;
  /** Null where nothing keeps clients on their members. */
  readonly persistence: PersistenceStats | null;
  readonly members: readonly (Stats & { readonly id: string })[];
}

export function vipStatus<T>(vip: VirtualIP<T>): VipStatus {
  const { name, status, address, port, protocol } = vip;
  const routes = vip.routes.map(({ serverNames, alpn = null, pool }) => ({
    serverNames,
    alpn,
    pool: poolStatus(pool),
  }));
  return { name, status, address, port, protocol, pool: poolStatus(vip.pool), routes };
}

export function poolStatus<T>(pool: Pool<T>): PoolStatus {
  const { healthMonitor, outlierStats, queueStats, persistenceStats } = pool;
  return {
    name: pool.name,
    status: pool.status,
    strategy: pool.strategy.name,
    healthMonitor: healthMonitor === undefined ? null : { type: nameOf(healthMonitor.type) },
    isPanicking: pool.isPanicking,
    shedding: pool.shedding,
    persistence: persistenceStats === undefined ? null : remembered(persistenceStats),
    queue: queueStats === undefined ? null : { waiting: queueStats.waiting },
    outlierDetection:
      outlierStats === undefined ? null : { ejected: outlierStats.ejected, onTrial: outlierStats.onTrial },
    members: pool.members.map(memberReport),
  };
}

function remembered({ name, size, evicted }: PersistenceStats): PoolStatus['persistence'] {
  return { name, size, evicted };
}

function memberReport<T>(member: Member<T>): MemberReport {
  const { id, status, statusReason, address, port, weight, priority, zone = null, backup, circuit, agent } = member;
  return {
    id,
    status,
    reason: statusReason,
    address,
    port,
    weight,
    priority,
    zone,
    backup,
    circuit: circuit === undefined ? null : circuitReport(circuit),
    monitor: monitorOf(member),
    agent: agent === undefined ? null : agentReport(agent),
  };
}

function monitorOf<T>({ address, port, monitorAddress, monitorPort }: Member<T>): MemberReport['monitor'] {
  if (monitorAddress === undefined && monitorPort === undefined) return null;
  return { address: monitorAddress ?? address, port: monitorPort ?? port };
}

/** A copy, as the next. */
function agentReport(agent: AgentStatus): AgentStatus {
  const { weightPercent, maxConnections, mode, health, comment, failure } = agent;
  return { weightPercent, maxConnections, mode, health, comment, failure };
}

/** A copy: what a member has is live. */
function circuitReport({ pending, requests, retries, isHalfOpen }: CircuitUse): CircuitUse {
  return { pending, requests, retries, isHalfOpen };
}

export function vipStats<T>(vip: VirtualIP<T>): VipStats & { readonly name: string } {
  return { name: vip.name, ...vipSnapshot(vip.stats) };
}

export function poolStats<T>(pool: Pool<T>): PoolStats {
  const members = pool.members.map((member) => ({ id: member.id, ...snapshot(member.stats) }));
  return {
    name: pool.name,
    ...snapshot(pool.stats),
    outlierDetection: pool.outlierStats ?? null,
    retryBudget: pool.retryBudgetStats ?? null,
    concurrencyLimit: pool.concurrencyLimitStats ?? null,
    queue: pool.queueStats ?? null,
    persistence: pool.persistenceStats ?? null,
    members,
  };
}

function nameOf<T>(type: ProbeType | Probe<T>): string {
  return typeof type === 'string' ? type : type.name;
}
