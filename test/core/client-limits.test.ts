import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ClientLimits, type Rated } from '../../src/core/client-limits.ts';
import { type ClientLimitsSpec, readClientLimits } from '../../src/core/client-limits-spec.ts';
import { VirtualClock } from '../../src/core/clock.ts';
import { seededRandom } from '../../src/core/random.ts';

const address = (number: number): string => `10.${(number >>> 16) & 255}.${(number >>> 8) & 255}.${number & 255}`;

function limitsOf(spec: ClientLimitsSpec, rated: Rated = 'connections', clock = new VirtualClock()): ClientLimits {
  return new ClientLimits(readClientLimits(spec, ''), rated, { clock, random: seededRandom(1) });
}

/** How many of so many are let in. */
function admitted(limits: ClientLimits, client: string | undefined, times: number): number {
  let count = 0;
  for (let time = 0; time < times; time++) if (limits.admit(client) === undefined) count++;
  return count;
}

function allowed(limits: ClientLimits, client: string | undefined, times: number): number {
  let count = 0;
  for (let time = 0; time < times; time++) if (limits.allow(client) === undefined) count++;
  return count;
}

describe('the limit of connections', () => {
  test('lets so many of an address in, and one more for each that leaves', () => {
    const limits = limitsOf({ maxConnections: 2 });
    expect([1, 2, 3].map(() => limits.admit('10.0.0.1'))).toEqual([undefined, undefined, 'connections']);
    expect(limits.admit('10.0.0.2')).toBe(undefined);
    limits.left('10.0.0.1');
    expect([limits.admit('10.0.0.1'), limits.admit('10.0.0.1')]).toEqual([undefined, 'connections']);
    expect(limits.refused).toEqual({ connections: 2, rate: 0 });
  });

  test('remembers nobody who has left', () => {
    const limits = limitsOf({ maxConnections: 2 });
    for (let number = 0; number < 1000; number++) limits.admit(address(number));
    for (let number = 0; number < 1000; number++) limits.left(address(number));
    expect(limits.size).toBe(0);
  });

  test('needs no look at the clock', () => {
    const clock = new VirtualClock();
    clock.now = () => {
      throw new Error('looked at the clock');
    };
    const limits = limitsOf({ maxConnections: 1 }, 'connections', clock);
    expect([limits.admit('10.0.0.1'), limits.admit('10.0.0.1'), limits.left('10.0.0.1')]).toEqual([
      undefined,
      'connections',
      undefined,
    ]);
  });

  test('takes no harm from one who leaves and was never in', () => {
    const limits = limitsOf({ maxConnections: 1 });
    limits.left('10.0.0.1');
    limits.admit('10.0.0.1');
    limits.left('10.0.0.1');
    limits.left('10.0.0.1');
    expect(admitted(limits, '10.0.0.1', 3)).toBe(1);
    const rated = limitsOf({ maxConnections: 1, rate: 1, burst: 9 });
    rated.admit('10.0.0.1');
    for (let time = 0; time < 3; time++) rated.left('10.0.0.1');
    expect(admitted(rated, '10.0.0.1', 3)).toBe(1);
  });
});

describe('an address', () => {
  test('is the same however it is written', () => {
    const limits = limitsOf({ maxConnections: 1 });
    expect(limits.admit('10.0.0.1')).toBe(undefined);
    expect(limits.admit('::ffff:10.0.0.1')).toBe('connections');
    limits.left('::ffff:a00:1');
    expect(limits.size).toBe(0);
  });

  test('of IPv6 is one with its whole /64, whatever its zone, unless told otherwise', () => {
    const limits = limitsOf({ maxConnections: 1 });
    expect([
      limits.admit('2001:db8::1%eth0'),
      limits.admit('2001:db8::ffff:0:0:2'),
      limits.admit('2001:db8:0:1::1'),
    ]).toEqual([undefined, 'connections', undefined]);
    const exact = limitsOf({ maxConnections: 1, granularity: { ipv4: 24, ipv6: 128 } });
    expect(['2001:db8::1', '2001:db8::2', '10.0.0.1', '10.0.0.9'].map((each) => exact.admit(each))).toEqual([
      undefined,
      undefined,
      undefined,
      'connections',
    ]);
  });

  test('that there is none limits nobody', () => {
    const limits = limitsOf({ maxConnections: 1, rate: 1 }, 'requests');
    for (const none of [undefined, 'unix:/run/app.sock', '']) {
      expect([admitted(limits, none, 5), allowed(limits, none, 5)]).toEqual([5, 5]);
      limits.left(none);
      limits.adopt(none);
    }
    expect(limits.size).toBe(0);
  });
});

describe('the rate', () => {
  test('permits a burst, and then so many a second', async () => {
    const clock = new VirtualClock();
    const limits = limitsOf({ rate: 10, burst: 3 }, 'connections', clock);
    expect(admitted(limits, '10.0.0.1', 10)).toBe(3);
    await clock.advance(99);
    expect(limits.admit('10.0.0.1')).toBe('rate');
    await clock.advance(1);
    expect(admitted(limits, '10.0.0.1', 2)).toBe(1);
    await clock.advance(250);
    expect(admitted(limits, '10.0.0.1', 5)).toBe(2);
    await clock.advance(50);
    expect(admitted(limits, '10.0.0.1', 5)).toBe(1);
    expect(limits.refused.rate).toBe(7 + 1 + 1 + 3 + 4);
  });

  test('saves up a burst and no more', async () => {
    const clock = new VirtualClock();
    const limits = limitsOf({ rate: 10, burst: 3 }, 'connections', clock);
    admitted(limits, '10.0.0.1', 3);
    await clock.advance(1_000_000);
    expect(admitted(limits, '10.0.0.1', 10)).toBe(3);
  });

  test('is not slowed down by those who try in vain', async () => {
    const clock = new VirtualClock();
    const limits = limitsOf({ rate: 0.5 }, 'connections', clock);
    let admissions = 0;
    for (let millisecond = 0; millisecond < 20_000; millisecond++) {
      admissions += admitted(limits, '10.0.0.1', 2);
      await clock.advance(1);
    }
    expect(admissions).toBe(10);
  });

  test('does not count who has reached the limit of connections', () => {
    const limits = limitsOf({ maxConnections: 1, rate: 1, burst: 2 });
    expect(['10.0.0.1', '10.0.0.1', '10.0.0.1'].map((each) => limits.admit(each))).toEqual([
      undefined,
      'connections',
      'connections',
    ]);
    limits.left('10.0.0.1');
    expect([limits.admit('10.0.0.1'), limits.left('10.0.0.1'), limits.admit('10.0.0.1')]).toEqual([
      undefined,
      undefined,
      'rate',
    ]);
  });

  test('counts requests where those are what is rated, and connections do not cost any', () => {
    const limits = limitsOf({ rate: 1, burst: 2 }, 'requests');
    expect([admitted(limits, '10.0.0.1', 5), allowed(limits, '10.0.0.1', 5)]).toEqual([5, 2]);
    expect(limits.refused).toEqual({ connections: 0, rate: 3 });
  });

  test('counts no requests where connections are what is rated', () => {
    const limits = limitsOf({ rate: 1, burst: 2 });
    expect([allowed(limits, '10.0.0.1', 5), limits.size]).toEqual([5, 0]);
  });

  test('counts requests of a client that was never admitted, too', async () => {
    const clock = new VirtualClock();
    const limits = limitsOf({ rate: 1, burst: 1 }, 'requests', clock);
    expect([allowed(limits, '10.0.0.1', 3), limits.size]).toEqual([1, 1]);
    await clock.advance(1000);
    expect(allowed(limits, '10.0.0.1', 3)).toBe(1);
  });

  test('works when the clock has gone beyond what 32 bits hold', async () => {
    const clock = new VirtualClock();
    await clock.advance(2 ** 31 - 500);
    const limits = limitsOf({ rate: 1, burst: 2 }, 'connections', clock);
    expect(admitted(limits, '10.0.0.1', 5)).toBe(2);
    await clock.advance(1000);
    expect(admitted(limits, '10.0.0.1', 5)).toBe(1);
    await clock.advance(2 ** 32 - 1000);
    expect(admitted(limits, '10.0.0.1', 5)).toBe(2);
  });
});

describe('memory', () => {
  test('holds all that have connections, and of the others as many as were last seen', () => {
    const limits = limitsOf({ rate: 1, burst: 5, maxEntries: 10 });
    for (let number = 0; number < 100; number++) limits.admit(address(number));
    expect(limits.size).toBe(100);
    for (let number = 0; number < 100; number++) limits.left(address(number));
    for (let number = 100; number < 200; number++) {
      limits.admit(address(number));
      limits.left(address(number));
    }
    expect(limits.size).toBe(10);
  });

  test('holds no more of those that only make requests', () => {
    const limits = limitsOf({ rate: 1, burst: 5, maxEntries: 10 }, 'requests');
    for (let number = 0; number < 100; number++) limits.allow(address(number));
    expect(limits.size).toBe(10);
  });

  test('gives up, as others come, those whose bucket is full again', async () => {
    const clock = new VirtualClock();
    const limits = limitsOf({ rate: 1, burst: 5 }, 'connections', clock);
    for (let number = 0; number < 100; number++) {
      limits.admit(address(number));
      limits.left(address(number));
    }
    expect(limits.size).toBe(100);
    await clock.advance(1000);
    for (let number = 100; number < 150; number++) limits.admit(address(number));
    expect(limits.size).toBe(50);
  });

  test('sets no timer', () => {
    const clock = new VirtualClock();
    admitted(limitsOf({ rate: 1, burst: 5, maxConnections: 2 }, 'connections', clock), '10.0.0.1', 9);
    expect(clock.pending).toBe(0);
  });
});

describe('one client with many addresses', () => {
  test('cannot have its connections forgotten', () => {
    const limits = limitsOf({ maxConnections: 3, rate: 1000, maxEntries: 10 });
    expect(admitted(limits, '10.255.0.1', 9)).toBe(3);
    for (let number = 0; number < 1000; number++) limits.admit(address(number));
    for (let number = 0; number < 1000; number++) limits.left(address(number));
    expect(admitted(limits, '10.255.0.1', 9)).toBe(0);
  });

  test('cannot have connections forgotten by coming back before', () => {
    const limits = limitsOf({ maxConnections: 3, rate: 0.001, burst: 100, maxEntries: 10 });
    limits.admit('10.255.0.1');
    limits.left('10.255.0.1');
    expect(admitted(limits, '10.255.0.1', 9)).toBe(3);
    for (let number = 0; number < 100; number++) {
      limits.admit(address(number));
      limits.left(address(number));
    }
    expect(admitted(limits, '10.255.0.1', 9)).toBe(0);
  });

  test('cannot have an empty bucket forgotten while it goes on trying', () => {
    const limits = limitsOf({ rate: 0.001, burst: 3, maxEntries: 10 });
    admitted(limits, '10.255.0.1', 3);
    for (let time = 0; time < 3; time++) limits.left('10.255.0.1');
    for (let number = 0; number < 1000; number++) {
      limits.admit(address(number));
      limits.left(address(number));
      if (number % 8 === 0) expect(limits.admit('10.255.0.1')).toBe('rate');
    }
  });

  test('needs as many other addresses as are remembered, and silence', () => {
    const limits = limitsOf({ rate: 0.001, burst: 1, maxEntries: 10 });
    const visit = (each: string): string | undefined => {
      const limit = limits.admit(each);
      if (limit === undefined) limits.left(each);
      return limit;
    };
    visit('10.255.0.1');
    for (let number = 0; number < 9; number++) visit(address(number));
    expect(visit('10.255.0.1')).toBe('rate');
    for (let number = 100; number < 110; number++) visit(address(number));
    expect(visit('10.255.0.1')).toBe(undefined);
  });
});

describe('other limits', () => {
  test('apply to those who are there, with what they have', () => {
    const limits = limitsOf({ maxConnections: 3 });
    expect(admitted(limits, '10.0.0.1', 2)).toBe(2);
    expect(limits.adopts(readClientLimits({ maxConnections: 1 }, ''))).toBe(true);
    expect([limits.admit('10.0.0.1'), limits.settings.maxConnections]).toEqual(['connections', 1]);
    limits.left('10.0.0.1');
    limits.left('10.0.0.1');
    expect(admitted(limits, '10.0.0.1', 2)).toBe(1);
  });

  test('of a larger or smaller burst begin with what is left', () => {
    const limits = limitsOf({ rate: 1, burst: 5 });
    expect(admitted(limits, '10.0.0.1', 2)).toBe(2);
    limits.adopts(readClientLimits({ rate: 1, burst: 2 }, ''));
    expect(admitted(limits, '10.0.0.1', 9)).toBe(2);
  });

  test('for other blocks of addresses begin anew, and count who is there already', () => {
    const limits = limitsOf({ maxConnections: 1 });
    const other = readClientLimits({ maxConnections: 1, granularity: { ipv4: 24 } }, '');
    expect([limits.adopts(other), limits.settings.ipv4]).toEqual([false, 32]);
    const anew = new ClientLimits(other, 'connections', { clock: new VirtualClock(), random: seededRandom(1) });
    anew.adopt('10.0.0.1');
    anew.adopt('10.0.0.2');
    expect(anew.admit('10.0.0.3')).toBe('connections');
    anew.left('10.0.0.1');
    expect(anew.admit('10.0.0.3')).toBe('connections');
    anew.left('10.0.0.2');
    expect(anew.admit('10.0.0.3')).toBe(undefined);
  });

  test('of fewer entries are reached as others come', () => {
    const limits = limitsOf({ rate: 0.001, burst: 2, maxEntries: 100 });
    const visit = (number: number): void => {
      limits.admit(address(number));
      limits.left(address(number));
    };
    for (let number = 0; number < 100; number++) visit(number);
    limits.adopts(readClientLimits({ rate: 0.001, burst: 2, maxEntries: 10 }, ''));
    for (let number = 100; number < 250; number++) visit(number);
    expect(limits.size).toBe(10);
  });
});

/** Clients with connections and whole buckets: no bound, no blocks, thousandths as exact as can be. */
class PlainLimits {
  readonly clients = new Map<string, { connections: number; tokens: number; at: number }>();
  readonly #spec: Required<Pick<ClientLimitsSpec, 'maxConnections' | 'rate' | 'burst'>> & {
    maxConnections: number;
    rate: number;
    burst: number;
  };

  constructor(spec: { maxConnections: number; rate: number; burst: number }) {
    this.#spec = spec;
  }

  admit(client: string, now: number): string | undefined {
    const { maxConnections, rate, burst } = this.#spec;
    const state = this.clients.get(client) ?? { connections: 0, tokens: 1000 * burst, at: now };
    this.clients.set(client, state);
    if (state.connections >= maxConnections) return 'connections';
    state.tokens = Math.min(1000 * burst, state.tokens + rate * (now - state.at));
    state.at = now;
    if (state.tokens < 1000) return 'rate';
    state.tokens -= 1000;
    state.connections++;
    return undefined;
  }
}

test('decides as a Map with whole buckets does', async () => {
  const spec = fc.record({
    maxConnections: fc.integer({ min: 1, max: 4 }),
    rate: fc.integer({ min: 1, max: 30 }),
    burst: fc.integer({ min: 1, max: 5 }),
  });
  const step = fc.record({
    client: fc.nat(5),
    leaves: fc.boolean(),
    wait: fc.constantFrom(0, 0, 0, 1, 10, 33, 100, 500, 5000),
  });
  await fc.assert(
    fc.asyncProperty(spec, fc.array(step, { maxLength: 80 }), async (settings, steps) => {
      const clock = new VirtualClock();
      const limits = limitsOf(settings, 'connections', clock);
      const plain = new PlainLimits(settings);
      for (const { client, leaves, wait } of steps) {
        const each = address(client);
        const state = plain.clients.get(each);
        if (leaves && state !== undefined && state.connections > 0) {
          state.connections--;
          limits.left(each);
        } else {
          expect(limits.admit(each)).toBe(plain.admit(each, clock.now()));
        }
        if (wait > 0) await clock.advance(wait);
      }
      for (const [each, { connections }] of plain.clients)
        for (let left = 0; left < connections; left++) limits.left(each);
      await clock.advance(5000);
      for (const each of plain.clients.keys())
        expect(admitted(limits, each, 9)).toBe(Math.min(settings.maxConnections, settings.burst));
    }),
    { seed: 1, numRuns: 500 },
  );
});
