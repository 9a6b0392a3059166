import { checkDeadline } from '../core/drain.ts';

export interface CloseOptions {
  /** Milliseconds for running connections to end before they are ended; 0 ends them at once. Default 30000. */
  readonly deadline?: number | undefined;
  /** Aborting ends them at once. */
  readonly signal?: AbortSignal | undefined;
}

/** As long as Kubernetes waits for a pod to end. */
const defaultDeadline = 30_000;

export function deadlineOf({ deadline }: CloseOptions): number {
  checkDeadline(deadline);
  return deadline ?? defaultDeadline;
}
