import type { Clock } from '../core/clock.ts';

/**
 * Waits for what a persistence's `find` has promised, at most `patience` milliseconds. `done` is called once: with what was
 * found, or with undefined and the problem, since a store that fails must not keep anybody from being served. A promise that
 * settles after that is of no more interest.
 *
 * @returns calls it off: the client has left
 */
export function whenFound(
  found: PromiseLike<string | undefined>,
  clock: Clock,
  patience: number,
  done: (memberId: string | undefined, problem: unknown) => void,
): () => void {
  let isWaiting = true;
  const settle = (memberId: string | undefined, problem: unknown): void => {
    if (!isWaiting) return;
    stop();
    done(memberId, problem);
  };
  const timer = clock.setTimeout(() => settle(undefined, new Error(`no answer within ${patience} ms`)), patience);
  const stop = (): void => {
    isWaiting = false;
    clock.clearTimeout(timer);
  };
  found.then(
    (memberId) => settle(memberId, undefined),
    (problem: unknown) => settle(undefined, problem ?? new Error('rejected without a reason')),
  );
  return stop;
}
