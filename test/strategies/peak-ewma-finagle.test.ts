import { describe, expect, test } from 'vitest';
import type { Lease } from '../../src/core/lease.ts';
import { peakEwma } from '../../src/strategies/peak-ewma.ts';
import { equal, take } from '../fixtures/core.ts';
import { HandClock, poolIn } from './traffic.ts';

describe("Finagle's known answers (P2CPeakEwmaTest: 100 nodes, 100,000 requests, one at each step, decay 150 steps)", () => {
  const count = 100;
  const requests = 100_000;
  /** Finagle's mean load is half of what a node got, and its tolerance for that 50. */
  const tolerance = 100;

  /** How many requests each node got that takes so many steps. */
  function run(latencies: readonly number[]): number[] {
    const clock = new HandClock();
    const pool = poolIn(clock, peakEwma({ decay: 150 }), equal(latencies.length));
    const places = new Map(pool.members.map((member, place) => [member, place]));
    const counts = latencies.map(() => 0);
    const due = new Map<number, Lease[]>();
    for (; clock.time < requests; clock.time++) {
      const lease = take(pool);
      const place = places.get(lease.member) as number;
      (counts[place] as number)++;
      const end = clock.time + (latencies[place] as number);
      due.set(end, [...(due.get(end) ?? []), lease]);
      for (const each of due.get(clock.time) ?? []) each.release();
      due.delete(clock.time);
    }
    return counts;
  }

  function expectEven(counts: readonly number[]): void {
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThan(2 * tolerance);
  }

  const identical = (latency: number): number[] => Array.from({ length: count }, () => latency);

  test('balances evenly across identical nodes', () => {
    expectEven(run(identical(5)));
  });

  test('probes a node without latency history at most once', () => {
    const counts = run([...identical(1), 2 * requests]);
    expectEven(counts.slice(0, -1));
    expect(counts.at(-1)).toBe(1);
  });

  test('balances proportionally across nodes with varying latencies', () => {
    const counts = run([...identical(5), 10]);
    expectEven(counts.slice(0, -1));
    const [first = 0] = counts;
    const slow = counts.at(-1) as number;
    expect(Math.abs(first - 2 * slow)).toBeLessThan(3 * tolerance);
  });
});
