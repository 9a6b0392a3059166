import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../src/core/random.ts';
import { tabulated, tabulation } from '../../../src/persistence/table/tabulation.ts';

describe('tabulation hashing', () => {
  test('is the exclusive or of a number for each byte', () => {
    const table = tabulation(seededRandom(1));
    const bytes = [1, 2, 3, 4, 250, 251, 252, 253, 0, 0, 0, 0, 255, 128, 127, 9];
    const words = new Int32Array(new Uint8Array([99, 99, 99, 99, ...bytes]).buffer);
    const expected = bytes.reduce((hash, byte, place) => hash ^ (table[256 * place + byte] as number), 0);
    expect(tabulated(table, words, 1)).toBe(expected);
  });

  test('changes about half of the bits with any bit of the key', () => {
    const table = tabulation(seededRandom(2));
    let changed = 0;
    for (let bit = 0; bit < 128; bit++) {
      const words = new Int32Array(4);
      const before = tabulated(table, words, 0);
      words[bit >>> 5] = 1 << (bit & 31);
      let difference = before ^ tabulated(table, words, 0);
      for (; difference !== 0; difference &= difference - 1) changed++;
    }
    expect(changed / 128).toBeGreaterThan(15);
    expect(changed / 128).toBeLessThan(17);
  });

  test('differs from table to table, and works with a source of chance that always says the same', () => {
    const [one, other, constant] = [seededRandom(1), seededRandom(2), () => 0.5].map(tabulation);
    expect(one).not.toEqual(other);
    expect(new Set(constant).size).toBeGreaterThan(4090);
  });
});
