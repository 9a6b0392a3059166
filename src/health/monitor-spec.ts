import { SpecError } from '../core/errors.ts';
import { at, duration, Fields, integer, name, oneOf } from '../core/spec.ts';
import { type HttpCheck, type HttpCheckSpec, httpCheckFields, readHttpCheck, refuseHttpCheck } from './http-check.ts';
import type { Probe } from './probe.ts';

const probeTypes = ['tcp', 'http', 'https'] as const;

/** Probes that an adapter brings along, by name. */
export type ProbeType = (typeof probeTypes)[number];

/** How a member counts before its first check. */
export type InitialHealth = 'up' | 'fully-up' | 'down' | 'fully-down';

/** A pool's health monitor as a user describes it. What it says of HTTP is for types `'http'` and `'https'` only. */
export interface HealthMonitorSpec<T = unknown> extends HttpCheckSpec {
  /**
   * `'tcp'` (a connection can be opened), `'http'` (a request is answered with an expected status), `'https'` (the same over
   * TLS, whoever the certificate is for), or a probe of one's own.
   */
  readonly type: ProbeType | Probe<T>;
  /** Milliseconds from the start of one check of a member to the start of its next, 1 to 2147483647. Default 2000. */
  readonly delay?: number | null;
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
  /** The most checks of this pool that run at a time, 1 to 65536. Default 64. */
  readonly maxConcurrentChecks?: number | null;
}

/** What every checked monitor says. */
export interface MonitorSettings {
  readonly delay: number;
  readonly timeout: number;
  readonly maxRetries: number;
  readonly maxRetriesDown: number;
  readonly initialHealth: InitialHealth;
  readonly maxConcurrentChecks: number;
}

/** A checked monitor whose probe an adapter brings along. */
export type BuiltInMonitor =
  | (MonitorSettings & { readonly type: 'tcp' })
  | (MonitorSettings & HttpCheck & { readonly type: 'http' | 'https' });

/**
 * A checked monitor spec. Flat, and its fields are compared with `===`: where they all agree it is the same monitor, and an update
 * with it changes nothing.
 */
export type HealthMonitor<T = unknown> = BuiltInMonitor | (MonitorSettings & { readonly type: Probe<T> });

export function isBuiltIn<T>(monitor: HealthMonitor<T>): monitor is BuiltInMonitor {
  return typeof monitor.type === 'string';
}

const fieldNames = [
  'type',
  'delay',
  'timeout',
  'maxRetries',
  'maxRetriesDown',
  'initialHealth',
  'maxConcurrentChecks',
  ...httpCheckFields,
] as const;
const times = integer(1, 10);
const initialHealth = oneOf<InitialHealth>(['up', 'fully-up', 'down', 'fully-down']);

export function readHealthMonitor<T>(value: unknown, path: string): HealthMonitor<T> {
  const fields = new Fields(value, path, fieldNames);
  const type = fields.require('type', readType<T>);
  const delay = fields.read('delay', duration(1), 2000);
  const settings: MonitorSettings = {
    delay,
    timeout: fields.read('timeout', duration(1), delay),
    maxRetries: fields.read('maxRetries', times, 2),
    maxRetriesDown: fields.read('maxRetriesDown', times, 3),
    initialHealth: fields.read('initialHealth', initialHealth, 'up'),
    maxConcurrentChecks: fields.read('maxConcurrentChecks', integer(1, 65_536), 64),
  };
  if (type === 'http' || type === 'https') return { type, ...settings, ...readHttpCheck(fields) };
  refuseHttpCheck(fields);
  return { type, ...settings };
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
  throw new SpecError(path, value, "'tcp', 'http', 'https' or a probe (an object with a name and a check function)");
}
