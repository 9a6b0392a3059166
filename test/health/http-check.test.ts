import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expects } from '../../src/health/http-check.ts';
import { readHealthMonitor } from '../../src/health/monitor-spec.ts';

/** Those of all codes that may be written. */
function expected(codes: string): number[] {
  const all = Array.from({ length: 500 }, (_, index) => 100 + index);
  return all.filter(expects(codes));
}

describe('of all status codes, expected are', () => {
  for (const [codes, which] of [
    ['200', [200]],
    ['200,202', [200, 202]],
    ['204 , 200,204', [200, 204]],
    ['200-204', [200, 201, 202, 203, 204]],
    ['404-404', [404]],
    ['100', [100]],
    ['599', [599]],
  ] as const) {
    test(`with '${codes}': ${which.join(', ')}`, () => {
      expect(expected(codes)).toEqual(which);
    });
  }
});

test('whatever is accepted as codes can be understood, and expects something', () => {
  const code = fc.integer({ min: 95, max: 605 }).map(String);
  const separator = fc.constantFrom(',', ' , ', '-', ', ', ',,', ' ', '');
  const text = fc.array(fc.tuple(code, separator), { maxLength: 3 }).chain((parts) => {
    return code.map((last) => parts.map(([each, between]) => each + between).join('') + last);
  });
  fc.assert(
    fc.property(fc.oneof(text, fc.string()), (expectedCodes) => {
      try {
        readHealthMonitor({ type: 'http', expectedCodes }, '');
      } catch {
        return;
      }
      expect(expected(expectedCodes).length).toBeGreaterThan(0);
    }),
    { seed: 61, numRuns: 2000 },
  );
});
