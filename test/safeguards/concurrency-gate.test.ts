import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import { seededRandom } from '../../src/core/random.ts';
import { aimdLimit } from '../../src/safeguards/aimd-limit.ts';
import { ConcurrencyGate } from '../../src/safeguards/concurrency-gate.ts';
import type { ConcurrencyAlgorithm } from '../../src/safeguards/concurrency-limit.ts';

type Told = [milliseconds: number, inFlight: number, wasDropped: boolean, now: number];

/** An algorithm that notes what it is told, and whose limit the test sets. */
class Fixed implements ConcurrencyAlgorithm {
  readonly name = 'fixed';
  limit = 10;
  readonly told: Told[] = [];

  start(): this {
    return this;
  }

  ended(...told: Told): void {
    this.told.push(told);
  }
}

function gateOf(algorithm: ConcurrencyAlgorithm = new Fixed(), clock = new VirtualClock()): ConcurrencyGate {
  return new ConcurrencyGate(algorithm, { clock, random: seededRandom(3) });
}

/** So many requests, evenly over a second; tells how many are samples. */
async function second(gate: ConcurrencyGate, clock: VirtualClock, requests: number): Promise<number> {
  let samples = 0;
  const slices = 10;
  for (let slice = 0; slice < slices; slice++) {
    for (let request = 0; request < requests / slices; request++) if (gate.isSampled()) samples++;
    await clock.advance(1000 / slices);
  }
  return samples;
}

describe('a gate', () => {
  // Netflix, SimpleLimiterTest.java: ten of a limit of ten, and no eleventh until one is done.
  test('lets in as many as the limit says', () => {
    const gate = gateOf();
    expect([gate.admits(0), gate.admits(9), gate.admits(10), gate.admits(11)]).toEqual([true, true, false, false]);
  });

  test('follows the limit', () => {
    const algorithm = new Fixed();
    const gate = gateOf(algorithm);
    algorithm.limit = 3;
    expect([gate.limit, gate.admits(2), gate.admits(3)]).toEqual([3, true, false]);
  });

  test.each([0, -1, Number.NaN])(
    'lets one in at a time at a limit of %f: else nothing would be learned any more',
    (limit) => {
      const algorithm = new Fixed();
      const gate = gateOf(algorithm);
      algorithm.limit = limit;
      expect([gate.admits(0), gate.admits(1)]).toEqual([true, false]);
    },
  );

  test('starts an algorithm of its own', () => {
    const algorithm = aimdLimit({ window: 0 });
    const [one, other] = [gateOf(algorithm), gateOf(algorithm)];
    one.ended(0, 10, 20, 'success');
    expect([one.limit, other.limit, one.algorithm]).toEqual([21, 20, algorithm]);
  });

  test('gives the algorithm its clock and its chance', () => {
    const clock = new VirtualClock();
    const random = seededRandom(3);
    let given: unknown;
    const algorithm: ConcurrencyAlgorithm = {
      name: 'curious',
      start(context) {
        given = context;
        return new Fixed();
      },
    };
    new ConcurrencyGate(algorithm, { clock, random });
    expect(given).toEqual({ clock, random });
  });
});

describe('what a gate tells the limit', () => {
  test('is how long a sample took, how many were under way, and when it ended', () => {
    const algorithm = new Fixed();
    gateOf(algorithm).ended(100, 130, 7, 'success');
    expect(algorithm.told).toEqual([[30, 7, false, 130]]);
  });

  test('is that one was dropped', () => {
    const algorithm = new Fixed();
    gateOf(algorithm).ended(100, 130, 7, 'dropped');
    expect(algorithm.told).toEqual([[30, 7, true, 130]]);
  });

  test('is nothing of what says nothing of the load', () => {
    const algorithm = new Fixed();
    gateOf(algorithm).ended(100, 130, 7, 'ignored');
    expect(algorithm.told).toEqual([]);
  });

  test('is nothing of what was not timed, dropped or not', () => {
    const algorithm = new Fixed();
    const gate = gateOf(algorithm);
    gate.ended(undefined, 130, 7, 'success');
    gate.ended(undefined, 130, 7, 'dropped');
    expect(algorithm.told).toEqual([]);
  });
});

describe('samples', () => {
  test('are all requests while there are no more than 128 a second', async () => {
    const clock = new VirtualClock();
    const gate = gateOf(new Fixed(), clock);
    for (let time = 0; time < 5; time++) expect(await second(gate, clock, 120)).toBe(120);
  });

  test('are about 128 a second, from the second second on, however many there are', async () => {
    for (const requests of [500, 10_000, 200_000]) {
      const clock = new VirtualClock();
      const gate = gateOf(new Fixed(), clock);
      await second(gate, clock, requests);
      for (let time = 0; time < 5; time++) {
        const samples = await second(gate, clock, requests);
        expect(samples).toBeGreaterThan(90);
        expect(samples).toBeLessThan(170);
      }
    }
  });

  test('grow rare in a rush, before the first second is over', () => {
    const gate = gateOf(new Fixed());
    let samples = 0;
    for (let request = 0; request < 1_000_000; request++) if (gate.isSampled()) samples++;
    expect(samples).toBeLessThan(128 * 15);
  });

  test('are all requests again a second after a rush', async () => {
    const clock = new VirtualClock();
    const gate = gateOf(new Fixed(), clock);
    for (let time = 0; time < 3; time++) await second(gate, clock, 100_000);
    await second(gate, clock, 50);
    expect(await second(gate, clock, 50)).toBe(50);
  });

  test('are not decided by a rhythm of the requests', async () => {
    const clock = new VirtualClock();
    const gate = gateOf(new Fixed(), clock);
    await second(gate, clock, 12_800);
    const seen = [0, 0];
    for (let time = 0; time < 10; time++) {
      for (let request = 0; request < 12_800; request++) {
        if (gate.isSampled()) seen[request % 2] = (seen[request % 2] as number) + 1;
      }
      await clock.advance(1000);
    }
    const [even = 0, odd = 0] = seen;
    expect(even / (even + odd)).toBeGreaterThan(0.4);
    expect(even / (even + odd)).toBeLessThan(0.6);
  });
});

describe("a gate's timer", () => {
  test('runs only while there are requests', async () => {
    const clock = new VirtualClock();
    const gate = gateOf(new Fixed(), clock);
    expect(clock.pending).toBe(0);
    await second(gate, clock, 10_000);
    expect(clock.pending).toBe(1);
    await clock.advance(1000);
    expect(clock.pending).toBe(0);
    expect(gate.isSampled()).toBe(true);
  });
});
