import { Fields } from '../core/spec.ts';

export type OutlierDetectionSpec = {};

/** Checked. */
export type OutlierDetection = {};

export function readOutlierDetection(value: unknown, path: string): OutlierDetection {
  new Fields(value, path, []);
  return Object.freeze({});
}
