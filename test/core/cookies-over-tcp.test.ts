import { describe, expect, test } from 'vitest';
import type { Attachment } from '../../src/core/attachment.ts';
import { Balancer } from '../../src/core/balancer.ts';
import { createVip } from '../../src/core/create-vip.ts';
import { SpecError } from '../../src/core/errors.ts';
import type { PoolSpec } from '../../src/core/pool-spec.ts';
import type { VipSpec } from '../../src/core/vip-spec.ts';
import type { Persistence, PersistenceTable } from '../../src/persistence/persistence.ts';
import { deferred, makePool, refusalOf, rejectionOf, settled } from '../fixtures/core.ts';

const httpCookie = { type: 'http-cookie' } as const;
const cookies: PoolSpec = { persistence: httpCookie };

function vip(protocol: 'tcp' | 'http', pool: PoolSpec | string, port = 80): VipSpec {
  return { name: `${protocol} ${port}`, address: '10.0.0.1', port, protocol, pool };
}

const table: PersistenceTable = { find: () => undefined, keep: () => {} };
const own: Persistence = { name: 'own', needsHttp: true, start: () => table };
const kinds = [
  ['http-cookie', httpCookie],
  ['app-cookie', { type: 'app-cookie', name: 'sid' }],
  ['own', own],
] as const;

describe('a pool that a virtual IP of TCP leads to', () => {
  test.each(kinds)('cannot have %s', (name, persistence) => {
    expect(refusalOf(() => createVip(vip('tcp', { persistence })))).toMatchObject({
      path: 'pool.persistence',
      value: name,
      expected: expect.stringContaining("'source-ip'"),
    });
    expect(createVip(vip('http', { persistence })).pool.persistence?.name).toBe(name);
  });

  test('can have source-ip, and one of the user’s that does not say that it needs HTTP', () => {
    for (const persistence of [{ type: 'source-ip' } as const, { name: 'any', start: () => table }])
      expect(createVip(vip('tcp', { persistence })).pool.persistence).toBeDefined();
  });

  test('cannot get one by an update, of which nothing takes effect', () => {
    const { pool } = createVip(vip('tcp', {}));
    expect(refusalOf(() => pool.update({ persistence: httpCookie, strategy: 'first' }))).toMatchObject({
      path: 'persistence',
      value: 'http-cookie',
    });
    expect([pool.persistence, pool.strategy.name]).toEqual([undefined, 'round-robin']);
  });

  test('cannot be one to which routes lead by name', () => {
    const sniRouting = [{ serverNames: ['a.example'], pool: cookies }];
    expect(refusalOf(() => createVip({ ...vip('tcp', {}), sniRouting }))).toMatchObject({
      path: 'sniRouting[0].pool.persistence',
    });
    const created = createVip({ ...vip('tcp', {}), sniRouting: [{ serverNames: ['a.example'], pool: {} }] });
    const [, routed] = created.pools;
    expect(() => routed?.update({ persistence: httpCookie })).toThrow(SpecError);
  });
});

describe('a balancer', () => {
  test('refuses a virtual IP of TCP for a pool with cookies, its own or one that there is', () => {
    const balancer = new Balancer();
    balancer.createPool({ name: 'cookies', ...cookies });
    for (const pool of ['cookies', { name: 'new', ...cookies }])
      expect(refusalOf(() => balancer.createVip(vip('tcp', pool)))).toMatchObject({ path: 'pool.persistence' });
    expect([balancer.vips.size, balancer.pools.size]).toEqual([0, 1]);
    expect(balancer.createVip(vip('http', 'cookies')).pool.name).toBe('cookies');
  });

  test('lets a pool have cookies once the last virtual IP of TCP does not lead there any more', async () => {
    const balancer = new Balancer();
    const pool = balancer.createPool({ name: 'pool' });
    balancer.createVip(vip('tcp', 'pool', 1));
    balancer.createVip(vip('tcp', 'pool', 2));
    balancer.createVip(vip('http', 'pool', 3));
    balancer.removeVip('tcp 1');
    expect(() => pool.update(cookies)).toThrow(SpecError);
    await balancer.apply({
      pools: [{ name: 'pool' }, { name: 'other' }],
      vips: [vip('tcp', 'other', 2), vip('http', 'pool', 3)],
    });
    pool.update(cookies);
    expect(pool.persistence?.name).toBe('http-cookie');
    expect(() => balancer.pools.get('other')?.update(cookies)).toThrow(SpecError);
  });

  test.each([
    ['a new pool', [], { pools: [], vips: [vip('tcp', { name: 'pool', ...cookies })] }],
    ['a pool by its name', [], { pools: [{ name: 'pool', ...cookies }], vips: [vip('tcp', 'pool')] }],
    [
      'a pool that gets them',
      [vip('tcp', 'pool')],
      { pools: [{ name: 'pool', ...cookies }], vips: [vip('tcp', 'pool')] },
    ],
  ])('refuses a whole state in which one leads to %s', async (_what, before, after) => {
    const balancer = new Balancer();
    await balancer.apply({ pools: [{ name: 'pool' }], vips: before });
    const error = await rejectionOf(balancer.apply({ ...after, pools: [...after.pools, { name: 'further' }] }));
    expect(error).toMatchObject({ path: 'vips[0].pool.persistence', value: 'http-cookie' });
    expect([...balancer.pools.keys(), ...balancer.vips.keys()]).toEqual(['pool', ...before.map(({ name }) => name)]);
    // And nobody thinks that one leads there.
    if (before.length === 0) balancer.pools.get('pool')?.update(cookies);
  });

  test('takes a state in which a pool gets cookies as the virtual IP of TCP goes, and the other way round', async () => {
    const balancer = new Balancer();
    await balancer.apply({ pools: [{ name: 'pool' }], vips: [vip('tcp', 'pool')] });
    await balancer.apply({ pools: [{ name: 'pool', ...cookies }], vips: [vip('http', 'pool')] });
    expect(balancer.pools.get('pool')?.persistence?.name).toBe('http-cookie');
    await balancer.apply({ pools: [{ name: 'pool' }], vips: [vip('tcp', 'pool')] });
    expect(() => balancer.pools.get('pool')?.update(cookies)).toThrow(SpecError);
  });

  test('refuses a state that does not fit a virtual IP which somebody has created in the meantime', async () => {
    const balancer = new Balancer();
    await balancer.apply({ pools: [{ name: 'pool' }] });
    const hold = deferred();
    let isBinding = false;
    const attachment: Attachment = {
      prepare: async () => {
        if (isBinding) await hold.promise;
        return { commit: () => {}, cancel: () => {} };
      },
      failed: () => {},
    };
    await balancer.attach(attachment);
    isBinding = true;
    const applied = rejectionOf(balancer.apply({ pools: [{ name: 'pool', ...cookies }], vips: [vip('http', 'pool')] }));
    await settled();
    balancer.createVip(vip('tcp', 'pool', 81));
    hold.resolve();
    expect(await applied).toBeInstanceOf(SpecError);
    expect([balancer.pools.get('pool')?.persistence, ...balancer.vips.keys()]).toEqual([undefined, 'tcp 81']);
  });

  test('tells of a persistence that does not start, and keeps the one that there was', async () => {
    const balancer = new Balancer();
    await balancer.apply({ pools: [{ name: 'one', ...cookies }, { name: 'two' }] });
    const errors: string[] = [];
    balancer.pools.get('one')?.on('persistence-error', ({ message }) => errors.push(message));
    const start = (): never => {
      throw new Error('no store');
    };
    const broken = { name: 'broken', start };
    const changed = { strategy: 'first' } as const;
    await balancer.apply({
      pools: [
        { name: 'one', persistence: broken, ...changed },
        { name: 'two', ...changed },
      ],
    });
    expect(errors).toEqual(['the persistence did not start']);
    const pools = [...balancer.pools.values()].map(({ persistence, strategy }) => [persistence?.name, strategy.name]);
    expect(pools).toEqual([
      ['http-cookie', 'first'],
      [undefined, 'first'],
    ]);
  });

  test('reports what pools remember', () => {
    const balancer = new Balancer();
    const pool = balancer.createPool({ name: 'a', persistence: { type: 'source-ip' }, members: ['10.0.0.1:80'] });
    balancer.createPool({ name: 'b', ...cookies });
    balancer.createPool({ name: 'c' });
    for (let time = 0; time < 3; time++) pool.acquire({ clientAddress: '10.0.0.9' });
    expect(balancer.statusTree().pools.map(({ persistence }) => persistence)).toEqual([
      { name: 'source-ip', size: 1, evicted: 0 },
      { name: 'http-cookie', size: null, evicted: null },
      null,
    ]);
    expect(balancer.stats().pools.map(({ persistence }) => persistence)).toEqual([
      { name: 'source-ip', size: 1, evicted: 0, kept: 2, moved: 0 },
      { name: 'http-cookie', size: null, evicted: null, kept: 0, moved: 0 },
      null,
    ]);
  });
});

test('whether a persistence needs HTTP is a boolean', () => {
  const odd = { ...own, needsHttp: 'yes' } as unknown as Persistence;
  expect(refusalOf(() => makePool({ persistence: odd }))).toMatchObject({ path: 'persistence.needsHttp' });
});
