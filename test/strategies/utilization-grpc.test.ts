import { describe, expect, test } from 'vitest';
import { memberOf, spec, tally, visit, visits } from '../fixtures/core.ts';
import { expectShares, load, prompt, setUp } from '../fixtures/reporting.ts';

describe('the tests of gRPC (weightedroundrobin/balancer_test.go)', () => {
  test('one address: what it reports does not matter', async () => {
    const { pool, report } = setUp({ a: 1 });
    for (let second = 0; second < 100; second++) {
      await report({ a: load(second, second) });
      expect(visit(pool)).toBe('a');
    }
  });

  test('two addresses, reporting disabled: plain round robin', () => {
    const { pool } = setUp({ a: 1, b: 1 });
    expect(visits(pool, 40).join('')).toMatch(/^(ab){20}$|^(ba){20}$/);
  });

  test('two addresses, reporting enabled', async () => {
    const { pool, report } = setUp({ a: 1, b: 1 });
    await report({ a: load(10, 1), b: load(10, 0.1) });
    expectShares(pool, { a: 1, b: 10 });
  });

  test('two addresses, updated loads', async () => {
    const { pool, report } = setUp({ a: 1, b: 1 });
    await report({ a: load(10, 1), b: load(10, 0.1) });
    expectShares(pool, { a: 1, b: 10 });
    await report({ a: load(10, 0.1), b: load(10, 1) });
    expectShares(pool, { a: 10, b: 1 });
  });

  test('two addresses, error penalty', async () => {
    const reports = { a: load(10, 1), b: load(10, 0.1, 10) };
    const lenient = setUp({ a: 1, b: 1 });
    await lenient.report(reports);
    expectShares(lenient.pool, { a: 1, b: 10 });
    const strict = setUp({ a: 1, b: 1 }, { ...prompt, errorPenalty: 0.9 });
    await strict.report(reports);
    expectShares(strict.pool, { a: 1, b: 1 });
  });

  for (const [blackout, expected] of [
    [1000, 1000],
    [null, 10_000],
  ] as const) {
    test(`two addresses, blackout period of ${expected} ms${blackout === null ? ', the default' : ''}`, async () => {
      const { pool, clock, report } = setUp({ a: 1, b: 1 }, { ...prompt, blackout });
      await report({ a: load(10, 1), b: load(10, 0.1) });
      expectShares(pool, { a: 1, b: 1 });
      await clock.advance(expected - 100 - 1);
      expectShares(pool, { a: 1, b: 1 });
      await clock.advance(100);
      expectShares(pool, { a: 1, b: 10 });
    });
  }

  test('two addresses, weight expiration', async () => {
    const { pool, clock, report } = setUp({ a: 1, b: 1 });
    await report({ a: load(10, 1), b: load(10, 0.1) });
    expectShares(pool, { a: 1, b: 10 });
    await clock.advance(60_000 - 100 - 1000);
    expectShares(pool, { a: 1, b: 10 });
    await clock.advance(2000);
    expectShares(pool, { a: 1, b: 1 });
  });

  test('addresses changing', async () => {
    const { pool, report } = setUp({ a: 1, b: 1, c: 1 });
    await report({ a: load(10, 1), b: load(10, 0.1), c: load(20, 1) });
    expectShares(pool, { a: 1, b: 10, c: 2 });
    pool.add(spec('d', { port: 2000 }));
    visit(pool);
    await report({ d: load(20, 0.1) });
    expectShares(pool, { a: 1, b: 10, c: 2, d: 20 });
    memberOf(pool, 'c').update({ enabled: false });
    expectShares(pool, { a: 1, b: 10, d: 20 });
    pool.remove('b');
    pool.remove('c');
    expectShares(pool, { a: 1, d: 20 });
    pool.update({ members: [spec('b', { port: 1001 })] });
    visit(pool);
    await report({ b: load(10, 0.1) });
    expectShares(pool, { b: 1 });
    pool.add(spec('d', { port: 2000 }));
    visit(pool);
    await report({ d: load(20, 0.1) });
    expectShares(pool, { b: 10, d: 20 });
  });
});

describe('the weight of a report', () => {
  // The formula's values of A58, against one of weight 100.
  for (const [report, weight] of [
    [load(100, 1), 100],
    [load(1000, 1), 1000],
    [load(100, 0.5, 10), 166.667],
    [load(100, 0.25), 400],
  ] as const) {
    const { requestsPerSecond, utilization: used, errorsPerSecond } = report;
    test(`of ${requestsPerSecond}/s at ${used} with ${errorsPerSecond} errors is ${weight}`, async () => {
      const { pool, report: tell } = setUp({ a: 1, b: 1 }, { ...prompt, errorPenalty: 1 });
      await tell({ a: report, b: load(100, 1) });
      expectShares(pool, { a: weight, b: 100 });
    });
  }

  test('is that of its requests where all are utilized alike: three to one, of forty thirty and ten', async () => {
    const { pool, report } = setUp({ a: 1, b: 1 });
    await report({ a: load(300, 0.5), b: load(100, 0.5) });
    visits(pool, 16);
    expect(tally(visits(pool, 40))).toEqual({ a: 30, b: 10 });
  });

  test('is none where utilization or requests are 0: the last report that says something counts', async () => {
    const { pool, report } = setUp({ a: 1, b: 1 });
    await report({ a: load(10, 1), b: load(10, 0.1) });
    await report({ a: load(0, 1), b: load(10, 0) });
    expectShares(pool, { a: 1, b: 10 });
  });

  test('stays within bounds, however odd the report is', async () => {
    const { pool, report } = setUp({ a: 1, b: 1, c: 1 });
    await report({ a: load(1e308, 1e-308), b: load(1e-308, 1e308), c: load(10, 1) });
    expect(Object.keys(tally(visits(pool, 400))).sort()).toEqual(['a', 'b', 'c']);
  });
});
