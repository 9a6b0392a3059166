import { describe, expect, test } from 'vitest';
import { Balancer } from '../../src/core/balancer.ts';
import type { BalancerSpec } from '../../src/core/balancer-spec.ts';
import { VirtualClock } from '../../src/core/clock.ts';
import { InUseError, SpecError } from '../../src/core/errors.ts';
import type { KeepAliveSpec } from '../../src/core/keep-alive-spec.ts';
import type { Pool } from '../../src/core/pool.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { Session } from '../../src/core/session.ts';
import type { VipSettings } from '../../src/core/vip-spec.ts';
import type { VirtualIP } from '../../src/core/virtual-ip.ts';
import { plainErrorAnswer } from '../../src/http1/error-answer.ts';
import {
  FakeProbe,
  memberOf,
  probesNobody,
  refusalOf,
  rejectionOf,
  spec,
  take,
  thrownBy,
  visit,
} from '../fixtures/core.ts';

const makeBalancer = (clock = new VirtualClock()): Balancer => new Balancer({ clock, random: seededRandom(1) });

const at = (port: number, pool: string, name = `vip${port}`) => ({ name, address: '127.0.0.1', port, pool });

function vipOf(balancer: Balancer, name: string): VirtualIP {
  const vip = balancer.vips.get(name);
  if (vip === undefined) throw new Error(`the balancer has no virtual IP '${name}'`);
  return vip;
}

function poolOf(balancer: Balancer, name: string): Pool {
  const pool = balancer.pools.get(name);
  if (pool === undefined) throw new Error(`the balancer has no pool '${name}'`);
  return pool;
}

function enter(vip: VirtualIP): Session {
  const session = vip.admit({ address: '192.0.2.1', port: 40_000 }, () => {});
  if (session.refused) throw new Error(`refused: ${session.reason}`);
  session.next();
  session.connected();
  return session;
}

/** What the balancer tells, in order. */
function listen(balancer: Balancer): string[] {
  const heard: string[] = [];
  balancer.on('vip-added', ({ vip }) => heard.push(`+vip ${vip.name}`));
  balancer.on('vip-removed', ({ vip }) => heard.push(`-vip ${vip.name}`));
  balancer.on('pool-added', ({ pool }) => heard.push(`+pool ${pool.name}`));
  balancer.on('pool-removed', ({ pool }) => heard.push(`-pool ${pool.name}`));
  balancer.on('status', ({ from, to }) => heard.push(`${from}>${to}`));
  return heard;
}

const names = (balancer: Balancer): string =>
  `${[...balancer.vips.keys()].join()} / ${[...balancer.pools.keys()].join()}`;

describe('creating', () => {
  test('a pool makes it known by its name', () => {
    const balancer = makeBalancer();
    expect(balancer.createPool({ name: 'a' })).toBe(poolOf(balancer, 'a'));
  });

  test('a virtual IP makes it and its pool known by their names', () => {
    const balancer = makeBalancer();
    const vip = balancer.createVip({ name: 'web', address: '127.0.0.1', port: 80, pool: { name: 'backends' } });
    expect([vipOf(balancer, 'web') === vip, poolOf(balancer, 'backends') === vip.pool]).toEqual([true, true]);
  });

  test('a virtual IP may refer to a pool', () => {
    const balancer = makeBalancer();
    const pool = balancer.createPool({ name: 'a' });
    expect(balancer.createVip(at(80, 'a')).pool).toBe(pool);
  });

  test('a virtual IP cannot refer to a pool that there is not', () => {
    const balancer = makeBalancer();
    expect(refusalOf(() => balancer.createVip(at(80, 'a')))).toEqual({
      path: 'pool',
      value: 'a',
      expected: 'the name of a pool of this balancer',
    });
  });

  test('a pool cannot take a name that is taken', () => {
    const balancer = makeBalancer();
    balancer.createPool({ name: 'a' });
    expect(refusalOf(() => balancer.createPool({ name: 'a' })).path).toBe('name');
  });

  test('a virtual IP cannot take a name that is taken', () => {
    const balancer = makeBalancer();
    balancer.createPool({ name: 'a' });
    balancer.createVip(at(80, 'a', 'web'));
    expect(refusalOf(() => balancer.createVip(at(81, 'a', 'web'))).path).toBe('name');
  });

  test("a virtual IP's pool cannot take a name that is taken, and nothing is made", () => {
    const balancer = makeBalancer();
    balancer.createPool({ name: 'a' });
    const { path } = refusalOf(() => balancer.createVip({ ...at(80, ''), pool: { name: 'a' } }));
    expect([path, names(balancer)]).toEqual(['pool.name', ' / a']);
  });

  test('is told', () => {
    const balancer = makeBalancer();
    const heard = listen(balancer);
    balancer.createVip({ name: 'web', address: '127.0.0.1', port: 80, pool: {} });
    expect(heard).toEqual(['+pool web', '+vip web']);
  });
});

describe('removing', () => {
  test('a virtual IP leaves its pool', () => {
    const balancer = makeBalancer();
    balancer.createVip({ name: 'web', address: '127.0.0.1', port: 80, pool: {} });
    expect([balancer.removeVip('web'), names(balancer)]).toEqual([true, ' / web']);
  });

  test('what is not there says so', () => {
    const balancer = makeBalancer();
    expect([balancer.removeVip('web'), balancer.removePool('web')]).toEqual([false, false]);
  });

  test('a pool that a virtual IP leads to is refused, with its name', () => {
    const balancer = makeBalancer();
    balancer.createPool({ name: 'a' });
    balancer.createVip(at(80, 'a', 'web'));
    const error = thrownBy(() => balancer.removePool('a'));
    expect([error instanceof InUseError, (error as Error).message, names(balancer)]).toEqual([
      true,
      "pool 'a' is used by virtual IP 'web'",
      'web / a',
    ]);
  });

  test('a pool that no virtual IP leads to any more is done', () => {
    const balancer = makeBalancer();
    balancer.createPool({ name: 'a' });
    balancer.createVip(at(80, 'a', 'web'));
    balancer.removeVip('web');
    expect(balancer.removePool('a')).toBe(true);
  });

  test('is told', () => {
    const balancer = makeBalancer();
    balancer.createVip({ name: 'web', address: '127.0.0.1', port: 80, pool: {} });
    const heard = listen(balancer);
    balancer.removeVip('web');
    balancer.removePool('web');
    expect(heard).toEqual(['-vip web', '-pool web']);
  });

  test('frees the name', () => {
    const balancer = makeBalancer();
    balancer.createPool({ name: 'a' });
    balancer.removePool('a');
    expect(balancer.createPool({ name: 'a' }).name).toBe('a');
  });
});

describe('a shared pool', () => {
  test('has one state for all virtual IPs', () => {
    const balancer = makeBalancer();
    balancer.createPool({ name: 'a', members: [spec('x')] });
    for (const port of [80, 81]) enter(balancer.createVip(at(port, 'a')));
    const { stats } = memberOf(poolOf(balancer, 'a'), 'x');
    expect(stats.activeConnections).toBe(2);
  });

  test('goes round over the clients of all virtual IPs', () => {
    const balancer = makeBalancer();
    balancer.createPool({ name: 'a', members: [spec('x'), spec('y')] });
    const [one, other] = [80, 81].map((port) => balancer.createVip(at(port, 'a')));
    const served = [one, other, one, other].map((vip) => vip && enter(vip).member?.id);
    expect(served).toEqual(['x', 'y', 'x', 'y']);
  });

  test('is checked once', async () => {
    const clock = new VirtualClock();
    const probe = new FakeProbe(clock);
    const balancer = makeBalancer(clock);
    balancer.createPool({ name: 'a', members: [spec('x')], healthMonitor: { type: probe, delay: 1000 } });
    for (const port of [80, 81]) balancer.createVip(at(port, 'a')).pool.startChecks(probesNobody);
    await clock.advance(999);
    expect(probe.checks.length).toBe(1);
  });

  test('makes its status that of all its virtual IPs', () => {
    const balancer = makeBalancer();
    balancer.createPool({ name: 'a', members: [spec('x', { weight: 0 })] });
    expect([80, 81].map((port) => balancer.createVip(at(port, 'a')).status)).toEqual(['error', 'error']);
  });
});

describe("a balancer's status", () => {
  const withPools = (...members: Parameters<typeof spec>[1][]) => {
    const balancer = makeBalancer();
    for (const [index, settings] of members.entries()) {
      balancer.createPool({ name: `p${index}`, members: [spec('x', settings)] });
      balancer.createVip(at(80 + index, `p${index}`));
    }
    return balancer;
  };

  test("is 'online' without virtual IPs", () => {
    expect(makeBalancer().status).toBe('online');
  });

  test("is 'error' where one of its virtual IPs is", () => {
    expect(withPools({}, { weight: 0 }).status).toBe('error');
  });

  test("is 'degraded' where one of its virtual IPs is", () => {
    const balancer = withPools({}, {});
    poolOf(balancer, 'p0').update({ healthMonitor: { type: new FakeProbe(new VirtualClock()) } });
    poolOf(balancer, 'p0').add(spec('y'));
    poolOf(balancer, 'p0').recordCheck(memberOf(poolOf(balancer, 'p0'), 'y'), false, 'refused');
    expect(balancer.status).toBe('degraded');
  });

  test("is 'online' beside a virtual IP that is disabled", () => {
    const balancer = withPools({}, { weight: 0 });
    vipOf(balancer, 'vip81').update({ enabled: false });
    expect(balancer.status).toBe('online');
  });

  test("is 'online' beside a pool in error that no virtual IP leads to", () => {
    const balancer = makeBalancer();
    balancer.createPool({ name: 'a', members: [spec('x', { weight: 0 })] });
    expect(balancer.status).toBe('online');
  });

  test("is 'online' again once the virtual IP in error is removed", () => {
    const balancer = withPools({}, { weight: 0 });
    const heard = listen(balancer);
    balancer.removeVip('vip81');
    expect([balancer.status, heard]).toEqual(['online', ['-vip vip81', 'error>online']]);
  });

  test('is told when it changes', () => {
    const balancer = withPools({}, {});
    const heard = listen(balancer);
    memberOf(poolOf(balancer, 'p1'), 'x').update({ weight: 0 });
    memberOf(poolOf(balancer, 'p1'), 'x').update({ weight: 1 });
    expect(heard).toEqual(['online>error', 'error>online']);
  });

  test('has followed when a member event is told', () => {
    const balancer = withPools({});
    const seen: string[] = [];
    poolOf(balancer, 'p0').on('member-status', () => seen.push(balancer.status));
    memberOf(poolOf(balancer, 'p0'), 'x').update({ weight: 0 });
    expect(seen).toEqual(['error']);
  });
});

describe('apply', () => {
  const state = (members: ReturnType<typeof spec>[], more: Partial<BalancerSpec> = {}): BalancerSpec => {
    return { pools: [{ name: 'a', members }], vips: [at(80, 'a', 'web')], ...more };
  };

  test('makes what the state names', async () => {
    const balancer = makeBalancer();
    await balancer.apply(state([spec('x')]));
    expect([names(balancer), visit(vipOf(balancer, 'web').pool)]).toEqual(['web / a', 'x']);
  });

  test('removes what the state does not name', async () => {
    const balancer = makeBalancer();
    balancer.createPool({ name: 'old' });
    balancer.createVip(at(90, 'old'));
    await balancer.apply(state([]));
    expect(names(balancer)).toBe('web / a');
  });

  test('of an empty state removes everything', async () => {
    const balancer = makeBalancer();
    await balancer.apply(state([]));
    await balancer.apply({});
    expect(names(balancer)).toBe(' / ');
  });

  test('is in force when the call returns, where nobody listens', () => {
    const balancer = makeBalancer();
    void balancer.apply(state([]));
    expect(names(balancer)).toBe('web / a');
  });

  test('is in force when the call returns, also a second one in a row', () => {
    const balancer = makeBalancer();
    void balancer.apply(state([]));
    void balancer.apply({});
    expect(names(balancer)).toBe(' / ');
  });

  test('keeps pools, virtual IPs and members that stay', async () => {
    const balancer = makeBalancer();
    await balancer.apply(state([spec('x'), spec('y')]));
    const before = [vipOf(balancer, 'web'), poolOf(balancer, 'a'), memberOf(poolOf(balancer, 'a'), 'x')];
    await balancer.apply(state([spec('z'), spec('x', { weight: 5 })]));
    const after = [vipOf(balancer, 'web'), poolOf(balancer, 'a'), memberOf(poolOf(balancer, 'a'), 'x')];
    expect(after.map((object, index) => object === before[index])).toEqual([true, true, true]);
  });

  test('keeps connections, counters and health of members that stay', async () => {
    const balancer = makeBalancer();
    const type = new FakeProbe(new VirtualClock());
    const desired = (weight: number): BalancerSpec => {
      return {
        pools: [{ name: 'a', members: [spec('x', { weight }), spec('y')], healthMonitor: { type } }],
        vips: [at(80, 'a', 'web')],
      };
    };
    await balancer.apply(desired(1));
    enter(vipOf(balancer, 'web'));
    const member = memberOf(poolOf(balancer, 'a'), 'x');
    poolOf(balancer, 'a').recordCheck(member, false, 'refused');
    await balancer.apply(desired(7));
    const { stats, status, weight } = member;
    expect([stats.activeConnections, stats.totalConnections, status, weight]).toEqual([1, 1, 'error', 7]);
  });

  test('takes null and absence within an object for the default', async () => {
    const balancer = makeBalancer();
    await balancer.apply({
      pools: [{ name: 'a', strategy: 'random' }],
      vips: [{ ...at(80, 'a', 'web'), connectionLimit: 5, retries: 9 }],
    });
    await balancer.apply({ pools: [{ name: 'a' }], vips: [{ ...at(80, 'a', 'web'), retries: null }] });
    const { connectionLimit, retries, pool } = vipOf(balancer, 'web');
    expect([connectionLimit, retries, pool.strategy.name]).toEqual([undefined, 3, 'round-robin']);
  });

  test('makes the pool that is described within a virtual IP', async () => {
    const balancer = makeBalancer();
    await balancer.apply({ vips: [{ ...at(80, ''), name: 'web', pool: { members: [spec('x')] } }] });
    expect(vipOf(balancer, 'web').pool).toBe(poolOf(balancer, 'web'));
  });

  test('removes the pool that was described within a virtual IP together with it', async () => {
    const balancer = makeBalancer();
    await balancer.apply({ vips: [{ ...at(80, ''), name: 'web', pool: {} }] });
    await balancer.apply({});
    expect(balancer.pools.size).toBe(0);
  });

  test('keeps a pool that was described within a virtual IP when it is named on its own', async () => {
    const balancer = makeBalancer();
    await balancer.apply({ vips: [{ ...at(80, ''), name: 'web', pool: { members: [spec('x')] } }] });
    const pool = poolOf(balancer, 'web');
    await balancer.apply({ pools: [{ name: 'web', members: [spec('x')] }], vips: [at(80, 'web', 'web')] });
    expect(vipOf(balancer, 'web').pool).toBe(pool);
  });

  test('moves a virtual IP to another pool, while its connections end on the old one', async () => {
    const balancer = makeBalancer();
    const pools = ['a', 'b'].map((name) => ({ name, members: [spec(`in-${name}`)] }));
    await balancer.apply({ pools, vips: [at(80, 'a', 'web')] });
    const session = enter(vipOf(balancer, 'web'));
    await balancer.apply({ pools, vips: [at(80, 'b', 'web')] });
    const next = enter(vipOf(balancer, 'web')).member?.id;
    session.leave();
    const active = [poolOf(balancer, 'a'), poolOf(balancer, 'b')].map(({ stats }) => stats.activeConnections);
    expect([next, active]).toEqual(['in-b', [0, 1]]);
  });

  test('makes a virtual IP that moved follow the status of its new pool only', async () => {
    const balancer = makeBalancer();
    const pools = ['a', 'b'].map((name) => ({ name, members: [spec('x')] }));
    await balancer.apply({ pools, vips: [at(80, 'a', 'web')] });
    await balancer.apply({ pools, vips: [at(80, 'b', 'web')] });
    const vip = vipOf(balancer, 'web');
    memberOf(poolOf(balancer, 'a'), 'x').update({ weight: 0 });
    const before = vip.status;
    memberOf(poolOf(balancer, 'b'), 'x').update({ weight: 0 });
    expect([before, vip.status]).toEqual(['online', 'error']);
  });

  test('moves a virtual IP to another address and port', async () => {
    const balancer = makeBalancer();
    await balancer.apply(state([]));
    const vip = vipOf(balancer, 'web');
    await balancer.apply(state([], { vips: [{ ...at(8080, 'a', 'web'), address: '::1' }] }));
    expect([vipOf(balancer, 'web') === vip, vip.address, vip.port]).toEqual([true, '::1', 8080]);
  });

  test('lets the connections of a pool that goes end by themselves', async () => {
    const balancer = makeBalancer();
    await balancer.apply(state([spec('x')]));
    const lease = take(poolOf(balancer, 'a'));
    await balancer.apply({});
    expect(lease.member.stats.activeConnections).toBe(1);
  });

  test('tells what has come and gone, each once', async () => {
    const balancer = makeBalancer();
    await balancer.apply(state([]));
    const heard = listen(balancer);
    await balancer.apply({ pools: [{ name: 'b' }], vips: [at(81, 'b', 'other')] });
    expect([...heard].sort()).toEqual(['+pool b', '+vip other', '-pool a', '-vip web']);
  });

  test('tells nothing where nothing differs', async () => {
    const balancer = makeBalancer();
    await balancer.apply(state([spec('x')]));
    const heard = listen(balancer);
    poolOf(balancer, 'a').on('member-status', () => heard.push('member-status'));
    await balancer.apply(state([spec('x')]));
    expect(heard).toEqual([]);
  });

  test('tells when all of it has happened', async () => {
    const balancer = makeBalancer();
    await balancer.apply(state([spec('x')]));
    const seen: string[] = [];
    const look = (): void => void seen.push(names(balancer));
    balancer.on('vip-added', look).on('vip-removed', look).on('pool-added', look).on('pool-removed', look);
    poolOf(balancer, 'a').on('member-removed', look);
    await balancer.apply({ pools: [{ name: 'b' }, { name: 'a' }], vips: [at(81, 'b', 'other')] });
    expect(new Set(seen)).toEqual(new Set(['other / a,b']));
  });

  test('tells when the statuses of virtual IPs and balancer have followed', async () => {
    const balancer = makeBalancer();
    await balancer.apply(state([spec('x')]));
    const seen: string[][] = [];
    poolOf(balancer, 'a').on('member-status', () => seen.push([balancer.status, vipOf(balancer, 'web').status]));
    balancer.on('pool-added', () => seen.push([balancer.status, vipOf(balancer, 'web').status]));
    await balancer.apply(
      state([spec('x', { weight: 0 })], { pools: [{ name: 'a', members: [spec('x', { weight: 0 })] }, { name: 'b' }] }),
    );
    expect(seen).toEqual([
      ['error', 'error'],
      ['error', 'error'],
    ]);
  });

  test('with a bad value anywhere changes nothing at all', async () => {
    const balancer = makeBalancer();
    await balancer.apply(state([spec('x')]));
    const before = balancer.statusTree();
    const error = await rejectionOf(
      balancer.apply({
        pools: [{ name: 'a', members: [spec('y')], strategy: 'random' }, { name: 'b' }],
        vips: [at(81, 'a', 'web'), { ...at(82, 'b', 'other'), retries: -1 }],
      }),
    );
    expect([error instanceof SpecError && error.path, balancer.statusTree()]).toEqual(['vips[1].retries', before]);
  });

  test('takes what it created itself', async () => {
    const balancer = makeBalancer();
    const pool = balancer.createPool({ name: 'a', members: [spec('x')] });
    const vip = balancer.createVip(at(80, 'a', 'web'));
    await balancer.apply(state([spec('x')]));
    expect([poolOf(balancer, 'a') === pool, vipOf(balancer, 'web') === vip]).toEqual([true, true]);
  });
});

describe('apply, with HTTP virtual IPs,', () => {
  const http = (settings: VipSettings = {}, members = [spec('x')]): BalancerSpec => {
    return { pools: [{ name: 'a', members }], vips: [{ ...at(80, 'a', 'web'), protocol: 'http', ...settings }] };
  };
  const tcp: BalancerSpec = { pools: [{ name: 'a' }], vips: [at(80, 'a', 'web')] };

  test('makes them', async () => {
    const balancer = makeBalancer();
    await balancer.apply(http({ insertHeaders: { Via: true }, timeouts: { request: 5 } }));
    const { protocol, http: settings, timeouts } = vipOf(balancer, 'web');
    expect([protocol, [...settings.insertHeaders], timeouts.request]).toEqual(['http', ['Via'], 5]);
  });

  test('changes their settings in place', async () => {
    const balancer = makeBalancer();
    await balancer.apply(http({ insertHeaders: { Via: true }, trustedCidrs: ['10.0.0.0/8'] }));
    const vip = vipOf(balancer, 'web');
    const session = enter(vip);
    await balancer.apply(http({ insertHeaders: { Forwarded: true }, limits: { headSize: 1000 } }));
    const { insertHeaders, trustedCidrs, limits } = vip.http;
    expect([
      vipOf(balancer, 'web') === vip,
      vip.stats.activeConnections,
      session.member?.id,
      [...insertHeaders],
      trustedCidrs.text,
      limits.headSize,
    ]).toEqual([true, 1, 'x', ['Forwarded'], [], 1000]);
  });

  test('takes absence for the defaults', async () => {
    const balancer = makeBalancer();
    await balancer.apply(
      http({ insertHeaders: { Via: true }, timeouts: { tunnel: 1 }, errorAnswer: () => ({}), limits: { minRate: 0 } }),
    );
    await balancer.apply(http());
    const { http: settings, timeouts } = vipOf(balancer, 'web');
    expect([settings.insertHeaders.size, settings.limits.minRate, timeouts.tunnel]).toEqual([0, 240, 3_600_000]);
    expect(settings.errorAnswer).toBe(plainErrorAnswer);
  });

  test("changes a pool's keepAlive in place, and takes absence for the default", async () => {
    const balancer = makeBalancer();
    const withKeepAlive = (keepAlive?: KeepAliveSpec): BalancerSpec => {
      return { pools: [{ name: 'a', ...(keepAlive && { keepAlive }) }] };
    };
    await balancer.apply(withKeepAlive({ maxIdle: 1, maxAge: 1 }));
    const pool = poolOf(balancer, 'a');
    await balancer.apply(withKeepAlive({ maxIdle: 2 }));
    const second = pool.keepAlive;
    await balancer.apply(withKeepAlive());
    expect([second, pool.keepAlive, poolOf(balancer, 'a') === pool]).toEqual([
      { idleTimeout: 4000, maxIdle: 2, maxAge: 300_000 },
      { idleTimeout: 4000, maxIdle: 256, maxAge: 300_000 },
      true,
    ]);
  });

  test('with a bad setting changes nothing', async () => {
    const balancer = makeBalancer();
    await balancer.apply(http({ limits: { headSize: 1000 } }));
    const error = await rejectionOf(balancer.apply(http({ limits: { headSize: 1 }, retries: 9 }, [spec('y')])));
    const { http: settings, retries, pool } = vipOf(balancer, 'web');
    expect([(error as SpecError).path, settings.limits.headSize, retries, pool.get('y')]).toEqual([
      'vips[0].limits.headSize',
      1000,
      3,
      undefined,
    ]);
  });

  for (const [kept, given, from, to] of [
    ['tcp', 'http', tcp, http()],
    ['http', 'tcp', http(), tcp],
  ] as const) {
    test(`refuses '${given}' for one that has '${kept}', and changes nothing`, async () => {
      const balancer = makeBalancer();
      await balancer.apply(from);
      const [before, vip] = [balancer.statusTree(), vipOf(balancer, 'web')];
      const heard = listen(balancer);
      const error = await rejectionOf(
        balancer.apply({ pools: [{ name: 'b' }, ...(to.pools ?? [])], vips: [at(81, 'b', 'new'), ...(to.vips ?? [])] }),
      );
      const { path, value, expected } = error as SpecError;
      expect([error instanceof SpecError, path, value, expected]).toEqual([
        true,
        'vips[1].protocol',
        given,
        `'${kept}', which virtual IP 'web' keeps; one with another protocol needs another name`,
      ]);
      expect([balancer.statusTree(), vipOf(balancer, 'web') === vip, heard]).toEqual([before, true, []]);
    });
  }

  test('refuses another protocol than that of one that createVip() made', async () => {
    const balancer = makeBalancer();
    balancer.createVip({ ...at(80, '', 'web'), protocol: 'http', pool: {} });
    expect(((await rejectionOf(balancer.apply(tcp))) as SpecError).path).toBe('vips[0].protocol');
  });

  test('takes another protocol under another name, on the same address and port', async () => {
    const balancer = makeBalancer();
    await balancer.apply(tcp);
    await balancer.apply({ ...http(), vips: [{ ...at(80, 'a', 'web-http'), protocol: 'http' }] });
    expect([names(balancer), vipOf(balancer, 'web-http').protocol]).toEqual(['web-http / a', 'http']);
  });

  test('takes another protocol under the name of one that is gone', async () => {
    const balancer = makeBalancer();
    await balancer.apply(tcp);
    await balancer.apply({});
    await balancer.apply(http());
    expect(vipOf(balancer, 'web').protocol).toBe('http');
  });
});

describe('the status tree', () => {
  test('goes from the balancer down to each member', () => {
    const balancer = new Balancer({ name: 'edge' });
    balancer.createVip({
      name: 'web',
      address: '127.0.0.1',
      port: 80,
      pool: {
        strategy: 'least-connections',
        healthMonitor: { type: 'tcp' },
        members: [
          spec('x', { weight: 4, zone: 'eu-1', maxRequests: 100, monitorPort: 81 }),
          spec('y', { address: '10.0.0.2', priority: 1, enabled: false, backup: true }),
        ],
      },
    });
    balancer.pools.get('web')?.get('x')?.reportAgent('50% up');
    const pool = {
      name: 'web',
      status: 'online',
      strategy: 'least-connections',
      healthMonitor: { type: 'tcp' },
      isPanicking: false,
      shedding: [],
      queue: null,
      persistence: null,
      outlierDetection: null,
      members: [
        {
          id: 'x',
          status: 'online',
          reason: 'not checked yet',
          address: '10.0.0.1',
          port: 80,
          weight: 2,
          priority: 0,
          zone: 'eu-1',
          backup: false,
          circuit: { pending: 0, requests: 0, retries: 0, isHalfOpen: false },
          monitor: { address: '10.0.0.1', port: 81 },
          agent: {
            weightPercent: 50,
            maxConnections: undefined,
            mode: 'ready',
            health: 'up',
            comment: '',
            failure: undefined,
          },
        },
        {
          id: 'y',
          status: 'offline',
          reason: 'disabled',
          address: '10.0.0.2',
          port: 80,
          weight: 1,
          priority: 1,
          zone: null,
          backup: true,
          circuit: null,
          monitor: null,
          agent: null,
        },
      ],
    };
    expect(balancer.statusTree()).toEqual({
      name: 'edge',
      status: 'online',
      vips: [{ name: 'web', status: 'online', address: '127.0.0.1', port: 80, protocol: 'tcp', pool, routes: [] }],
      pools: [pool],
    });
  });

  test('names protocol and monitor of an HTTP virtual IP', () => {
    const balancer = makeBalancer();
    balancer.createVip({ ...at(80, '', 'web'), protocol: 'http', pool: { healthMonitor: { type: 'https' } } });
    const [vip] = balancer.statusTree().vips;
    expect([vip?.protocol, vip?.pool.healthMonitor]).toEqual(['http', { type: 'https' }]);
  });

  test("names a user's own probe", () => {
    const balancer = makeBalancer();
    balancer.createPool({ name: 'a', healthMonitor: { type: new FakeProbe(new VirtualClock()) } });
    expect(balancer.statusTree().pools[0]?.healthMonitor).toEqual({ type: 'fake' });
  });

  test('says null where there is no monitor', () => {
    const balancer = makeBalancer();
    balancer.createPool({ name: 'a' });
    expect(balancer.statusTree().pools[0]?.healthMonitor).toBe(null);
  });

  test('says that a pool panics', () => {
    const balancer = makeBalancer();
    const pool = balancer.createPool({
      name: 'a',
      members: [spec('x')],
      panic: {},
      healthMonitor: { type: new FakeProbe(new VirtualClock()) },
    });
    pool.recordCheck(memberOf(pool, 'x'), false, 'refused');
    const [status] = balancer.statusTree().pools;
    expect([status?.isPanicking, status?.status]).toEqual([true, 'error']);
  });

  test('says what of the limits of a member is in use at that moment', () => {
    const balancer = makeBalancer();
    const pool = balancer.createPool({ name: 'a', members: [spec('x', { maxPending: 5 })] });
    take(pool);
    const circuitOf = () => balancer.statusTree().pools[0]?.members[0]?.circuit;
    const before = circuitOf();
    take(pool).countRequest();
    expect([before?.pending, circuitOf()]).toEqual([1, { pending: 1, requests: 1, retries: 0, isHalfOpen: false }]);
  });

  test('is a copy of that moment, fit for JSON', () => {
    const balancer = makeBalancer();
    balancer.createPool({ name: 'a', members: [spec('x', { maxPending: 5 })], panic: {} });
    const tree = balancer.statusTree();
    memberOf(poolOf(balancer, 'a'), 'x').update({ weight: 0 });
    expect([JSON.parse(JSON.stringify(tree)), tree.pools[0]?.members[0]?.status]).toEqual([tree, 'no-monitor']);
  });
});

describe('the statistics', () => {
  const zeros = {
    activeConnections: 0,
    totalConnections: 0,
    bytesIn: 0,
    bytesOut: 0,
    connectFailures: 0,
    retries: 0,
    rejects: 0,
    requests: 0,
    requestErrors: 0,
    abortedRequests: 0,
    responses1xx: 0,
    responses2xx: 0,
    responses3xx: 0,
    responses4xx: 0,
    responses5xx: 0,
    timeToFirstByte: undefined,
  };
  const noClientLimits = { connections: 0, rate: 0, addresses: 0 };
  const noTimeouts = { handshake: 0, request: 0, body: 0, response: 0, reader: 0, keepAlive: 0, tunnel: 0 };

  test('go from the balancer down to each member', () => {
    const balancer = makeBalancer();
    balancer.createVip({ name: 'web', address: '127.0.0.1', port: 80, pool: { members: [spec('x'), spec('y')] } });
    const session = enter(vipOf(balancer, 'web'));
    session.countIn(10);
    session.countOut(20);
    const used = { ...zeros, activeConnections: 1, totalConnections: 1, bytesIn: 10, bytesOut: 20 };
    expect(balancer.stats()).toEqual({
      name: 'balancer',
      ...used,
      vips: [
        {
          name: 'web',
          ...used,
          waitingConnections: 0,
          timeouts: noTimeouts,
          clientLimits: noClientLimits,
          tlsHandshakes: { full: 0, resumed: 0, failed: 0 },
        },
      ],
      pools: [
        {
          name: 'web',
          ...used,
          outlierDetection: null,
          retryBudget: null,
          concurrencyLimit: null,
          queue: null,
          persistence: null,
          members: [
            { id: 'x', ...used },
            { id: 'y', ...zeros },
          ],
        },
      ],
    });
  });

  /** A client of an HTTP virtual IP whose first request goes to `x`, which answers after so long. */
  function serve(vip: VirtualIP, milliseconds = 10): Session {
    const session = enter(vip);
    session.countRequest();
    session.countSentRequest();
    session.countResponse(200);
    session.countFirstByte(milliseconds);
    return session;
  }

  test('count requests from the balancer down to each member', () => {
    const balancer = makeBalancer();
    const members = [spec('x'), spec('y')];
    const vip = balancer.createVip({ ...at(80, '', 'web'), protocol: 'http', pool: { members } });
    const session = serve(vip);
    session.finishRequest('success');
    session.countOwnResponse(408);
    session.countTimeout('request');
    const { pools, vips, ...total } = balancer.stats();
    const [served, unused] = pools[0]?.members ?? [];
    const books = [total, vips[0], pools[0], served, unused];
    expect(books.map((stats) => [stats?.requests, stats?.responses2xx, stats?.responses4xx])).toEqual([
      [1, 1, 1],
      [1, 1, 1],
      [1, 1, 0],
      [1, 1, 0],
      [0, 0, 0],
    ]);
    expect(books.map((stats) => stats?.timeToFirstByte?.max)).toEqual([10, 10, 10, 10, undefined]);
    expect(vips[0]?.timeouts).toEqual({ ...noTimeouts, request: 1 });
  });

  test('put the times to first bytes of all virtual IPs into one, those that were removed included', () => {
    const balancer = makeBalancer();
    balancer.createPool({ name: 'a', members: [spec('x')] });
    for (const [port, milliseconds] of [
      [80, 10],
      [81, 20],
      [82, 60],
    ] as const) {
      serve(balancer.createVip({ ...at(port, 'a'), protocol: 'http' }), milliseconds).leave();
    }
    balancer.removeVip('vip82');
    const { requests, responses2xx, timeToFirstByte } = balancer.stats();
    const { count, mean, max } = timeToFirstByte?.toJSON() ?? {};
    expect([requests, responses2xx, count, mean, max]).toEqual([3, 3, 3, 30, 60]);
  });

  test('of requests are a copy of that moment, too', () => {
    const balancer = makeBalancer();
    const vip = balancer.createVip({ ...at(80, '', 'web'), protocol: 'http', pool: { members: [spec('x')] } });
    const session = serve(vip);
    const { pools, vips, ...total } = balancer.stats();
    session.countFirstByte(99);
    session.countTimeout('tunnel');
    const books = [total, vips[0], pools[0], pools[0]?.members[0]];
    expect([books.map((stats) => stats?.timeToFirstByte?.count), vips[0]?.timeouts.tunnel]).toEqual([[1, 1, 1, 1], 0]);
  });

  test('are fit for JSON', () => {
    const balancer = makeBalancer();
    const vip = balancer.createVip({ ...at(80, '', 'web'), protocol: 'http', pool: { members: [spec('x')] } });
    serve(vip, 0.004);
    const { timeToFirstByte } = JSON.parse(JSON.stringify(balancer.stats())).vips[0];
    expect(timeToFirstByte).toEqual({ count: 1, mean: 0.004, p50: 0.004, p90: 0.004, p99: 0.004, max: 0.004 });
  });

  test('add up the virtual IPs for the balancer, also where they share a pool', () => {
    const balancer = makeBalancer();
    balancer.createPool({ name: 'a', members: [spec('x')] });
    for (const port of [80, 81]) enter(balancer.createVip(at(port, 'a')));
    const { activeConnections, totalConnections } = balancer.stats();
    expect([activeConnections, totalConnections]).toEqual([2, 2]);
  });

  test('keep what a removed virtual IP has served', () => {
    const balancer = makeBalancer();
    balancer.createVip({ name: 'web', address: '127.0.0.1', port: 80, pool: { members: [spec('x')] } });
    enter(vipOf(balancer, 'web')).leave();
    balancer.removeVip('web');
    expect([balancer.stats().totalConnections, balancer.stats().totalConnections]).toEqual([1, 1]);
  });

  test('follow the last clients of a removed virtual IP to their end', () => {
    const balancer = makeBalancer();
    balancer.createVip({ name: 'web', address: '127.0.0.1', port: 80, pool: { members: [spec('x')] } });
    const session = enter(vipOf(balancer, 'web'));
    balancer.removeVip('web');
    const before = balancer.stats().activeConnections;
    session.countIn(5);
    session.leave();
    const { activeConnections, bytesIn } = balancer.stats();
    expect([before, activeConnections, bytesIn]).toEqual([1, 0, 5]);
  });

  test('never go down, whatever comes and goes', async () => {
    const balancer = makeBalancer();
    let total = 0;
    for (let round = 0; round < 10; round++) {
      await balancer.apply({
        vips: [
          { name: `web${round}`, address: '127.0.0.1', port: 80, pool: { name: 'a', members: [spec(`x${round}`)] } },
        ],
      });
      const session = enter(vipOf(balancer, `web${round}`));
      if (round % 2 === 0) session.leave();
      const { totalConnections } = balancer.stats();
      expect(totalConnections).toBe(++total);
    }
  });

  test('keep on a pool what its removed members have served', () => {
    const balancer = makeBalancer();
    balancer.createVip({ name: 'web', address: '127.0.0.1', port: 80, pool: { members: [spec('x')] } });
    enter(vipOf(balancer, 'web')).leave();
    poolOf(balancer, 'web').remove('x');
    expect(poolOf(balancer, 'web').stats.totalConnections).toBe(1);
  });

  test('are a copy of that moment', () => {
    const balancer = makeBalancer();
    balancer.createVip({ name: 'web', address: '127.0.0.1', port: 80, pool: { members: [spec('x')] } });
    const before = balancer.stats();
    enter(vipOf(balancer, 'web'));
    expect([
      before.totalConnections,
      before.vips[0]?.totalConnections,
      before.pools[0]?.members[0]?.totalConnections,
    ]).toEqual([0, 0, 0]);
  });
});

test('creating a virtual IP on an address and port that another one has is refused and changes nothing', () => {
  const balancer = new Balancer();
  const vip = (name: string, port: number) => ({ name, address: '10.0.0.1', port, pool: { name } });
  balancer.createVip(vip('a', 80));
  expect(refusalOf(() => balancer.createVip(vip('b', 80))).path).toBe('port');
  expect([...balancer.vips.keys(), ...balancer.pools.keys()]).toEqual(['a', 'a']);
  balancer.createVip(vip('c', 0));
  expect(balancer.createVip(vip('d', 0)).name).toBe('d');
});
