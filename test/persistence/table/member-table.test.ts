import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../../src/core/clock.ts';
import { seededRandom } from '../../../src/core/random.ts';
import { MemberNumbers } from '../../../src/persistence/table/member-numbers.ts';
import { MemberTable } from '../../../src/persistence/table/member-table.ts';

const key = (number: number): Int32Array => Int32Array.from([number, 0, 0, -number]);

/** Ticks last 100 ms where the timeout is 6400. */
function tableOf({ timeout = 6400, maxEntries = 100 } = {}, clock = new VirtualClock()): MemberTable {
  return new MemberTable({ timeout, maxEntries }, { clock, random: seededRandom(1) });
}

describe('a table of members', () => {
  test('gives a key the member that it was kept for last', () => {
    const table = tableOf();
    table.keep(key(1), 'a');
    table.keep(key(2), 'b');
    table.keep(key(1), 'c');
    expect([table.find(key(1)), table.find(key(2)), table.find(key(3)), table.size]).toEqual(['c', 'b', undefined, 2]);
  });

  test('sets no timer while it is empty, one while it is not, and lets go of it', async () => {
    const clock = new VirtualClock();
    const table = tableOf({}, clock);
    expect(clock.pending).toBe(0);
    for (let number = 0; number < 50; number++) table.keep(key(number), 'a');
    expect(clock.pending).toBe(1);
    await clock.advance(6500);
    expect([clock.pending, table.size]).toEqual([0, 0]);
    table.keep(key(1), 'a');
    expect(clock.pending).toBe(1);
  });
});

describe('an entry', () => {
  test('lasts for its timeout, and a 64th longer at most', async () => {
    const clock = new VirtualClock();
    const table = tableOf({}, clock);
    table.keep(key(1), 'a');
    await clock.advance(6499);
    expect([table.has(key(1)), table.size]).toEqual([true, 1]);
    await clock.advance(1);
    expect([table.has(key(1)), table.find(key(1)), table.size]).toEqual([false, undefined, 0]);
  });

  test('that comes in the middle of a tick does not go before its timeout', async () => {
    const clock = new VirtualClock();
    const table = tableOf({}, clock);
    table.keep(key(1), 'a');
    await clock.advance(99);
    table.keep(key(2), 'a');
    await clock.advance(6400);
    expect(table.has(key(2))).toBe(true);
    await clock.advance(1);
    expect(table.has(key(2))).toBe(false);
  });

  test('lasts anew from each use, be it found or kept; being asked about is no use', async () => {
    const clock = new VirtualClock();
    const table = tableOf({}, clock);
    for (const number of [1, 2, 3]) table.keep(key(number), 'a');
    await clock.advance(6000);
    table.find(key(1));
    table.keep(key(2), 'b');
    table.has(key(3));
    await clock.advance(6000);
    expect([1, 2, 3].map((number) => table.find(key(number)))).toEqual(['a', 'b', undefined]);
  });

  test('lasts for ever where there is no timeout', async () => {
    const clock = new VirtualClock();
    const table = tableOf({ timeout: 0 }, clock);
    table.keep(key(1), 'a');
    await clock.advance(1e12);
    expect([table.find(key(1)), clock.pending]).toEqual(['a', 0]);
  });

  test('of a member that is gone is gone, also when another one of that id comes', () => {
    const table = tableOf();
    table.keep(key(1), 'a');
    table.keep(key(2), 'a');
    table.forget('a');
    table.forget('never there');
    expect(table.find(key(1))).toBe(undefined);
    table.keep(key(3), 'a');
    expect([table.find(key(2)), table.find(key(3)), table.size]).toEqual([undefined, 'a', 1]);
  });
});

test('members that come and go leave nothing behind but what still refers to them', async () => {
  const clock = new VirtualClock();
  const numbers = new MemberNumbers();
  const table = new MemberTable({ timeout: 6400, maxEntries: 3 }, { clock, random: seededRandom(1) }, numbers);
  for (let generation = 0; generation < 100; generation++) {
    table.keep(key(generation), `m${generation}`);
    table.keep(key(generation), `n${generation}`);
    table.forget(`m${generation}`);
    table.forget(`n${generation}`);
    if (generation % 3 === 0) table.find(key(generation));
    if (generation % 10 === 0) await clock.advance(7000);
  }
  expect(numbers.refer('another')).toBeLessThan(5);
});

describe('where there is no room', () => {
  test('the entry that was not used for longest goes', () => {
    const table = tableOf({ maxEntries: 3 });
    for (const number of [1, 2, 3]) table.keep(key(number), 'a');
    table.find(key(1));
    table.keep(key(2), 'b');
    table.keep(key(4), 'a');
    expect([1, 2, 3, 4].map((number) => table.has(key(number)))).toEqual([true, true, false, true]);
    expect([table.size, table.evicted]).toEqual([3, 1]);
  });

  test('keeping for a key that is there takes no room', () => {
    const table = tableOf({ maxEntries: 1 });
    table.keep(key(1), 'a');
    table.keep(key(1), 'b');
    expect([table.size, table.evicted]).toEqual([1, 0]);
  });

  test('what would have been of no use any more does not count as evicted', () => {
    const table = tableOf({ maxEntries: 1 });
    table.keep(key(1), 'gone');
    table.forget('gone');
    table.keep(key(2), 'a');
    expect([table.size, table.evicted]).toEqual([1, 0]);
  });
});

test('many that expire at once go bit by bit, and are not found meanwhile', async () => {
  const clock = new VirtualClock();
  const table = tableOf({ maxEntries: 20_000 }, clock);
  for (let number = 0; number < 10_000; number++) table.keep(key(number), 'a');
  await clock.advance(6500);
  expect([table.size, table.has(key(9999)), table.find(key(9998))]).toEqual([10_000 - 4096, false, undefined]);
  expect(table.size).toBe(10_000 - 4096 - 1);
  await clock.advance(200);
  expect(table.size).toBe(0);
});

describe('new limits', () => {
  test('stretch and shrink what is left of an entry', async () => {
    const clock = new VirtualClock();
    const table = tableOf({}, clock);
    table.keep(key(1), 'a');
    await clock.advance(3200);
    table.limits = { timeout: 64_000, maxEntries: 100 };
    await clock.advance(32_000);
    expect(table.has(key(1))).toBe(true);
    await clock.advance(2000);
    expect([table.has(key(1)), clock.pending]).toEqual([false, 0]);
  });

  test('may end a timeout, and begin one', async () => {
    const clock = new VirtualClock();
    const table = tableOf({}, clock);
    table.keep(key(1), 'a');
    table.limits = { timeout: 0, maxEntries: 100 };
    await clock.advance(100_000);
    expect([table.has(key(1)), clock.pending]).toEqual([true, 0]);
    table.limits = { timeout: 6400, maxEntries: 100 };
    await clock.advance(6300);
    expect(table.has(key(1))).toBe(true);
    await clock.advance(200);
    expect(table.size).toBe(0);
  });

  test('that are the same leave the ticks alone', async () => {
    const clock = new VirtualClock();
    const table = tableOf({}, clock);
    table.keep(key(1), 'a');
    await clock.advance(6450);
    table.limits = { timeout: 6400, maxEntries: 50 };
    expect([clock.pending, table.limits.maxEntries]).toEqual([1, 50]);
    await clock.advance(50);
    expect(table.size).toBe(0);
  });

  test('of fewer entries are reached as others come, two for each', () => {
    const table = tableOf({ maxEntries: 10 });
    for (let number = 0; number < 10; number++) table.keep(key(number), 'a');
    table.limits = { timeout: 6400, maxEntries: 4 };
    const sizes = [10, 11, 12, 13, 14, 15, 16, 17].map((number) => {
      table.keep(key(number), 'a');
      return table.size;
    });
    expect(sizes).toEqual([9, 8, 7, 6, 5, 4, 4, 4]);
  });
});

interface Step {
  readonly act: 'find' | 'keep' | 'forget';
  readonly number: number;
  readonly id: string;
  readonly wait: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  act: fc.constantFrom('find', 'keep', 'keep', 'forget'),
  number: fc.nat(9),
  id: fc.constantFrom('a', 'b', 'c'),
  wait: fc.constantFrom(0, 0, 0, 1, 99, 100, 1000, 6399, 6400, 6401, 6499, 6500, 6501),
});

/** The same with a `Map` of its own times. Between the timeout and a 64th more either is right, and the table is asked. */
class PlainTable {
  readonly entries = new Map<number, { readonly id: string; readonly used: number }>();

  use(number: number, id: string, used: number): void {
    this.entries.delete(number);
    this.entries.set(number, { id, used });
  }

  follow(table: MemberTable, now: number): void {
    for (const [number, { used }] of this.entries) {
      const age = now - used;
      const isThere = table.has(key(number));
      if (age <= 6400) expect(isThere).toBe(true);
      if (age > 6500) expect(isThere).toBe(false);
      if (!isThere) this.entries.delete(number);
    }
  }
}

test('does what a Map with times does, whatever is asked of it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const clock = new VirtualClock();
      const table = tableOf({ maxEntries: 5 }, clock);
      const plain = new PlainTable();
      for (const { act, number, id, wait } of steps) {
        if (wait > 0) await clock.advance(wait);
        plain.follow(table, clock.now());
        if (act === 'keep') {
          const isNew = !plain.entries.has(number);
          if (isNew && plain.entries.size === 5) plain.entries.delete(plain.entries.keys().next().value ?? -1);
          table.keep(key(number), id);
          plain.use(number, id, clock.now());
        } else if (act === 'find') {
          const entry = plain.entries.get(number);
          expect(table.find(key(number))).toBe(entry?.id);
          if (entry !== undefined) plain.use(number, entry.id, clock.now());
        } else {
          table.forget(id);
          for (const [each, entry] of plain.entries) {
            if (entry.id !== id) continue;
            plain.entries.delete(each);
            expect(table.find(key(each))).toBe(undefined);
          }
        }
        expect(table.size).toBe(plain.entries.size);
      }
    }),
    { seed: 1, numRuns: 300 },
  );
});
