import { describe, expect, test } from 'vitest';
import { outliersAmong, type Rated, ratedBy, rateThreshold } from '../../src/safeguards/outlier-rates.ts';
import { Tally } from '../../src/safeguards/outlier-record.ts';
import { type OutlierDetectionSpec, readOutlierDetection } from '../../src/safeguards/outlier-spec.ts';

const rates = (...values: readonly number[]) => values.map((rate) => ({ rate }));

describe('the threshold of success rates', () => {
  // Envoy, OutlierUtility.SRThreshold.
  test('of 50, 100, 100, 100, 100 is 52', () => {
    expect(rateThreshold(rates(50, 100, 100, 100, 100), 1.9)).toEqual({ mean: 90, threshold: 52 });
  });

  test('of 0, 100, 100, 100, 100 is 4', () => {
    expect(rateThreshold(rates(0, 100, 100, 100, 100), 1.9)).toEqual({ mean: 80, threshold: 4 });
  });

  test('of no members is none', () => {
    expect(rateThreshold([], 1.9)).toEqual({ mean: 0, threshold: 0 });
  });

  // 99.1 five times has a mean of 99.10000000000001.
  test.each([0, 0.5, 1.9])(
    'is below rates that are all the same, whatever rounding does, with a factor of %d',
    (factor) => {
      for (let rate = 0; rate <= 1000; rate++) {
        const members = rates(...Array.from({ length: 7 }, () => rate / 10));
        expect(rateThreshold(members, factor).threshold).toBeLessThan(rate / 10);
      }
    },
  );
});

function rated(subject: string, passed: number, failed: number): Rated<string> {
  const tally = new Tally();
  tally.passed = passed;
  tally.failed = failed;
  const result = ratedBy(subject, tally);
  if (result === undefined) throw new Error('nothing ended');
  return result;
}

function found(members: readonly Rated<string>[], spec: OutlierDetectionSpec, ofLocalOrigin = false): string[] {
  const settings = readOutlierDetection(spec, '');
  return outliersAmong(members, settings, ofLocalOrigin).map(({ subject, cause }) => `${subject}: ${cause}`);
}

describe('by success rate', () => {
  const good = ['a', 'b', 'c', 'd'].map((subject) => rated(subject, 100, 0));

  test('a member far below the mean is an outlier', () => {
    expect(found([...good, rated('e', 50, 50)], {})).toEqual(['e: success-rate']);
  });

  test('one that is at the threshold is none', () => {
    // Of rates 98 and four times 100, mean 99.6 and deviation 0.8, with a factor of 2 the threshold is 98.
    expect(found([...good, rated('e', 98, 2)], { successRate: { deviationFactor: 2 } })).toEqual([]);
    expect(found([...good, rated('e', 98, 2)], { successRate: { deviationFactor: 1.99 } })).toEqual([
      'e: success-rate',
    ]);
  });

  // gRPC, balancer_test.go, TestEjectUnejectSuccessRate: three addresses with five calls each.
  test('gRPC finds the third of three when all its calls fail, and none when all succeed', () => {
    const spec = { successRate: { deviationFactor: 0.5, minMembers: 3, minRequests: 3 } };
    expect(found([rated('1', 5, 0), rated('2', 5, 0), rated('3', 5, 0)], spec)).toEqual([]);
    expect(found([rated('1', 5, 0), rated('2', 5, 0), rated('3', 0, 5)], spec)).toEqual(['3: success-rate']);
  });

  test('members without enough requests are left out, of the mean too', () => {
    expect(found([...good, rated('e', 49, 50)], {})).toEqual([]);
    expect(found([...good, rated('e', 100, 0), rated('f', 0, 99)], {})).toEqual([]);
  });

  test('nobody is an outlier among too few members', () => {
    expect(found([...good.slice(1), rated('e', 50, 50)], {})).toEqual([]);
    expect(
      found([...good.slice(1), rated('e', 50, 50)], { successRate: { minMembers: 4, deviationFactor: 1.5 } }),
    ).toEqual(['e: success-rate']);
  });

  test('nobody is an outlier where all are equally bad', () => {
    expect(
      found(
        [...'abcde'].map((subject) => rated(subject, 1, 199)),
        {},
      ),
    ).toEqual([]);
  });

  test('it can be switched off', () => {
    expect(found([...good, rated('e', 50, 50)], { successRate: null })).toEqual([]);
  });

  test('connects have a cause of their own', () => {
    expect(found([...good, rated('e', 50, 50)], {}, true)).toEqual(['e: local-origin-success-rate']);
  });
});

describe('by failure percentage', () => {
  const only: OutlierDetectionSpec = { successRate: null, failurePercentage: {} };
  const good = ['a', 'b', 'c', 'd'].map((subject) => rated(subject, 50, 0));

  // Envoy, BasicFlowFailurePercentageExternalOrigin.
  test('250 of 300 are few enough, 300 of 350 are not', () => {
    const members = [...good.slice(1), rated('e', 50, 250), rated('f', 50, 300)];
    expect(found(members, only)).toEqual(['f: failure-percentage']);
  });

  // Envoy's is "at least", gRPC's "more than".
  test('what reaches the threshold is too much', () => {
    expect(found([...good, rated('e', 15, 85)], only)).toEqual(['e: failure-percentage']);
    expect(found([...good, rated('e', 16, 84)], only)).toEqual([]);
  });

  test('members without enough requests are left out, and are not counted', () => {
    expect(found([...good, rated('e', 0, 49)], only)).toEqual([]);
    expect(found([...good, rated('e', 0, 50)], only)).toEqual(['e: failure-percentage']);
    expect(found([...good.slice(1), rated('d', 49, 0), rated('e', 0, 50)], only)).toEqual([]);
  });

  test('all can be outliers', () => {
    const members = [...'abcde'].map((subject) => rated(subject, 0, 50));
    expect(found(members, only)).toHaveLength(5);
  });

  test('connects have a cause of their own', () => {
    expect(found([...good, rated('e', 0, 50)], only, true)).toEqual(['e: local-origin-failure-percentage']);
  });
});

describe('by both', () => {
  test('one that is bad in both ways is found twice', () => {
    const members = [...['a', 'b', 'c', 'd'].map((subject) => rated(subject, 100, 0)), rated('e', 0, 100)];
    expect(found(members, { failurePercentage: {} })).toEqual(['e: success-rate', 'e: failure-percentage']);
  });
});
