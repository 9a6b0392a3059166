import { SpecError } from '../core/errors.ts';
import { at, Fields, name } from '../core/spec.ts';
import { type AimdLimitSpec, aimdFields, readAimdLimit } from './aimd-limit.ts';
import { BuiltInAlgorithm, type ConcurrencyAlgorithm } from './concurrency-limit.ts';
import { type GradientLimitSpec, gradientFields, readGradientLimit } from './gradient-limit.ts';

/** An adaptive limit as a user describes it: a built-in algorithm with its settings, or one of one's own. */
export type ConcurrencyLimitSpec =
  | (GradientLimitSpec & { readonly type: 'gradient' })
  | (AimdLimitSpec & { readonly type: 'aimd' })
  | ConcurrencyAlgorithm;

export function readConcurrencyLimit(value: unknown, path: string): ConcurrencyAlgorithm {
  if (typeof value === 'object' && value !== null) {
    const spec = value as Partial<ConcurrencyAlgorithm> & { readonly type?: unknown };
    if (spec.type === 'gradient') return readGradientLimit(new Fields(value, path, ['type', ...gradientFields]));
    if (spec.type === 'aimd') return readAimdLimit(new Fields(value, path, ['type', ...aimdFields]));
    if (typeof spec.start === 'function' && typeof spec.name === 'string') {
      name(spec.name, at(path, 'name'));
      return spec as ConcurrencyAlgorithm;
    }
    if (spec.type !== undefined) throw new SpecError(at(path, 'type'), spec.type, "'gradient' or 'aimd'");
  }
  throw new SpecError(
    path,
    value,
    "an object with type 'gradient' or 'aimd', or an algorithm (an object with a name and a start function)",
  );
}

/** Whether a limit that one has started may go on where a spec is read anew and gives the other. */
export function isSameConcurrencyLimit(
  a: ConcurrencyAlgorithm | undefined,
  b: ConcurrencyAlgorithm | undefined,
): boolean {
  if (!(a instanceof BuiltInAlgorithm && b instanceof BuiltInAlgorithm && a.name === b.name)) return a === b;
  const these: Readonly<Record<string, unknown>> = a.settings;
  const those: Readonly<Record<string, unknown>> = b.settings;
  return Object.keys(these).every((field) => these[field] === those[field]);
}
