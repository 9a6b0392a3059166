import type { TlsConfig } from '../tls/tls-config.ts';
import { keepingSameTls, type TlsSpec, tlsOver } from '../tls/tls-spec.ts';
import {
  type AcceptProxyProtocol,
  type AcceptProxyProtocolSpec,
  acceptProxyProtocolOver,
} from './accept-proxy-protocol.ts';
import { formatEndpoint, isUnix } from './address.ts';
import { type CidrList, readCidrs } from './cidr-list.ts';
import { type ClientLimitsSettings, type ClientLimitsSpec, readClientLimits } from './client-limits-spec.ts';
import { address } from './endpoint-spec.ts';
import { SpecError } from './errors.ts';
import {
  type HttpConfig,
  type HttpSettings,
  httpDefaults,
  httpSettingNames,
  readHttpSettings,
  refuseHttpSetting,
  refuseTlsHeaders,
} from './http-settings.ts';
import { unlimited } from './member-spec.ts';
import { type PoolReference, poolReference } from './pool-reference.ts';
import type { PoolSpec } from './pool-spec.ts';
import { type SniRoute, type SniRouteSpec, sniRoutingOf } from './sni-routing-spec.ts';
import { at, boolean, duration, Fields, integer, name, oneOf } from './spec.ts';

/** What clients speak to a virtual IP. `'udp'` is to come. */
export type Protocol = 'tcp' | 'http';

/** A virtual IP as a user describes it. */
export interface VipSpec<T = unknown> extends VipSettings {
  /** 1 to 255 characters, one virtual IP of a balancer each. Default: `address:port`. */
  readonly name?: string | null;
  /** What clients connect to: an IP literal (`'::'` and `'0.0.0.0'` for all), a host name, or `unix:/path`. */
  readonly address: string;
  /** 0 to 65535; 0 lets the system choose one. None for a Unix socket. */
  readonly port?: number | null;
  /** `'tcp'` balances connections, `'http'` requests. Default `'tcp'`. */
  readonly protocol?: Protocol | null;
  /** The pool that serves the clients; of a balancer's virtual IP also the name of one of its pools. */
  readonly pool: PoolSpec<T> | string;
  /**
   * TCP only: leads TLS clients to pools by the name that they ask for, and passes on what they send as it is. `pool` gets those for
   * whom there is no route; who speaks no TLS is turned away. Default: `pool` gets all.
   */
  readonly sniRouting?: readonly SniRouteSpec<T>[] | null;
}

/** What of a virtual IP can change while it serves. What an update does not name stays; `null` asks for the default. */
export interface VipSettings extends HttpSettings {
  /** The most clients served at a time, 1 to 2147483647. Default: no limit. */
  readonly connectionLimit?: number | null;
  /** How many clients beyond `connectionLimit` wait for their turn, 0 to 2147483647; more are refused. Default 1024. */
  readonly backlog?: number | null;
  /** Blocks that a client's address must be in. Default: every client is allowed. An empty list allows none. */
  readonly allowedCidrs?: readonly string[] | null;
  /**
   * Clients come through balancers that tell in a PROXY header, of version 1 or 2, whose each connection is; that client is the one
   * whose address counts everywhere. A connection without one is closed. Default: clients connect themselves.
   */
  readonly acceptProxyProtocol?: AcceptProxyProtocolSpec | null;
  /** What a client's address may have of connections, and of new connections or (on HTTP) requests a second. Default: no limits. */
  readonly clientLimits?: ClientLimitsSpec | null;
  readonly timeouts?: TimeoutsSpec | null;
  /**
   * How often a client whose member cannot be connected to is tried on another one, 0 to 100; also a request that is safe to send
   * again and whose member fails before it answers. Default 3.
   */
  readonly retries?: number | null;
  /** `false` refuses every client. Default true. */
  readonly enabled?: boolean | null;
  /** Ends the clients' TLS here. An update changes what is named in it, for new clients. Default: none. */
  readonly tls?: TlsSpec | null;
}

/** Milliseconds, 0 to 2147483647; 0 means no limit. */
export interface TimeoutsSpec {
  /** Where the virtual IP has `tls`: for a client's handshake. Default 10000. */
  readonly handshake?: number | null;
  /** For one try to connect to a member. Default 5000. */
  readonly connect?: number | null;
  /** For a client that neither sends nor takes anything while it is its turn. Default 50000. */
  readonly client?: number | null;
  /** For a member that neither sends nor takes anything while it is its turn. Default 50000. */
  readonly member?: number | null;
  /** HTTP only: from a request's first byte (or its connection's beginning) to the end of its head. Default 10000. */
  readonly request?: number | null;
  /** HTTP only: for a client's connection between two requests. Default 60000. */
  readonly keepAlive?: number | null;
  /** HTTP only: for an upgraded connection, such as a WebSocket's, on which nothing moves. Default 3600000. */
  readonly tunnel?: number | null;
  /** With `sniRouting` only: from the beginning of a client's turn to the end of its ClientHello. Default 10000. */
  readonly hello?: number | null;
}

/** Checked timeouts. */
export interface Timeouts {
  readonly handshake: number;
  readonly connect: number;
  readonly client: number;
  readonly member: number;
  readonly request: number;
  readonly keepAlive: number;
  readonly tunnel: number;
  readonly hello: number;
}

/** Checked settings. */
export interface VipSettingsConfig {
  readonly connectionLimit: number;
  readonly backlog: number;
  readonly allowedCidrs: CidrList | undefined;
  readonly acceptProxyProtocol: AcceptProxyProtocol | undefined;
  readonly clientLimits: ClientLimitsSettings | undefined;
  readonly timeouts: Timeouts;
  readonly retries: number;
  readonly enabled: boolean;
  readonly tls: TlsConfig | undefined;
  /** The defaults where the protocol is another one. */
  readonly http: HttpConfig;
}

/** A checked virtual IP spec. */
export interface VipConfig<T = unknown> {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly protocol: Protocol;
  readonly settings: VipSettingsConfig;
  readonly pool: PoolReference<T>;
  /** `sniRouting`; empty where there is none. */
  readonly routes: readonly SniRoute<PoolReference<T>>[];
}

const settingNames = [
  'connectionLimit',
  'backlog',
  'allowedCidrs',
  'acceptProxyProtocol',
  'clientLimits',
  'timeouts',
  'retries',
  'enabled',
  'tls',
  ...httpSettingNames,
] as const;

const defaultTimeouts: Timeouts = Object.freeze({
  handshake: 10_000,
  connect: 5000,
  client: 50_000,
  member: 50_000,
  request: 10_000,
  keepAlive: 60_000,
  tunnel: 3_600_000,
  hello: 10_000,
});

const defaults: VipSettingsConfig = {
  connectionLimit: unlimited,
  backlog: 1024,
  allowedCidrs: undefined,
  acceptProxyProtocol: undefined,
  clientLimits: undefined,
  timeouts: defaultTimeouts,
  retries: 3,
  enabled: true,
  tls: undefined,
  http: httpDefaults,
};

export function readVip<T>(value: unknown, path: string): VipConfig<T> {
  const fields = new Fields(value, path, [
    'name',
    'address',
    'port',
    'protocol',
    'pool',
    'sniRouting',
    ...settingNames,
  ]);
  const host = fields.require('address', address);
  const port = isUnix(host) ? fields.read('port', integer(0, 0), 0) : fields.require('port', integer(0, 65_535));
  const vipName = fields.read('name', name, formatEndpoint(host, port));
  const protocol = fields.read('protocol', oneOf<Protocol>(['tcp', 'http']), 'tcp');
  if (protocol !== 'tcp') fields.read('sniRouting', refuseTcpSetting, undefined);
  const config: VipConfig<T> = {
    name: vipName,
    address: host,
    port,
    protocol,
    settings: readSettings(fields, protocol, defaults),
    pool: fields.require('pool', poolReference<T>(vipName)),
    routes: fields.read<VipConfig<T>['routes'], VipConfig<T>['routes']>('sniRouting', sniRoutingOf<T>(vipName), []),
  };
  refuseBoth(config.settings, config.routes, at(path, 'sniRouting'));
  return config;
}

/**
 * Either TLS ends here, or it is passed on as it is.
 *
 * @param path of what is one too many; its value, which may hold keys, is not told
 */
export function refuseBoth(settings: VipSettingsConfig, routes: readonly unknown[], path: string): void {
  if (settings.tls === undefined || routes.length === 0) return;
  throw new SpecError(path, undefined, 'nothing: sniRouting passes TLS on, and tls ends it');
}

export function readVipUpdate(value: unknown, protocol: Protocol, current: VipSettingsConfig): VipSettingsConfig {
  return readSettings(new Fields(value, '', settingNames), protocol, current);
}

type SettingFields = Fields<(typeof settingNames)[number]>;

function readSettings(fields: SettingFields, protocol: Protocol, current: VipSettingsConfig): VipSettingsConfig {
  const { connectionLimit, backlog, allowedCidrs, acceptProxyProtocol, timeouts, retries, enabled, tls } = current;
  if (protocol !== 'http') for (const name of httpSettingNames) fields.read(name, refuseHttpSetting, undefined);
  const settings: VipSettingsConfig = {
    connectionLimit: fields.change('connectionLimit', integer(1, unlimited), unlimited, connectionLimit),
    backlog: fields.change('backlog', integer(0, unlimited), defaults.backlog, backlog),
    allowedCidrs: fields.change<CidrList | undefined>('allowedCidrs', readCidrs, undefined, allowedCidrs),
    acceptProxyProtocol: fields.change<AcceptProxyProtocol | undefined>(
      'acceptProxyProtocol',
      acceptProxyProtocolOver(acceptProxyProtocol),
      undefined,
      acceptProxyProtocol,
    ),
    clientLimits: fields.change<ClientLimitsSettings | undefined>(
      'clientLimits',
      readClientLimits,
      undefined,
      current.clientLimits,
    ),
    timeouts: fields.change('timeouts', timeoutsOver(timeouts, protocol), defaultTimeouts, timeouts),
    retries: fields.change('retries', integer(0, 100), defaults.retries, retries),
    enabled: fields.change('enabled', boolean, true, enabled),
    tls: fields.change<TlsConfig | undefined>('tls', tlsOver(tls, protocol), undefined, tls),
    http: readHttpSettings(fields, current.http),
  };
  if (settings.tls === undefined) refuseTlsHeaders(settings.http, fields.path);
  return settings;
}

/** What a virtual IP that does not speak TCP says to what only TCP has. */
function refuseTcpSetting(value: unknown, path: string): never {
  throw new SpecError(path, value, "nothing: only a virtual IP with protocol 'tcp' has it");
}

/** The wanted settings, with what is the same left as it is. */
export function keepingWhatIsSame(current: VipSettingsConfig, wanted: VipSettingsConfig): VipSettingsConfig {
  const tls = keepingSameTls(current.tls, wanted.tls);
  return tls === wanted.tls ? wanted : { ...wanted, tls };
}

const timeoutNames = ['connect', 'client', 'member', 'request', 'keepAlive', 'tunnel', 'hello', 'handshake'] as const;
const httpTimeouts = ['request', 'keepAlive', 'tunnel'] as const;

function timeoutsOver(current: Timeouts, protocol: Protocol): (value: unknown, path: string) => Timeouts {
  return (value, path) => {
    const fields = new Fields(value, path, timeoutNames);
    if (protocol !== 'http') for (const name of httpTimeouts) fields.read(name, refuseHttpSetting, undefined);
    if (protocol !== 'tcp') fields.read('hello', refuseTcpSetting, undefined);
    const timeouts = timeoutNames.map((name) => {
      return [name, fields.change(name, duration(0), defaultTimeouts[name], current[name])];
    });
    return Object.freeze(Object.fromEntries(timeouts) as unknown as Timeouts);
  };
}
