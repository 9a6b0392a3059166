import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Lease } from '../../src/core/lease.ts';
import type { Pool } from '../../src/core/pool.ts';
import { equal, makePool, memberOf, spec, take, takeFrom, visit, visits } from '../fixtures/core.ts';

const strategy = 'first';

/** Members `a`, `b`, … that may hold so many connections. */
const limited = (...limits: readonly (number | null)[]): Pool =>
  makePool({ strategy, members: limits.map((maxConnections, n) => spec('abcdefgh'[n] as string, { maxConnections })) });

const fill = (pool: Pool, count: number): string => Array.from({ length: count }, () => take(pool).member.id).join('');

describe('members', () => {
  test('are filled one after the other, in the order of the pool', () => {
    expect(fill(limited(2, 3, 1), 6)).toBe('aabbbc');
  });

  test('are all full only when the last one is', () => {
    const pool = limited(1, 1);
    fill(pool, 2);
    expect(visit(pool)).toBe('members-full');
  });

  test('behind the first stay idle while the first has room', () => {
    expect(new Set(visits(limited(2, 2, 2), 100))).toEqual(new Set(['a']));
  });

  test('without a limit take everybody', () => {
    expect(fill(limited(1, null, 1), 100)).toBe(`a${'b'.repeat(99)}`);
  });

  test('are preferred by their order and not by their weight', () => {
    const pool = makePool({ strategy, members: [spec('a', { weight: 1 }), spec('b', { weight: 256 })] });
    expect(visit(pool)).toBe('a');
  });

  test('that get room are filled again before those behind', () => {
    const pool = limited(1, 1, 9);
    const [onA, onB] = [take(pool), take(pool)];
    expect(visit(pool)).toBe('c');
    onB.release();
    expect(visit(pool)).toBe('b');
    onA.release();
    expect(visit(pool)).toBe('a');
  });

  test('that this client has tried are passed over', () => {
    const pool = limited(2, 2, 2);
    expect(visit(pool, { exclude: [memberOf(pool, 'a')] })).toBe('b');
    expect(visit(pool)).toBe('a');
  });
});

describe('a change', () => {
  test('of a limit counts at once', () => {
    const pool = limited(1, 1, 9);
    fill(pool, 2);
    memberOf(pool, 'b').update({ maxConnections: 2 });
    expect(visit(pool)).toBe('b');
    memberOf(pool, 'b').update({ maxConnections: 1 });
    expect(visit(pool)).toBe('c');
  });

  test('of the order counts at once', () => {
    const pool = limited(2, 2, 2);
    pool.update({ members: [spec('c', { maxConnections: 2 }), spec('a'), spec('b')] });
    expect(visit(pool)).toBe('c');
  });

  test('of membership keeps what members hold', () => {
    const pool = limited(1, 1, 1);
    takeFrom(pool, 'b');
    pool.remove('a');
    expect(visit(pool)).toBe('c');
  });

  test('of the first member sends clients back to it when it returns', () => {
    const pool = limited(2, 2);
    memberOf(pool, 'a').update({ enabled: false });
    expect(visit(pool)).toBe('b');
    memberOf(pool, 'a').update({ enabled: true });
    expect(visit(pool)).toBe('a');
  });
});

test('picks whom a search from the first on would pick', () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ exclude: fc.array(fc.nat(7), { maxLength: 3 }) }) },
    { weight: 2, arbitrary: fc.record({ release: fc.nat(30) }) },
    { weight: 1, arbitrary: fc.record({ nth: fc.nat(7), limit: fc.integer({ min: 1, max: 3 }) }) },
  );
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 8 }),
      fc.array(step),
      (limits, steps) => {
        const pool = limited(...limits);
        const held: Lease[] = [];
        for (const step of steps) {
          if ('release' in step) {
            held.splice(step.release % Math.max(1, held.length), 1)[0]?.release();
            continue;
          }
          if ('limit' in step) {
            pool.members[step.nth % limits.length]?.update({ maxConnections: step.limit });
            continue;
          }
          const exclude = pool.members.filter((_, place) => step.exclude.includes(place));
          const expected = pool.members.find(
            (member) =>
              !exclude.includes(member) &&
              member.stats.activeConnections < (member.maxConnections ?? Number.POSITIVE_INFINITY),
          );
          const result = pool.acquire({ exclude });
          expect(result.refused ? undefined : result.member.id).toBe(expected?.id);
          if (!result.refused) held.push(result);
        }
      },
    ),
    { seed: 9, numRuns: 200 },
  );
});

test('needs no scan: a hundred thousand clients fill as many members in order', () => {
  const members = equal(100_000).map((member) => ({ ...member, maxConnections: 1 }));
  const pool = makePool({ strategy, members });
  const held = Array.from({ length: 100_000 }, () => take(pool));
  expect(held.findIndex(({ member }, place) => member !== pool.members[place])).toBe(-1);
  held[77_777]?.release();
  expect(visit(pool)).toBe('m77777');
});
