import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../../src/core/clock.ts';
import type { Pool } from '../../../src/core/pool.ts';
import { seededRandom } from '../../../src/core/random.ts';
import { strategyNames } from '../../../src/strategies/built-in.ts';
import { leastConnections } from '../../../src/strategies/least-connections.ts';
import { murmur3 } from '../../../src/strategies/murmur3.ts';
import { roundRobin } from '../../../src/strategies/round-robin.ts';
import type { Picker, Strategy } from '../../../src/strategies/strategy.ts';
import { type SlowStartOptions, slowStart } from '../../../src/strategies/wrappers/slow-start.ts';
import {
  client,
  equal,
  makePool,
  memberOf,
  refusalOf,
  settled,
  spec,
  take,
  tally,
  visit,
  visits,
} from '../../fixtures/core.ts';

const minute = 60_000;
const context = { random: () => 0.5, clock: new VirtualClock() };

/** What a user would write in half a minute: by chance, and it never asks whom it may pick. */
const careless: Strategy = {
  name: 'careless',
  prepare: (members, _previous, { random }) => ({ pick: () => members[Math.floor(random() * members.length)] }),
};

/** Knows no weights: the idlest. */
const idlest: Strategy = {
  name: 'idlest',
  prepare: (members) => ({
    pick: (request) =>
      members
        .filter((member) => request.accepts(member))
        .sort((a, b) => a.stats.activeConnections - b.stats.activeConnections)[0],
  }),
};

/** By a hash, evenly; the clients of a member that cannot go to the others evenly. */
const hashing: Strategy = {
  name: 'hashing',
  prepare: (members) => {
    const hashOf: NonNullable<Picker['hashOf']> = (request) => murmur3(request.clientAddress ?? '');
    return {
      hashOf,
      pick: (request) =>
        members
          .map((member) => ({ member, score: murmur3(member.id, hashOf(request)) }))
          .sort((a, b) => a.score - b.score)
          .find(({ member }) => request.accepts(member))?.member,
    };
  },
};

/** A pool whose members have served a while, and one that is new. */
function joined(strategy: Strategy, count: number, clock: VirtualClock, weight = 1): Pool {
  const pool = makePool({ members: equal(count), strategy }, { clock, random: seededRandom(3) });
  visits(pool, count);
  pool.add(spec('new', { address: '10.0.0.9', weight }));
  return pool;
}

/** Whether it places clients by a hash. */
function hashes(strategy: Strategy): boolean {
  const { members } = makePool({ members: equal(2) });
  return slowStart(strategy, { window: minute }).prepare(members, undefined, context).hashOf !== undefined;
}

/** Of so many clients who stay for a while each, how many the new member gets. */
function picksOfNew(pool: Pool, count: number, first: number): number {
  const held = [];
  let picks = 0;
  for (let number = first; number < first + count; number++) {
    const lease = take(pool, client(number));
    if (lease.member.id === 'new') picks++;
    held.push(lease);
    if (held.length > 40) held.splice((number * 7919) % held.length, 1)[0]?.release();
  }
  for (const lease of held) lease.release();
  return picks;
}

describe('the share of a member that comes', () => {
  const strategies = [...strategyNames.map((name) => name as never as Strategy), careless, idlest, hashing];

  for (const strategy of strategies) {
    const name = typeof strategy === 'string' ? strategy : `user-written ${strategy.name}`;
    // Fills one member to its limit: who comes last gets nothing, early or late.
    if (name === 'first') continue;

    test(`follows the curve within a few percent under ${name}`, async () => {
      const clock = new VirtualClock();
      const pool = joined(slowStart(strategy, { window: minute }), 19, clock);
      const clients = 20_000;
      // A hash gives each member not quite its fair share; it is that one that is cut, and the clients that stay are a sample.
      const natural = picksOfNew(joined(strategy, 19, new VirtualClock()), clients, 0);
      for (const passed of [0, 0.25, 0.5, 0.75]) {
        await clock.advance(passed * minute - clock.now());
        const factor = Math.max(0.1, passed);
        const picks = picksOfNew(pool, clients, 0);
        const expected = hashes(strategy) ? factor * natural : (factor / (19 + factor)) * clients;
        const slack = 0.07 * expected + (hashes(strategy) ? 4 * Math.sqrt(expected) : 0);
        expect(Math.abs(picks - expected), `${picks} for ${expected} at ${passed}`).toBeLessThan(slack);
      }
    });
  }

  test('is that of its weight', async () => {
    const clock = new VirtualClock();
    const pool = joined(slowStart(roundRobin(), { window: minute }), 8, clock, 4);
    await clock.advance(minute / 2);
    expect(picksOfNew(pool, 10_000, 0) / 10_000).toBeCloseTo(2 / 10, 2);
  });

  // Envoy's round_robin_lb_test.cc (SlowStartNoWait, …NonLinearAggression, …MinWeightPercent35): two hosts, the second is new.
  test.each<[Partial<SlowStartOptions>, number, number]>([
    [{}, 12_000, 1 / 5],
    [{}, 20_000, 1 / 3],
    [{ aggression: 2 }, 6000, Math.sqrt(0.1)],
    [{ aggression: 2 }, 26_000, Math.sqrt(26 / 60)],
    [{ floor: 0.35 }, 12_000, 0.35],
    [{ floor: 0.35 }, 30_000, 0.5],
  ])('is against that of a warm one, with %j after %i ms, as %f to 1', async (options, elapsed, factor) => {
    const clock = new VirtualClock();
    const pool = joined(slowStart(roundRobin(), { window: minute, ...options }), 1, clock);
    visit(pool);
    await clock.advance(elapsed);
    const { new: ofNew = 0, m0 = 0 } = tally(visits(pool, 20_000));
    expect(ofNew / m0).toBeCloseTo(factor, 2);
  });

  test("rises in HAProxy's sixteen steps, from the first at once", async () => {
    const clock = new VirtualClock();
    const pool = joined(slowStart(roundRobin(), { window: minute, curve: 'haproxy' }), 1, clock);
    const ratios: number[] = [];
    for (const seconds of [0, 6, 15, 30]) {
      await clock.advance(seconds * 1000 - clock.now());
      const { new: ofNew = 0, m0 = 0 } = tally(visits(pool, 16_000));
      ratios.push(Math.round((ofNew / m0) * 160));
    }
    expect(ratios).toEqual([10, 20, 50, 90]);
  });

  test('is full at the end of the window', async () => {
    const clock = new VirtualClock();
    const pool = joined(slowStart(roundRobin(), { window: minute }), 3, clock);
    visit(pool);
    await clock.advance(minute);
    expect(tally(visits(pool, 400))).toEqual({ m0: 100, m1: 100, m2: 100, new: 100 });
  });

  test('of several that come at different times stays in proportion', async () => {
    const clock = new VirtualClock();
    const pool = joined(slowStart(roundRobin(), { window: minute }), 4, clock);
    visit(pool);
    await clock.advance(minute / 4);
    pool.add(spec('newer', { address: '10.0.0.10' }));
    visit(pool);
    await clock.advance(minute / 4);
    const counts = tally(visits(pool, 30_000));
    expect((counts['new'] ?? 0) / (counts['m0'] ?? 0)).toBeCloseTo(0.5, 2);
    expect((counts['newer'] ?? 0) / (counts['m0'] ?? 0)).toBeCloseTo(0.25, 2);
  });

  test('of a client whose address is hashed is given once: no client comes and goes', async () => {
    const clock = new VirtualClock();
    const pool = joined(slowStart(hashing, { window: minute }), 9, clock);
    const moves = new Array<number>(2000).fill(0);
    let last = visits(pool, 2000);
    for (let step = 0; step < 40; step++) {
      await clock.advance(minute / 39);
      const now = visits(pool, 2000);
      for (const [number, id] of now.entries()) if (id !== last[number]) moves[number] = (moves[number] ?? 0) + 1;
      last = now;
    }
    expect(Math.max(...moves)).toBe(1);
    expect(last).toEqual(visits(joined(hashing, 9, new VirtualClock()), 2000));
  });
});

describe('a herd', () => {
  /** Twenty members with a thousand lasting connections each, and one that is new. */
  const busy = (strategy: Strategy, clock: VirtualClock): Pool => {
    const pool = makePool({ members: equal(20), strategy }, { clock, random: seededRandom(5) });
    for (let number = 0; number < 20_000; number++) take(pool, client(number));
    pool.add(spec('new', { address: '10.0.0.9' }));
    return pool;
  };
  const ofNew = (pool: Pool, count: number): number =>
    Array.from({ length: count }, (_, number) => take(pool, client(number))).filter(({ member }) => member.id === 'new')
      .length;

  test('of the first thousand clients runs to a new member under bare least-connections: the figure before', () => {
    expect(ofNew(busy(leastConnections(), new VirtualClock()), 1000)).toBe(1000);
  });

  test('does not with slow start: five of the first thousand, and no burst among them', () => {
    const pool = busy(slowStart(leastConnections(), { window: minute }), new VirtualClock());
    expect([ofNew(pool, 100), ofNew(pool, 900)]).toEqual([1, 4]);
  });

  test('of the first thousand clients, who come within a window, is a bit more than half its share', async () => {
    const clock = new VirtualClock();
    const pool = busy(slowStart(leastConnections(), { window: minute }), clock);
    let picks = 0;
    for (let tenth = 0; tenth < 100; tenth++) {
      picks += ofNew(pool, 10);
      await clock.advance(minute / 100);
    }
    expect(picks).toBeGreaterThanOrEqual(23);
    expect(picks).toBeLessThanOrEqual(27);
  });

  test('does not come later: at the end of the window the member has no credit saved up', async () => {
    const clock = new VirtualClock();
    const pool = makePool({ members: equal(10), strategy: slowStart(roundRobin(), { window: minute }) }, { clock });
    visit(pool);
    pool.add(spec('new', { address: '10.0.0.9', maxConnections: 1 }));
    const lease = take(pool, { exclude: pool.members.filter(({ id }) => id !== 'new') });
    await clock.advance(minute / 2);
    visits(pool, 5000);
    lease.release();
    expect(visits(pool, 100).filter((id) => id === 'new').length).toBeLessThanOrEqual(11);
  });
});

describe('who warms up', () => {
  const windowed = slowStart(roundRobin(), { window: minute });
  const shareOf = (pool: Pool, id: string): number =>
    visits(pool, 2000).filter((picked) => picked === id).length / (2000 / pool.members.length);

  test('is nobody at first', () => {
    const pool = makePool({ members: equal(3), strategy: windowed });
    expect(tally(visits(pool, 300))).toEqual({ m0: 100, m1: 100, m2: 100 });
  });

  test('is nobody when slow start is put around the strategy of a running pool', async () => {
    const pool = makePool({ members: equal(3) });
    visit(pool);
    pool.update({ strategy: windowed });
    await settled();
    expect(tally(visits(pool, 300))).toEqual({ m0: 100, m1: 100, m2: 100 });
  });

  test('is a member that was out', async () => {
    const pool = makePool({ members: equal(3), strategy: windowed });
    memberOf(pool, 'm1').update({ enabled: false });
    await settled();
    memberOf(pool, 'm1').update({ enabled: true });
    expect(shareOf(pool, 'm1')).toBeLessThan(0.2);
  });

  test('is a member that was out again, from the beginning', async () => {
    const clock = new VirtualClock();
    const pool = joined(windowed, 3, clock);
    visit(pool);
    await clock.advance(0.9 * minute);
    memberOf(pool, 'new').update({ enabled: false });
    await settled();
    memberOf(pool, 'new').update({ enabled: true });
    expect(shareOf(pool, 'new')).toBeLessThan(0.2);
  });

  test.each<[string, (pool: Pool) => void]>([
    ['another member comes', (pool) => pool.add(spec('other', { address: '10.0.0.8' }))],
    ['another member goes', (pool) => pool.remove('m0')],
    ['a weight changes', (pool) => memberOf(pool, 'm1').update({ weight: 2 })],
    ['its own weight changes', (pool) => memberOf(pool, 'new').update({ weight: 2 })],
    ['the strategy inside changes', (pool) => pool.update({ strategy: slowStart('random', { window: minute }) })],
  ])('goes on when %s', async (_what, change) => {
    const clock = new VirtualClock();
    const pool = joined(windowed, 9, clock);
    visit(pool);
    await clock.advance(minute / 2);
    change(pool);
    await settled();
    const counts = tally(visits(pool, 40_000));
    const ratio = (counts['new'] ?? 0) / (counts['m2'] ?? 0) / memberOf(pool, 'new').weight;
    expect(ratio).toBeGreaterThan(0.46);
    expect(ratio).toBeLessThan(0.54);
  });

  test('goes by a new window from when it came', async () => {
    const clock = new VirtualClock();
    const pool = joined(windowed, 9, clock);
    visit(pool);
    await clock.advance(minute / 2);
    pool.update({ strategy: slowStart(roundRobin(), { window: 2 * minute }) });
    expect(shareOf(pool, 'new')).toBeCloseTo(0.25, 1);
    pool.update({ strategy: slowStart(roundRobin(), { window: minute / 2 }) });
    expect(shareOf(pool, 'new')).toBeCloseTo(1, 1);
  });

  test('keeps its credit when members come and go all the time', async () => {
    const clock = new VirtualClock();
    const pool = joined(windowed, 9, clock);
    visit(pool);
    await clock.advance(minute / 2);
    const picked: string[] = [];
    for (let round = 0; round < 2000; round++) {
      memberOf(pool, 'm1').update({ weight: 1 + (round % 2) });
      picked.push(...visits(pool, 5));
    }
    const counts = tally(picked);
    expect((counts['new'] ?? 0) / (counts['m2'] ?? 0)).toBeGreaterThan(0.42);
    expect((counts['new'] ?? 0) / (counts['m2'] ?? 0)).toBeLessThan(0.58);
  });

  test('together with all others gets its weight from the start', async () => {
    const clock = new VirtualClock();
    const pool = makePool({ members: [spec('old')], strategy: windowed }, { clock });
    visit(pool);
    for (const weight of [1, 2, 3]) pool.add(spec(`m${weight}`, { address: `10.0.1.${weight}`, weight }));
    pool.remove('old');
    expect(tally(visits(pool, 600))).toEqual({ m1: 100, m2: 200, m3: 300 });
  });
});

describe('a client', () => {
  const strategy = slowStart(roundRobin(), { window: minute });

  test('is served by a warming member where all others are full', () => {
    const pool = makePool({ members: [spec('old', { maxConnections: 1 })], strategy });
    take(pool);
    pool.add(spec('new', { address: '10.0.0.9' }));
    expect(Array.from({ length: 50 }, () => take(pool).member.id)).toEqual(new Array(50).fill('new'));
  });

  test('is served by a warming member where all others were tried', () => {
    const pool = joined(strategy, 3, new VirtualClock());
    const exclude = pool.members.filter(({ id }) => id !== 'new');
    expect(new Set(visits(pool, 50, () => ({ exclude })))).toEqual(new Set(['new']));
  });

  test('finds the member soon again that served many while no other could', () => {
    const pool = joined(slowStart(roundRobin(), { window: minute, floor: 0.5 }), 3, new VirtualClock());
    const exclude = pool.members.filter(({ id }) => id !== 'new');
    visits(pool, 5000, () => ({ exclude }));
    expect(visits(pool, 60)).toContain('new');
  });

  test('is seen by the strategy inside as it is', () => {
    const seen: unknown[] = [];
    const curious: Strategy = {
      name: 'curious',
      prepare: (members) => ({
        pick: (request) => {
          const { clientAddress, clientPort, key, path } = request;
          seen.push([clientAddress, clientPort, key, path, request.header('accept')]);
          return members.find((member) => request.accepts(member));
        },
      }),
    };
    const pool = joined(slowStart(curious, { window: minute }), 3, new VirtualClock());
    const header = (name: string) => (name === 'accept' ? 'text/html' : undefined);
    visit(pool, { clientAddress: '10.1.2.3', clientPort: 4567, key: 'k', path: '/a', header });
    expect(seen.at(-1)).toEqual(['10.1.2.3', 4567, 'k', '/a', 'text/html']);
  });

  test("meets HAProxy's rising limit of connections", async () => {
    const clock = new VirtualClock();
    const most = 10;
    const pool = makePool(
      {
        members: equal(2),
        strategy: slowStart(leastConnections(), { window: minute, curve: 'haproxy', floor: 1 }),
      },
      { clock },
    );
    visit(pool);
    pool.add(spec('new', { address: '10.0.0.9', maxConnections: most }));
    const held: number[] = [];
    for (const seconds of [0, 30, 45, 60]) {
      await clock.advance(seconds * 1000 - clock.now());
      for (let number = 0; number < 60; number++) take(pool, client(number));
      held.push(memberOf(pool, 'new').stats.activeConnections);
    }
    expect(held).toEqual([1, 5, 7, 10]);
  });

  test('does not meet a limit where the member has none', () => {
    const pool = joined(
      slowStart(leastConnections(), { window: minute, curve: 'haproxy', floor: 1 }),
      2,
      new VirtualClock(),
    );
    for (let number = 0; number < 60; number++) take(pool, client(number));
    expect(memberOf(pool, 'new').stats.activeConnections).toBe(20);
  });
});

test('costs nothing while nobody warms up: the picker hears of no lease, and no clock is read', async () => {
  const clock = new VirtualClock();
  const strategy = slowStart(roundRobin(), { window: minute });
  const { members } = makePool({ members: equal(3) });
  const picker = strategy.prepare(members, undefined, { random: () => 0.5, clock });
  expect(picker.acquired).toBeUndefined();
  clock.now = () => {
    throw new Error('the clock was read');
  };
  expect(picker.pick({ accepts: () => true, header: () => undefined } as never)?.id).toBe('m0');
});

test('gives every balancer of a fleet its own moment to try a new member', () => {
  const firsts = Array.from({ length: 200 }, (_, seed) => {
    const pool = makePool(
      { members: equal(9), strategy: slowStart(roundRobin(), { window: minute }) },
      { random: seededRandom(seed) },
    );
    visit(pool);
    pool.add(spec('new', { address: '10.0.0.9' }));
    return visits(pool, 200).indexOf('new');
  });
  const early = firsts.filter((first) => first < 45).length;
  expect(Math.max(...firsts)).toBeLessThan(110);
  expect(early).toBeGreaterThan(60);
  expect(early).toBeLessThan(140);
});

describe('the options', () => {
  const refusal = (options: unknown) => refusalOf(() => slowStart('round-robin', options as SlowStartOptions));

  test.each([
    [{}, 'window'],
    [{ window: 0 }, 'window'],
    [{ window: '1s' }, 'window'],
    [{ window: 10, curve: 'steep' }, 'curve'],
    [{ window: 10, aggression: 0 }, 'aggression'],
    [{ window: 10, curve: 'haproxy', aggression: 1 }, 'aggression'],
    [{ window: 10, floor: 1.1 }, 'floor'],
    [{ window: 10, floor: Number.NaN }, 'floor'],
    [{ window: 10, floors: 1 }, 'floors'],
  ])('%j are refused for %s', (options, path) => {
    expect(refusal(options).path).toBe(path);
  });

  test('may be null for their default', () => {
    expect(slowStart('round-robin', { window: 1, curve: null, aggression: null, floor: null }).name).toBe(
      'slow-start(round-robin)',
    );
  });
});

test('a strategy inside that is prepared for nobody else is not disturbed by another picker of the same past', () => {
  const strategy = slowStart(roundRobin(), { window: minute });
  const { members } = makePool({ members: equal(3) });
  const [first] = members;
  if (first === undefined) throw new Error('no member');
  const before = strategy.prepare([first], undefined, context);
  const one = strategy.prepare(members, before, context);
  const other = strategy.prepare(members, before, context);
  const request = { accepts: () => true, header: () => undefined } as never;
  const picks = Array.from({ length: 10 }, () => {
    const member = one.pick(request);
    if (member !== undefined) one.acquired?.(member, members.indexOf(member));
    return member?.id;
  });
  const again = Array.from({ length: 10 }, () => {
    const member = other.pick(request);
    if (member !== undefined) other.acquired?.(member, members.indexOf(member));
    return member?.id;
  });
  expect(again).toEqual(picks);
});
