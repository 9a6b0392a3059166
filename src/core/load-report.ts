import { SpecError } from './errors.ts';
import { Fields } from './spec.ts';

/**
 * What a member says of its own load, as in ORCA (Open Request Cost Aggregation), which gRPC and Envoy use. Given to
 * `member.reportLoad()`.
 */
export interface LoadReport {
  /** How busy the member is, 0 and up; 1 is what it can carry. 0 where it does not know. */
  readonly utilization: number;
  /** Requests that it serves in a second, 0 and up. */
  readonly requestsPerSecond: number;
  /** Of these, requests that fail, 0 and up. Default 0. */
  readonly errorsPerSecond?: number | undefined;
}

export function readLoadReport(value: unknown): Required<LoadReport> {
  const fields = new Fields(value, '', ['utilization', 'requestsPerSecond', 'errorsPerSecond']);
  return {
    utilization: fields.require('utilization', figure),
    requestsPerSecond: fields.require('requestsPerSecond', figure),
    errorsPerSecond: fields.read('errorsPerSecond', figure, 0),
  };
}

function figure(value: unknown, path: string): number {
  if (typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY) return value;
  throw new SpecError(path, value, 'a number from 0 up');
}
