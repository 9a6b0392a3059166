import { describe, expect, test } from 'vitest';
import { type MaglevOptions, maglev } from '../../src/strategies/maglev.ts';
import { makePool, refusalOf, visit } from '../fixtures/core.ts';

// The tables themselves are tested in hash/, what maglev has in common with other strategies in hash-strategies.test.ts.

test("a key is hashed by xxHash64 and looked up in Envoy's table", () => {
  const members = Array.from({ length: 6 }, (_, index) => `127.0.0.1:${90 + index}`);
  const pool = makePool({ strategy: maglev({ tableSize: 7 }), members });
  const ports = ['foo', 'bar', 'lyft'].map((key) => Number(visit(pool, { key }).slice(-2)));
  // Their hashes are 3728699739546630719, 5234164152756840025 and 4400747396090729504: 1, 4 and 2 modulo 7.
  const slots = [92, 94, 90, 91, 95, 90, 93];
  const expected = [3728699739546630719n, 5234164152756840025n, 4400747396090729504n].map(
    (hash) => slots[Number(hash % 7n)],
  );
  expect(ports).toEqual(expected);
});

describe('without a tableSize the table grows with the members, so that each has ten slots', () => {
  const mapping = (count: number, options: MaglevOptions) => {
    const members = Array.from({ length: count }, (_, index) => `10.0.${index >> 8}.${index & 255}:80`);
    const pool = makePool({ strategy: maglev(options), members });
    return Array.from({ length: 100 }, (_, number) => visit(pool, { key: `user-${number}` }));
  };

  for (const [count, tableSize] of [
    [6553, 65_537],
    [6554, 1_048_583],
  ] as const) {
    test(`${count} members have ${tableSize} slots`, () => {
      expect(mapping(count, {})).toEqual(mapping(count, { tableSize }));
    });
  }
});

describe('what makes no sense is refused', () => {
  for (const [options, path] of [
    [{ tableSize: 8 }, 'tableSize'],
    [{ tableSize: 65_536 }, 'tableSize'],
    [{ tableSize: 1 }, 'tableSize'],
    [{ tableSize: 25 }, 'tableSize'],
    [{ tableSize: 5_000_039 }, 'tableSize'],
    [{ tableSize: 7.5 }, 'tableSize'],
    [{ maxLoadFactor: 0 }, 'maxLoadFactor'],
    [{ key: 7 }, 'key'],
    [{ hash: 'murmur-2' }, 'hash'],
  ] as const) {
    test(JSON.stringify(options), () => {
      expect(refusalOf(() => maglev(options as MaglevOptions)).path).toBe(path);
    });
  }

  for (const tableSize of [2, 3, 5_000_011, null]) {
    test(`but not ${tableSize}`, () => {
      expect(maglev({ tableSize }).name).toBe('maglev');
    });
  }
});
