import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IndexHeap } from '../../src/strategies/index-heap.ts';

test('the first has the least load, and of several with that load the least turn', () => {
  const step = fc.record({ index: fc.nat(9), load: fc.nat(3), turn: fc.nat(3) });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10 }), fc.array(step, { maxLength: 80 }), (size, steps) => {
      const heap = new IndexHeap(size);
      const keys: (readonly [number, number])[] = Array.from({ length: size }, () => [Number.POSITIVE_INFINITY, 0]);
      const before = (a: readonly [number, number], b: readonly [number, number]): boolean =>
        a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);
      for (const { index, load, turn } of steps) {
        if (index >= size) continue;
        keys[index] = [load, turn];
        heap.set(index, load, turn);
        const first = keys[heap.first] as readonly [number, number];
        expect(keys.filter((key) => before(key, first))).toEqual([]);
        for (let position = 1; position < size; position++) {
          const own = keys[heap.at(position)] as readonly [number, number];
          const above = keys[heap.at((position - 1) >> 1)] as readonly [number, number];
          expect(before(own, above)).toBe(false);
        }
      }
    }),
    { seed: 5, numRuns: 200 },
  );
});
