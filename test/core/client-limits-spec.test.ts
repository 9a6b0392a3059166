import { describe, expect, test } from 'vitest';
import { readClientLimits } from '../../src/core/client-limits-spec.ts';
import { refusalOf } from '../fixtures/core.ts';

const read = (spec: unknown) => readClientLimits(spec, 'clientLimits');

describe('client limits', () => {
  test('have defaults for all that they do not name', () => {
    expect(read({ rate: 2.5 })).toEqual({
      maxConnections: 2_147_483_647,
      rate: 2.5,
      burst: 3,
      ipv4: 32,
      ipv6: 64,
      maxEntries: 100_000,
    });
    expect(read({ maxConnections: 5, rate: null })).toMatchObject({
      maxConnections: 5,
      rate: Number.POSITIVE_INFINITY,
    });
  });

  test.each([
    [0.001, 1],
    [1, 1],
    [10, 10],
    [1_000_000, 1_000_000],
  ])('at a rate of %d take %d at once', (rate, burst) => {
    expect(read({ rate }).burst).toBe(burst);
  });

  test('take what they are told', () => {
    const spec = { maxConnections: 1, rate: 1, burst: 9, granularity: { ipv4: 24, ipv6: 48 }, maxEntries: 7 };
    const { granularity, ...flat } = spec;
    expect(read(spec)).toEqual({ ...flat, ...granularity });
  });
});

describe('a bad one is refused', () => {
  test.each([
    ['maxConnections', 0, 'an integer from 1 to 2147483647'],
    ['rate', 0, 'a number from 0.001 to 1000000'],
    ['rate', Number.POSITIVE_INFINITY, 'a number from 0.001 to 1000000'],
    ['burst', 0, 'an integer from 1 to 1000000'],
    ['burst', 1.5, 'an integer from 1 to 1000000'],
    ['maxEntries', 0, 'an integer from 1 to 16777216'],
  ])('%s: %d', (field, value, expected) => {
    const refusal = refusalOf(() => read({ maxConnections: 1, [field]: value }));
    expect(refusal).toEqual({ path: `clientLimits.${field}`, value, expected });
  });

  test('granularity.ipv6: 0', () => {
    expect(refusalOf(() => read({ rate: 1, granularity: { ipv6: 0 } })).path).toBe('clientLimits.granularity.ipv6');
  });

  test.each([[{}], [{ burst: 5 }], [{ rate: null, maxConnections: null }]])('that limits nothing: %j', (value) => {
    expect(refusalOf(() => read(value))).toEqual({
      path: 'clientLimits',
      value,
      expected: 'maxConnections, rate or both',
    });
  });
});
