import { describe, expect, test } from 'vitest';
import { readOutlierDetection } from '../../src/safeguards/outlier-spec.ts';
import { makePool, refusalOf, spec } from '../fixtures/core.ts';
import { OutlierStage } from './outlier-stage.ts';

const read = (value: unknown) => readOutlierDetection(value, 'outlierDetection');

describe('the settings', () => {
  test("are Envoy's where nothing is said, but for what active checks do", () => {
    expect(read({})).toEqual({
      interval: 10_000,
      baseEjectionTime: 30_000,
      maxEjectionTime: 300_000,
      ejectionJitter: 0,
      maxEjectionPercent: 10,
      consecutiveFailures: 5,
      consecutiveGatewayFailures: 0,
      splitLocalOrigin: false,
      consecutiveLocalOriginFailures: 5,
      successRate: { minMembers: 5, minRequests: 100, deviationFactor: 1.9 },
      failurePercentage: undefined,
      enforcing: 100,
      unejectOnPassedCheck: false,
      halfOpen: 0,
    });
  });

  // Envoy, DetectorStaticConfig.
  test('are what is said', () => {
    const said = {
      interval: 100,
      baseEjectionTime: 10_000,
      maxEjectionTime: 400_000,
      ejectionJitter: 13_000,
      maxEjectionPercent: 50,
      consecutiveFailures: 10,
      consecutiveGatewayFailures: 3,
      splitLocalOrigin: true,
      consecutiveLocalOriginFailures: 7,
      successRate: { minMembers: 50, minRequests: 200, deviationFactor: 3 },
      failurePercentage: { threshold: 70, minMembers: 10, minRequests: 25 },
      enforcing: 20,
      unejectOnPassedCheck: true,
      halfOpen: 2,
    };
    expect(read(said)).toEqual(said);
  });

  test('are the defaults for null, except that null is no success rate', () => {
    const all = {
      interval: null,
      maxEjectionTime: null,
      splitLocalOrigin: null,
      failurePercentage: null,
      halfOpen: null,
    };
    expect(read({ ...all, successRate: null })).toEqual({ ...read({}), successRate: undefined });
  });

  test('have a failure percentage with {}', () => {
    expect(read({ failurePercentage: {} }).failurePercentage).toEqual({
      threshold: 85,
      minMembers: 5,
      minRequests: 50,
    });
  });

  // Envoy, DetectorStaticConfigMaxDefaultValue and DetectorStaticConfigBaseLargerThanMaxNoMax.
  test.each([
    [10_000, 300_000],
    [300_000, 300_000],
    [400_000, 400_000],
  ])('with a base time of %i have a longest of %i', (baseEjectionTime, longest) => {
    expect(read({ baseEjectionTime }).maxEjectionTime).toBe(longest);
  });

  test('may have a longest time that is the base time', () => {
    expect(read({ baseEjectionTime: 7, maxEjectionTime: 7 }).maxEjectionTime).toBe(7);
  });
});

describe('a bad setting', () => {
  const milliseconds = (least: number) => `milliseconds from ${least} to 2147483647`;
  const whole = (least: number, most = 2_147_483_647) => `an integer from ${least} to ${most}`;

  test.each([
    ['interval', 0, milliseconds(1)],
    ['interval', Number.NaN, milliseconds(1)],
    ['interval', 2_147_483_648, milliseconds(1)],
    ['baseEjectionTime', 0.9, milliseconds(1)],
    ['maxEjectionTime', 'long', milliseconds(1)],
    ['maxEjectionTime', 29_999, 'milliseconds from baseEjectionTime (30000) on'],
    ['ejectionJitter', -1, milliseconds(0)],
    ['maxEjectionPercent', 101, whole(0, 100)],
    ['maxEjectionPercent', -1, whole(0, 100)],
    ['consecutiveFailures', 1.5, whole(0)],
    ['consecutiveGatewayFailures', -1, whole(0)],
    ['consecutiveLocalOriginFailures', '5', whole(0)],
    ['splitLocalOrigin', 1, 'true or false'],
    ['successRate', true, 'an object'],
    ['failurePercentage', 85, 'an object'],
    ['enforcing', 100.5, whole(0, 100)],
    ['unejectOnPassedCheck', 'yes', 'true or false'],
    ['halfOpen', -1, whole(0, 65_536)],
    ['halfOpen', 65_537, whole(0, 65_536)],
  ])('%s: %s is refused', (name, value, expected) => {
    expect(refusalOf(() => read({ [name]: value }))).toEqual({ path: `outlierDetection.${name}`, value, expected });
  });

  test.each([
    ['successRate', 'minMembers', 0, whole(1)],
    ['successRate', 'minRequests', 0, whole(1)],
    ['successRate', 'deviationFactor', -0.1, 'a number from 0 to 100'],
    ['successRate', 'deviationFactor', 100.1, 'a number from 0 to 100'],
    ['failurePercentage', 'threshold', 0, whole(1, 100)],
    ['failurePercentage', 'threshold', 101, whole(1, 100)],
    ['failurePercentage', 'minMembers', 0, whole(1)],
    ['failurePercentage', 'minRequests', 0.5, whole(1)],
  ])('%s.%s: %s is refused', (object, name, value, expected) => {
    const path = `outlierDetection.${object}.${name}`;
    expect(refusalOf(() => read({ [object]: { [name]: value } }))).toEqual({ path, value, expected });
  });

  test('that does not exist is refused', () => {
    expect(refusalOf(() => read({ consecutive5xx: 5 })).path).toBe('outlierDetection.consecutive5xx');
    expect(refusalOf(() => read({ successRate: { factor: 2 } })).path).toBe('outlierDetection.successRate.factor');
  });

  test('names where it is in the spec of a pool', () => {
    expect(refusalOf(() => makePool({ outlierDetection: { interval: -5 } })).path).toBe('outlierDetection.interval');
  });

  test('changes nothing in an update', () => {
    const stage = new OutlierStage({ consecutiveFailures: 2 });
    expect(refusalOf(() => stage.pool.update({ outlierDetection: { interval: 0 } })).value).toBe(0);
    stage.answers('a', 500, 2);
    expect(stage.out).toBe('a');
  });
});

describe('outlier detection', () => {
  test('is off unless named', () => {
    const pool = makePool({ members: [spec('a'), spec('b')] });
    expect(pool.outlierStats).toBe(undefined);
  });
});
