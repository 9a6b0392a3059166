import { describe, expect, test } from 'vitest';
import { SpecError } from '../../src/core/errors.ts';
import { aimdLimit } from '../../src/safeguards/aimd-limit.ts';
import { gradientLimit } from '../../src/safeguards/gradient-limit.ts';
import { Hedge } from '../../src/safeguards/hedge.ts';
import { RetryBudget } from '../../src/safeguards/retry-budget.ts';
import { leastConnections } from '../../src/strategies/least-connections.ts';
import { leastTime } from '../../src/strategies/least-time.ts';
import { maglev } from '../../src/strategies/maglev.ts';
import { peakEwma } from '../../src/strategies/peak-ewma.ts';
import { powerOfTwo } from '../../src/strategies/power-of-two.ts';
import { rendezvous } from '../../src/strategies/rendezvous.ts';
import { ringHash } from '../../src/strategies/ring-hash.ts';
import { roundRobin } from '../../src/strategies/round-robin.ts';
import { sourceIp } from '../../src/strategies/source-ip.ts';
import { sourceIpPort } from '../../src/strategies/source-ip-port.ts';
import { utilization } from '../../src/strategies/utilization.ts';
import { slowStart } from '../../src/strategies/wrappers/slow-start.ts';
import { subset } from '../../src/strategies/wrappers/subset.ts';
import { zonePreference } from '../../src/strategies/wrappers/zone-preference.ts';
import { makePool, memberOf, spec, thrownBy } from '../fixtures/core.ts';

/** What an option takes. Of a number: the least, the most, and whether fractions are fine between. */
type Kind =
  | readonly [least: number, most: number, fractions?: 'fractions']
  | 'boolean'
  | 'function'
  | 'object'
  | readonly string[];

interface Reader {
  /** Makes something of fields. */
  readonly read: (fields: object) => unknown;
  /** What the fields' paths begin with. */
  readonly path?: string;
  readonly options: Readonly<Record<string, Kind>>;
  /** Other fields that must be given. */
  readonly beside?: object;
}

const longest = 2_147_483_647;
const time = [0, longest, 'fractions'] as const;
const timeAbove0 = [1, longest, 'fractions'] as const;
const anyFactor = [100, 100_000] as const;

const pool = (name: string) => (fields: object) => makePool({ [name]: fields } as never);

const readers: Readonly<Record<string, Reader>> = {
  'a member': {
    read: (fields) => makePool({ members: [spec('a', fields)] }),
    path: 'members[0]',
    options: {
      weight: [0, 256],
      priority: [0, 127],
      backup: 'boolean',
      enabled: 'boolean',
      maxConnections: [1, longest],
      maxPending: [1, longest],
      maxRequests: [1, longest],
      maxRetries: [0, longest],
    },
  },
  'a pool': {
    read: (fields) => makePool(fields),
    options: {
      overprovisioningFactor: [100, 10_000],
      panic: 'object',
      outlierDetection: 'object',
      retryBudget: 'object',
      classify: 'function',
      enabled: 'boolean',
    },
  },
  panic: {
    read: pool('panic'),
    path: 'panic',
    options: { threshold: [0, 100], minHealthy: [0, 65_536], failTraffic: 'boolean' },
  },
  outlierDetection: {
    read: pool('outlierDetection'),
    path: 'outlierDetection',
    options: {
      interval: timeAbove0,
      baseEjectionTime: timeAbove0,
      maxEjectionTime: [30_000, longest, 'fractions'],
      ejectionJitter: time,
      maxEjectionPercent: [0, 100],
      consecutiveFailures: [0, longest],
      consecutiveGatewayFailures: [0, longest],
      splitLocalOrigin: 'boolean',
      consecutiveLocalOriginFailures: [0, longest],
      successRate: 'object',
      failurePercentage: 'object',
      enforcing: [0, 100],
      unejectOnPassedCheck: 'boolean',
      halfOpen: [0, 65_536],
    },
  },
  successRate: {
    read: (fields) => makePool({ outlierDetection: { successRate: fields } }),
    path: 'outlierDetection.successRate',
    options: { minMembers: [1, longest], minRequests: [1, longest], deviationFactor: [0, 100, 'fractions'] },
  },
  failurePercentage: {
    read: (fields) => makePool({ outlierDetection: { failurePercentage: fields } }),
    path: 'outlierDetection.failurePercentage',
    options: { threshold: [1, 100], minMembers: [1, longest], minRequests: [1, longest] },
  },
  'retryBudget of a pool': {
    read: pool('retryBudget'),
    path: 'retryBudget',
    options: {
      percent: [0, 1000, 'fractions'],
      minPerSecond: [0, 1_000_000, 'fractions'],
      window: [1000, 60_000, 'fractions'],
    },
  },
  RetryBudget: {
    read: (fields) => new RetryBudget(fields),
    options: { percent: [0, 1000, 'fractions'], window: [1000, 60_000, 'fractions'] },
  },
  'concurrencyLimit of a pool': {
    read: pool('concurrencyLimit'),
    path: 'concurrencyLimit',
    beside: { type: 'aimd' },
    options: { backoff: [0.5, 0.99, 'fractions'], timeout: timeAbove0, window: [0, 60_000, 'fractions'] },
  },
  aimdLimit: {
    read: aimdLimit,
    options: { initial: [20, 200], min: [1, 200], max: [1, 1_000_000] },
  },
  gradientLimit: {
    read: gradientLimit,
    options: {
      smoothing: [0.01, 1, 'fractions'],
      queue: [0, 1000],
      longWindow: [10, 1_000_000],
      tolerance: [1, 10, 'fractions'],
      window: [0, 60_000, 'fractions'],
      probeEvery: [0, 1_000_000],
      initial: [20, 200],
      min: [1, 200],
      max: [1, 1_000_000],
    },
  },
  Hedge: {
    read: (fields) => new Hedge(fields),
    options: {
      percentile: [1, 99.99, 'fractions'],
      maxExtraPercent: [0, 100, 'fractions'],
      minDelay: timeAbove0,
      minSamples: [1, 1_000_000],
      window: [1000, 60_000, 'fractions'],
    },
  },
  roundRobin: { read: roundRobin, options: { randomStart: 'boolean' } },
  leastConnections: { read: leastConnections, options: { failurePenalty: time, randomStart: 'boolean' } },
  powerOfTwo: { read: powerOfTwo, options: { choices: [2, 16], failurePenalty: time } },
  peakEwma: {
    read: peakEwma,
    options: {
      decay: timeAbove0,
      defaultLatency: [0.001, longest, 'fractions'],
      choices: [2, 16],
      failurePenalty: time,
    },
  },
  leastTime: {
    read: leastTime,
    options: {
      measures: ['first-byte', 'last-byte'],
      inflight: 'boolean',
      failTimeout: time,
      failurePenalty: time,
      randomStart: 'boolean',
    },
  },
  utilization: {
    read: utilization,
    options: {
      errorPenalty: [0, 1000, 'fractions'],
      blackout: time,
      expiration: timeAbove0,
      updatePeriod: [100, longest, 'fractions'],
    },
  },
  sourceIp: { read: sourceIp, options: { maxLoadFactor: anyFactor } },
  sourceIpPort: { read: sourceIpPort, options: { maxLoadFactor: anyFactor } },
  ringHash: {
    read: ringHash,
    options: {
      placement: ['envoy', 'ketama'],
      hash: ['xx-hash', 'murmur-2'],
      minRingSize: [1, 8_388_608],
      maxRingSize: [1, 8_388_608],
      maxLoadFactor: anyFactor,
    },
  },
  maglev: { read: maglev, options: { tableSize: [2, 5_000_011], maxLoadFactor: anyFactor } },
  rendezvous: { read: rendezvous, options: { maxLoadFactor: anyFactor } },
  slowStart: {
    read: (fields) => slowStart('random', fields as never),
    beside: { window: 1000 },
    options: {
      window: timeAbove0,
      curve: ['envoy', 'haproxy'],
      aggression: [0.01, 100, 'fractions'],
      floor: [0, 1, 'fractions'],
    },
  },
  subset: {
    read: (fields) => subset('random', fields as never),
    beside: { client: 'me', size: 1 },
    options: { size: [1, 65_536] },
  },
  'a numbered client': {
    read: (fields) => subset('random', { size: 1, client: fields as never }),
    path: 'client',
    beside: { index: 0, of: 5 },
    options: { index: [0, 4], of: [1, 1_000_000] },
  },
  zonePreference: {
    read: (fields) => zonePreference('random', fields as never),
    beside: { zone: 'a' },
    options: { minMembers: [0, longest], clients: 'object' },
  },
  'clients of zones': {
    read: (fields) => zonePreference('random', { zone: 'b', clients: { b: 1, ...fields } }),
    path: 'clients',
    options: { a: [0, 1e15, 'fractions'] },
  },
};

function good(kind: Kind): readonly unknown[] {
  if (kind === 'boolean') return [true, false];
  if (kind === 'function') return [() => 'success'];
  if (kind === 'object') return [{}];
  if (typeof kind[0] === 'string') return kind;
  const [least, most, fractions] = kind as readonly [number, number, string?];
  return [least, most, ...(fractions === undefined ? [] : [(least + most) / 2.0001])];
}

const neverFine = [Number.NaN, Symbol('odd'), 10n, 'seven', '', ' 5', new Date(0)];

function bad(kind: Kind): readonly unknown[] {
  if (kind === 'boolean') return [...neverFine, 0, 1, 'true', {}, []];
  if (kind === 'function') return [...neverFine.filter((value) => typeof value !== 'function'), 0, true, {}, []];
  if (kind === 'object') return [...neverFine.filter((value) => typeof value !== 'object'), 0, true, [], () => ({})];
  if (typeof kind[0] === 'string') return [...neverFine, 0, true, {}, [], `${kind[0]} `, kind[0].toUpperCase()];
  const [least, most, fractions] = kind as readonly [number, number, string?];
  const beyond = fractions === undefined ? [least - 1, most + 1, least + 0.5] : [least - 1e-6, most * (1 + 1e-9)];
  const infinite = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -Number.MAX_VALUE];
  return [...neverFine, ...beyond, ...infinite, Number.MAX_VALUE, String(least), true, {}, [], [least]];
}

/** Beside what else both ends of an option are allowed. */
const partners: Readonly<Record<string, (value: unknown) => object>> = {
  'ringHash.maxRingSize': (value) => (value === 1 ? { minRingSize: 1 } : {}),
  'zonePreference.clients': () => ({ clients: { a: 1 } }),
};

for (const [what, { read, path = '', options, beside = {} }] of Object.entries(readers)) {
  describe(what, () => {
    for (const [option, kind] of Object.entries(options)) {
      const where = path === '' ? option : `${path}.${option}`;

      test(`takes all that ${option} may be, and null and undefined for its default`, () => {
        for (const value of good(kind)) {
          const fields = { ...beside, [option]: value, ...partners[`${what}.${option}`]?.(value) };
          expect(() => read(fields), `${String(value)}`).not.toThrow();
        }
        if (option in beside || path === 'clients') return;
        for (const value of [null, undefined]) expect(() => read({ ...beside, [option]: value })).not.toThrow();
      });

      test(`refuses what ${option} cannot be, naming it`, () => {
        for (const value of bad(kind)) {
          const error = thrownBy(() => read({ ...beside, [option]: value }));
          expect(error, String(value)).toBeInstanceOf(SpecError);
          const { path, value: named, expected, message } = error as SpecError;
          expect([path, named]).toEqual([where, value]);
          expect(message.startsWith(`${where}: expected ${expected}, got `), message).toBe(true);
        }
      });
    }

    test('knows no other fields', () => {
      if (path === 'clients') return;
      const error = thrownBy(() => read({ ...beside, [`${Object.keys(options)[0]}s`]: 1 })) as SpecError;
      expect([error.path.endsWith(`${Object.keys(options)[0]}s`), error.expected]).toEqual([
        true,
        expect.stringContaining('no such field'),
      ]);
    });
  });
}

test.each([roundRobin, leastConnections, powerOfTwo, peakEwma, leastTime, utilization, ringHash, maglev, rendezvous])(
  '%o takes an object of options',
  (factory) => {
    for (const options of [5, 'least', true, [], null, () => {}]) {
      expect(thrownBy(() => factory(options as never))).toBeInstanceOf(SpecError);
    }
  },
);

test.each([
  ['slowStart', (strategy: never) => slowStart(strategy, { window: 5 })],
  ['subset', (strategy: never) => subset(strategy, { size: 5, client: 'me' })],
  ['zonePreference', (strategy: never) => zonePreference(strategy, { zone: 'a' })],
])('%s takes a strategy or the name of one', (_, wrap) => {
  for (const strategy of [5, 'least', 'Random', {}, { name: 'x' }, { name: 5, prepare: () => {} }, null, undefined]) {
    expect((thrownBy(() => wrap(strategy as never)) as SpecError).path).toBe('strategy');
  }
});

describe('an update that is refused', () => {
  const settings = {
    panic: { threshold: 40 },
    outlierDetection: { halfOpen: 1 },
    retryBudget: { percent: 10 },
    concurrencyLimit: { type: 'aimd', initial: 30 },
  } as const;

  test('of a pool changes nothing, wherever in it the bad value is', () => {
    const served = makePool({ members: [spec('a'), spec('b')], ...settings });
    const events: unknown[] = [];
    for (const name of ['member-status', 'member-added', 'member-removed', 'status', 'panic'] as const)
      served.on(name, () => events.push(name));
    const before = JSON.stringify([served.members.map(({ id, weight }) => [id, weight]), served.concurrencyLimitStats]);
    const fine = { members: [spec('c')], enabled: false, strategy: 'random', retryBudget: null } as const;
    for (const wrong of [
      { panic: { threshold: 101 } },
      { outlierDetection: { successRate: { minMembers: 0 } } },
      { concurrencyLimit: { type: 'gradient', min: 30, max: 20 } },
      { classify: {} },
      { overprovisioningFactor: 50 },
      { overprovisioning: 150 },
    ]) {
      expect(() => served.update({ ...fine, ...wrong } as never)).toThrow(SpecError);
      const now = JSON.stringify([served.members.map(({ id, weight }) => [id, weight]), served.concurrencyLimitStats]);
      expect([now, served.enabled, served.strategy.name, events]).toEqual([before, true, 'round-robin', []]);
    }
  });

  test('of a member changes nothing', () => {
    const served = makePool({ members: [spec('a', { maxPending: 3 })] });
    const member = memberOf(served, 'a');
    for (const wrong of [{ maxPending: 0 }, { priority: 128 }, { zone: '' }, { maxRetries: -1 }, { maxPendings: 4 }])
      expect(() => member.update({ weight: 5, enabled: false, ...wrong } as never)).toThrow(SpecError);
    expect([member.weight, member.enabled, member.priority, member.zone]).toEqual([1, true, 0, undefined]);
  });
});
