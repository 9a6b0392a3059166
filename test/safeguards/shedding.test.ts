import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import { poolStats, poolStatus } from '../../src/core/report.ts';
import { Shedding } from '../../src/safeguards/shedding.ts';
import { makePool, memberOf, spec, take, visit } from '../fixtures/core.ts';

function watched() {
  const clock = new VirtualClock();
  const told: string[] = [];
  const shedding = new Shedding(clock, ({ cause, isShedding }) => told.push(`${isShedding ? '+' : '-'}${cause}`));
  return { clock, told, shedding };
}

describe('shedding', () => {
  test('begins with the first refusal, which alone is told', () => {
    const { shedding, told } = watched();
    for (let count = 0; count < 3; count++) shedding.refused('retry-budget');
    expect([told, shedding.causes, shedding.totalOf('retry-budget')]).toEqual([['+retry-budget'], ['retry-budget'], 3]);
  });

  test('ends with the first second without a refusal', async () => {
    const { clock, shedding, told } = watched();
    shedding.refused('concurrency-limit');
    await clock.advance(1999);
    expect(told).toEqual(['+concurrency-limit']);
    await clock.advance(1);
    expect([told, shedding.causes]).toEqual([['+concurrency-limit', '-concurrency-limit'], []]);
  });

  test('goes on while each second has a refusal', async () => {
    const { clock, shedding, told } = watched();
    for (let count = 0; count < 5; count++) {
      shedding.refused('concurrency-limit');
      await clock.advance(1000);
    }
    expect(told).toEqual(['+concurrency-limit']);
  });

  test('is told apart by cause', async () => {
    const { clock, shedding, told } = watched();
    shedding.refused('concurrency-limit');
    await clock.advance(1000);
    shedding.refused('retry-budget');
    await clock.advance(1000);
    expect(shedding.causes).toEqual(['retry-budget']);
    expect(told).toEqual(['+concurrency-limit', '+retry-budget', '-concurrency-limit']);
  });

  test('leaves no timer once it is over', async () => {
    const { clock, shedding } = watched();
    shedding.refused('retry-budget');
    await clock.advance(3000);
    expect(clock.pending).toBe(0);
  });
});

describe('a pool that sheds load', () => {
  const fixed = { name: 'fixed', start: () => ({ limit: 1, ended: () => {} }) };

  test('shows its adaptive limit and what that has refused', async () => {
    const clock = new VirtualClock();
    const pool = makePool({ members: [spec('a')], concurrencyLimit: fixed }, { clock });
    const told: unknown[] = [];
    pool.on('shedding', (change) => told.push(change));
    const lease = take(pool);
    expect([visit(pool), visit(pool)]).toEqual(['concurrency-limit', 'concurrency-limit']);
    lease.release();
    expect(visit(pool)).toBe('a');
    expect(poolStatus(pool).shedding).toEqual(['concurrency-limit']);
    expect(poolStats(pool)).toMatchObject({
      rejects: 2,
      retryBudget: null,
      concurrencyLimit: { algorithm: 'fixed', limit: 1, refused: 2 },
    });
    await clock.advance(2000);
    expect(told).toEqual([
      { cause: 'concurrency-limit', isShedding: true },
      { cause: 'concurrency-limit', isShedding: false },
    ]);
    expect(pool.shedding).toEqual([]);
  });

  test('shows its retry budget and what that has refused', () => {
    const retryBudget = { percent: 0, minPerSecond: 0.1, window: 10_000 };
    const pool = makePool({ members: [spec('a'), spec('b')], retryBudget });
    const again = { exclude: [memberOf(pool, 'a')] };
    expect([visit(pool, again), visit(pool, again), visit(pool)]).toEqual(['b', 'retry-budget', 'a']);
    expect(poolStats(pool)).toMatchObject({ retryBudget: { balance: 0, refused: 1 }, concurrencyLimit: null });
    expect(pool.shedding).toEqual(['retry-budget']);
  });

  test('spends nothing on a retry for which there is no member', () => {
    const pool = makePool({ members: [spec('a')], retryBudget: { percent: 0, minPerSecond: 1, window: 1000 } });
    expect(visit(pool, { exclude: pool.members })).toBe('members-tried');
    expect(pool.retryBudgetStats).toEqual({ balance: 1, refused: 0 });
  });

  test('shows nothing where neither is on', () => {
    const pool = makePool({ members: [spec('a')] });
    expect([pool.retryBudgetStats, pool.concurrencyLimitStats, pool.shedding]).toEqual([undefined, undefined, []]);
  });
});
