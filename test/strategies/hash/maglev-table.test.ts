import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Member } from '../../../src/core/member.ts';
import { MaglevTable } from '../../../src/strategies/hash/maglev-table.ts';
import { idFor, localMembers, localPorts, namedMembers, portFor } from '../../fixtures/hash-tables.ts';

// All of Envoy's test/extensions/load_balancing_policies/maglev/maglev_lb_test.cc.

function slotsOf(members: readonly Member[], size: number): number[] {
  return [...new MaglevTable(members, size).slots];
}

function countsOf(members: readonly Member[], size: number): number[] {
  const counts = members.map(() => 0);
  for (const index of slotsOf(members, size)) (counts[index] as number)++;
  return counts;
}

describe("Envoy's tables come out slot by slot", () => {
  test('six equal members, seven slots', () => {
    expect(slotsOf(localPorts(90, 6), 7)).toEqual([2, 4, 0, 1, 5, 0, 3]);
  });

  test('the same members by names of their own', () => {
    expect(slotsOf(namedMembers({ 90: 1, 91: 1, 92: 1, 93: 1, 94: 1, 95: 1 }), 7)).toEqual([2, 5, 0, 3, 4, 1, 0]);
  });

  test('weights 1, 2 on 17 slots', () => {
    expect(slotsOf(localMembers({ 90: 1, 91: 2 }), 17)).toEqual([1, 0, 0, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 0, 1]);
  });

  test('equal weights on 17 slots', () => {
    expect(slotsOf(localPorts(90, 2), 17)).toEqual([1, 0, 0, 1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 1, 0, 1]);
  });

  test('weights 8, 2 on 17 slots', () => {
    expect(slotsOf(localMembers({ 90: 8, 91: 2 }), 17)).toEqual([1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0]);
  });

  test('weights 1, 2 on the default of 65537 slots', () => {
    expect(countsOf(localMembers({ 90: 1, 91: 2 }), 65_537)).toEqual([21_846, 43_691]);
  });

  test('one member has them all', () => {
    expect(countsOf(localMembers({ 90: 7 }), 17)).toEqual([17]);
  });

  test('any order of the members makes the same table', () => {
    const members = localPorts(90, 6);
    const order = [3, 5, 0, 2, 4, 1];
    const shuffled = order.map((index) => members[index] as Member);
    expect(slotsOf(shuffled, 7).map((index) => order[index])).toEqual([2, 4, 0, 1, 5, 0, 3]);
  });
});

describe('lookups in the table of six members and seven slots', () => {
  const table = new MaglevTable(localPorts(90, 6), 7);

  test('a hash goes to its slot modulo the size', () => {
    const ports = Array.from({ length: 21 }, (_, hash) => portFor(table, BigInt(hash)));
    expect(ports).toEqual(Array.from({ length: 3 }, () => [92, 94, 90, 91, 95, 90, 93]).flat());
  });

  test("a client that its member cannot take goes where Envoy's attempts lead", () => {
    expect([portFor(table, 10n), portFor(table, 10n, [91]), portFor(table, 10n, [91, 90])]).toEqual([91, 90, 95]);
  });

  test('nobody is found where nobody is a candidate', () => {
    expect(portFor(table, 10n, [90, 91, 92, 93, 94, 95])).toBe(undefined);
  });
});

describe('every hash goes to the slot that it is modulo the size', () => {
  for (const size of [2, 7, 65_537, 1_048_583, 2_097_169]) {
    test(`${size}`, () => {
      const table = new MaglevTable(localPorts(1, 50), size);
      const { slots } = table;
      const edge = (1n << 64n) / BigInt(size);
      const hash = fc.oneof(
        fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
        fc.bigInt({ min: 0n, max: edge }).map((factor) => factor * BigInt(size)),
        fc.bigInt({ min: 1n, max: edge }).map((factor) => factor * BigInt(size) - 1n),
      );
      fc.assert(
        fc.property(hash, (value) => {
          expect(portFor(table, value)).toBe(1 + (slots[Number(value % BigInt(size))] as number));
        }),
        { seed: 4, numRuns: 300 },
      );
    });
  }
});

test('equal members hold equal shares to within a slot', () => {
  const counts = countsOf(localPorts(1, 1000), 65_537);
  expect([Math.min(...counts), Math.max(...counts)]).toEqual([65, 66]);
});

test('shares are by weight to within a slot, but for the heaviest, who gets what is left', () => {
  const weights = { 1: 1, 2: 3, 3: 10, 4: 100, 5: 256 };
  const counts = countsOf(localMembers(weights), 65_537);
  const off = Object.values(weights).map((weight, index) => (counts[index] as number) - (65_537 * weight) / 370);
  expect(off.slice(0, -1).filter((difference) => Math.abs(difference) > 1)).toEqual([]);
  expect(Math.abs(off.at(-1) as number)).toBeLessThan(weights[5] / 64);
});

test('where there are more members than slots, those without one still serve whoever can go to nobody else', () => {
  const members = namedMembers(Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`m${index}`, 1])));
  const table = new MaglevTable(members, 7);
  for (const { id } of members) {
    const others = members.map((member) => member.id).filter((other) => other !== id);
    expect(idFor(table, 987654321n, others)).toBe(id);
  }
});
