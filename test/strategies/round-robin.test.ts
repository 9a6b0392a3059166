import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Pool } from '../../src/core/pool.ts';
import { equal, makePool, memberOf, spec, take, tally, visit, visits, weighing } from '../fixtures/core.ts';

const poolOf = (weights: Readonly<Record<string, number>>): Pool => makePool({ members: weighing(weights) });

/** One cycle and its repetition, as a word. */
const word = (pool: Pool, count: number): string => visits(pool, count).join('');

/** nginx's algorithm as its source has it: every peer gains its weight, the first of the heaviest pays the total. */
class Nginx {
  readonly #peers: { readonly id: string; readonly weight: number; current: number }[];

  constructor(weights: Readonly<Record<string, number>>) {
    this.#peers = Object.entries(weights).map(([id, weight]) => ({ id, weight, current: 0 }));
  }

  pick(canServe: (id: string) => boolean = () => true): string {
    let total = 0;
    let best: { readonly id: string; current: number } | undefined;
    for (const peer of this.#peers) {
      if (!canServe(peer.id)) continue;
      peer.current += peer.weight;
      total += peer.weight;
      if (best === undefined || peer.current > best.current) best = peer;
    }
    if (best === undefined) return 'no-eligible-member';
    best.current -= total;
    return best.id;
  }
}

const weightsOf = (least: number, most: number, heaviest: number) =>
  fc
    .array(fc.integer({ min: 1, max: heaviest }), { minLength: least, maxLength: most })
    .map((weights) => Object.fromEntries(weights.map((weight, index) => [`m${index}`, weight])));

const sum = (weights: Readonly<Record<string, number>>): number => Object.values(weights).reduce((a, b) => a + b, 0);

describe('the sequence', () => {
  for (const [weights, cycle] of [
    [{ a: 5, b: 1, c: 1 }, 'aabacaa'],
    [{ a: 4, b: 2, c: 1 }, 'abacaba'],
    [{ a: 3, b: 1 }, 'aaba'],
    [{ a: 2, b: 3 }, 'babab'],
    [{ a: 1, b: 1, c: 1, d: 1 }, 'abcd'],
    [{ a: 7, b: 7 }, 'ab'],
    [{ a: 256, b: 256, c: 256 }, 'abc'],
  ] as const) {
    test(`of weights ${Object.values(weights).join(':')} is ${cycle}, over and over`, () => {
      expect(word(poolOf(weights), 3 * cycle.length)).toBe(cycle.repeat(3));
    });
  }

  test('is that of nginx in pools of up to 64 members', () => {
    fc.assert(
      fc.property(weightsOf(1, 64, 256), fc.integer({ min: 1, max: 300 }), (weights, count) => {
        const nginx = new Nginx(weights);
        expect(visits(poolOf(weights), count)).toEqual(Array.from({ length: count }, () => nginx.pick()));
      }),
      { seed: 1, numRuns: 100 },
    );
  });
});

describe('a full cycle', () => {
  test('gives each member exactly its weight, in a small pool', () => {
    fc.assert(
      fc.property(weightsOf(1, 64, 20), (weights) => {
        expect(tally(visits(poolOf(weights), sum(weights)))).toEqual(weights);
      }),
      { seed: 3, numRuns: 60 },
    );
  });

  test('gives each member exactly its weight, in a large pool', () => {
    fc.assert(
      fc.property(weightsOf(65, 300, 12), (weights) => {
        expect(tally(visits(poolOf(weights), sum(weights)))).toEqual(weights);
      }),
      { seed: 4, numRuns: 25 },
    );
  });

  test('gives each member exactly its weight wherever it begins', () => {
    fc.assert(
      fc.property(weightsOf(2, 100, 8), fc.nat(500), (weights, skipped) => {
        const pool = poolOf(weights);
        visits(pool, skipped);
        expect(tally(visits(pool, sum(weights)))).toEqual(weights);
      }),
      { seed: 5, numRuns: 60 },
    );
  });

  test('visits each of a hundred thousand equal members once', () => {
    const pool = makePool({ members: equal(100_000) });
    expect(new Set(visits(pool, 100_000, () => ({}))).size).toBe(100_000);
  });
});

describe('smoothness', () => {
  /** The furthest that any member gets ahead of its share at any moment of two cycles, and falls behind it, in picks. */
  const deviation = (weights: Readonly<Record<string, number>>): { ahead: number; behind: number } => {
    const total = sum(weights);
    const counts: Record<string, number> = {};
    let ahead = 0;
    let behind = 0;
    for (const [index, id] of visits(poolOf(weights), 2 * total).entries()) {
      counts[id] = (counts[id] ?? 0) + 1;
      for (const [other, weight] of Object.entries(weights)) {
        const difference = (counts[other] ?? 0) - ((index + 1) * weight) / total;
        ahead = Math.max(ahead, difference);
        behind = Math.max(behind, -difference);
      }
    }
    return { ahead, behind };
  };

  test('keeps every member of a small pool less than one pick ahead of its share', () => {
    fc.assert(
      fc.property(weightsOf(2, 40, 10), (weights) => {
        expect(deviation(weights).ahead).toBeLessThan(1);
      }),
      { seed: 6, numRuns: 25 },
    );
  });

  test('keeps every member of a large pool less than two picks ahead of its share', () => {
    fc.assert(
      fc.property(weightsOf(65, 120, 6), (weights) => {
        expect(deviation(weights).ahead).toBeLessThan(2);
      }),
      { seed: 7, numRuns: 8 },
    );
  });

  test('keeps every member less than three picks behind its share', () => {
    fc.assert(
      fc.property(weightsOf(2, 120, 6), (weights) => {
        expect(deviation(weights).behind).toBeLessThan(3);
      }),
      { seed: 8, numRuns: 12 },
    );
  });

  test('never serves a light member of a large pool twice in a row', () => {
    const weights = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`m${index}`, 1 + (index % 4)]));
    const ids = visits(poolOf(weights), 2 * sum(weights));
    expect(ids.filter((id, index) => id === ids[index - 1])).toEqual([]);
  });
});

describe('members that cannot serve for now', () => {
  test('are skipped evenly among equal members', () => {
    const pool = makePool({ members: equal(4) });
    memberOf(pool, 'm1').update({ maxConnections: 1 });
    visit(pool);
    take(pool);
    expect(tally(visits(pool, 300))).toEqual({ m0: 100, m2: 100, m3: 100 });
  });

  test('leave their share to all others by weight, in a small pool', () => {
    const pool = poolOf({ a: 2, b: 1, c: 3, d: 1 });
    const exclude = [memberOf(pool, 'c')];
    expect(tally(visits(pool, 400, () => ({ exclude })))).toEqual({ a: 200, b: 100, d: 100 });
  });

  test('leave their share to all others by weight, in a large pool', () => {
    const members = Array.from({ length: 100 }, (_, index) => spec(`m${index}`, { weight: index < 50 ? 1 : 2 }));
    const pool = makePool({ members });
    const exclude = pool.members.filter((_, index) => index >= 1 && index < 50);
    const ofFirst = visits(pool, 1010, () => ({ exclude })).filter((id) => id === 'm0');
    expect(ofFirst.length).toBeLessThan(30);
  });

  test('leave their share to all others within two picks, whatever the weights', () => {
    fc.assert(
      fc.property(weightsOf(3, 20, 10), fc.array(fc.nat(19), { minLength: 1, maxLength: 10 }), (weights, nths) => {
        const pool = poolOf(weights);
        const last = pool.members.length - 1;
        const exclude = pool.members.filter((_, index) => nths.some((nth) => nth % last === index));
        const rest = pool.members.filter((member) => !exclude.includes(member));
        const total = rest.reduce((sum, { weight }) => sum + weight, 0);
        const counts = tally(visits(pool, 3 * total, () => ({ exclude })));
        expect(rest.filter(({ id, weight }) => Math.abs((counts[id] ?? 0) - 3 * weight) > 2)).toEqual([]);
      }),
      { seed: 2, numRuns: 60 },
    );
  });

  test('are not flooded when they can serve again', () => {
    const pool = poolOf({ a: 5, b: 3, c: 2 });
    const exclude = [memberOf(pool, 'c')];
    visits(pool, 1000, () => ({ exclude }));
    expect(visits(pool, 10).filter((id) => id === 'c').length).toBeLessThanOrEqual(3);
  });

  test('are back in the round when they can serve again', () => {
    const pool = makePool({ members: equal(3).map((member) => ({ ...member, maxConnections: 1 })) });
    const lease = take(pool);
    visits(pool, 10);
    lease.release();
    expect(tally(visits(pool, 300))).toEqual({ m0: 100, m1: 100, m2: 100 });
  });
});

describe('a change', () => {
  test('of membership lets the member whose turn it is have it', () => {
    const pool = poolOf({ a: 1, b: 1, c: 1 });
    visit(pool);
    pool.add(spec('d', { address: '10.0.0.4' }));
    expect(word(pool, 8)).toBe('bcdabcda');
  });

  test('that removes the member whose turn it is goes on with the next', () => {
    const pool = poolOf({ a: 1, b: 1, c: 1, d: 1 });
    visit(pool);
    pool.remove('b');
    expect(word(pool, 6)).toBe('cdacda');
  });

  test('that removes another member does not move the turn', () => {
    const pool = poolOf({ a: 1, b: 1, c: 1, d: 1 });
    visits(pool, 2);
    pool.remove('a');
    expect(word(pool, 6)).toBe('cdbcdb');
  });

  test('that removes a heavy member leaves no debts to the light ones, whenever it comes', () => {
    const shares = Array.from({ length: 260 }, (_, moment) => {
      const pool = poolOf({ a: 256, b: 1, c: 2 });
      visits(pool, moment);
      pool.remove('a');
      return visits(pool, 30).filter((id) => id === 'b').length;
    });
    expect(shares.filter((share) => share < 8 || share > 12)).toEqual([]);
  });

  test('of membership does not restart a weighted cycle', () => {
    const pool = poolOf({ a: 3, b: 1 });
    expect(word(pool, 2)).toBe('aa');
    pool.add(spec('c', { address: '10.0.0.3' }));
    expect(visit(pool)).toBe('b');
  });

  test('of a weight does not restart the cycle', () => {
    const pool = poolOf({ a: 3, b: 1, c: 2 });
    const before = word(pool, 2);
    memberOf(pool, 'c').update({ weight: 1 });
    expect([before, visit(pool)]).toEqual(['ac', 'a']);
    memberOf(pool, 'c').update({ weight: 2 });
    expect(visit(pool)).toBe('b');
  });

  test('of health does not restart the cycle', () => {
    const pool = poolOf({ a: 1, b: 1, c: 1, d: 1 });
    visits(pool, 2);
    memberOf(pool, 'd').update({ enabled: false });
    memberOf(pool, 'd').update({ enabled: true });
    expect(word(pool, 4)).toBe('cdab');
  });

  test('while the only member is away does not send the next clients to the first members again', () => {
    const pool = poolOf({ a: 1, b: 1, c: 1 });
    visit(pool);
    const everybody = [...pool.members];
    for (const member of everybody) member.update({ enabled: false });
    visit(pool);
    for (const member of everybody) member.update({ enabled: true });
    expect(visit(pool)).toBe('b');
  });

  test('of a weight between every two picks starves nobody', () => {
    const pool = poolOf({ a: 1, b: 1, c: 1, d: 1 });
    const picked: string[] = [];
    for (let round = 0; round < 100; round++) {
      memberOf(pool, 'd').update({ weight: 1 + (round % 2) });
      picked.push(visit(pool));
    }
    const counts = tally(picked);
    expect(Object.keys(counts).sort()).toEqual(['a', 'b', 'c', 'd']);
  });

  test('of a weight between every two picks keeps the shares near the weights, in a pool of several weights', () => {
    const pool = poolOf({ a: 1, b: 2, c: 3, d: 4 });
    const picked: string[] = [];
    for (let round = 0; round < 400; round++) {
      memberOf(pool, 'd').update({ weight: 4 + (round % 2) });
      picked.push(visit(pool));
    }
    const counts = tally(picked);
    const shares = ['a', 'b', 'c'].map((id, index) => (counts[id] ?? 0) / 400 / ((index + 1) / 10.5));
    expect(shares.filter((ratio) => ratio < 0.8 || ratio > 1.2)).toEqual([]);
  });

  test('every few picks keeps the shares near the weights, in a large pool', () => {
    const members = Array.from({ length: 100 }, (_, index) => spec(`m${index}`, { weight: 1 + (index % 4) }));
    const pool = makePool({ members });
    const picked: string[] = [];
    for (let round = 0; picked.length < 5000; round++) {
      memberOf(pool, 'm99').update({ enabled: round % 2 === 0 });
      picked.push(...visits(pool, 37));
    }
    const counts = tally(picked);
    const ratios = members
      .slice(0, 99)
      .map(({ id, weight }) => (counts[id ?? ''] ?? 0) / (picked.length / 250) / (weight ?? 1));
    expect(ratios.filter((ratio) => ratio < 0.8 || ratio > 1.2)).toEqual([]);
  });

  test('of membership between every two picks starves nobody', () => {
    const pool = poolOf({ a: 1, b: 1, c: 1, d: 2 });
    const counts: Record<string, number> = {};
    for (let round = 0; round < 400; round++) {
      memberOf(pool, 'd').update({ enabled: round % 2 === 0 });
      const id = visit(pool);
      counts[id] = (counts[id] ?? 0) + 1;
    }
    expect(Object.keys(counts).sort()).toEqual(['a', 'b', 'c', 'd']);
  });
});
