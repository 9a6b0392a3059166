import type { Clock } from './clock.ts';
import { SpecError } from './errors.ts';
import type { MemberState } from './member-state.ts';

export interface DrainOptions {
  /** Milliseconds after which connections that still run are ended; 0 ends them at once. Default: no deadline. */
  readonly deadline?: number | undefined;
  /** Stops the waiting; the member keeps draining. */
  readonly signal?: AbortSignal | undefined;
}

export interface DrainResult {
  /** Connections that still ran at the deadline; 0 where all ended by themselves. */
  readonly remaining: number;
}

export function checkDeadline(deadline: number | undefined): void {
  if (deadline === undefined || (typeof deadline === 'number' && deadline >= 0)) return;
  throw new SpecError('deadline', deadline, 'milliseconds from 0, or Infinity');
}

/** Resolves when the member's last connection has ended, or at the deadline, right after `expired` was called. */
export function whenDrained<T>(
  state: MemberState<T>,
  { deadline = Number.POSITIVE_INFINITY, signal }: DrainOptions,
  clock: Clock,
  expired: (remaining: number) => void,
): Promise<DrainResult> {
  const { counters, whenIdle } = state;
  if (counters.activeConnections === 0) return Promise.resolve({ remaining: 0 });
  return new Promise((resolve, reject) => {
    const stopWaiting = (): void => {
      whenIdle.delete(idle);
      clock.clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
    const idle = (): void => {
      stopWaiting();
      resolve({ remaining: 0 });
    };
    const abort = (): void => {
      stopWaiting();
      reject(signal?.reason);
    };
    const expire = (): void => {
      stopWaiting();
      const remaining = counters.activeConnections;
      expired(remaining);
      resolve({ remaining });
    };
    const timer = Number.isFinite(deadline) ? clock.setTimeout(expire, deadline) : undefined;
    whenIdle.add(idle);
    signal?.addEventListener('abort', abort);
  });
}
