import { type MonitorEndpoint, readMonitorEndpoint } from '../health/monitor-endpoint.ts';
import { formatEndpoint, isUnix, parseEndpoint } from './address.ts';
import type { CircuitLimits } from './circuit.ts';
import { address } from './endpoint-spec.ts';
import { SpecError } from './errors.ts';
import { at, boolean, Fields, integer, name } from './spec.ts';

/** A pool member as a user describes it: the short form is `host:port`, `[ipv6]:port` or `unix:/path`. */
export type MemberSpec<T = unknown> = string | MemberFields<T>;

export interface MemberFields<T = unknown> extends MemberSettings<T> {
  /** Identity within the pool; 1 to 255 characters. Default: `address:port`. */
  readonly id?: string | null;
  /** An IP literal, a host name (resolved at each connect), or `unix:/path`. */
  readonly address: string;
  /** 1 to 65535; none for a Unix socket. */
  readonly port?: number | null;
}

/** What of a member can change while it serves. `null` asks for the default. */
export interface MemberSettings<T = unknown> {
  /** Share of new clients relative to the other members, an integer from 0 to 256; 0 takes no new ones. Default 1. */
  readonly weight?: number | null;
  /** 0 to 127: members of a higher number serve as far as those of a lower one are not healthy enough. Default 0. */
  readonly priority?: number | null;
  /** Where it is, 1 to 255 characters; for `zonePreference()`. Default: nowhere. */
  readonly zone?: string | null;
  /** Serves only while no other member can. Default false. */
  readonly backup?: boolean | null;
  /** `false` takes the member out of service; in `member.update()`, `true` also ends a drain. Default true. */
  readonly enabled?: boolean | null;
  /** The most connections it may hold at a time, 1 to 2147483647. Default: no limit. */
  readonly maxConnections?: number | null;
  /**
   * The most connections while its pool has little to do, 1 to `maxConnections`, which is reached when the pool has `fullConnections`;
   * without these of no effect. Default: `maxConnections`.
   */
  readonly minConnections?: number | null;
  /** The most connections to it that are being established at a time, 1 to 2147483647. Default: no limit. */
  readonly maxPending?: number | null;
  /** The most requests that it may be working on at a time, 1 to 2147483647. Default: no limit. */
  readonly maxRequests?: number | null;
  /** The most retries (of what failed elsewhere) that it may hold at a time, 0 to 2147483647. Default: no limit. */
  readonly maxRetries?: number | null;
  /**
   * Where checks knock instead of at `address`: an IP literal, a host name, or `unix:/path`. Clients are not led there. Default:
   * `address`.
   */
  readonly monitorAddress?: string | null;
  /** Where checks knock instead of at `port`, 1 to 65535; none for a Unix socket. Default: `port`. */
  readonly monitorPort?: number | null;
  /** The TCP port of its agent, 1 to 65535; asked where the pool has an `agentCheck`. Default: the one that the check names. */
  readonly agentPort?: number | null;
  /** Anything that the pool's owner wants to find again on the member. */
  readonly data?: T;
}

/** A change of a member. A new address or port counts for new connections and starts its health anew. */
export interface MemberUpdate<T = unknown> extends MemberSettings<T> {
  readonly address?: string;
  readonly port?: number;
}

/** A checked member spec. */
export interface MemberConfig<T = unknown> extends CircuitLimits, MonitorEndpoint {
  readonly id: string;
  readonly address: string;
  readonly port: number;
  readonly weight: number;
  readonly priority: number;
  readonly zone: string | undefined;
  readonly backup: boolean;
  readonly enabled: boolean;
  readonly maxConnections: number;
  /** `unlimited` where nobody said. */
  readonly minConnections: number;
  readonly agentPort: number | undefined;
  readonly data: T | undefined;
}

/** Stands for "no limit"; an integer that V8 keeps unboxed. */
export const unlimited = 2_147_483_647;

const settings = [
  'weight',
  'priority',
  'zone',
  'backup',
  'enabled',
  'maxConnections',
  'minConnections',
  'maxPending',
  'maxRequests',
  'maxRetries',
  'monitorAddress',
  'monitorPort',
  'agentPort',
  'data',
] as const;
const weight = integer(0, 256);
const port = integer(1, 65535);
const priority = integer(0, 127);
const limit = integer(1, unlimited);
const retries = integer(0, unlimited);
const noConnectionLimits = { maxConnections: unlimited, minConnections: unlimited };
const checkedWhereItServes: MonitorEndpoint = { monitorAddress: undefined, monitorPort: undefined };

export function readMember<T>(value: MemberSpec<T> | unknown, path: string): MemberConfig<T> {
  const fields = new Fields(fromText(value, path), path, ['id', 'address', 'port', ...settings]);
  const host = fields.require('address', address);
  const number = readPort(fields, host);
  return {
    id: fields.read('id', name, formatEndpoint(host, number)),
    address: host,
    port: number,
    weight: fields.read('weight', weight, 1),
    priority: fields.read('priority', priority, 0),
    zone: fields.read('zone', name, undefined),
    backup: fields.read('backup', boolean, false),
    enabled: fields.read('enabled', boolean, true),
    ...readConnectionLimits(fields, noConnectionLimits),
    maxPending: fields.read('maxPending', limit, unlimited),
    maxRequests: fields.read('maxRequests', limit, unlimited),
    maxRetries: fields.read('maxRetries', retries, unlimited),
    ...readMonitorEndpoint(fields, { address: host, port: number }, checkedWhereItServes),
    agentPort: fields.read('agentPort', port, undefined),
    data: fields.read('data', (data) => data as T, undefined),
  };
}

export function readMemberUpdate<T>(value: MemberUpdate<T> | unknown, current: MemberConfig<T>): MemberConfig<T> {
  const fields = new Fields(value, '', ['address', 'port', ...settings]);
  const host = fields.change('address', address, current.address, current.address);
  const movesPort = fields.names('port') || host !== current.address;
  const number = movesPort ? readPort(fields, host, current.port) : current.port;
  return {
    id: current.id,
    address: host,
    port: number,
    weight: fields.change('weight', weight, 1, current.weight),
    priority: fields.change('priority', priority, 0, current.priority),
    zone: fields.change<string | undefined>('zone', name, undefined, current.zone),
    backup: fields.change('backup', boolean, false, current.backup),
    enabled: fields.change('enabled', boolean, true, current.enabled),
    ...readConnectionLimits(fields, current),
    maxPending: fields.change('maxPending', limit, unlimited, current.maxPending),
    maxRequests: fields.change('maxRequests', limit, unlimited, current.maxRequests),
    maxRetries: fields.change('maxRetries', retries, unlimited, current.maxRetries),
    ...readMonitorEndpoint(fields, { address: host, port: number }, current),
    agentPort: fields.change<number | undefined>('agentPort', port, undefined, current.agentPort),
    data: fields.change<T | undefined>('data', (data) => data as T, undefined, current.data),
  };
}

function readConnectionLimits(
  fields: Fields<'maxConnections' | 'minConnections'>,
  current: Pick<MemberConfig, 'maxConnections' | 'minConnections'>,
): Pick<MemberConfig, 'maxConnections' | 'minConnections'> {
  const maxConnections = fields.change('maxConnections', limit, unlimited, current.maxConnections);
  const minConnections = fields.change('minConnections', limit, unlimited, current.minConnections);
  if (minConnections < unlimited && (minConnections > maxConnections || maxConnections === unlimited)) {
    const expected =
      maxConnections === unlimited ? 'a maxConnections beside it' : `at most maxConnections, ${maxConnections}`;
    throw new SpecError(at(fields.path, 'minConnections'), minConnections, expected);
  }
  return { maxConnections, minConnections };
}

function readPort(fields: Fields<'port' | 'address'>, host: string, current = 0): number {
  if (!isUnix(host)) return current > 0 ? fields.read('port', port, current) : fields.require('port', port);
  return fields.read('port', noPort, 0);
}

function noPort(value: unknown, path: string): number {
  if (value === 0) return 0;
  throw new SpecError(path, value, 'no port beside the path of a Unix socket');
}

function fromText(value: unknown, path: string): unknown {
  if (typeof value !== 'string') return value;
  const endpoint = parseEndpoint(value);
  if (endpoint === undefined) {
    throw new SpecError(path, value, "'host:port', '[ipv6]:port', 'unix:/path' or a member object");
  }
  // A bad part of the short form is reported as the field that it would be.
  address(endpoint.address, at(path, 'address'));
  return endpoint;
}
