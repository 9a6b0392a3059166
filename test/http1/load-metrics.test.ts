import { describe, expect, test } from 'vitest';
import { loadReportOf } from '../../src/http1/load-metrics.ts';

const report = (utilization: number, requestsPerSecond: number, errorsPerSecond = 0) => ({
  utilization,
  requestsPerSecond,
  errorsPerSecond,
});

describe('the load that a member reports', () => {
  const rows: readonly [string, ReturnType<typeof report> | undefined][] = [
    ['TEXT cpu_utilization=0.7,rps_fractional=120.5,eps=1', report(0.7, 120.5, 1)],
    ['TEXT application_utilization=0.4, cpu_utilization=0.9, rps_fractional=10', report(0.4, 10)],
    ['TEXT application_utilization=0, cpu_utilization=0.9, rps_fractional=10', report(0.9, 10)],
    ['TEXT cpu_utilization:0.3,mem_utilization:0.8,named_metrics.queue:4,rps_fractional:1', report(0.3, 1)],
    ['JSON {"cpu_utilization": 0.7, "rps_fractional": 120, "eps": 2}', report(0.7, 120, 2)],
    ['JSON {"applicationUtilization": 0.2, "rpsFractional": 5}', report(0.2, 5)],
    ['JSON {"cpu_utilization": "0.7", "rps": 3}', report(0, 3)],
    ['JSON {"cpu_utilization": -1, "rps_fractional": 1e999}', report(0, 0)],
    ['TEXT cpu_utilization=much', report(0, 0)],
    ['JSON [0.7]', report(0, 0)],
    ['JSON null', undefined],
    ['JSON {', undefined],
    ['TEXT ', undefined],
    ['TEXT cpu_utilization', undefined],
    ['BIN CgA=', undefined],
    ['cpu_utilization=0.7', undefined],
    ['', undefined],
  ];
  for (const [value, expected] of rows) {
    test(`'${value}' is ${expected === undefined ? 'no report' : JSON.stringify(expected)}`, () => {
      expect(loadReportOf(value)).toEqual(expected);
    });
  }
});
