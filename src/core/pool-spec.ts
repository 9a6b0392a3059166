import { type AgentCheck, type AgentCheckSpec, readAgentCheck } from '../health/agent/agent-check.ts';
import { type HealthMonitor, type HealthMonitorSpec, readHealthMonitor } from '../health/monitor-spec.ts';
import type { Persistence } from '../persistence/persistence.ts';
import { isSamePersistence, type PersistenceSpec, readPersistence } from '../persistence/persistence-spec.ts';
import { isSameConcurrencyLimit } from '../safeguards/concurrency-limit-spec.ts';
import { readStrategy, type StrategyName } from '../strategies/built-in.ts';
import { roundRobin } from '../strategies/round-robin.ts';
import type { Strategy } from '../strategies/strategy.ts';
import type { MemberTls } from '../tls/member-tls.ts';
import { keepingSameMemberTls, type MemberTlsSpec, memberTlsOver } from '../tls/member-tls-spec.ts';
import { defaultKeepAlive, type KeepAlive, type KeepAliveSpec, keepAliveOver } from './keep-alive-spec.ts';
import { type MemberConfig, type MemberSpec, readMember, unlimited } from './member-spec.ts';
import { type QueueSettings, type QueueSpec, readQueue } from './queue-spec.ts';
import {
  noSafeguards,
  readSafeguards,
  type Safeguards,
  type SafeguardsSpec,
  safeguardNames,
} from './safeguards-spec.ts';
import {
  type ProxyProtocolVersion,
  readSendProxyProtocol,
  type SendProxyProtocol,
  type SendProxyProtocolSpec,
} from './send-proxy-protocol.ts';
import { boolean, distinct, Fields, integer, isSame, list, name } from './spec.ts';

/** A pool as a user describes it. */
export interface PoolSpec<T = unknown> extends PoolUpdate<T> {
  /** 1 to 255 characters. Default for the pool of a virtual IP: that one's name; else it must be given. */
  readonly name?: string | null;
}

/** A change of a pool: what is not named stays, `null` asks for the default. */
export interface PoolUpdate<T = unknown> extends SafeguardsSpec {
  /** A built-in strategy's name or a strategy of one's own. Default `'round-robin'`. */
  readonly strategy?: StrategyName | Strategy<T> | null;
  /** In an update the whole list: members that it lacks are removed, those that it has keep connections and counters. */
  readonly members?: readonly MemberSpec<T>[] | null;
  /** Default: none. */
  readonly healthMonitor?: HealthMonitorSpec<T> | null;
  /** Asks the members' agents how they are, beside the health monitor or without one. Default: no. */
  readonly agentCheck?: AgentCheckSpec | null;
  /** Keeps clients on the members that they have got. Default: none. */
  readonly persistence?: PersistenceSpec<T> | null;
  /** Has clients wait while every member is busy, by `maxConnections` or another limit. Default: they are refused at once. */
  readonly queue?: QueueSpec | null;
  /**
   * How many connections (of HTTP, requests), those included that wait, make the pool full, 1 to 2147483647: members with
   * `minConnections` may hold the more of their `maxConnections`, the closer it is to that. Default: they always may hold all.
   */
  readonly fullConnections?: number | null;
  /** How connections to the members of an HTTP virtual IP are kept for later requests. */
  readonly keepAlive?: KeepAliveSpec | null;
  /**
   * Speaks TLS to the members, `true` with all defaults: certificates are verified. Concerns clients and not checks, whose `type` says
   * whether they speak TLS. Default: none.
   */
  readonly tls?: boolean | MemberTlsSpec | null;
  /**
   * Tells members who the client is, in a PROXY header ahead of everything else, `'v1'` or `'v2'`. Checks begin with a header that
   * tells of nobody, where they knock where clients go. Default: none.
   */
  readonly proxyProtocol?: ProxyProtocolVersion | SendProxyProtocolSpec | null;
  /** `false` refuses every client. Default true. */
  readonly enabled?: boolean | null;
}

/** A checked pool spec. */
export interface PoolConfig<T = unknown> extends Safeguards {
  readonly name: string;
  readonly strategy: Strategy<T>;
  readonly members: readonly MemberConfig<T>[];
  readonly healthMonitor: HealthMonitor<T> | undefined;
  readonly agentCheck: AgentCheck | undefined;
  readonly persistence: Persistence<T> | undefined;
  readonly queue: QueueSettings | undefined;
  readonly fullConnections: number | undefined;
  readonly keepAlive: KeepAlive;
  readonly tls: MemberTls | undefined;
  readonly proxyProtocol: SendProxyProtocol | undefined;
  readonly enabled: boolean;
}

const changeable = [
  'strategy',
  'members',
  'healthMonitor',
  'agentCheck',
  'persistence',
  'queue',
  'fullConnections',
  ...safeguardNames,
  'keepAlive',
  'tls',
  'proxyProtocol',
  'enabled',
] as const;

const fullConnections = integer(1, unlimited);

/** @param defaultName where undefined, the spec must have a name */
export function readPool<T>(value: unknown, path: string, defaultName?: string): PoolConfig<T> {
  const fields = new Fields(value, path, ['name', ...changeable]);
  return {
    name: defaultName === undefined ? fields.require('name', name) : fields.read('name', name, defaultName),
    strategy: fields.read<Strategy<T>, Strategy<T>>('strategy', readStrategy, roundRobin()),
    members: fields.read<MemberConfig<T>[], MemberConfig<T>[]>('members', readMembers, []),
    healthMonitor: fields.read('healthMonitor', readHealthMonitor<T>, undefined),
    agentCheck: fields.read('agentCheck', readAgentCheck, undefined),
    persistence: fields.read('persistence', readPersistence<T>, undefined),
    queue: fields.read('queue', readQueue, undefined),
    fullConnections: fields.read('fullConnections', fullConnections, undefined),
    ...readSafeguards(fields, noSafeguards),
    keepAlive: fields.read('keepAlive', keepAliveOver(defaultKeepAlive), defaultKeepAlive),
    tls: fields.read('tls', memberTlsOver(undefined), undefined),
    proxyProtocol: fields.read('proxyProtocol', readSendProxyProtocol, undefined),
    enabled: fields.read('enabled', boolean, true),
  };
}

/** What an update leaves of `current`; `members` is undefined where it does not speak of them. */
export function readPoolUpdate<T>(value: unknown, current: Omit<PoolConfig<T>, 'members'>): PoolChange<T> {
  const fields = new Fields(value, '', changeable);
  return {
    name: current.name,
    strategy: fields.change<Strategy<T>>('strategy', readStrategy, roundRobin(), current.strategy),
    members: fields.change<MemberConfig<T>[] | undefined>('members', readMembers<T>, [], undefined),
    healthMonitor: fields.change<HealthMonitor<T> | undefined>(
      'healthMonitor',
      readHealthMonitor<T>,
      undefined,
      current.healthMonitor,
    ),
    agentCheck: fields.change<AgentCheck | undefined>('agentCheck', readAgentCheck, undefined, current.agentCheck),
    persistence: fields.change<Persistence<T> | undefined>(
      'persistence',
      readPersistence<T>,
      undefined,
      current.persistence,
    ),
    queue: fields.change<QueueSettings | undefined>('queue', readQueue, undefined, current.queue),
    fullConnections: fields.change<number | undefined>(
      'fullConnections',
      fullConnections,
      undefined,
      current.fullConnections,
    ),
    ...readSafeguards(fields, current),
    keepAlive: fields.change('keepAlive', keepAliveOver(current.keepAlive), defaultKeepAlive, current.keepAlive),
    tls: fields.change<MemberTls | undefined>('tls', memberTlsOver(current.tls), undefined, current.tls),
    proxyProtocol: fields.change<SendProxyProtocol | undefined>(
      'proxyProtocol',
      readSendProxyProtocol,
      undefined,
      current.proxyProtocol,
    ),
    enabled: fields.change('enabled', boolean, true, current.enabled),
  };
}

export interface PoolChange<T> extends Omit<PoolConfig<T>, 'members'> {
  readonly members: readonly MemberConfig<T>[] | undefined;
}

function readMembers<T>(value: unknown, path: string): MemberConfig<T>[] {
  const members = list((entry, entryPath) => readMember<T>(entry, entryPath))(value, path);
  distinct(members, path, 'id', (member) => member.id);
  return members;
}

/** A pool's settings: its spec without the members. */
export type PoolSettings<T> = Omit<PoolConfig<T>, 'members'>;

/** What says the same as before stays the same object, so that nothing follows a change that is none. */
export function keepingWhatIsSame<T>(before: PoolSettings<T>, wanted: PoolSettings<T>): PoolSettings<T> {
  const kept = <Value extends object | undefined>(a: Value, b: Value): Value => (isSame(a, b) ? a : b);
  const isSameLimit = isSameConcurrencyLimit(before.concurrencyLimit, wanted.concurrencyLimit);
  return {
    ...wanted,
    healthMonitor: kept(before.healthMonitor, wanted.healthMonitor),
    agentCheck: kept(before.agentCheck, wanted.agentCheck),
    persistence: isSamePersistence(before.persistence, wanted.persistence) ? before.persistence : wanted.persistence,
    queue: kept(before.queue, wanted.queue),
    tls: keepingSameMemberTls(before.tls, wanted.tls),
    proxyProtocol: kept(before.proxyProtocol, wanted.proxyProtocol),
    panic: kept(before.panic, wanted.panic),
    outlierDetection: kept(before.outlierDetection, wanted.outlierDetection),
    retryBudget: kept(before.retryBudget, wanted.retryBudget),
    concurrencyLimit: isSameLimit ? before.concurrencyLimit : wanted.concurrencyLimit,
  };
}
