import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../src/core/random.ts';
import { KeyTable, ownCells } from '../../../src/persistence/table/key-table.ts';

const words = new Int32Array(4);

/** Each differs from others in one word only. */
function keyOf(number: number): Int32Array {
  words.fill(7);
  words[number & 3] = number % 8 < 4 ? number + 8 : -number;
  return words;
}

interface Entry {
  readonly value: number;
  readonly isPinned: boolean;
}

/** The same with a `Map`, which lists what was set last at its end. */
class PlainTable {
  readonly entries = new Map<number, Entry>();

  put(key: number, entry: Entry): void {
    this.entries.delete(key);
    this.entries.set(key, entry);
  }

  get oldest(): number | undefined {
    for (const [key, { isPinned }] of this.entries) if (!isPinned) return key;
    return undefined;
  }
}

/** Does the same to both. */
class Pair {
  readonly table: KeyTable;
  readonly plain = new PlainTable();

  constructor(seed: number) {
    this.table = new KeyTable(2, seededRandom(seed));
  }

  use(key: number, value: number): void {
    this.#findOrAdd(key);
    this.table.cells[this.table.at + ownCells + 1] = value;
    this.table.use();
    this.plain.put(key, { value, isPinned: false });
  }

  pin(key: number, value: number): void {
    this.#findOrAdd(key);
    this.table.cells[this.table.at + ownCells + 1] = value;
    this.table.pin();
    this.plain.put(key, { value, isPinned: true });
  }

  remove(key: number): void {
    if (this.table.find(keyOf(key))) this.table.remove();
    this.plain.entries.delete(key);
  }

  removeOldest(): void {
    const { oldest } = this.plain;
    expect(this.table.findOldest()).toBe(oldest !== undefined);
    if (oldest === undefined) return;
    expect(this.#key()).toEqual([...keyOf(oldest)]);
    this.table.remove();
    this.plain.entries.delete(oldest);
  }

  /** Whether they are alike, entry by entry. */
  check(keys: Iterable<number>): void {
    expect(this.table.size).toBe(this.plain.entries.size);
    for (const key of keys) {
      const entry = this.plain.entries.get(key);
      expect(this.table.find(keyOf(key))).toBe(entry !== undefined);
      if (entry !== undefined) expect(this.table.cells[this.table.at + ownCells + 1]).toBe(entry.value);
    }
  }

  #findOrAdd(key: number): void {
    if (this.table.find(keyOf(key))) return;
    this.table.add(keyOf(key));
    expect([...this.table.cells.subarray(this.table.at + ownCells, this.table.at + ownCells + 2)]).toEqual([0, 0]);
  }

  #key(): number[] {
    return [...this.table.cells.subarray(this.table.at, this.table.at + 4)];
  }
}

describe('a table of keys', () => {
  test('is empty at first', () => {
    const table = new KeyTable(0, seededRandom(1));
    expect([table.size, table.find(keyOf(1)), table.findOldest()]).toEqual([0, false, false]);
  });

  test('holds the key of all zeros like any other', () => {
    const table = new KeyTable(1, seededRandom(1));
    expect(table.find(new Int32Array(4))).toBe(false);
    table.add(new Int32Array(4));
    expect(table.find(new Int32Array(4))).toBe(true);
  });

  test('does not know the age of what was added and not used', () => {
    const table = new KeyTable(0, seededRandom(1));
    table.add(keyOf(1));
    expect(table.findOldest()).toBe(false);
    table.use();
    expect(table.findOldest()).toBe(true);
  });

  test('gives up entries from the one that was not used for longest to the newest', () => {
    const pair = new Pair(1);
    for (const key of [1, 2, 3, 4, 2, 1, 5]) pair.use(key, key);
    expect([...pair.plain.entries.keys()]).toEqual([3, 4, 2, 1, 5]);
    for (let count = 0; count < 6; count++) pair.removeOldest();
    expect(pair.table.size).toBe(0);
  });

  test('never gives up what is pinned, until it is used again', () => {
    const pair = new Pair(1);
    for (const key of [1, 2, 3]) pair.use(key, key);
    for (const key of [1, 3, 3]) pair.pin(key, key);
    pair.removeOldest();
    pair.removeOldest();
    expect(pair.table.size).toBe(2);
    pair.use(3, 9);
    pair.removeOldest();
    pair.check([1, 2, 3]);
  });
});

type Step = { readonly act: 'use' | 'pin' | 'remove' | 'oldest'; readonly key: number };

const steps = (keys: number): fc.Arbitrary<Step[]> =>
  fc.array(fc.record({ act: fc.constantFrom('use', 'use', 'pin', 'remove', 'oldest'), key: fc.nat(keys - 1) }), {
    maxLength: 300,
  }) as fc.Arbitrary<Step[]>;

function run(pair: Pair, { act, key }: Step, value: number): void {
  if (act === 'use') pair.use(key, value);
  else if (act === 'pin') pair.pin(key, value);
  else if (act === 'remove') pair.remove(key);
  else pair.removeOldest();
}

test.each([6, 60])('does what a Map does, whatever is asked of it, with %d keys', (keys) => {
  fc.assert(
    fc.property(steps(keys), fc.nat(), (all, seed) => {
      const pair = new Pair(seed);
      for (const [value, step] of all.entries()) run(pair, step, value);
      pair.check(Array(keys).keys());
      while (pair.plain.oldest !== undefined) pair.removeOldest();
      expect(pair.table.findOldest()).toBe(false);
    }),
    { seed: 1, numRuns: 300 },
  );
});

test('does so through splits of its shards, growing to 20,000 entries and shrinking to none', () => {
  const pair = new Pair(7);
  const random = seededRandom(8);
  const keys = 20_000;
  for (let round = 0; round < 100_000; round++) {
    const isGrowing = round < 75_000;
    const draw = random();
    const key = Math.floor(random() * keys);
    if (draw < (isGrowing ? 0.9 : 0.2)) pair.use(key, round);
    else if (draw < (isGrowing ? 0.92 : 0.22)) pair.pin(key, round);
    else if (draw < (isGrowing ? 0.96 : 0.6)) pair.remove(key);
    else pair.removeOldest();
    if (round % 25_000 === 0) pair.check(Array(keys).keys());
  }
  pair.check(Array(keys).keys());
  while (pair.plain.oldest !== undefined) pair.removeOldest();
  for (const key of [...pair.plain.entries.keys()]) pair.remove(key);
  expect([pair.table.size, pair.table.findOldest()]).toEqual([0, false]);
});

test('does so where chance always says the same', () => {
  const table = new KeyTable(0, () => 0);
  for (let number = 0; number < 10_000; number++) {
    table.add(keyOf(number));
    table.use();
  }
  for (let number = 0; number < 10_000; number++) expect(table.find(keyOf(number))).toBe(true);
});
