import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import { seededRandom } from '../../src/core/random.ts';
import { type HashKey, keyOrAddress, readHashKey } from '../../src/strategies/hash-key.ts';
import { maglev } from '../../src/strategies/maglev.ts';
import { rendezvous } from '../../src/strategies/rendezvous.ts';
import { ringHash } from '../../src/strategies/ring-hash.ts';
import type { PickRequest } from '../../src/strategies/strategy.ts';
import { equal, makePool, refusalOf, tally, thrownBy, visit, visits } from '../fixtures/core.ts';
import { request } from '../fixtures/hash-request.ts';

const browser = request({
  clientAddress: '192.0.2.7',
  clientPort: 5000,
  key: 'tenant-4',
  path: '/cart',
  header: (name) => ({ 'x-user': 'ada', cookie: 'theme=dark; sid=42' })[name],
});

describe('what a client is placed by', () => {
  for (const [key, text] of [
    ['source-ip', '192.0.2.7'],
    ['source-ip-port', '192.0.2.7:5000'],
    ['path', '/cart'],
    [{ header: 'X-User' }, 'ada'],
    [{ header: 'x-user', cookie: null }, 'ada'],
    [{ cookie: 'sid' }, '42'],
    [{ header: 'x-tenant' }, undefined],
    [{ cookie: 'SID' }, undefined],
    [({ clientPort }: PickRequest) => `port ${clientPort}`, 'port 5000'],
    [() => undefined, undefined],
    [() => null, undefined],
  ] as const) {
    test(`${typeof key === 'function' ? key : JSON.stringify(key)}`, () => {
      expect(readHashKey(key, 'key')(browser)).toBe(text);
    });
  }

  test('an IPv6 address and its port', () => {
    expect(readHashKey('source-ip-port', 'key')(request({ clientAddress: '2001:db8::1', clientPort: 5000 }))).toBe(
      '[2001:db8::1]:5000',
    );
  });

  test('an address without a port', () => {
    expect(readHashKey('source-ip-port', 'key')(request({ clientAddress: '192.0.2.7' }))).toBe('192.0.2.7');
  });

  test('a cookie of a request without any', () => {
    expect(readHashKey({ cookie: 'sid' }, 'key')(request({}))).toBe(undefined);
  });

  test('by default its key, else its address', () => {
    const { clientAddress } = browser;
    expect([keyOrAddress(browser), keyOrAddress(request({ clientAddress })), keyOrAddress(request({}))]).toEqual([
      'tenant-4',
      '192.0.2.7',
      undefined,
    ]);
  });
});

describe('a key that is none is refused', () => {
  for (const key of ['destination', 7, true, {}, [], { header: 'a', cookie: 'b' }]) {
    test(JSON.stringify(key), () => {
      expect(refusalOf(() => readHashKey(key, 'key')).path).toBe('key');
    });
  }

  for (const [key, path] of [
    [{ header: 'x user' }, 'key.header'],
    [{ header: '' }, 'key.header'],
    [{ cookie: 'a;b' }, 'key.cookie'],
    [{ cookie: 3 }, 'key.cookie'],
    [{ query: 'q' }, 'key.query'],
  ] as const) {
    test(JSON.stringify(key), () => {
      expect(refusalOf(() => readHashKey(key, 'key')).path).toBe(path);
    });
  }
});

for (const [name, strategyOf] of Object.entries({ 'ring-hash': ringHash, maglev, rendezvous })) {
  describe(name, () => {
    const poolBy = (key: HashKey | null, seed = 1) =>
      makePool({ strategy: strategyOf({ key }), members: equal(20) }, { random: seededRandom(seed) });
    const numbers = Array.from({ length: 100 }, (_, number) => number);

    for (const [key, acquire] of [
      ['source-ip', (value: string) => ({ clientAddress: value })],
      ['path', (value: string) => ({ path: `/${value}` })],
      [
        { header: 'x-user' },
        (value: string) => ({ header: (name: string) => (name === 'x-user' ? value : undefined) }),
      ],
      [{ cookie: 'sid' }, (value: string) => ({ header: (name: string) => (name === 'cookie' ? `sid=${value}` : '') })],
      [null, (value: string) => ({ key: value })],
    ] as const) {
      test(`keeps a client by ${JSON.stringify(key)}, and spreads clients`, () => {
        const pool = poolBy(key);
        const once = numbers.map((number) => visit(pool, acquire(`u${number}`)));
        const again = numbers.map((number) => visit(pool, { ...acquire(`u${number}`), clientPort: number }));
        expect(again).toEqual(once);
        expect(new Set(once).size).toBeGreaterThan(15);
      });
    }

    for (const [what, acquire] of [
      ['no key', {}],
      ['an empty key', { key: '' }],
    ] as const) {
      test(`places clients with ${what} by chance`, () => {
        const ids = visits(poolBy(null), 2000, () => acquire);
        expect(Object.keys(tally(ids)).length).toBe(20);
        expect(visits(poolBy(null), 2000, () => acquire)).toEqual(ids);
        expect(visits(poolBy(null, 2), 2000, () => acquire)).not.toEqual(ids);
      });
    }

    test('throws out of acquire what a key function throws', () => {
      const cause = new Error('no tenant');
      const pool = poolBy(() => {
        throw cause;
      });
      expect(thrownBy(() => pool.acquire())).toBe(cause);
    });

    test('refuses what a key function returns where it is no text', () => {
      // @ts-expect-error: a mistake that JavaScript lets pass
      const pool = poolBy(({ clientPort }) => clientPort);
      expect(refusalOf(() => pool.acquire({ clientPort: 80 }))).toMatchObject({ path: 'key', value: 80 });
    });

    test('tells by what hash it places a client', () => {
      const picker = strategyOf().prepare(poolBy(null).members, undefined, {
        random: () => 0,
        clock: new VirtualClock(),
      });
      const hashes = numbers.map((number) => picker.hashOf?.(request({ key: `u${number}` })));
      expect(hashes).toEqual(numbers.map((number) => picker.hashOf?.(request({ key: `u${number}` }))));
      expect(new Set(hashes.map((hash) => (hash as number) % 100)).size).toBeGreaterThan(50);
      expect(hashes.filter((hash) => hash === undefined || hash !== hash >>> 0)).toEqual([]);
      expect(picker.hashOf?.(request({}))).toBe(undefined);
    });
  });
}
