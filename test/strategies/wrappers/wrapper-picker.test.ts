import { describe, expect, test } from 'vitest';
import { leastConnections } from '../../../src/strategies/least-connections.ts';
import { roundRobin } from '../../../src/strategies/round-robin.ts';
import type { Picker, Strategy } from '../../../src/strategies/strategy.ts';
import { slowStart } from '../../../src/strategies/wrappers/slow-start.ts';
import { subset } from '../../../src/strategies/wrappers/subset.ts';
import { zonePreference } from '../../../src/strategies/wrappers/zone-preference.ts';
import {
  equal,
  makePool,
  memberOf,
  refusalOf,
  settled,
  spec,
  take,
  takeFrom,
  visit,
  visits,
} from '../../fixtures/core.ts';

/** Every wrapper, around anything, so that it makes a difference in the pools below: three zones of three members. */
const wrappers: Readonly<Record<string, (strategy: Strategy) => Strategy>> = {
  'slow-start': (strategy) => slowStart(strategy, { window: 60_000 }),
  'zone-preference': (strategy) => zonePreference(strategy, { zone: 'z1' }),
  subset: (strategy) => subset(strategy, { size: 5, client: 'me' }),
  'subset of the seventh of ten clients': (strategy) => subset(strategy, { size: 5, client: { index: 6, of: 10 } }),
  'a stack of all': (strategy) =>
    zonePreference(subset(slowStart(strategy, { window: 60_000 }), { size: 2, client: 'me' }), { zone: 'z1' }),
};

const members = Array.from({ length: 9 }, (_, index) => spec(`m${index}`, { zone: `z${index % 3}` }));

/** A picker that can do everything, and what it was told: each time with the member that its list has at that place. */
class Diary implements Strategy {
  readonly name = 'diary';
  readonly entries: string[] = [];
  readonly previous: (Picker | undefined)[] = [];

  prepare(list: readonly { readonly id: string }[], previous: Picker | undefined): Picker {
    this.previous.push(previous);
    const note = (what: string, member: { readonly id: string }, place: number, ...rest: unknown[]) => {
      this.entries.push([what, member.id === list[place]?.id ? member.id : 'the wrong place', ...rest].join(' '));
    };
    return {
      measures: 'last-byte',
      pick: (request) => (list as never[]).find((member) => request.accepts(member)),
      acquired: (member, place) => note('acquired', member, place),
      measured: (member, place, milliseconds, now) => note('measured', member, place, milliseconds, now),
      released: (member, place, outcome, age) => note('released', member, place, outcome, age),
      reported: (member, place, report) => note('reported', member, place, report.utilization),
      hashOf: () => 42,
    };
  }
}

const context = { random: () => 0.5, clock: { now: () => 0, setTimeout: () => 0, clearTimeout: () => {} } };

function prepared(strategy: Strategy, previous?: Picker): Picker {
  return strategy.prepare(makePool({ members }).members, previous, context);
}

for (const [name, wrap] of Object.entries(wrappers)) {
  describe(name, () => {
    test('is named after itself and what is inside', () => {
      expect(wrap(roundRobin()).name).toMatch(/^[a-z-]+\(.*round-robin\)+$/);
    });

    test('tells the picker inside of a lease, under the place that the member has in its list', () => {
      const diary = new Diary();
      const pool = makePool({ members, strategy: wrap(diary) });
      for (const member of pool.members) takeFrom(pool, member.id).release('failure');
      expect(diary.entries.filter((entry) => entry.includes('wrong'))).toEqual([]);
      expect(diary.entries.filter((entry) => entry.startsWith('acquired')).length).toBeGreaterThan(1);
      expect(diary.entries.filter((entry) => entry.startsWith('released')).length).toBeGreaterThan(1);
    });

    test('tells it of latency and load, and what it wants to be told of latency', () => {
      const diary = new Diary();
      const picker = prepared(wrap(diary));
      for (const [place, member] of makePool({ members }).members.entries()) {
        picker.measured?.(member, place, 12, 99);
        picker.reported?.(member, place, { utilization: 0.5, requestsPerSecond: 10 });
      }
      expect(diary.entries.filter((entry) => entry.includes('wrong'))).toEqual([]);
      expect(diary.entries.some((entry) => /^measured m\d 12 99$/.test(entry))).toBe(true);
      expect(diary.entries.some((entry) => /^reported m\d 0.5$/.test(entry))).toBe(true);
      expect(picker.measures).toBe('last-byte');
    });

    test("hands on the client's hash", () => {
      expect(prepared(wrap(new Diary())).hashOf?.({} as never)).toBe(42);
    });

    test('does not make the pool read the clock for a picker that does not want to know', () => {
      const picker = prepared(wrap(leastConnections()));
      expect(['measured' in picker, 'measures' in picker, 'reported' in picker, 'hashOf' in picker]).toEqual([
        false,
        false,
        false,
        false,
      ]);
    });

    test('lets the picker inside carry on from the one before', () => {
      const diary = new Diary();
      const strategy = wrap(diary);
      const first = prepared(strategy);
      prepared(strategy, first);
      const count = diary.previous.length / 2;
      expect(diary.previous.slice(0, count)).toEqual(new Array(count).fill(undefined));
      expect(diary.previous.slice(count).every((previous) => previous?.measures === 'last-byte')).toBe(true);
      expect(new Set(diary.previous.slice(count)).size).toBe(count);
    });

    test('lets the strategy carry on when it is put around it', () => {
      const diary = new Diary();
      const bare = prepared(diary);
      prepared(wrap(diary), bare);
      expect(new Set(diary.previous.slice(1))).toEqual(new Set([bare]));
    });

    test('lets the strategy carry on when another wrapper takes its place', () => {
      const diary = new Diary();
      const first = prepared(slowStart(wrap(diary), { window: 10 }));
      const before = diary.previous.length;
      prepared(wrap(diary), first);
      expect(diary.previous.slice(before).every((previous) => previous?.measures === 'last-byte')).toBe(true);
    });

    test('gives a clear error for what is not a strategy', () => {
      expect(refusalOf(() => wrap('fastest' as never)).path).toBe('strategy');
    });

    test('takes the name of a built-in strategy', () => {
      const pool = makePool({ members, strategy: wrap('round-robin' as never) });
      expect(pool.strategy.name).toMatch(/round-robin/);
      expect(visit(pool)).toMatch(/^m\d$/);
    });

    test('does not change the list that it is given', () => {
      const list = Object.freeze([...makePool({ members }).members]);
      wrap(roundRobin()).prepare(list, undefined, context);
      expect(list.map(({ id }) => id)).toEqual(members.map(({ id }) => id));
    });

    test('makes up for a picker that does not ask whom it may pick', () => {
      const stubborn: Strategy = { name: 'stubborn', prepare: (list) => ({ pick: () => list[0] }) };
      const single = members.map((member) => ({ ...member, maxConnections: 1 }));
      const pool = makePool({ members: single, strategy: wrap(stubborn) });
      const ids = Array.from(members, () => take(pool).member.id);
      expect(new Set(ids).size).toBe(members.length);
      expect(visit(pool)).toBe('members-full');
    });

    test('lets pass what a strategy throws', () => {
      const broken: Strategy = {
        name: 'broken',
        prepare: () => ({
          pick: () => {
            throw new Error('broken');
          },
        }),
      };
      expect(() => visit(makePool({ members, strategy: wrap(broken) }))).toThrow('broken');
    });
  });
}

test('a cycle goes on where slow start is put around a strategy and where its settings change', async () => {
  const pool = makePool({ members: equal(4), strategy: roundRobin() });
  const order = visits(pool, 4);
  expect(visits(pool, 2)).toEqual(order.slice(0, 2));
  pool.update({ strategy: slowStart(roundRobin(), { window: 1000 }) });
  await settled();
  expect(visit(pool)).toBe(order[2]);
  pool.update({ strategy: slowStart(roundRobin(), { window: 2000 }) });
  expect(visit(pool)).toBe(order[3]);
});

test('what a member holds is known to least-connections inside a wrapper', () => {
  const pool = makePool({ members: equal(3), strategy: slowStart(leastConnections(), { window: 1000 }) });
  takeFrom(pool, 'm0');
  takeFrom(pool, 'm1');
  takeFrom(pool, 'm1');
  expect([take(pool), take(pool)].map(({ member }) => member.id).sort()).toEqual(['m0', 'm2']);
  expect(memberOf(pool, 'm1').stats.activeConnections).toBe(2);
});
