import { describe, expect, test } from 'vitest';
import { readBalancer } from '../../src/core/balancer-spec.ts';
import { createPool } from '../../src/core/create-pool.ts';
import { createVip } from '../../src/core/create-vip.ts';
import type { KeepAliveSpec } from '../../src/core/keep-alive-spec.ts';
import { memberOf, refusalOf, spec, take } from '../fixtures/core.ts';

const poolWith = (keepAlive: KeepAliveSpec | null = null) =>
  createPool({ name: 'web', members: [spec('a')], keepAlive });

const defaults = { idleTimeout: 4000, maxIdle: 256, maxAge: 300_000 };
const durationExpected = 'milliseconds from 0 to 2147483647';
const countExpected = 'an integer from 0 to 2147483647';

describe("a pool's keepAlive", () => {
  test('has defaults', () => {
    const unnamed = createPool({ name: 'web' });
    expect([unnamed, poolWith(null), poolWith({})].map(({ keepAlive }) => keepAlive)).toEqual(Array(3).fill(defaults));
  });

  test('keeps the defaults of what is not named, or null', () => {
    expect(poolWith({ maxIdle: 3, maxAge: null }).keepAlive).toEqual({ ...defaults, maxIdle: 3 });
  });

  test('takes the ends of every range', () => {
    const ends = [0, 2_147_483_647].map((end) => ({ idleTimeout: end, maxIdle: end, maxAge: end }));
    expect(ends.map((end) => poolWith(end).keepAlive)).toEqual(ends);
  });

  test('cannot be changed behind its back', () => {
    const { keepAlive } = poolWith({ maxIdle: 3 });
    expect([Object.isFrozen(keepAlive), Object.isFrozen(poolWith().keepAlive)]).toEqual([true, true]);
  });

  for (const [field, value, expected] of [
    ['idleTimeout', -1, durationExpected],
    ['idleTimeout', 2 ** 31, durationExpected],
    ['idleTimeout', '5s', durationExpected],
    ['idleTimeout', Number.NaN, durationExpected],
    ['maxIdle', -1, countExpected],
    ['maxIdle', 1.5, countExpected],
    ['maxIdle', 2 ** 31, countExpected],
    ['maxIdle', true, countExpected],
    ['maxAge', -1, durationExpected],
    ['maxAge', Number.POSITIVE_INFINITY, durationExpected],
    ['max', 1, 'no such field; there are idleTimeout, maxIdle, maxAge'],
  ] as const) {
    test(`refuses a ${field} of ${String(value)}`, () => {
      expect(refusalOf(() => poolWith({ [field]: value }))).toEqual({ path: `keepAlive.${field}`, value, expected });
    });
  }

  test('refuses what is no object', () => {
    expect(refusalOf(() => poolWith(true as unknown as KeepAliveSpec))).toEqual({
      path: 'keepAlive',
      value: true,
      expected: 'an object',
    });
  });

  test('is refused by its whole path', () => {
    const bad = { keepAlive: { maxIdle: -1 } };
    const paths = [
      () => createVip({ address: '127.0.0.1', port: 80, protocol: 'http', pool: bad }),
      () => readBalancer({ pools: [{ name: 'a' }, { name: 'b', ...bad }] }),
      () => readBalancer({ vips: [{ address: '127.0.0.1', port: 80, protocol: 'http', pool: bad }] }),
    ].map((action) => refusalOf(action).path);
    expect(paths).toEqual(['pool.keepAlive.maxIdle', 'pools[1].keepAlive.maxIdle', 'vips[0].pool.keepAlive.maxIdle']);
  });

  test('may be that of a pool for any protocol', () => {
    const pool = { keepAlive: { maxIdle: 0 } };
    expect(createVip({ address: '127.0.0.1', port: 80, protocol: 'tcp', pool }).pool.keepAlive.maxIdle).toBe(0);
  });
});

describe("an update of a pool's keepAlive", () => {
  test('changes what is named and keeps the rest', () => {
    const pool = poolWith({ idleTimeout: 1, maxIdle: 2, maxAge: 3 });
    pool.update({ keepAlive: { maxIdle: 9 } });
    expect(pool.keepAlive).toEqual({ idleTimeout: 1, maxIdle: 9, maxAge: 3 });
  });

  test('takes null within it for the default of that one', () => {
    const pool = poolWith({ idleTimeout: 1, maxIdle: 2, maxAge: 3 });
    pool.update({ keepAlive: { maxIdle: null } });
    expect(pool.keepAlive).toEqual({ idleTimeout: 1, maxIdle: 256, maxAge: 3 });
  });

  test('takes null for all defaults', () => {
    const pool = poolWith({ idleTimeout: 1, maxIdle: 2, maxAge: 3 });
    pool.update({ keepAlive: null });
    expect(pool.keepAlive).toEqual(defaults);
  });

  test('that speaks of something else leaves it', () => {
    const pool = poolWith({ maxIdle: 2 });
    const before = pool.keepAlive;
    pool.update({ strategy: 'random', members: [spec('b')] });
    expect(pool.keepAlive).toBe(before);
  });

  test('with a bad value anywhere changes nothing', () => {
    const pool = poolWith({ maxIdle: 2 });
    const refused = [
      refusalOf(() => pool.update({ keepAlive: { maxIdle: 7, maxAge: -1 } })).path,
      refusalOf(() => pool.update({ keepAlive: { maxIdle: 7 }, members: 5 as never })).path,
    ];
    expect([refused, pool.keepAlive.maxIdle]).toEqual([['keepAlive.maxAge', 'members'], 2]);
  });

  test('is told to nobody, and leaves members their clients', () => {
    const pool = poolWith();
    const heard: string[] = [];
    pool.on('member-status', () => heard.push('member-status'));
    pool.on('status', () => heard.push('status'));
    const lease = take(pool);
    pool.update({ keepAlive: { maxIdle: 0 } });
    expect([heard, memberOf(pool, 'a') === lease.member, lease.member.stats.activeConnections]).toEqual([[], true, 1]);
  });
});
