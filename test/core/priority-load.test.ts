import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type LevelHealth, type PanicSettings, planPriorities } from '../../src/core/priority-load.ts';

/** So many healthy members out of so many, of which some may not have been checked yet. */
function level(healthy: number, inService: number, unchecked = 0): LevelHealth {
  return { healthy, inService, unchecked };
}

const envoys: PanicSettings = { threshold: 50, minHealthy: 0, failTraffic: false };

/** @param panic null where there is none */
function loads(levels: readonly LevelHealth[], panic: PanicSettings | null = envoys, factor = 140) {
  return planPriorities(levels, factor, panic ?? undefined).loads;
}

function panics(levels: readonly LevelHealth[], panic: Partial<PanicSettings> = {}, factor = 140) {
  return planPriorities(levels, factor, { ...envoys, ...panic }).panicking;
}

/** From Envoy's `load_balancer_impl_base_test.cc`, all that have no degraded hosts: levels, loads, who panics. */
const rows: readonly (readonly [string, readonly LevelHealth[], readonly number[], readonly boolean[]])[] = [
  ['PrioritySelection: nobody healthy', [level(0, 1), level(0, 1)], [50, 50], [true, true]],
  ['PrioritySelection: nobody healthy, 1 and 2', [level(0, 1), level(0, 2)], [34, 66], [true, true]],
  ['PrioritySelection: the third healthy', [level(0, 1), level(0, 2), level(1, 1)], [0, 0, 100], [false, false, false]],
  ['PrioritySelection: the first, too', [level(1, 1), level(0, 2), level(1, 1)], [100, 0, 0], [false, false, false]],
  ['OverProvisioningFactor', [level(2, 4), level(2, 4)], [70, 30], [false, false]],
  ['GentleFailover: all healthy', [level(1, 1), level(1, 1)], [100, 0], [false, false]],
  ['GentleFailover: halves', [level(1, 2), level(1, 2)], [70, 30], [false, false]],
  ['GentleFailover: the second carries the rest', [level(1, 4), level(2, 2)], [35, 65], [false, false]],
  ['GentleFailover: quarters', [level(1, 4), level(1, 4)], [50, 50], [true, true]],
  ['GentleFailover: the first is unchecked but for one', [level(1, 4, 3), level(1, 5)], [100, 0], [false, false]],
  ['GentleFailover: all of the first is unchecked', [level(0, 4, 4), level(1, 4)], [50, 50], [true, true]],
  ['GentleFailover: unchecked ones count in total panic', [level(0, 4, 1), level(1, 6, 2)], [40, 60], [true, true]],
  ['ExtraLevels: all healthy', [level(1, 1), level(1, 1), level(1, 1)], [100, 0, 0], [false, false, false]],
  ['ExtraLevels: halves', [level(1, 2), level(1, 2), level(1, 2)], [70, 30, 0], [false, false, false]],
  ['ExtraLevels: 1/4, 2/2, 1/2', [level(1, 4), level(2, 2), level(1, 2)], [35, 65, 0], [false, false, false]],
  ['ExtraLevels: quarters', [level(1, 4), level(1, 4), level(1, 4)], [35, 35, 30], [false, false, false]],
  ['ExtraLevels: fifths', [level(1, 5), level(1, 5), level(1, 5)], [34, 33, 33], [true, true, true]],
  ['ExtraLevels: only the third', [level(0, 5), level(0, 5), level(5, 5)], [0, 0, 100], [false, false, false]],
  ['ExtraLevels: 80 % of the third', [level(0, 5), level(0, 5), level(4, 5)], [0, 0, 100], [false, false, false]],
  ['ExtraLevels: 40 % of the third', [level(0, 5), level(0, 5), level(2, 5)], [34, 33, 33], [true, true, true]],
  ['ExtraLevels: by number', [level(0, 5), level(0, 3), level(0, 2)], [50, 30, 20], [true, true, true]],
  ['ExtraLevels: by number, rounded', [level(0, 5), level(2, 6), level(1, 3)], [37, 42, 21], [true, true, true]],
  ['ExtraLevels: thirds', [level(0, 3), level(0, 3), level(0, 3)], [34, 33, 33], [true, true, true]],
  ['ExtraLevels: an empty first', [level(0, 0), level(0, 6), level(0, 3)], [0, 67, 33], [true, true, true]],
];

describe('the shares of levels of priority', () => {
  test.each(rows)("are Envoy's, %s", (_, levels, expected, panicking) => {
    expect(planPriorities(levels, 140, envoys)).toEqual({ loads: expected, panicking });
  });

  test("are Envoy's without overprovisioning", () => {
    expect(loads([level(2, 4), level(2, 4)], envoys, 100)).toEqual([50, 50]);
  });

  // What Envoy's documentation has of 50/60 and of 25/100 is not what its code does.
  test.each([
    ['50 % and 60 %', [level(50, 100), level(60, 100)], [70, 30]],
    ['25 % and 100 %', [level(25, 100), level(100, 100)], [35, 65]],
    ['just what is needed', [level(72, 100), level(100, 100)], [100, 0]],
    ['one less', [level(71, 100), level(100, 100)], [99, 1]],
  ])('go by health times 1.4, at the most 100 %, %s', (_, levels, expected) => {
    expect(loads(levels, null)).toEqual(expected);
  });

  // Of healths as Envoy's documentation gives them: 1.4 is in them already.
  test.each([
    ['20 and 30', [level(20, 100), level(30, 100)], [40, 60]],
    // The documentation rounds to 36, 36, 28; the code rounds down and gives the rest to the first.
    ['25, 25 and 20', [level(25, 100), level(25, 100), level(20, 100)], [37, 35, 28]],
  ])('are scaled up where all together cannot carry everything, %s', (_, levels, expected) => {
    expect(loads(levels, null, 100)).toEqual(expected);
  });

  test('leave out levels without members', () => {
    expect(loads([level(0, 0), level(1, 1), level(0, 0)])).toEqual([0, 100, 0]);
  });

  test('leave out levels that nobody has checked', () => {
    expect(loads([level(0, 3, 3), level(1, 1)])).toEqual([0, 100]);
  });

  test('are all of it where there is one level', () => {
    expect([loads([level(1, 9)]), loads([level(0, 9)]), loads([level(9, 9)], null)]).toEqual([[100], [100], [100]]);
  });

  test('are none where there are no levels', () => {
    expect(planPriorities([], 140, envoys)).toEqual({ loads: [], panicking: [] });
  });

  test('go to the first where nobody is healthy and nobody panics', () => {
    expect(loads([level(0, 2), level(0, 2)], null)).toEqual([100, 0]);
  });

  test('of what rounding leaves go to the first that is healthy', () => {
    expect(loads([level(0, 5), level(1, 5), level(1, 5), level(1, 5)], null)).toEqual([0, 34, 33, 33]);
  });

  test('of what rounding leaves go in total panic to the first that has members, small as it may be', () => {
    expect(loads([level(0, 0), level(0, 1), level(0, 199)])).toEqual([0, 1, 99]);
  });

  test('add up in total panic of more levels than there are percents', () => {
    const all = loads(Array.from({ length: 128 }, () => level(0, 1)));
    expect(all.reduce((sum, load) => sum + load)).toBe(100);
  });
});

describe('a level of priority panics', () => {
  test.each([
    [50, 100, false],
    [49, 100, true],
    [1, 2, false],
    [0, 0, true],
  ])('with %i healthy of %i and a threshold of 50: %s', (healthy, inService, expected) => {
    expect(panics([level(healthy, inService)])).toEqual([expected]);
  });

  test('by the exact percentage, not a rounded one', () => {
    const third = [level(1, 3)];
    expect([panics(third, { threshold: 33 }), panics(third, { threshold: 34 })]).toEqual([[false], [true]]);
  });

  test.each([
    // 140 % of 71 is 99, of 72 it is 100.
    [level(71, 100), 100, true],
    [level(72, 100), 100, false],
  ])('only where all levels together cannot carry everything: %o', (one, threshold, expected) => {
    expect(panics([one], { threshold })).toEqual([expected]);
  });

  test('never with a threshold of 0', () => {
    expect(panics([level(0, 5), level(0, 5)], { threshold: 0 })).toEqual([false, false]);
  });

  test('while others do not, where those are healthy enough', () => {
    const plan = planPriorities([level(1, 10), level(6, 10)], 140, envoys);
    // 14 and 84 make 98: not everything, so the first may panic.
    expect(plan).toEqual({ loads: [15, 85], panicking: [true, false] });
  });

  test('by the number of members that have been checked', () => {
    expect([panics([level(1, 10, 8)]), panics([level(1, 10, 7)])]).toEqual([[false], [true]]);
  });

  test.each([
    [2, false],
    [3, true],
  ])('with 2 healthy ones and %i wanted: %s', (minHealthy, expected) => {
    expect(panics([level(2, 2)], { threshold: 0, minHealthy })).toEqual([expected]);
  });

  test('for a minimum number also where percentages say that all is well', () => {
    expect(panics([level(9, 10)], { minHealthy: 10 })).toEqual([true]);
  });

  test('not for a minimum number while it only stands by', () => {
    expect(panics([level(5, 5), level(0, 1)], { minHealthy: 2 })).toEqual([false, false]);
  });

  test('for a minimum number without giving up its priority where all members are healthy', () => {
    expect(planPriorities([level(1, 1), level(1, 1)], 140, { ...envoys, minHealthy: 2 })).toEqual({
      loads: [100, 0],
      panicking: [true, false],
    });
    // All panic, and together they carry everything: no reason to go by the number of members.
    expect(planPriorities([level(1, 2), level(1, 2)], 140, { ...envoys, minHealthy: 2 })).toEqual({
      loads: [70, 30],
      panicking: [true, true],
    });
  });
});

describe('whatever the health of the levels', () => {
  const anyLevel = fc
    .record({ inService: fc.nat(300), healthy: fc.nat(300), unchecked: fc.nat(300) })
    .map(({ inService, healthy, unchecked }) => {
      const up = healthy % (inService + 1);
      return level(up, inService, unchecked % (inService - up + 1));
    });
  const anyLevels = fc.array(anyLevel, { minLength: 1, maxLength: 12 });
  const anyFactor = fc.oneof(fc.constantFrom(100, 140, 10_000), fc.integer({ min: 100, max: 10_000 }));
  const anyPanic = fc.option(fc.record({ threshold: fc.nat(100), minHealthy: fc.nat(20), failTraffic: fc.boolean() }), {
    nil: undefined,
  });

  test('shares are whole percents that add up', () => {
    fc.assert(
      fc.property(anyLevels, anyFactor, anyPanic, (levels, factor, panic) => {
        const { loads, panicking } = planPriorities(levels, factor, panic);
        expect(loads.every((load) => Number.isInteger(load) && load >= 0 && load <= 100)).toBe(true);
        expect(panicking).toHaveLength(levels.length);
        const sum = loads.reduce((all, load) => all + load, 0);
        if (levels.some(({ inService }) => inService > 0)) expect(sum).toBe(100);
        else expect([0, 100]).toContain(sum);
      }),
      { seed: 11, numRuns: 2000 },
    );
  });

  test('nobody gets anything who can serve nobody, while somebody can', () => {
    fc.assert(
      fc.property(anyLevels, anyFactor, anyPanic, (levels, factor, panic) => {
        const { loads, panicking } = planPriorities(levels, factor, panic);
        const serves = levels.map(({ healthy, inService }, index) => (panicking[index] ? inService > 0 : healthy > 0));
        const isSomeHealth = levels.some(
          ({ healthy, inService, unchecked }) => factor * healthy >= inService - unchecked && healthy > 0,
        );
        if (!isSomeHealth) return;
        for (const [index, load] of loads.entries()) if (load > 0) expect(serves[index]).toBe(true);
      }),
      { seed: 12, numRuns: 2000 },
    );
  });

  test('nothing goes past a level that can carry everything', () => {
    fc.assert(
      fc.property(anyLevels, anyFactor, fc.nat(100), (levels, factor, threshold) => {
        const full = [level(3, 3), ...levels];
        const plan = planPriorities(full, factor, { ...envoys, threshold });
        expect(plan.loads).toEqual([100, ...levels.map(() => 0)]);
        expect(plan.panicking).toEqual(full.map(() => false));
      }),
      { seed: 13, numRuns: 500 },
    );
  });

  test('another healthy member never costs its level anything, nor those ahead and it together', () => {
    fc.assert(
      fc.property(anyLevels, anyFactor, fc.nat(11), (levels, factor, nth) => {
        const index = nth % levels.length;
        const { healthy, inService, unchecked } = levels[index] as LevelHealth;
        if (healthy + unchecked >= inService) return;
        const better = levels.with(index, level(healthy + 1, inService, unchecked));
        const [before, after] = [loads(levels, null, factor), loads(better, null, factor)];
        expect(after[index]).toBeGreaterThanOrEqual(before[index] as number);
        const upTo = (all: readonly number[]) => all.slice(0, index + 1).reduce((sum, load) => sum + load, 0);
        expect(upTo(after)).toBeGreaterThanOrEqual(upTo(before));
      }),
      { seed: 14, numRuns: 3000 },
    );
  });

  test('a lower threshold never makes more levels panic', () => {
    fc.assert(
      fc.property(anyLevels, anyFactor, fc.integer({ min: 1, max: 100 }), (levels, factor, threshold) => {
        const [more, fewer] = [threshold, threshold - 1].map((at) => panics(levels, { threshold: at }, factor));
        for (const [index, isPanicking] of (fewer ?? []).entries()) if (isPanicking) expect(more?.[index]).toBe(true);
      }),
      { seed: 15, numRuns: 1000 },
    );
  });
});
