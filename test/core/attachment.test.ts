import { describe, expect, test } from 'vitest';
import type { Attachment, Placement, PreparedChange } from '../../src/core/attachment.ts';
import { Balancer } from '../../src/core/balancer.ts';
import { VirtualClock } from '../../src/core/clock.ts';
import type { SpecError } from '../../src/core/errors.ts';
import { deferred, memberOf, rejectionOf, settled, spec } from '../fixtures/core.ts';

/** An adapter without sockets: it notes what it is asked, can be held up and can fail. */
class FakeAdapter implements Attachment {
  readonly log: string[] = [];
  readonly failures: unknown[] = [];
  /** Names of the virtual IPs that it serves. */
  serves = '';
  /** Where set, getting ready takes until it resolves. */
  hold: Promise<void> | undefined;
  error: Error | undefined;

  async prepare(placements: readonly Placement[]): Promise<PreparedChange> {
    const wanted = placements.map(({ vip, port }) => `${vip.name}:${port}`).join();
    this.log.push(`prepare ${wanted}`);
    await this.hold;
    if (this.error !== undefined) throw this.error;
    return {
      commit: () => {
        this.serves = wanted;
        this.log.push(`commit ${wanted}`);
      },
      cancel: () => this.log.push(`cancel ${wanted}`),
    };
  }

  failed(error: unknown): void {
    this.failures.push(error);
  }
}

const vip = (name: string, port: number) => ({ name, address: '127.0.0.1', port, pool: { members: [spec('x')] } });
const makeBalancer = (): Balancer => new Balancer({ clock: new VirtualClock() });

async function attached(...vips: ReturnType<typeof vip>[]) {
  const balancer = makeBalancer();
  await balancer.apply({ vips });
  const adapter = new FakeAdapter();
  await balancer.attach(adapter);
  adapter.log.length = 0;
  return { balancer, adapter };
}

test('a pool that a route came to lead to while a change got ready stays', async () => {
  const { balancer, adapter } = await attached();
  balancer.createPool({ name: 'shared' });
  const hold = deferred();
  adapter.hold = hold.promise;
  const applied = balancer.apply({});
  await settled();
  balancer.createVip({ ...vip('web', 443), sniRouting: [{ serverNames: ['a.example'], pool: 'shared' }] });
  hold.resolve();
  await applied;
  expect([...balancer.pools.keys()]).toEqual(['shared', 'web']);
});

describe('attaching', () => {
  test('serves the virtual IPs that there are', async () => {
    const { adapter } = await attached(vip('a', 80), vip('b', 81));
    expect(adapter.serves).toBe('a:80,b:81');
  });

  test('rejects with what the adapter could not do', async () => {
    const adapter = new FakeAdapter();
    adapter.error = new Error('EADDRINUSE');
    expect(((await rejectionOf(makeBalancer().attach(adapter))) as Error).message).toBe('EADDRINUSE');
  });

  test('forgets an adapter that could not attach', async () => {
    const balancer = makeBalancer();
    const adapter = new FakeAdapter();
    adapter.error = new Error('EADDRINUSE');
    await rejectionOf(balancer.attach(adapter));
    await balancer.apply({ vips: [vip('a', 80)] });
    expect(adapter.log).toEqual(['prepare ']);
  });

  test('serves a virtual IP, too, that was created meanwhile', async () => {
    const balancer = makeBalancer();
    const adapter = new FakeAdapter();
    const gate = deferred();
    adapter.hold = gate.promise;
    const attaching = balancer.attach(adapter);
    balancer.createVip(vip('a', 80));
    gate.resolve();
    await attaching;
    await settled();
    expect(adapter.serves).toBe('a:80');
  });

  test('waits for an apply that is under way, and serves what that has made', async () => {
    const { balancer, adapter } = await attached();
    const gate = deferred();
    adapter.hold = gate.promise;
    const applying = balancer.apply({ vips: [vip('a', 80)] });
    const other = new FakeAdapter();
    const attaching = balancer.attach(other);
    gate.resolve();
    await Promise.all([applying, attaching]);
    expect(other.serves).toBe('a:80');
  });
});

describe('an apply', () => {
  test('is prepared before anything changes', async () => {
    const { balancer, adapter } = await attached(vip('a', 80));
    const gate = deferred();
    adapter.hold = gate.promise;
    const applying = balancer.apply({ vips: [vip('b', 81)] });
    await settled();
    const before = [...balancer.vips.keys()];
    gate.resolve();
    await applying;
    expect([before, [...balancer.vips.keys()]]).toEqual([['a'], ['b']]);
  });

  test('is prepared, then committed', async () => {
    const { balancer, adapter } = await attached(vip('a', 80));
    await balancer.apply({ vips: [vip('a', 80), vip('b', 81)] });
    expect(adapter.log).toEqual(['prepare a:80,b:81', 'commit a:80,b:81']);
  });

  test('resolves when the adapter serves it', async () => {
    const { balancer, adapter } = await attached();
    await balancer.apply({ vips: [vip('a', 80)] });
    expect(adapter.serves).toBe('a:80');
  });

  test('that moves a virtual IP is prepared with its new port, which it has when it is committed', async () => {
    const { balancer, adapter } = await attached(vip('a', 80));
    await balancer.apply({ vips: [vip('a', 8080)] });
    expect([adapter.serves, balancer.vips.get('a')?.port]).toEqual(['a:8080', 8080]);
  });

  test('that cannot be bound changes nothing', async () => {
    const { balancer, adapter } = await attached(vip('a', 80));
    const before = balancer.statusTree();
    adapter.error = new Error('EADDRINUSE');
    const error = await rejectionOf(
      balancer.apply({ vips: [{ ...vip('a', 80), retries: 9, pool: { members: [spec('y')] } }, vip('b', 81)] }),
    );
    expect([(error as Error).message, balancer.statusTree(), balancer.vips.get('a')?.retries]).toEqual([
      'EADDRINUSE',
      before,
      3,
    ]);
  });

  test('that cannot be bound leaves nothing that follows the pools', async () => {
    const { balancer, adapter } = await attached(vip('a', 80));
    const { pool } = balancer.createVip({ ...vip('shared', 90), pool: { name: 'shared' } });
    await settled();
    const followers = (): number =>
      (pool as unknown as { listenerCount(event: string): number }).listenerCount('status');
    const before = followers();
    adapter.error = new Error('EADDRINUSE');
    await rejectionOf(balancer.apply({ pools: [{ name: 'shared' }], vips: [{ ...vip('b', 81), pool: 'shared' }] }));
    expect(followers()).toBe(before);
  });

  test('that cannot be bound does not stand in the way of the next', async () => {
    const { balancer, adapter } = await attached();
    adapter.error = new Error('EADDRINUSE');
    await rejectionOf(balancer.apply({ vips: [vip('a', 80)] }));
    adapter.error = undefined;
    await balancer.apply({ vips: [vip('a', 81)] });
    expect(adapter.serves).toBe('a:81');
  });

  test('that one of two adapters cannot serve is cancelled for the other', async () => {
    const { balancer, adapter } = await attached();
    const other = new FakeAdapter();
    await balancer.attach(other);
    other.error = new Error('EADDRINUSE');
    await rejectionOf(balancer.apply({ vips: [vip('a', 80)] }));
    expect([adapter.log, balancer.vips.size]).toEqual([['prepare a:80', 'cancel a:80'], 0]);
  });

  test('with a bad spec asks no adapter', async () => {
    const { balancer, adapter } = await attached();
    await rejectionOf(balancer.apply({ vips: [vip('a', -1)] }));
    expect(adapter.log).toEqual([]);
  });

  test('waits for the one before', async () => {
    const { balancer, adapter } = await attached();
    const gate = deferred();
    adapter.hold = gate.promise;
    const applies = [vip('a', 80), vip('b', 81), vip('c', 82)].map((each) => balancer.apply({ vips: [each] }));
    await settled();
    gate.resolve();
    await Promise.all(applies);
    expect(adapter.log).toEqual([
      'prepare a:80',
      'commit a:80',
      'prepare b:81',
      'commit b:81',
      'prepare c:82',
      'commit c:82',
    ]);
  });

  test('goes on after one before that failed', async () => {
    const { balancer, adapter } = await attached();
    const gate = deferred();
    adapter.hold = gate.promise;
    const first = balancer.apply({ vips: [vip('a', 80)] });
    const second = balancer.apply({ vips: [vip('b', 81)] });
    adapter.hold = undefined;
    gate.reject(new Error('EADDRINUSE'));
    await rejectionOf(first);
    await second;
    expect([adapter.serves, [...balancer.vips.keys()]]).toEqual(['b:81', ['b']]);
  });

  test('validates at once, whatever is under way', async () => {
    const { balancer, adapter } = await attached();
    adapter.hold = new Promise(() => {});
    void balancer.apply({ vips: [vip('a', 80)] });
    const error = await rejectionOf(balancer.apply({ vips: [vip('b', -1)] }));
    expect((error as Error).name).toBe('SpecError');
  });

  test('keeps running connections and counters of what stays', async () => {
    const { balancer } = await attached(vip('a', 80));
    const session = balancer.vips.get('a')?.admit({ address: '192.0.2.1', port: 1 }, () => {});
    if (session?.refused === false) session.next();
    await balancer.apply({ vips: [vip('a', 80), vip('b', 81)] });
    const pool = balancer.pools.get('a');
    expect(pool && memberOf(pool, 'x').stats.activeConnections).toBe(1);
  });
});

describe('a virtual IP that is created', () => {
  test('is there at once and served soon after', async () => {
    const { balancer, adapter } = await attached(vip('a', 80));
    balancer.createVip(vip('b', 81));
    const before = balancer.vips.has('b');
    await settled();
    expect([before, adapter.serves]).toEqual([true, 'a:80,b:81']);
  });

  test('and cannot be bound is reported to the adapter', async () => {
    const { balancer, adapter } = await attached(vip('a', 80));
    adapter.error = new Error('EADDRINUSE');
    balancer.createVip(vip('b', 81));
    await settled();
    expect(adapter.failures.map((error) => (error as Error).message)).toEqual(['EADDRINUSE']);
  });

  test('and removed again at once is not served in the end', async () => {
    const { balancer, adapter } = await attached(vip('a', 80));
    balancer.createVip(vip('b', 81));
    balancer.removeVip('b');
    await settled();
    expect(adapter.serves).toBe('a:80');
  });

  test('while an apply that does not name it is under way stays: that knew nothing of it', async () => {
    const { balancer, adapter } = await attached(vip('a', 80));
    const gate = deferred();
    adapter.hold = gate.promise;
    const applying = balancer.apply({ vips: [vip('a', 80)] });
    balancer.createVip(vip('b', 81));
    gate.resolve();
    await applying;
    await settled();
    expect([[...balancer.vips.keys()], adapter.serves]).toEqual([['a', 'b'], 'a:80,b:81']);
  });

  test('while an apply that names it is under way stays the one that was created, and is served', async () => {
    const { balancer, adapter } = await attached(vip('a', 80));
    const gate = deferred();
    adapter.hold = gate.promise;
    const applying = balancer.apply({ vips: [vip('a', 80), vip('b', 81)] });
    const created = balancer.createVip(vip('b', 81));
    gate.resolve();
    await applying;
    await settled();
    expect([balancer.vips.get('b') === created, adapter.serves]).toEqual([true, 'a:80,b:81']);
  });

  test('while an apply that names it is under way leads to the pool that the balancer has', async () => {
    const { balancer, adapter } = await attached();
    const gate = deferred();
    adapter.hold = gate.promise;
    const applying = balancer.apply({ vips: [vip('b', 81)] });
    balancer.createVip(vip('b', 81));
    gate.resolve();
    await applying;
    expect(balancer.vips.get('b')?.pool === balancer.pools.get('b')).toBe(true);
  });
});

describe('an apply that names a virtual IP with another protocol', () => {
  test('asks no adapter', async () => {
    const { balancer, adapter } = await attached(vip('a', 80));
    const error = await rejectionOf(balancer.apply({ vips: [vip('b', 81), { ...vip('a', 80), protocol: 'http' }] }));
    expect([(error as SpecError).path, adapter.log]).toEqual(['vips[1].protocol', []]);
  });

  test('is refused where that was created while listeners were being bound, and what was bound is given up', async () => {
    const { balancer, adapter } = await attached(vip('a', 80));
    const gate = deferred();
    adapter.hold = gate.promise;
    const applying = balancer.apply({ vips: [vip('b', 81)] });
    balancer.createVip({ ...vip('b', 81), protocol: 'http' });
    gate.resolve();
    const error = await rejectionOf(applying);
    await settled();
    expect([(error as SpecError).path, [...balancer.vips.keys()], adapter.log]).toEqual([
      'vips[0].protocol',
      ['a', 'b'],
      ['prepare b:81', 'cancel b:81', 'prepare a:80,b:81', 'commit a:80,b:81'],
    ]);
  });
});

describe('a virtual IP that is removed', () => {
  test('is no longer served soon after', async () => {
    const { balancer, adapter } = await attached(vip('a', 80), vip('b', 81));
    balancer.removeVip('a');
    await settled();
    expect(adapter.serves).toBe('b:81');
  });

  test('while an apply that names it is under way comes back with that, and is served', async () => {
    const { balancer, adapter } = await attached(vip('a', 80));
    const gate = deferred();
    adapter.hold = gate.promise;
    const applying = balancer.apply({ vips: [vip('a', 80)] });
    balancer.removeVip('a');
    gate.resolve();
    await applying;
    await settled();
    expect([[...balancer.vips.keys()], adapter.serves]).toEqual([['a'], 'a:80']);
  });
});

test('an adapter that is detached is asked no more', async () => {
  const { balancer, adapter } = await attached(vip('a', 80));
  balancer.detach(adapter);
  await balancer.apply({ vips: [vip('b', 81)] });
  expect(adapter.log).toEqual([]);
});
