import { unlimited } from '../../core/member-spec.ts';

/** How much a member may get, by the time since it came. */
export interface WarmUpCurve {
  /** Milliseconds until it gets its full share. */
  readonly window: number;
  /** The part of its fair share that it gets after so many milliseconds: above 0, 1 at the end of the window. */
  factorAt(elapsed: number): number;
  /** The connections that it may hold by then, of as many at the end; `unlimited` where that is no matter of the curve. */
  limitAt(elapsed: number, maxConnections: number): number;
}

/**
 * Envoy's curve: the part of the window that has passed, to the power of 1 / aggression, and no less than the floor. An
 * aggression of 1 is a straight line, above 1 rises early, below 1 late.
 *
 * Source: `EdfLoadBalancerBase::applySlowStartFactor`, `load_balancer_impl.cc`.
 */
export function envoyCurve(window: number, aggression: number, floor: number): WarmUpCurve {
  return {
    window,
    factorAt: (elapsed) => {
      if (elapsed >= window) return 1;
      const passed = Math.max(1, elapsed) / window;
      return Math.min(1, Math.max(floor, least, aggression === 1 ? passed : passed ** (1 / aggression)));
    },
    limitAt: () => unlimited,
  };
}

/** A steep curve without a floor would begin at what a number cannot tell from 0. */
const least = 1e-9;

/**
 * HAProxy's curve: sixteen equal steps, the first at once. The most connections rise too, in whole percent of the window, from 1.
 *
 * Source: `server_recalc_eweight`, `src/server.c`, and `srv_dynamic_maxconn`, `src/queue.c`; but the steps come when they are
 * due, not at the next tick of a timer.
 */
export function haproxyCurve(window: number, floor: number): WarmUpCurve {
  return {
    window,
    factorAt: (elapsed) => Math.min(1, Math.max(floor, (1 + Math.floor((steps * elapsed) / window)) / steps)),
    limitAt: (elapsed, maxConnections) => {
      if (elapsed >= window) return maxConnections;
      return Math.max(1, Math.floor((maxConnections * Math.floor((100 * elapsed) / window)) / 100));
    },
  };
}

const steps = 16;
