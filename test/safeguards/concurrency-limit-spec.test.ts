import { describe, expect, test } from 'vitest';
import { aimdLimit } from '../../src/safeguards/aimd-limit.ts';
import type { ConcurrencyAlgorithm } from '../../src/safeguards/concurrency-limit.ts';
import {
  type ConcurrencyLimitSpec,
  isSameConcurrencyLimit,
  readConcurrencyLimit,
} from '../../src/safeguards/concurrency-limit-spec.ts';
import { gradientLimit } from '../../src/safeguards/gradient-limit.ts';
import { refusalOf } from '../fixtures/core.ts';

const own = (): ConcurrencyAlgorithm => ({ name: 'own', start: () => ({ limit: 5, ended() {} }) });
const read = (spec: ConcurrencyLimitSpec): ConcurrencyAlgorithm => readConcurrencyLimit(spec, 'concurrencyLimit');

describe("an adaptive limit's spec", () => {
  test('names a built-in algorithm, with its settings', () => {
    expect(read({ type: 'gradient', max: 100, queue: null })).toMatchObject({
      name: 'gradient',
      settings: { max: 100, queue: 4 },
    });
    expect(read({ type: 'aimd', backoff: 0.5 })).toMatchObject({ name: 'aimd', settings: { max: 200, backoff: 0.5 } });
  });

  test('is one of these in itself, or one of a user', () => {
    const algorithms = [gradientLimit({ max: 100 }), aimdLimit(), own()];
    expect(algorithms.map(read)).toEqual(algorithms);
  });

  test('is refused where it is anything else', () => {
    const refused = (spec: unknown): string => {
      const { path, expected } = refusalOf(() => readConcurrencyLimit(spec, 'pool.concurrencyLimit'));
      return `${path}: ${expected}`;
    };
    const either =
      "an object with type 'gradient' or 'aimd', or an algorithm (an object with a name and a start function)";
    expect([
      refused('gradient'),
      refused(null),
      refused({}),
      refused({ name: 'own' }),
      refused({ type: 'vegas' }),
      refused({ type: 'gradient', backoff: 0.9 }),
      refused({ type: 'aimd', timeout: -1 }),
      refused({ ...own(), name: 'a\nb' }),
    ]).toEqual([
      `pool.concurrencyLimit: ${either}`,
      `pool.concurrencyLimit: ${either}`,
      `pool.concurrencyLimit: ${either}`,
      `pool.concurrencyLimit: ${either}`,
      "pool.concurrencyLimit.type: 'gradient' or 'aimd'",
      'pool.concurrencyLimit.backoff: no such field; there are type, smoothing, queue, longWindow, tolerance, window, probeEvery, initial, min, max',
      'pool.concurrencyLimit.timeout: milliseconds from 1 to 2147483647',
      'pool.concurrencyLimit.name: a string of 1 to 255 characters without control characters',
    ]);
  });
});

describe('two adaptive limits', () => {
  test('are the same where algorithm and settings are', () => {
    expect(isSameConcurrencyLimit(read({ type: 'gradient' }), gradientLimit())).toBe(true);
    expect(isSameConcurrencyLimit(aimdLimit({ max: 9 }), aimdLimit({ max: 9 }))).toBe(true);
  });

  test('are not where either differs', () => {
    expect(isSameConcurrencyLimit(gradientLimit(), aimdLimit())).toBe(false);
    expect(isSameConcurrencyLimit(gradientLimit(), gradientLimit({ max: 201 }))).toBe(false);
    expect(isSameConcurrencyLimit(gradientLimit(), undefined)).toBe(false);
  });

  test("of a user's are the same only if they are one", () => {
    const [a, b] = [own(), own()];
    expect([isSameConcurrencyLimit(a, a), isSameConcurrencyLimit(a, b)]).toEqual([true, false]);
    expect(isSameConcurrencyLimit(undefined, undefined)).toBe(true);
  });
});
