import type { Clock } from './clock.ts';
import type { MemberState } from './member-state.ts';
import { duration } from './spec.ts';

export interface DrainOptions {
  /** Milliseconds after which connections that still run are ended; 0 ends them at once. Default: no deadline. */
  readonly deadline?: number | undefined;
  /** Stops the waiting; the member keeps draining. */
  readonly signal?: AbortSignal | undefined;
}

export interface DrainResult {
  /** Connections that still ran at the deadline, or when the drain was called off; 0 where all ended by themselves. */
  readonly remaining: number;
}

/** Throws `SpecError`. */
export function checkDeadline(deadline: unknown): void {
  if (deadline === undefined || deadline === Number.POSITIVE_INFINITY) return;
  duration(0)(deadline, 'deadline');
}

/** Somebody who waits for a member to have no connection left. */
export interface Drain {
  /** The last connection has ended. */
  idle(): void;
  /** The member takes clients again. */
  calledOff(): void;
}

/** Resolves when the member's last connection has ended, when the drain is called off, or right after `expired` was called. */
export function whenDrained<T>(
  state: MemberState<T>,
  { deadline = Number.POSITIVE_INFINITY, signal }: DrainOptions,
  clock: Clock,
  expired: (remaining: number) => void,
): Promise<DrainResult> {
  const { counters } = state;
  if (counters.activeConnections === 0) return Promise.resolve({ remaining: 0 });
  return new Promise((resolve, reject) => {
    const stopWaiting = (): void => {
      drains.delete(drain);
      if (drains.size === 0) state.drains = undefined;
      clock.clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
    const finish = (): void => {
      stopWaiting();
      resolve({ remaining: counters.activeConnections });
    };
    const abort = (): void => {
      stopWaiting();
      reject(signal?.reason);
    };
    const expire = (): void => {
      const remaining = counters.activeConnections;
      stopWaiting();
      resolve({ remaining });
      expired(remaining);
    };
    const drain: Drain = { idle: finish, calledOff: finish };
    const timer = Number.isFinite(deadline) ? clock.setTimeout(expire, deadline) : undefined;
    state.drains ??= new Set();
    const { drains } = state;
    drains.add(drain);
    signal?.addEventListener('abort', abort);
  });
}
