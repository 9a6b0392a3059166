import { unlimited } from './member-spec.ts';
import { duration, Fields, integer } from './spec.ts';

/** How clients wait while every member of a pool is busy. */
export interface QueueSpec {
  /** The most clients (of HTTP, requests) that wait at a time, 1 to 2147483647; more are refused. Default 1024. */
  readonly limit?: number | null;
  /** Milliseconds that one waits before it is refused, 1 to 2147483647. Default 5000. */
  readonly timeout?: number | null;
}

/** Checked. */
export interface QueueSettings {
  readonly limit: number;
  readonly timeout: number;
}

export function readQueue(value: unknown, path: string): QueueSettings {
  const fields = new Fields(value, path, ['limit', 'timeout']);
  return Object.freeze({
    limit: fields.read('limit', integer(1, unlimited), 1024),
    timeout: fields.read('timeout', duration(1), 5000),
  });
}
