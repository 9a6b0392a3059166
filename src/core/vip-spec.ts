import { type Cidr, formatEndpoint, isUnix, parseCidr } from './address.ts';
import { address } from './endpoint-spec.ts';
import { SpecError } from './errors.ts';
import { unlimited } from './member-spec.ts';
import { type PoolConfig, type PoolSpec, readPool } from './pool-spec.ts';
import { at, boolean, duration, Fields, integer, list, name, oneOf } from './spec.ts';

/** What clients speak to a virtual IP. `'http'` and `'udp'` are to come. */
export type Protocol = 'tcp';

/** A virtual IP as a user describes it. */
export interface VipSpec<T = unknown> extends VipSettings {
  /** 1 to 255 characters, one virtual IP of a balancer each. Default: `address:port`. */
  readonly name?: string | null;
  /** What clients connect to: an IP literal (`'::'` and `'0.0.0.0'` for all), a host name, or `unix:/path`. */
  readonly address: string;
  /** 0 to 65535; 0 lets the system choose one. None for a Unix socket. */
  readonly port?: number | null;
  /** Default `'tcp'`. */
  readonly protocol?: Protocol | null;
  /** The pool that serves the clients; of a balancer's virtual IP also the name of one of its pools. */
  readonly pool: PoolSpec<T> | string;
}

/** What of a virtual IP can change while it serves. What an update does not name stays; `null` asks for the default. */
export interface VipSettings {
  /** The most clients served at a time, 1 to 2147483647. Default: no limit. */
  readonly connectionLimit?: number | null;
  /** How many clients beyond `connectionLimit` wait for their turn, 0 to 2147483647; more are refused. Default 1024. */
  readonly backlog?: number | null;
  /** Blocks that a client's address must be in. Default: every client is allowed. An empty list allows none. */
  readonly allowedCidrs?: readonly string[] | null;
  readonly timeouts?: TimeoutsSpec | null;
  /** How often a client whose member cannot be connected to is tried on another one, 0 to 100. Default 3. */
  readonly retries?: number | null;
  /** `false` refuses every client. Default true. */
  readonly enabled?: boolean | null;
}

/** Milliseconds, 0 to 2147483647; 0 means no limit. */
export interface TimeoutsSpec {
  /** For one try to connect to a member. Default 5000. */
  readonly connect?: number | null;
  /** For a client that neither sends nor takes anything. Default 50000. */
  readonly client?: number | null;
  /** For a member that neither sends nor takes anything. Default 50000. */
  readonly member?: number | null;
}

/** Checked timeouts. */
export interface Timeouts {
  readonly connect: number;
  readonly client: number;
  readonly member: number;
}

/** Checked settings. */
export interface VipSettingsConfig {
  readonly connectionLimit: number;
  readonly backlog: number;
  readonly allowedCidrs: AllowedCidrs | undefined;
  readonly timeouts: Timeouts;
  readonly retries: number;
  readonly enabled: boolean;
}

interface AllowedCidrs {
  /** As they were written. */
  readonly text: readonly string[];
  readonly blocks: readonly Cidr[];
}

/** A checked virtual IP spec. */
export interface VipConfig<T = unknown> {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly protocol: Protocol;
  readonly settings: VipSettingsConfig;
  /** A pool's name where the spec refers to one. */
  readonly pool: PoolConfig<T> | string;
}

const settingNames = ['connectionLimit', 'backlog', 'allowedCidrs', 'timeouts', 'retries', 'enabled'] as const;

const defaults: VipSettingsConfig = {
  connectionLimit: unlimited,
  backlog: 1024,
  allowedCidrs: undefined,
  timeouts: Object.freeze({ connect: 5000, client: 50_000, member: 50_000 }),
  retries: 3,
  enabled: true,
};

export function readVip<T>(value: unknown, path: string): VipConfig<T> {
  const fields = new Fields(value, path, ['name', 'address', 'port', 'protocol', 'pool', ...settingNames]);
  const host = fields.require('address', address);
  const port = isUnix(host) ? fields.read('port', integer(0, 0), 0) : fields.require('port', integer(0, 65_535));
  const vipName = fields.read('name', name, formatEndpoint(host, port));
  return {
    name: vipName,
    address: host,
    port,
    protocol: fields.read('protocol', oneOf<Protocol>(['tcp']), 'tcp'),
    settings: readSettings(fields, defaults),
    pool: fields.require('pool', (pool, poolPath) =>
      typeof pool === 'string' ? name(pool, poolPath) : readPool<T>(pool, poolPath, vipName),
    ),
  };
}

export function readVipUpdate(value: unknown, current: VipSettingsConfig): VipSettingsConfig {
  return readSettings(new Fields(value, '', settingNames), current);
}

function readSettings(fields: Fields<(typeof settingNames)[number]>, current: VipSettingsConfig): VipSettingsConfig {
  const { connectionLimit, backlog, allowedCidrs, timeouts, retries, enabled } = current;
  return {
    connectionLimit: fields.change('connectionLimit', integer(1, unlimited), unlimited, connectionLimit),
    backlog: fields.change('backlog', integer(0, unlimited), defaults.backlog, backlog),
    allowedCidrs: fields.change<AllowedCidrs | undefined>('allowedCidrs', readCidrs, undefined, allowedCidrs),
    timeouts: fields.change('timeouts', timeoutsOver(timeouts), defaults.timeouts, timeouts),
    retries: fields.change('retries', integer(0, 100), defaults.retries, retries),
    enabled: fields.change('enabled', boolean, true, enabled),
  };
}

function readCidrs(value: unknown, path: string): AllowedCidrs {
  const text = list((entry, entryPath) => name(entry, entryPath))(value, path);
  const blocks = text.map((entry, index) => {
    const cidr = parseCidr(entry);
    if (cidr === undefined)
      throw new SpecError(at(path, index), entry, "a block such as '10.0.0.0/8' or '2001:db8::/32'");
    return cidr;
  });
  return { text, blocks };
}

function timeoutsOver(current: Timeouts): (value: unknown, path: string) => Timeouts {
  return (value, path) => {
    const fields = new Fields(value, path, ['connect', 'client', 'member']);
    return Object.freeze({
      connect: fields.change('connect', duration(0), defaults.timeouts.connect, current.connect),
      client: fields.change('client', duration(0), defaults.timeouts.client, current.client),
      member: fields.change('member', duration(0), defaults.timeouts.member, current.member),
    });
  };
}
