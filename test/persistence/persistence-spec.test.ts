import { describe, expect, test } from 'vitest';
import type { Persistence } from '../../src/persistence/persistence.ts';
import { isSamePersistence, readPersistence } from '../../src/persistence/persistence-spec.ts';
import { refusalOf } from '../fixtures/core.ts';

const own: Persistence = { name: 'mine', start: () => ({ find: () => undefined, keep: () => {} }) };
const read = (spec: unknown): Persistence => readPersistence(spec, 'pool.persistence');

describe('a persistence is', () => {
  test.each([
    [{ type: 'source-ip', timeout: 600_000 }],
    [{ type: 'http-cookie', name: 'route' }],
    [{ type: 'app-cookie', name: 'JSESSIONID' }],
  ])('a built-in one, %j', (spec) => {
    expect(read(spec).name).toBe(spec.type);
  });

  test("one of the user's, as it is", () => {
    expect(read(own)).toBe(own);
  });
});

describe('what is none is refused', () => {
  const expected =
    "an object with type 'source-ip', 'http-cookie' or 'app-cookie', or a persistence (with a name and a start function)";

  test.each([['source-ip'], [null], [5], [{}], [{ name: 'mine' }], [{ start: own.start }]])('%j', (value) => {
    expect(refusalOf(() => read(value))).toEqual({ path: 'pool.persistence', value, expected });
  });

  test('an unknown type', () => {
    const refusal = refusalOf(() => read({ type: 'SOURCE_IP' }));
    expect(refusal).toEqual({
      path: 'pool.persistence.type',
      value: 'SOURCE_IP',
      expected: "'source-ip', 'http-cookie' or 'app-cookie'",
    });
  });

  test('a name that would forge a log line', () => {
    expect(refusalOf(() => read({ ...own, name: 'a\nb' })).path).toBe('pool.persistence.name');
  });

  test.each([
    [{ type: 'source-ip', timeout: 1 }, 'pool.persistence.timeout'],
    [{ type: 'source-ip', granularity: { ipv4: 0 } }, 'pool.persistence.granularity.ipv4'],
    [{ type: 'source-ip', name: 'SRV' }, 'pool.persistence.name'],
    [{ type: 'http-cookie', secret: 'x' }, 'pool.persistence.secret'],
    [{ type: 'http-cookie', sameSite: 'none' }, 'pool.persistence.secure'],
    [{ type: 'app-cookie' }, 'pool.persistence.name'],
  ])('a bad setting: %j', (spec, path) => {
    expect(refusalOf(() => read(spec)).path).toBe(path);
  });
});

describe('two persistences are the same', () => {
  test.each([
    [{ type: 'source-ip' }, { type: 'source-ip', timeout: 1_800_000, granularity: { ipv4: 32 } }],
    [{ type: 'http-cookie', path: '/' }, { type: 'http-cookie' }],
    [
      { type: 'app-cookie', name: 'a' },
      { type: 'app-cookie', name: 'a', timeout: null },
    ],
  ])('where they say the same: %j and %j', (one, other) => {
    expect(isSamePersistence(read(one), read(other))).toBe(true);
  });

  test.each([
    [{ type: 'source-ip' }, { type: 'source-ip', timeout: 1000 }],
    [{ type: 'source-ip' }, { type: 'http-cookie' }],
    [{ type: 'http-cookie' }, { type: 'http-cookie', secret: 'sixteen characters' }],
    [{ type: 'http-cookie' }, { type: 'http-cookie', secure: true }],
    [
      { type: 'app-cookie', name: 'a' },
      { type: 'app-cookie', name: 'b' },
    ],
    [{ type: 'source-ip' }, own],
    [{ ...own }, own],
  ])('and not where they do not: %j and %j', (one, other) => {
    expect(isSamePersistence(read(one), read(other))).toBe(false);
  });

  test('where there is none, or it is the very same', () => {
    expect([
      isSamePersistence(undefined, undefined),
      isSamePersistence(own, own),
      isSamePersistence(own, undefined),
    ]).toEqual([true, true, false]);
    expect(isSamePersistence(undefined, read({ type: 'source-ip' }))).toBe(false);
  });
});
