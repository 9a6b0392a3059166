import { describe, expect, test } from 'vitest';
import type { LoadReport } from '../../src/core/load-report.ts';
import type { Strategy } from '../../src/strategies/strategy.ts';
import { equal, makePool, memberOf, refusalOf, spec, visit } from '../fixtures/core.ts';
import { down, monitoredPool, up } from '../fixtures/monitored.ts';

/** A strategy that notes what members report. */
function listening() {
  const heard: string[] = [];
  const reports: LoadReport[] = [];
  const strategy: Strategy = {
    name: 'listening',
    prepare: (members) => ({
      pick: () => members[0],
      reported: ({ id }, place, report) => {
        heard.push(`${id}@${place}`);
        reports.push(report);
      },
    }),
  };
  return { strategy, heard, reports };
}

const busy: LoadReport = { utilization: 0.5, requestsPerSecond: 20, errorsPerSecond: 1 };

describe('what a member reports of its load', () => {
  test('reaches the strategy, with its place', () => {
    const { strategy, heard, reports } = listening();
    const pool = makePool({ members: equal(3), strategy });
    visit(pool);
    memberOf(pool, 'm2').reportLoad(busy);
    memberOf(pool, 'm0').reportLoad({ utilization: 0, requestsPerSecond: 0 });
    expect(heard).toEqual(['m2@2', 'm0@0']);
    expect(reports).toEqual([busy, { utilization: 0, requestsPerSecond: 0, errorsPerSecond: 0 }]);
  });

  test('may be more than it can carry', () => {
    const { strategy, reports } = listening();
    const pool = makePool({ members: equal(1), strategy });
    visit(pool);
    memberOf(pool, 'm0').reportLoad({ utilization: 1.7, requestsPerSecond: 1e6, errorsPerSecond: undefined });
    expect(reports).toEqual([{ utilization: 1.7, requestsPerSecond: 1e6, errorsPerSecond: 0 }]);
  });

  test('is a copy: what becomes of the report later is nobody’s concern', () => {
    const { strategy, reports } = listening();
    const pool = makePool({ members: equal(1), strategy });
    visit(pool);
    const report = { ...busy };
    memberOf(pool, 'm0').reportLoad(report);
    report.utilization = 9;
    expect(reports).toEqual([busy]);
  });

  test('comes with its place in the list of that moment, and in that of its level', () => {
    const { strategy, heard } = listening();
    const pool = makePool({ members: equal(3), strategy });
    visit(pool);
    const member = memberOf(pool, 'm2');
    pool.remove('m0');
    visit(pool);
    member.reportLoad(busy);
    member.update({ priority: 1 });
    visit(pool);
    member.reportLoad(busy);
    expect(heard).toEqual(['m2@1', 'm2@0']);
  });

  test('is ignored before the first client, and of a member that does not serve', () => {
    const { strategy, heard } = listening();
    const pool = monitoredPool({ members: [...equal(2), spec('off', { enabled: false })], strategy });
    memberOf(pool, 'm0').reportLoad(busy);
    down(pool, 'm0');
    visit(pool);
    for (const member of pool.members) member.reportLoad(busy);
    up(pool, 'm0');
    visit(pool);
    memberOf(pool, 'm0').reportLoad(busy);
    expect(heard).toEqual(['m1@0', 'm0@0']);
  });

  test('is ignored of a member that is gone', () => {
    const { strategy, heard } = listening();
    const pool = makePool({ members: equal(2), strategy });
    const member = memberOf(pool, 'm0');
    visit(pool);
    member.remove();
    member.reportLoad(busy);
    expect(heard).toEqual([]);
  });

  test('is ignored by a strategy that does not listen', () => {
    const pool = makePool({ members: equal(1) });
    visit(pool);
    expect(memberOf(pool, 'm0').reportLoad(busy)).toBe(undefined);
  });

  test.each([
    ['utilization', { ...busy, utilization: -0.1 }],
    ['utilization', { ...busy, utilization: Number.NaN }],
    ['utilization', { ...busy, utilization: Number.POSITIVE_INFINITY }],
    ['utilization', { ...busy, utilization: '0.5' }],
    ['utilization', { requestsPerSecond: 1 }],
    ['requestsPerSecond', { utilization: 1 }],
    ['requestsPerSecond', { ...busy, requestsPerSecond: null }],
    ['errorsPerSecond', { ...busy, errorsPerSecond: -1 }],
    ['cpu', { ...busy, cpu: 1 }],
    ['', undefined],
    ['', 0.5],
  ])("is refused where '%s' is bad, %o, whether the member serves or not", (path, report) => {
    const { strategy, heard } = listening();
    const pool = makePool({ members: [spec('a'), spec('off', { enabled: false })], strategy });
    visit(pool);
    const paths = pool.members.map((member) => refusalOf(() => member.reportLoad(report as LoadReport)).path);
    expect([paths, heard]).toEqual([[path, path], []]);
  });

  test('says what was expected', () => {
    const pool = makePool({ members: [spec('a')] });
    expect(refusalOf(() => memberOf(pool, 'a').reportLoad({ ...busy, utilization: -1 }))).toEqual({
      path: 'utilization',
      value: -1,
      expected: 'a number from 0 up',
    });
  });
});
