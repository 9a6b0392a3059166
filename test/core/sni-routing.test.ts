import { describe, expect, test } from 'vitest';
import { Balancer } from '../../src/core/balancer.ts';
import { VirtualClock } from '../../src/core/clock.ts';
import { createVip } from '../../src/core/create-vip.ts';
import type { Pool } from '../../src/core/pool.ts';
import type { SniRouteSpec } from '../../src/core/sni-routing-spec.ts';
import type { VipSpec } from '../../src/core/vip-spec.ts';
import { FakeProbe, refusalOf, spec, thrownBy } from '../fixtures/core.ts';
import { certificate } from '../fixtures/node/certificate.ts';

const route = (serverName: string, more: Partial<SniRouteSpec> = {}): SniRouteSpec => ({
  serverNames: [serverName],
  pool: {},
  ...more,
});

const web = (sniRouting: readonly SniRouteSpec[] | null, more: Partial<VipSpec> = {}): VipSpec => ({
  name: 'web',
  address: '127.0.0.1',
  port: 443,
  pool: {},
  sniRouting,
  ...more,
});

const make = (sniRouting: readonly SniRouteSpec[] | null, more: Partial<VipSpec> = {}) =>
  createVip(web(sniRouting, more));

/** Pools that are up or down as a test says. */
function checked() {
  const clock = new VirtualClock();
  const balancer = new Balancer({ clock });
  const healthMonitor = { type: new FakeProbe(clock), maxRetries: 1, maxRetriesDown: 1 };
  const pools = ['own', 'a', 'b'].map((name) => ({ name, members: [spec(`${name}1`)], healthMonitor }));
  for (const pool of pools) balancer.createPool(pool);
  const fails = (name: string, passed = false) => {
    const found = balancer.pools.get(name) as Pool;
    for (const member of found.members) found.recordCheck(member, passed, 'told so');
  };
  return { balancer, pools, fails };
}

describe('a virtual IP with sniRouting', () => {
  test('leads each name to its pool, and all others to its own', () => {
    const vip = make([route('A.example.', { pool: { name: 'a' } }), route('*.b.example', { pool: { name: 'b' } })]);
    const names = ['a.example', 'x.b.example', 'b.example', 'c.example', undefined];
    expect(names.map((name) => vip.poolFor(name, []).name)).toEqual(['a', 'b', 'web', 'web', 'web']);
  });

  test('leads by protocols, too', () => {
    const vip = make([
      route('a.example', { pool: { name: 'a' } }),
      route('a.example', { alpn: ['h2'], pool: { name: 'h2' } }),
    ]);
    expect([[], ['h2'], ['http/1.1']].map((alpn) => vip.poolFor('a.example', alpn).name)).toEqual(['a', 'h2', 'a']);
  });

  test('names the pools that have no name after itself and what they are for', () => {
    const vip = make([route('a.example'), route('a.example', { alpn: ['acme-tls/1'] }), route('*.b.example')]);
    expect(Array.from(vip.pools, ({ name }) => name)).toEqual([
      'web',
      'web/a.example',
      'web/a.example/acme-tls/1',
      'web/*.b.example',
    ]);
  });

  test('has none where it is null', () => {
    expect(make(null).routes).toEqual([]);
  });

  test.each<[string, unknown, string]>([
    ['sniRouting', [], 'one route at least'],
    ['sniRouting', {}, 'an array'],
    ['sniRouting[0].serverNames', undefined, 'an array'],
    ['sniRouting[0].serverNames', [], 'one name at least'],
    ['sniRouting[0].alpn', [], 'one protocol at least'],
    ['sniRouting[0].pool', undefined, 'an object'],
    ['sniRouting[0].pool', 'other', 'a pool; only a virtual IP of a Balancer can name one'],
  ])('refuses a %s of %j', (path, value, expected) => {
    const field = path.split('.')[1];
    const sniRouting = field === undefined ? value : [{ ...route('a.example'), [field]: value }];
    expect(refusalOf(() => make(sniRouting as never))).toEqual({ path, value, expected });
  });

  test('refuses a name twice, and a pool that has the name of another', () => {
    expect(refusalOf(() => make([route('a.example'), route('A.example')])).path).toBe('sniRouting[1].serverNames[0]');
    const twice = [route('a.example', { pool: { name: 'x' } }), route('b.example', { pool: { name: 'x' } })];
    expect(refusalOf(() => make(twice)).path).toBe('sniRouting[1].pool.name');
    expect(refusalOf(() => make([route('a.example', { pool: { name: 'web' } })])).path).toBe('sniRouting[0].pool.name');
  });

  test('is for TCP only, and so is the time for a ClientHello', () => {
    const expected = "nothing: only a virtual IP with protocol 'tcp' has it";
    const routes = [route('a.example')];
    expect(refusalOf(() => make(routes, { protocol: 'http' }))).toMatchObject({ path: 'sniRouting', expected });
    const timeouts = { hello: 5 };
    expect(refusalOf(() => make(null, { protocol: 'http', timeouts }))).toMatchObject({
      path: 'timeouts.hello',
      expected,
    });
    expect(make(routes, { timeouts }).timeouts.hello).toBe(5);
  });

  test('ends no TLS itself, neither from the beginning nor by an update', () => {
    const tls = { certificates: [certificate] };
    const refusal = { path: 'sniRouting', value: undefined };
    expect(refusalOf(() => make([route('a.example')], { tls }))).toMatchObject(refusal);
    const vip = make([route('a.example')]);
    expect(refusalOf(() => vip.update({ tls, retries: 7 }))).toMatchObject({ path: 'tls', value: undefined });
    expect([vip.tls, vip.retries]).toEqual([undefined, 3]);
  });

  test('may come to end TLS itself, where it no longer routes', async () => {
    const balancer = new Balancer();
    await balancer.apply({ vips: [web([route('a.example')])] });
    await balancer.apply({ vips: [web(null, { tls: { certificates: [certificate] } })] });
    const vip = balancer.vips.get('web');
    expect([vip?.routes, vip?.tls === undefined]).toEqual([[], false]);
    await balancer.apply({ vips: [web([route('a.example')])] });
    expect([vip?.routes.length, vip?.tls]).toEqual([1, undefined]);
  });

  test('has a route lead a session, from its next pick on', () => {
    const vip = make([route('a.example', { pool: { members: [spec('there')] } })], {
      pool: { members: [spec('here')] },
    });
    const session = vip.admit({ address: '192.0.2.1', port: 1 }, () => {});
    if (session.refused) throw new Error('refused');
    session.next();
    expect(session.member?.id).toBe('here');
    session.route(vip.poolFor('a.example', []));
    session.next();
    expect(session.member?.id).toBe('there');
    session.leave();
  });
});

describe('in a balancer', () => {
  test('a route may name a pool that is there, or is described beside it', () => {
    const balancer = new Balancer();
    balancer.createPool({ name: 'there' });
    const vip = balancer.createVip(
      web([
        route('a.example', { pool: 'there' }),
        route('b.example', { pool: { name: 'new' } }),
        route('c.example', { pool: 'new' }),
        route('d.example', { pool: 'web' }),
      ]),
    );
    const names = ['a.example', 'b.example', 'c.example', 'd.example'];
    expect(names.map((name) => vip.poolFor(name, []).name)).toEqual(['there', 'new', 'new', 'web']);
    expect([...balancer.pools.keys()]).toEqual(['there', 'web', 'new']);
  });

  test('a virtual IP that is refused for one of its routes leaves nothing behind', () => {
    const balancer = new Balancer();
    balancer.createPool({ name: 'taken' });
    for (const pool of ['nobody', { name: 'taken' }, { healthMonitor: 5 as never }]) {
      const routes = [route('a.example'), route('b.example', { pool })];
      expect(refusalOf(() => balancer.createVip(web(routes))).path).toMatch(/^sniRouting\[1\]\.pool/);
    }
    expect([[...balancer.pools.keys()], balancer.vips.size]).toEqual([['taken'], 0]);
  });

  test('a pool that a route leads to is in use', () => {
    const balancer = new Balancer();
    balancer.createVip(web([route('a.example', { pool: { name: 'a' } })]));
    expect(thrownBy(() => balancer.removePool('a'))).toMatchObject({ code: 'ERR_EVENKEEL_IN_USE' });
    balancer.removeVip('web');
    expect(balancer.removePool('a')).toBe(true);
  });

  test('apply() keeps the pools of routes by their names, and drops those that none leads to', async () => {
    const balancer = new Balancer();
    const routed = (members: readonly string[], name = 'a.example') =>
      web([{ serverNames: [name], pool: { name: 'a', members } }]);
    await balancer.apply({ vips: [routed(['10.0.0.1:443'])] });
    const before = balancer.pools.get('a');
    const told: string[] = [];
    balancer.vips.get('web')?.on('pool-changed', () => told.push('changed'));
    await balancer.apply({ vips: [routed(['10.0.0.1:443', '10.0.0.2:443'])] });
    expect([balancer.pools.get('a') === before, before?.members.length, told]).toEqual([true, 2, []]);
    await balancer.apply({ vips: [routed(['10.0.0.1:443'], 'b.example')] });
    const vip = balancer.vips.get('web');
    expect([vip?.poolFor('a.example', []).name, vip?.poolFor('b.example', []) === before, told]).toEqual([
      'web',
      true,
      ['changed'],
    ]);
    await balancer.apply({ vips: [web(null)] });
    expect([[...balancer.pools.keys()], vip?.routes, told.length]).toEqual([['web'], [], 2]);
  });

  test('apply() refuses a route that names no pool, and changes nothing', async () => {
    const balancer = new Balancer();
    await balancer.apply({ vips: [web([route('a.example')])] });
    const change = balancer.apply({ vips: [web([route('a.example', { pool: 'nobody' })])] });
    await expect(change).rejects.toMatchObject({ path: 'vips[0].sniRouting[0].pool' });
    expect(balancer.vips.get('web')?.poolFor('a.example', []).name).toBe('web/a.example');
  });

  test('a pool that only a route of another virtual IP leads to stays', async () => {
    const balancer = new Balancer();
    const other = { ...web([route('a.example', { pool: 'shared' })]), name: 'other', port: 444, pool: 'shared' };
    const pools = [{ name: 'shared' }];
    await balancer.apply({ pools, vips: [web([route('a.example', { pool: 'shared' })]), other] });
    await balancer.apply({ pools, vips: [other] });
    expect([...balancer.pools.keys()]).toEqual(['shared']);
  });

  test('the status tree has the routes, each with its pool', () => {
    const balancer = new Balancer();
    balancer.createVip(web([route('a.example', { alpn: ['h2'], pool: { name: 'a' } }), route('b.example')]));
    const [vip] = balancer.statusTree().vips;
    expect(vip?.routes).toMatchObject([
      { serverNames: ['a.example'], alpn: ['h2'], pool: { name: 'a', status: 'online' } },
      { serverNames: ['b.example'], alpn: null, pool: { name: 'web/b.example' } },
    ]);
  });
});

describe('the status of a virtual IP with several pools', () => {
  const routes = [route('a.example', { pool: 'a' }), route('b.example', { pool: 'b' })];

  test('tells of each of them', () => {
    const { balancer, fails } = checked();
    const vip = balancer.createVip(web(routes, { pool: 'own' }));
    const told: string[] = [];
    vip.on('status', ({ from, to }) => told.push(`${from}>${to}`));
    fails('a');
    fails('own');
    fails('b');
    fails('b', true);
    for (const name of ['own', 'a', 'b']) fails(name, true);
    expect(told).toEqual(['online>degraded', 'degraded>error', 'error>degraded', 'degraded>online']);
  });

  test('leaves out those that are disabled, unless all are', () => {
    const { balancer, fails } = checked();
    const vip = balancer.createVip(web(routes, { pool: 'own' }));
    const disable = (name: string) => balancer.pools.get(name)?.update({ enabled: false });
    disable('own');
    expect(vip.status).toBe('online');
    fails('a');
    expect(vip.status).toBe('degraded');
    disable('b');
    expect(vip.status).toBe('error');
    disable('a');
    expect(vip.status).toBe('offline');
  });

  test('hears no more of a pool that no route leads to', async () => {
    const { balancer, pools, fails } = checked();
    const vip = balancer.createVip(web(routes, { pool: 'own' }));
    await balancer.apply({ pools, vips: [web([route('a.example', { pool: 'a' })], { pool: 'own' })] });
    fails('b');
    expect(vip.status).toBe('online');
    fails('a');
    expect(vip.status).toBe('degraded');
  });
});
