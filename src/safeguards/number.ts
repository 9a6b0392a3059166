import { SpecError } from '../core/errors.ts';

/** Reads a number from `least` to `most`; fractions are allowed. `what` is its name in an error: its unit, if it has one. */
export function number(least: number, most: number, what = 'a number'): (value: unknown, path: string) => number {
  return (value, path) => {
    if (typeof value === 'number' && value >= least && value <= most) return value;
    throw new SpecError(path, value, `${what} from ${least} to ${most}`);
  };
}
