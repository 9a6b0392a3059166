import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import { type RingHashOptions, ringHash } from '../../src/strategies/ring-hash.ts';
import { makePool, refusalOf, visit } from '../fixtures/core.ts';
import { request } from '../fixtures/hash-request.ts';

// The rings themselves are tested in hash/, what ring-hash has in common with other strategies in hash-strategies.test.ts.

const members = Array.from({ length: 6 }, (_, index) => `127.0.0.1:${90 + index}`);

function memberFor(key: string, options: RingHashOptions): string {
  return visit(makePool({ strategy: ringHash(options), members }), { key });
}

/**
 * The lower half of no hash matters here: by Envoy's vectors xxHash64 of "lyft" is 4400747396090729504, of "foo"
 * 3728699739546630719.
 */
test('a key is hashed by xxHash64 and looked up in a ring of addresses and ports, as in Envoy', () => {
  const options = { minRingSize: 12 };
  expect([memberFor('foo', options), memberFor('lyft', options)]).toEqual(['127.0.0.1:93', '127.0.0.1:91']);
});

test("keys are hashed by xxHash64 for Envoy's Murmur ring, too", () => {
  const ports = Array.from({ length: 6 }, (_, index) => `127.0.0.1:${80 + index}`);
  const pool = makePool({ strategy: ringHash({ minRingSize: 12, hash: 'murmur-2' }), members: ports });
  expect([visit(pool, { key: 'foo' }), visit(pool, { key: 'lyft' })]).toEqual(['127.0.0.1:83', '127.0.0.1:84']);
});

test('with ketama placement a key is hashed by CRC-32, as in nginx', () => {
  const pool = makePool({ strategy: ringHash({ placement: 'ketama' }), members: ['127.0.0.1:7777', '127.0.0.1:7778'] });
  expect([visit(pool, { key: '/g' }), visit(pool, { key: '/some/path' })]).toEqual([
    '127.0.0.1:7777',
    '127.0.0.1:7778',
  ]);
});

test('with ketama placement the hash that is told is the CRC-32', () => {
  const pool = makePool({ members });
  const context = { random: () => 0, clock: new VirtualClock() };
  const picker = ringHash({ placement: 'ketama' }).prepare(pool.members, undefined, context);
  expect(picker.hashOf?.(request({ key: '123456789' }))).toBe(0xcbf43926);
});

test('a pool can name it, with every default', () => {
  const pool = makePool({ strategy: 'ring-hash', members });
  expect(pool.strategy.name).toBe('ring-hash');
  expect(visit(pool, { key: 'foo' })).toBe(memberFor('foo', { minRingSize: 1024, maxRingSize: null, hash: null }));
});

test('a small maxRingSize lowers the default of minRingSize with it', () => {
  expect(memberFor('foo', { maxRingSize: 12 })).toBe('127.0.0.1:93');
});

describe('what makes no sense is refused', () => {
  for (const [options, path] of [
    [{ minRingSize: 20, maxRingSize: 10 }, 'minRingSize'],
    [{ minRingSize: 0 }, 'minRingSize'],
    [{ maxRingSize: 8_388_609 }, 'maxRingSize'],
    [{ maxRingSize: 1.5 }, 'maxRingSize'],
    [{ placement: 'libketama' }, 'placement'],
    [{ hash: 'md5' }, 'hash'],
    [{ placement: 'ketama', hash: 'murmur-2' }, 'hash'],
    [{ placement: 'ketama', minRingSize: 1024 }, 'minRingSize'],
    [{ maxLoadFactor: 99 }, 'maxLoadFactor'],
    [{ maxLoadFactor: '150' }, 'maxLoadFactor'],
    [{ key: 'uri' }, 'key'],
    [{ points: 100 }, 'points'],
  ] as const) {
    test(JSON.stringify(options), () => {
      expect(refusalOf(() => ringHash(options as RingHashOptions)).path).toBe(path);
    });
  }
});
