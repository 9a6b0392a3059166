import { unlimited } from './member-spec.ts';
import { duration, Fields, integer } from './spec.ts';

/** How connections to HTTP members are kept for later requests. */
export interface KeepAliveSpec {
  /**
   * Milliseconds for which one is kept unused, 0 to 2147483647; it should be less than the members' own timeout, so that no request
   * meets one that is just being closed. A member's `Keep-Alive: timeout` shortens it. Default 4000 (Node's servers close after 5000).
   */
  readonly idleTimeout?: number | null;
  /** How many are kept for each member, 0 to 2147483647; 0 keeps none. Default 256. */
  readonly maxIdle?: number | null;
  /**
   * Milliseconds after which one is not used again, give or take a tenth, so that load follows a change of members; 0 for no limit.
   * Default 300000.
   */
  readonly maxAge?: number | null;
}

/** Checked. */
export interface KeepAlive {
  readonly idleTimeout: number;
  readonly maxIdle: number;
  readonly maxAge: number;
}

export const defaultKeepAlive: KeepAlive = Object.freeze({ idleTimeout: 4000, maxIdle: 256, maxAge: 300_000 });

/** What an update leaves of `current`. */
export function keepAliveOver(current: KeepAlive): (value: unknown, path: string) => KeepAlive {
  const { idleTimeout, maxIdle, maxAge } = defaultKeepAlive;
  return (value, path) => {
    const fields = new Fields(value, path, ['idleTimeout', 'maxIdle', 'maxAge']);
    return Object.freeze({
      idleTimeout: fields.change('idleTimeout', duration(0), idleTimeout, current.idleTimeout),
      maxIdle: fields.change('maxIdle', integer(0, unlimited), maxIdle, current.maxIdle),
      maxAge: fields.change('maxAge', duration(0), maxAge, current.maxAge),
    });
  };
}
