import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import { createPool } from '../../src/core/create-pool.ts';
import type { Lease } from '../../src/core/lease.ts';
import type { Member } from '../../src/core/member.ts';
import type { Pool } from '../../src/core/pool.ts';
import { seededRandom } from '../../src/core/random.ts';
import { leastConnections } from '../../src/strategies/least-connections.ts';
import {
  equal,
  makePool,
  memberOf,
  refusalOf,
  spec,
  take,
  takeFrom,
  tally,
  visit,
  visits,
  weighing,
} from '../fixtures/core.ts';

const strategy = 'least-connections';
const poolOf = (weights: Readonly<Record<string, number>>): Pool => makePool({ strategy, members: weighing(weights) });

/** A pool whose members hold so many connections. */
function busy(state: Readonly<Record<string, readonly [weight: number, connections: number]>>): Pool {
  const pool = makePool({ strategy, members: Object.entries(state).map(([id, [weight]]) => spec(id, { weight })) });
  for (const [id, [, connections]] of Object.entries(state)) {
    for (let number = 0; number < connections; number++) takeFrom(pool, id);
  }
  return pool;
}

/** HAProxy's key: (n + 1) * 4096 / (16 * w), and 0 for an idle member. */
const key = ({ stats, weight }: Member): number =>
  stats.activeConnections === 0 ? 0 : ((stats.activeConnections + 1) * 256) / weight;

describe('the order of load', () => {
  test('prefers weight 2 with one connection (256) over weight 1 with one (512)', () => {
    expect(visit(busy({ a: [1, 1], b: [2, 1] }))).toBe('b');
  });

  test('takes weight 1 with one connection and weight 2 with three (512 each) for equally loaded', () => {
    const pool = busy({ a: [1, 1], b: [2, 3] });
    expect(new Set(visits(pool, 6))).toEqual(new Set(['a', 'b']));
  });

  test('prefers an idle member of weight 1 over a busy one of weight 256', () => {
    expect(visit(busy({ a: [256, 1], b: [1, 0] }))).toBe('b');
  });

  test('weighs the load that the member would have with the new client', () => {
    // By n / w these would tie; by (n + 1) / w the heavier is less loaded.
    expect(visit(busy({ a: [1, 1], b: [3, 3] }))).toBe('b');
  });

  test('fills unequal members in proportion to their weights', () => {
    const pool = poolOf({ a: 1, b: 2, c: 5 });
    const held = Array.from({ length: 80 }, () => take(pool).member.id);
    expect(tally(held)).toEqual({ a: 10, b: 20, c: 50 });
  });
});

describe('ties', () => {
  test('go round among idle members', () => {
    expect(visits(poolOf({ a: 1, b: 1, c: 1 }), 6).join('')).toBe('abcabc');
  });

  test('go round among members that are equally busy', () => {
    const pool = busy({ a: [1, 2], b: [1, 2], c: [1, 2] });
    visits(pool, 30);
    expect(tally(visits(pool, 300))).toEqual({ a: 100, b: 100, c: 100 });
  });

  test('among idle members are shared in proportion to the weights', () => {
    expect(tally(visits(poolOf({ a: 1, b: 2, c: 5 }), 800))).toEqual({ a: 100, b: 200, c: 500 });
  });

  test('do not send all clients to a member that has just been added', () => {
    const pool = poolOf({ a: 1, b: 1 });
    visits(pool, 1000);
    pool.add(spec('c', { address: '10.0.0.3' }));
    expect(tally(visits(pool, 300))).toEqual({ a: 100, b: 100, c: 100 });
  });

  test('do not send all clients to a member that was busy for long', () => {
    const pool = poolOf({ a: 1, b: 1 });
    const lease = takeFrom(pool, 'b');
    visits(pool, 1000);
    lease.release();
    expect(tally(visits(pool, 10))).toEqual({ a: 5, b: 5 });
  });

  test('go on where they were after a change of membership', () => {
    const pool = poolOf({ a: 1, b: 1, c: 1 });
    visit(pool);
    pool.remove('a');
    expect(visits(pool, 4).join('')).toBe('bcbc');
  });
});

describe('leases', () => {
  test('that end make a member attractive again', () => {
    const pool = poolOf({ a: 1, b: 1 });
    const onA = takeFrom(pool, 'a');
    takeFrom(pool, 'b');
    onA.release();
    expect(take(pool).member.id).toBe('a');
  });

  test('on a member that has left the pool end without disturbing the others', () => {
    const pool = poolOf({ a: 1, b: 1, c: 1 });
    const lease = takeFrom(pool, 'a');
    takeFrom(pool, 'b');
    pool.remove('a');
    visit(pool);
    lease.release();
    expect(visits(pool, 3)).toEqual(['c', 'c', 'c']);
  });

  test('taken under another strategy count', () => {
    const pool = makePool({ strategy: 'round-robin', members: equal(3) });
    takeFrom(pool, 'm0');
    takeFrom(pool, 'm2');
    pool.update({ strategy });
    expect(visits(pool, 3)).toEqual(['m1', 'm1', 'm1']);
  });

  test('taken in the same moment as a change of membership count', () => {
    const pool = poolOf({ a: 1, b: 1 });
    visit(pool);
    pool.add(spec('c', { address: '10.0.0.3' }));
    const ids = Array.from({ length: 3 }, () => take(pool).member.id);
    expect(ids.sort()).toEqual(['a', 'b', 'c']);
  });
});

describe('full members', () => {
  test('are passed over however little they weigh', () => {
    const pool = makePool({
      strategy,
      members: [spec('a', { weight: 256, maxConnections: 1 }), spec('b'), spec('c')],
    });
    takeFrom(pool, 'a');
    expect(tally(Array.from({ length: 10 }, () => take(pool).member.id))).toEqual({ b: 5, c: 5 });
  });

  test('are found again once they may hold more', () => {
    const pool = makePool({ strategy, members: [spec('a', { maxConnections: 1 }), spec('b')] });
    takeFrom(pool, 'a');
    for (let number = 0; number < 5; number++) takeFrom(pool, 'b');
    memberOf(pool, 'a').update({ maxConnections: 10 });
    expect(visit(pool)).toBe('a');
  });

  test('are found again once there is room', () => {
    const pool = makePool({ strategy, members: [spec('a', { maxConnections: 1 }), spec('b')] });
    const lease = takeFrom(pool, 'a');
    takeFrom(pool, 'b');
    lease.release();
    expect(visit(pool)).toBe('a');
  });
});

describe('a failure', () => {
  const fail = (pool: Pool, id: string, times = 1): void => {
    for (let time = 0; time < times; time++) takeFrom(pool, id).release('failure');
  };

  /** Whether a failed member is passed over so long after it failed. */
  const isShunned = async (milliseconds: number, options = {}): Promise<boolean> => {
    const clock = new VirtualClock();
    const pool = makePool({ strategy: leastConnections(options), members: equal(2) }, { clock });
    fail(pool, 'm0');
    await clock.advance(milliseconds);
    return !visits(pool, 4).includes('m0');
  };

  test('counts as a connection for ten seconds', async () => {
    expect([await isShunned(0), await isShunned(9_999), await isShunned(10_000)]).toEqual([true, true, false]);
  });

  test('counts for as long as `failurePenalty` says', async () => {
    const options = { failurePenalty: 500 };
    expect([await isShunned(499, options), await isShunned(500, options)]).toEqual([true, false]);
  });

  test('counts for nothing where `failurePenalty` is 0', () => {
    const pool = makePool({ strategy: leastConnections({ failurePenalty: 0 }), members: equal(2) });
    fail(pool, 'm0', 5);
    expect(tally(visits(pool, 4))).toEqual({ m0: 2, m1: 2 });
  });

  test('weighs as a connection does: less on a member of more weight', () => {
    const pool = busy({ a: [4, 2], b: [1, 1] });
    fail(pool, 'a');
    expect(visit(pool)).toBe('a');
    fail(pool, 'a', 5);
    expect(visit(pool)).toBe('b');
  });

  test('takes no room from a limit', () => {
    const pool = makePool({ strategy, members: [spec('a', { maxConnections: 2 })] });
    fail(pool, 'a', 5);
    take(pool);
    expect(visit(pool)).toBe('a');
  });

  test('is remembered through a change of membership', () => {
    const pool = makePool({ strategy, members: equal(2) });
    fail(pool, 'm1');
    pool.add(spec('c', { address: '10.0.0.3' }));
    expect(tally(visits(pool, 10))).toEqual({ m0: 5, c: 5 });
  });

  test('of our own making, or the client leaving, counts for nothing', () => {
    const pool = makePool({ strategy, members: equal(2) });
    takeFrom(pool, 'm0').release('ignored');
    takeFrom(pool, 'm0').release('aborted');
    expect(tally(visits(pool, 4))).toEqual({ m0: 2, m1: 2 });
  });

  test('does not keep the only member there is from serving', () => {
    const pool = makePool({ strategy, members: equal(1) });
    fail(pool, 'm0', 9);
    expect(visit(pool)).toBe('m0');
  });

  test('has nobody read the clock while there was none', () => {
    let readings = 0;
    const clock = Object.assign(new VirtualClock(), { now: () => readings++ });
    const pool = makePool({ strategy, members: equal(3) }, { clock });
    readings = 0;
    visits(pool, 100);
    expect(readings).toBe(0);
  });
});

/**
 * A hundred clients a second, each of whom a member holds for 50 ms to 5 s, and eleven members, the fourth of which refuses everybody at
 * once until it recovers.
 */
function simulate(failurePenalty: number, recovery: number, end: number) {
  let now = 0;
  const clock = { now: () => now, setTimeout: () => undefined, clearTimeout: () => undefined };
  const random = seededRandom(3);
  const settings = { name: 'pool', strategy: leastConnections({ failurePenalty }), members: equal(11) };
  const pool = createPool(settings, { clock, random });
  const ends = new Map<number, Lease[]>();
  const clients = { all: 0, ofFourth: 0 };
  const perSecond = new Array<number>(end / 1000).fill(0);
  let mostOfFourth = 0;
  for (now = 0; now < end; now++) {
    for (const lease of ends.get(now) ?? []) lease.release();
    if (random() >= 0.1) continue;
    const lease = take(pool);
    const isFourth = lease.member.id === 'm3';
    clients.all++;
    if (isFourth) {
      clients.ofFourth++;
      (perSecond[Math.floor(now / 1000)] as number)++;
      mostOfFourth = Math.max(mostOfFourth, lease.member.stats.activeConnections);
    }
    if (isFourth && now < recovery) {
      lease.release('failure');
      continue;
    }
    const until = now + 50 + Math.floor(random() * 4950);
    ends.set(until, [...(ends.get(until) ?? []), lease]);
  }
  return { share: clients.ofFourth / clients.all, perSecond, mostOfFourth, mean: pool.stats.activeConnections / 11 };
}

describe('a member that refuses at once, among ten that take their time', () => {
  test('gets 96 % of the clients where failures do not count', () => {
    expect(simulate(0, 60_000, 60_000).share).toBeGreaterThan(0.95);
  });

  test('gets a third of its fair share where they do', () => {
    expect(simulate(10_000, 60_000, 60_000).share).toBeLessThan(1 / 11 / 3);
  });

  test('is not flooded when it recovers, and then has its share again', () => {
    const { perSecond, mostOfFourth, mean } = simulate(10_000, 30_000, 90_000);
    const fair = 100 / 11;
    const of = (from: number, to: number): number =>
      perSecond.slice(from, to).reduce((sum, clients) => sum + clients, 0) / (to - from);
    expect(Math.max(...perSecond.slice(30, 40))).toBeLessThan(2 * fair);
    expect(mostOfFourth).toBeLessThan(1.5 * mean);
    expect(of(30, 35)).toBeLessThan(fair);
    expect(of(50, 90)).toBeGreaterThan(0.85 * fair);
    expect(of(50, 90)).toBeLessThan(1.15 * fair);
  });
});

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

/**
 * The algorithm of the docstring by brute force: every member is looked at for every pick. Of members of one weight that are equally
 * loaded, the one that has been so for longest; of these the one whose turn is first. Who is picked steps back by 1 / weight.
 */
class Reference {
  readonly #turns = new Map<Member, number>();
  readonly #since = new Map<Member, number>();
  #now = 0;
  #changes = 0;

  constructor(members: readonly Member[]) {
    for (const [place, member] of members.entries()) {
      this.#turns.set(member, place / 256 / members.length);
      this.changed(member);
    }
  }

  pick(members: readonly Member[], accepts: (member: Member) => boolean): Member | undefined {
    const accepted = members.filter(accepts);
    const least = Math.min(...accepted.map(key));
    const tied = accepted.filter((member) => key(member) === least).sort((a, b) => this.#of(a, b, this.#since));
    const foremost = tied.filter((member) => tied.find(({ weight }) => weight === member.weight) === member);
    return foremost.sort((a, b) => this.#of(a, b, this.#turns))[0];
  }

  acquired(member: Member): void {
    this.#now = Math.max(this.#now, this.#turns.get(member) ?? 0);
    this.#turns.set(member, this.#now + 1 / member.weight);
    this.changed(member);
  }

  changed(member: Member): void {
    this.#since.set(member, this.#changes++);
  }

  /** Turns that are the same can come out either way. */
  areTied(a: Member, b: Member): boolean {
    return key(a) === key(b) && a.weight !== b.weight && this.#turns.get(a) === this.#turns.get(b);
  }

  #of(a: Member, b: Member, numbers: ReadonlyMap<Member, number>): number {
    return (numbers.get(a) ?? 0) - (numbers.get(b) ?? 0);
  }
}

test('picks whom a search through all members would pick', () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ exclude: fc.array(fc.nat(11), { maxLength: 4 }) }) },
    { weight: 2, arbitrary: fc.record({ release: fc.nat(30) }) },
  );
  const member = fc.record({
    weight: fc.constantFrom(1, 2, 4, 8),
    maxConnections: fc.option(fc.integer({ min: 1, max: 5 })),
  });
  fc.assert(
    fc.property(
      fc.array(member, { minLength: 1, maxLength: 12 }),
      fc.array(step, { maxLength: 150 }),
      (settings, steps) => {
        const pool = makePool({ strategy, members: settings.map((each, index) => spec(`m${index}`, each)) });
        const reference = new Reference(pool.members);
        const held: Lease[] = [];
        for (const step of steps) {
          if ('release' in step) {
            const [lease] = held.splice(step.release % Math.max(1, held.length), 1);
            lease?.release();
            if (lease !== undefined) reference.changed(lease.member);
            continue;
          }
          const exclude = pool.members.filter((_, index) => step.exclude.includes(index));
          const accepts = (member: Member): boolean =>
            !exclude.includes(member) &&
            member.stats.activeConnections < (member.maxConnections ?? Number.POSITIVE_INFINITY);
          const expected = reference.pick(pool.members, accepts);
          const result = pool.acquire({ exclude });
          const isTied = !result.refused && expected !== undefined && reference.areTied(result.member, expected);
          if (!isTied) expect(result.refused ? undefined : result.member.id).toBe(expected?.id);
          if (result.refused) continue;
          reference.acquired(result.member);
          held.push(result);
        }
      },
    ),
    { seed: 11, numRuns: 500 },
  );
});

test('always picks a least loaded member, whatever changes meanwhile', () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.constant({ do: 'acquire' as const, nth: 0, weight: 1 }) },
    fc.record({
      do: fc.constantFrom('release', 'weight', 'toggle', 'remove', 'add'),
      nth: fc.nat(9),
      weight: fc.integer({ min: 1, max: 4 }),
    }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const pool = makePool({ strategy, members: equal(4) });
      const held: Lease[] = [];
      let names = 4;
      for (const { do: what, nth, weight } of steps) {
        const member = pool.members[nth % Math.max(1, pool.members.length)];
        if (what === 'release') held.splice(nth % Math.max(1, held.length), 1)[0]?.release();
        else if (what === 'add') pool.add(spec(`m${names++}`, { weight }));
        else if (what === 'weight') member?.update({ weight });
        else if (what === 'toggle') member?.update({ enabled: !member.enabled });
        else if (what === 'remove') member?.remove();
        else {
          const loads = pool.members.filter(({ enabled }) => enabled).map((each) => [each.id, key(each)] as const);
          const result = pool.acquire();
          if (result.refused) continue;
          held.push(result);
          const least = Math.min(...loads.map(([, load]) => load));
          expect(loads.filter(([, load]) => load === least).map(([id]) => id)).toContain(result.member.id);
        }
      }
    }),
    { seed: 12, numRuns: 200 },
  );
});

test('needs no scan: ten thousand picks among ten thousand members spread one to each', () => {
  const pool = makePool({ strategy, members: equal(10_000) });
  const held = new Set(Array.from({ length: 10_000 }, () => take(pool).member));
  expect(held.size).toBe(10_000);
  expect(memberOf(pool, 'm0').stats.activeConnections).toBe(1);
});
