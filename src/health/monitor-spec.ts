import { SpecError } from '../core/errors.ts';
import type { ProxyProtocolVersion } from '../core/send-proxy-protocol.ts';
import { at, duration, Fields, integer, name, number, oneOf } from '../core/spec.ts';
import {
  type HttpCheck,
  type HttpCheckField,
  type HttpCheckSpec,
  httpCheckFields,
  readHttpCheck,
} from './http-check.ts';
import type { ErrorAction, Observed } from './observer.ts';
import type { Probe } from './probe.ts';
import { readTlsCheck, type TlsCheck, type TlsCheckField, type TlsCheckSpec, tlsCheckFields } from './tls-check.ts';

const probeTypes = ['tcp', 'http', 'https', 'tls-hello', 'udp-connect', 'ping'] as const;

/** Probes that an adapter brings along, by name. */
export type ProbeType = (typeof probeTypes)[number];

/** How a member counts before its first check. */
export type InitialHealth = 'up' | 'fully-up' | 'down' | 'fully-down';

/** A pool's health monitor as a user describes it. What it says of HTTP and TLS is for the types that speak it. */
export interface HealthMonitorSpec<T = unknown> extends HttpCheckSpec, TlsCheckSpec {
  /**
   * A probe of one's own, or one of these:
   *
   * - `'tcp'`: a connection can be opened
   * - `'http'`: a request is answered with an expected status
   * - `'https'`: the same over TLS
   * - `'tls-hello'`: a TLS handshake succeeds
   * - `'udp-connect'`: the system does not say that nobody listens on the UDP port; silence is fine
   * - `'ping'`: an ICMP echo is answered; where this machine cannot send one, the monitor is refused when checks are to start
   */
  readonly type: ProbeType | Probe<T>;
  /** Milliseconds from the start of one check of a member to the start of its next, 1 to 2147483647. Default 2000. */
  readonly delay?: number | null;
  /**
   * As `delay`, while a change is pending: from the first result that speaks for one until it has come or is off, and for a member
   * that was not checked yet (HAProxy's `fastinter`), 1 to 2147483647. Default: `delay`.
   */
  readonly fastDelay?: number | null;
  /** As `delay`, while the member is down and nothing speaks for a change (HAProxy's `downinter`), 1 to 2147483647. Default: `delay`. */
  readonly downDelay?: number | null;
  /**
   * Percent by which each of these is made longer or shorter at random, 0 to 50 (HAProxy's `spread-checks`), so that balancers
   * that were started together do not go on checking together. Default 0.
   */
  readonly jitter?: number | null;
  /** Milliseconds after which an unanswered check has failed, 1 to 2147483647. Default: `delay`. */
  readonly timeout?: number | null;
  /** Successive passed checks that bring a member back (HAProxy's `rise`), 1 to 10. Default 2. */
  readonly maxRetries?: number | null;
  /** Successive failed checks that take a member out (HAProxy's `fall`), 1 to 10. Default 3. */
  readonly maxRetriesDown?: number | null;
  /**
   * A new or re-enabled member is `'up'` until its first failed check (HAProxy's rule), `'fully-up'` until
   * `maxRetriesDown` failed ones, `'down'` until its first passed check, or `'fully-down'` until `maxRetries` passed ones.
   * Default `'up'`.
   */
  readonly initialHealth?: InitialHealth | null;
  /**
   * Has what clients meet count, too (HAProxy's `observe`): `'connect'`, whether the member could be connected to, `'request'`,
   * whatever the pool's `classify` calls a failure. Default: checks alone count.
   */
  readonly observe?: Observed | null;
  /** How many failures in a row are too many, 1 to 2147483647. Needs `observe`. Default 10. */
  readonly errorLimit?: number | null;
  /**
   * What follows from too many. Each has the next check made within `fastDelay`; `'fast-delay'` does no more, `'fail-check'` counts
   * as a failed check, `'sudden-death'` as so many that one more takes the member down, and `'mark-down'` takes it down. Needs
   * `observe`. Default `'fail-check'`.
   */
  readonly onError?: ErrorAction | null;
  /** The most checks of this pool that run at a time, 1 to 65536. Default 64. */
  readonly maxConcurrentChecks?: number | null;
  /**
   * The PROXY header that checks begin with; it tells of nobody. Default: the version of the pool's `proxyProtocol`, for members that
   * are checked where clients go, and `'none'` for those with a `monitorAddress` or `monitorPort` (HAProxy's rule; its
   * `check-send-proxy` is to name a version here).
   */
  readonly proxyProtocol?: ProxyProtocolVersion | 'none' | null;
}

/** When checks are made, checked. */
export interface CheckPace {
  readonly delay: number;
  readonly fastDelay: number;
  readonly downDelay: number;
  readonly jitter: number;
  readonly timeout: number;
  readonly maxConcurrentChecks: number;
}

/** What every checked monitor says. */
export interface MonitorSettings extends CheckPace {
  readonly maxRetries: number;
  readonly maxRetriesDown: number;
  readonly initialHealth: InitialHealth;
  /** Undefined where only checks count. */
  readonly observe: Observed | undefined;
  readonly errorLimit: number;
  readonly onError: ErrorAction;
  /** Undefined where the pool says. */
  readonly proxyProtocol: ProxyProtocolVersion | 'none' | undefined;
}

/** A checked monitor whose probe an adapter brings along. */
export type BuiltInMonitor =
  | (MonitorSettings & { readonly type: 'tcp' | 'udp-connect' | 'ping' })
  | (MonitorSettings & TlsCheck & { readonly type: 'tls-hello' })
  | (MonitorSettings & HttpCheck & { readonly type: 'http' })
  | (MonitorSettings & HttpCheck & TlsCheck & { readonly type: 'https' });

/**
 * A checked monitor spec. Flat, and its fields are compared with `===`: where they all agree it is the same monitor, and an update
 * with it changes nothing.
 */
export type HealthMonitor<T = unknown> = BuiltInMonitor | (MonitorSettings & { readonly type: Probe<T> });

const fieldNames = [
  'type',
  'delay',
  'fastDelay',
  'downDelay',
  'jitter',
  'timeout',
  'maxRetries',
  'maxRetriesDown',
  'initialHealth',
  'observe',
  'errorLimit',
  'onError',
  'maxConcurrentChecks',
  'proxyProtocol',
  ...httpCheckFields,
  ...tlsCheckFields,
] as const;
const times = integer(1, 10);
const initialHealth = oneOf<InitialHealth>(['up', 'fully-up', 'down', 'fully-down']);

export function readHealthMonitor<T>(value: unknown, path: string): HealthMonitor<T> {
  const fields = new Fields(value, path, fieldNames);
  const type = fields.require('type', readType<T>);
  const delay = fields.read('delay', duration(1), 2000);
  const settings: MonitorSettings = {
    delay,
    fastDelay: fields.read('fastDelay', duration(1), delay),
    downDelay: fields.read('downDelay', duration(1), delay),
    jitter: fields.read('jitter', number(0, 50, 'a percentage'), 0),
    timeout: fields.read('timeout', duration(1), delay),
    maxRetries: fields.read('maxRetries', times, 2),
    maxRetriesDown: fields.read('maxRetriesDown', times, 3),
    initialHealth: fields.read('initialHealth', initialHealth, 'up'),
    ...readObservation(fields),
    maxConcurrentChecks: fields.read('maxConcurrentChecks', integer(1, 65_536), 64),
    proxyProtocol: fields.read('proxyProtocol', oneOf<ProxyProtocolVersion | 'none'>(['v1', 'v2', 'none']), undefined),
  };
  if (type === 'ping' || type === 'udp-connect') {
    refuseFields(fields, ['proxyProtocol'], 'a type that connects over TCP');
  }
  const speaksTls = type === 'https' || type === 'tls-hello';
  if (type !== 'http' && type !== 'https') refuseFields(fields, httpCheckFields, "a type of 'http' or 'https'");
  if (!speaksTls) refuseFields(fields, tlsCheckFields, "a type of 'https' or 'tls-hello'");
  if (type === 'http') return { type, ...settings, ...readHttpCheck(fields) };
  if (type === 'https') return { type, ...settings, ...readHttpCheck(fields), ...readTlsCheck(fields) };
  if (type === 'tls-hello') return { type, ...settings, ...readTlsCheck(fields) };
  return { type, ...settings };
}

function readObservation(
  fields: Fields<'observe' | 'errorLimit' | 'onError'>,
): Pick<MonitorSettings, 'observe' | 'errorLimit' | 'onError'> {
  const observe = fields.read('observe', observed, undefined);
  if (observe === undefined) refuseFields(fields, ['errorLimit', 'onError'], "an observe of 'connect' or 'request'");
  return {
    observe,
    errorLimit: fields.read('errorLimit', integer(1, 2_147_483_647), 10),
    onError: fields.read('onError', errorAction, 'fail-check'),
  };
}

const observed = oneOf<Observed>(['connect', 'request']);
const errorAction = oneOf<ErrorAction>(['fast-delay', 'fail-check', 'sudden-death', 'mark-down']);

/** What would mean nothing to a check is refused rather than overlooked. */
function refuseFields<
  Name extends HttpCheckField | TlsCheckField | 'observe' | 'errorLimit' | 'onError' | 'proxyProtocol',
>(fields: Fields<Name>, names: readonly Name[], needed: string): void {
  for (const name of names) {
    fields.read(
      name,
      (value, path) => {
        // A key must not end up in a log.
        throw new SpecError(path, name === 'key' ? undefined : value, `none, or ${needed}`);
      },
      undefined,
    );
  }
}

function readType<T>(value: unknown, path: string): ProbeType | Probe<T> {
  const named = probeTypes.find((type) => type === value);
  if (named !== undefined) return named;
  if (typeof value === 'object' && value !== null) {
    const probe = value as Partial<Probe<T>>;
    if (typeof probe.check === 'function' && typeof probe.name === 'string') {
      name(probe.name, at(path, 'name'));
      return probe as Probe<T>;
    }
  }
  const names = probeTypes.map((type) => `'${type}'`).join(', ');
  throw new SpecError(path, value, `${names} or a probe (an object with a name and a check function)`);
}
