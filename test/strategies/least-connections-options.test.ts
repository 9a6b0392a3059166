import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import { seededRandom } from '../../src/core/random.ts';
import { leastConnections } from '../../src/strategies/least-connections.ts';
import type { PickRequest } from '../../src/strategies/strategy.ts';
import {
  equal,
  makePool,
  memberOf,
  refusalOf,
  take,
  takeFrom,
  tally,
  visit,
  visits,
  weighing,
} from '../fixtures/core.ts';

const strategy = 'least-connections';

describe('a random start', () => {
  const startAt = (random: () => number, count: number): string[] => {
    const pool = makePool({ strategy: leastConnections({ randomStart: true }), members: equal(4) }, { random });
    return Array.from({ length: count }, () => take(pool).member.id);
  };

  test('begins at a random member and goes on in the order of the pool', () => {
    expect(startAt(() => 0.5, 5).join(' ')).toBe('m2 m3 m0 m1 m2');
    expect(startAt(() => 0, 4).join(' ')).toBe('m0 m1 m2 m3');
  });

  test('spreads the first clients of many balancers over all members', () => {
    const first = Array.from({ length: 400 }, (_, seed) => startAt(seededRandom(seed), 1)[0] as string);
    const counts = Object.values(tally(first));
    expect(counts.length).toBe(4);
    expect(counts.filter((count) => count < 70 || count > 130)).toEqual([]);
  });

  test('holds across weights', () => {
    const members = weighing({ a: 1, b: 2, c: 3, d: 4 });
    const pool = makePool({ strategy: leastConnections({ randomStart: true }), members }, { random: () => 0.25 });
    expect(Array.from({ length: 4 }, () => take(pool).member.id).join('')).toBe('bcda');
  });

  test('is not taken again after a change', () => {
    let draws = 0;
    const random = (): number => ++draws / 100;
    const pool = makePool({ strategy: leastConnections({ randomStart: true }), members: equal(4) }, { random });
    visit(pool);
    const before = draws;
    memberOf(pool, 'm3').update({ weight: 2 });
    visit(pool);
    expect(draws).toBe(before);
  });

  test('is off by default: the first client goes to the first member', () => {
    expect(visit(makePool({ strategy, members: equal(4) }, { random: () => 0.5 }))).toBe('m0');
  });
});

describe('the options', () => {
  test('are checked', () => {
    const options = (value: object) => refusalOf(() => leastConnections(value));
    expect(options({ failurePenalty: -1 })).toMatchObject({ path: 'failurePenalty', value: -1 });
    expect(options({ randomStart: 'yes' })).toMatchObject({ path: 'randomStart', expected: 'true or false' });
    expect(options({ bias: 1 })).toMatchObject({ path: 'bias' });
  });

  test('ask for the default by null', () => {
    const chosen = leastConnections({ failurePenalty: null, randomStart: null });
    const pool = makePool({ strategy: chosen, members: equal(4) }, { random: () => 0.5 });
    takeFrom(pool, 'm0').release('failure');
    expect(visits(pool, 4)).toEqual(['m1', 'm2', 'm3', 'm1']);
  });
});

test('a picker that is asked although all are full has nobody', () => {
  const pool = makePool({ strategy, members: equal(2).map((each) => ({ ...each, maxConnections: 1 })) });
  take(pool);
  take(pool);
  const picker = leastConnections().prepare(pool.members, undefined, { random: () => 0, clock: new VirtualClock() });
  const { members } = pool;
  const request: PickRequest = {
    clientAddress: undefined,
    clientPort: undefined,
    key: undefined,
    path: undefined,
    header: () => undefined,
    accepts: (member) => members.includes(member),
  };
  expect(picker.pick(request)).toBeUndefined();
});
