import { describe, expect, test } from 'vitest';
import type { Member } from '../../../src/core/member.ts';
import { seededRandom } from '../../../src/core/random.ts';
import { leastConnections } from '../../../src/strategies/least-connections.ts';
import { roundRobin } from '../../../src/strategies/round-robin.ts';
import type { Strategy } from '../../../src/strategies/strategy.ts';
import { type SubsetOptions, subset } from '../../../src/strategies/wrappers/subset.ts';
import {
  equal,
  makePool,
  memberOf,
  refusalOf,
  settled,
  take,
  takeFrom,
  tally,
  visit,
  visits,
} from '../../fixtures/core.ts';

/** Tells which members it was prepared for. */
class Witness implements Strategy {
  readonly name = 'witness';
  lists: (readonly Member[])[] = [];

  prepare(members: readonly Member[]) {
    this.lists.push(members);
    return { pick: () => members[0] };
  }

  get ids(): string[] {
    return this.lists.at(-1)?.map(({ id }) => id) ?? [];
  }
}

const context = { random: seededRandom(1), clock: { now: () => 0, setTimeout: () => 0, clearTimeout: () => {} } };

/** The members that a client's subset holds. */
function subsetOf(members: readonly Member[], options: SubsetOptions): string[] {
  const witness = new Witness();
  subset(witness, options).prepare(members, undefined, context);
  return witness.ids;
}

const hundred = makePool({ members: equal(100) }).members;
const thousand = Array.from({ length: 1000 }, (_, index) => index);

describe('a named client', () => {
  test('has as many members as it asks for', () => {
    expect(subsetOf(hundred, { size: 10, client: 'c1' }).length).toBe(10);
  });

  test.each([100, 101])('has all where it asks for %i of a hundred', (size) => {
    expect(subsetOf(hundred, { size, client: 'c1' })).toEqual(hundred.map(({ id }) => id));
  });

  test('has the same ones in any process: these', () => {
    expect(subsetOf(hundred, { size: 5, client: 'c1' })).toEqual(['m6', 'm13', 'm22', 'm63', 'm87']);
  });

  test('has the same ones after an identical update', () => {
    const again = makePool({ members: equal(100) }).members;
    expect(subsetOf(again, { size: 10, client: 'c1' })).toEqual(subsetOf(hundred, { size: 10, client: 'c1' }));
  });

  test('has the same ones whatever the order of the list', () => {
    const backwards = [...hundred].reverse();
    expect(subsetOf(backwards, { size: 10, client: 'c1' })).toEqual(
      subsetOf(hundred, { size: 10, client: 'c1' }).reverse(),
    );
  });

  test('has the same ones whatever their weights', () => {
    const heavy = makePool({ members: equal(100).map((member, index) => ({ ...member, weight: 1 + index })) }).members;
    expect(subsetOf(heavy, { size: 10, client: 'c1' })).toEqual(subsetOf(hundred, { size: 10, client: 'c1' }));
  });

  test('is one of a thousand that are spread over the members as by chance', () => {
    const counts = tally(thousand.flatMap((number) => subsetOf(hundred, { size: 10, client: `client-${number}` })));
    // Each of the 100 members is in 1000 subsets with a chance of 1/10: 100 in the mean, standard deviation 9.5.
    expect(Object.keys(counts).length).toBe(100);
    expect(Math.min(...Object.values(counts))).toBeGreaterThan(100 - 4 * 9.5);
    expect(Math.max(...Object.values(counts))).toBeLessThan(100 + 4 * 9.5);
    const squares = Object.values(counts).reduce((sum, count) => sum + (count - 100) ** 2, 0);
    expect(Math.sqrt(squares / 100)).toBeGreaterThan(7);
    expect(Math.sqrt(squares / 100)).toBeLessThan(12);
  });

  test('loses one member and gets one when that one goes, and else nothing changes', () => {
    const rest = hundred.filter(({ id }) => id !== 'm42');
    const changes = thousand.map((number) => {
      const options = { size: 10, client: `client-${number}` };
      const before = subsetOf(hundred, options);
      const after = subsetOf(rest, options);
      const gone = before.filter((id) => !after.includes(id));
      return [gone.join(), after.filter((id) => !before.includes(id)).length].join(' ');
    });
    const counts = tally(changes);
    expect(Object.keys(counts).sort()).toEqual([' 0', 'm42 1']);
    expect(counts['m42 1']).toBeLessThan(140);
  });
});

describe('a numbered client', () => {
  /** Which part of its picks each member gets, over all clients that send as much. */
  const loads = (members: readonly Member[], size: number, of: number, picks: number): Record<string, number> => {
    const load: Record<string, number> = {};
    for (let index = 0; index < of; index++) {
      const picker = subset(roundRobin(), { size, client: { index, of } }).prepare(members, undefined, {
        ...context,
        random: seededRandom(index),
      });
      for (let pick = 0; pick < picks; pick++) {
        const member = picker.pick({ accepts: () => true, header: () => undefined } as never);
        if (member === undefined) throw new Error('nobody was picked');
        picker.acquired?.(member, members.indexOf(member));
        load[member.id] = (load[member.id] ?? 0) + 1 / picks;
      }
    }
    return load;
  };

  test('is one of a thousand of whom each member is held by the same number', () => {
    const counts = tally(thousand.flatMap((index) => subsetOf(hundred, { size: 10, client: { index, of: 1000 } })));
    const sizeOf = (index: number) => subsetOf(hundred, { size: 10, client: { index, of: 1000 } }).length;
    // A stretch begins inside a member for nine clients in ten, and then reaches into an eleventh.
    expect(thousand.filter((index) => sizeOf(index) === 10).length).toBe(100);
    expect(new Set(Object.values(counts))).toEqual(new Set([109]));
  });

  test('shares with the others so that every member gets the same, exactly to what a pick is worth', () => {
    const load = loads(hundred, 10, 130, 400);
    const values = Object.values(load);
    expect(values.length).toBe(100);
    expect(Math.max(...values) / Math.min(...values)).toBeLessThan(1.06);
  });

  test('shares with the others so that every member gets as its weight says', () => {
    const { members } = makePool({
      members: equal(40).map((member, index) => ({ ...member, weight: 1 + (index % 4) })),
    });
    const load = loads(members, 10, 30, 1000);
    const ratios = members.map(({ id, weight }) => ((load[id] ?? 0) / 30) * (100 / weight));
    expect(Math.max(...ratios)).toBeLessThan(1.05);
    expect(Math.min(...ratios)).toBeGreaterThan(0.95);
  });

  test('uses a member in part where its stretch begins in one (ApertureTest: 4 of 18 gets half)', () => {
    const { members } = makePool({ members: equal(18) });
    const strategy = subset(roundRobin(), { size: 12, client: { index: 1, of: 4 } });
    const pool = makePool({ members: equal(18), strategy });
    const counts = Object.values(tally(visits(pool, 13_500))).sort((a, b) => a - b);
    expect(subsetOf(members, { size: 12, client: { index: 1, of: 4 } }).length).toBe(14);
    expect([counts.length, Math.round((counts[0] ?? 0) / 10), Math.round((counts[1] ?? 0) / 10)]).toEqual([
      14, 50, 100,
    ]);
  });

  test('has the same members whatever the order of the list', () => {
    const options = { size: 10, client: { index: 3, of: 7 } };
    expect(subsetOf([...hundred].reverse(), options)).toEqual(subsetOf(hundred, options).reverse());
  });

  test('has all members where it asks for more than there are', () => {
    expect(subsetOf(hundred, { size: 101, client: { index: 3, of: 7 } })).toEqual(hundred.map(({ id }) => id));
  });
});

describe('a subset', () => {
  const members = equal(12).map((member) => ({ ...member, maxConnections: 2 }));
  const options = { size: 3, client: 'c1' };

  test('is all that its client uses while one of it can serve', () => {
    const pool = makePool({ members, strategy: subset('round-robin', options) });
    expect(Object.keys(tally(visits(pool, 100))).sort()).toEqual(subsetOf(pool.members, options).sort());
  });

  test('widens when all of it are full, one by one in the order of the client', () => {
    const pool = makePool({ members, strategy: subset('round-robin', options) });
    const ids = Array.from({ length: 24 }, () => take(pool).member.id);
    expect(visit(pool)).toBe('members-full');
    for (const size of [3, 4, 5, 9, 12]) {
      expect(Object.keys(tally(ids.slice(0, 2 * size))).sort()).toEqual(
        subsetOf(pool.members, { ...options, size }).sort(),
      );
    }
  });

  test('widens when all of it were tried', () => {
    const pool = makePool({ members, strategy: subset('round-robin', options) });
    const own = subsetOf(pool.members, options);
    const next = subsetOf(pool.members, { ...options, size: 4 }).find((id) => !own.includes(id));
    expect(visit(pool, { exclude: pool.members.filter(({ id }) => own.includes(id)) })).toBe(next);
  });

  test('of a numbered client widens round the ring', () => {
    const pool = makePool({ members, strategy: subset('round-robin', { size: 3, client: { index: 2, of: 3 } }) });
    expect(new Set(Array.from({ length: 24 }, () => take(pool).member.id)).size).toBe(12);
    expect(visit(pool)).toBe('members-full');
  });

  test('is its own again when members have room', () => {
    const pool = makePool({ members, strategy: subset('round-robin', options) });
    const leases = Array.from({ length: 20 }, () => take(pool));
    for (const lease of leases) lease.release();
    expect(Object.keys(tally(visits(pool, 100))).length).toBe(3);
  });

  test('replaces a member that is out by the next in line, and takes it back', async () => {
    const pool = makePool({ members, strategy: subset('round-robin', options) });
    const own = subsetOf(pool.members, options);
    memberOf(pool, own[0] ?? '').update({ enabled: false });
    await settled();
    const without = Object.keys(tally(visits(pool, 100))).sort();
    memberOf(pool, own[0] ?? '').update({ enabled: true });
    expect(without).toEqual(
      subsetOf(pool.members, { ...options, size: 4 })
        .filter((id) => id !== own[0])
        .sort(),
    );
    expect(Object.keys(tally(visits(pool, 100))).sort()).toEqual([...own].sort());
  });

  test('goes on with its cycle when a member elsewhere comes or goes', async () => {
    const pool = makePool({ members, strategy: subset('round-robin', options) });
    const cycle = visits(pool, 3);
    visit(pool);
    const other = pool.members.find(({ id }) => !cycle.includes(id));
    other?.update({ enabled: false });
    await settled();
    expect(visit(pool)).toBe(cycle[1]);
  });

  test('leaves the list as it was (httplb reorders its caller’s)', () => {
    const list = Object.freeze([...hundred]);
    subsetOf(list, { size: 10, client: 'c1' });
    subsetOf(list, { size: 10, client: { index: 1, of: 3 } });
    expect(list).toEqual(hundred);
  });

  test('is told of leases under the places in it', () => {
    const pool = makePool({ members: equal(12), strategy: subset(leastConnections(), options) });
    const own = subsetOf(pool.members, options);
    takeFrom(pool, own[0] ?? '');
    takeFrom(pool, own[1] ?? '');
    takeFrom(pool, own[1] ?? '');
    expect([take(pool), take(pool)].map(({ member }) => member.id).sort()).toEqual([own[0], own[2]].sort());
  });

  test('is made up for where the strategy inside does not ask whom it may pick', () => {
    const stubborn: Strategy = { name: 'stubborn', prepare: (list) => ({ pick: () => list[0] }) };
    const pool = makePool({ members, strategy: subset(stubborn, options) });
    const ids = Array.from({ length: 6 }, () => take(pool).member.id);
    expect(Object.keys(tally(ids)).sort()).toEqual(subsetOf(pool.members, options).sort());
  });
});

describe('the options', () => {
  test.each([
    [{ client: 'a' }, 'size'],
    [{ size: 0, client: 'a' }, 'size'],
    [{ size: 3 }, 'client'],
    [{ size: 3, client: '' }, 'client'],
    [{ size: 3, client: 7 }, 'client'],
    [{ size: 3, client: { index: 3, of: 3 } }, 'client.index'],
    [{ size: 3, client: { index: -1, of: 3 } }, 'client.index'],
    [{ size: 3, client: { index: 0, of: 0 } }, 'client.of'],
    [{ size: 3, client: { index: 0 } }, 'client.of'],
    [{ size: 3, client: 'a', clients: 2 }, 'clients'],
  ])('%j are refused for %s', (options, path) => {
    expect(refusalOf(() => subset('round-robin', options as SubsetOptions)).path).toBe(path);
  });
});
