import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Balancer } from '../../src/core/balancer.ts';
import { VirtualClock } from '../../src/core/clock.ts';
import { createVip } from '../../src/core/create-vip.ts';
import type { Session } from '../../src/core/session.ts';
import type { VipSettings, VipSpec } from '../../src/core/vip-spec.ts';
import { refusalOf, spec } from '../fixtures/core.ts';

/** A virtual IP, and what its clients meet: `admitted`, or why they are refused. */
function door(settings: Partial<VipSpec> = {}) {
  const clock = new VirtualClock();
  const vip = createVip({ address: '127.0.0.1', port: 80, ...settings, pool: { members: [spec('a')] } }, { clock });
  const heard: string[] = [];
  const sessions: Session[] = [];
  vip.on('rejected', ({ clientAddress, reason }) => heard.push(`${clientAddress} ${reason}`));
  return {
    vip,
    clock,
    heard,
    sessions,
    knock: (address: string | undefined): string => {
      const session = vip.admit({ address, port: 40_000 }, () => {});
      if (session.refused) return session.reason;
      sessions.push(session);
      return 'admitted';
    },
  };
}

describe('a TCP virtual IP', () => {
  test('refuses an address more connections than it may have, and tells who and why', () => {
    const { vip, heard, sessions, knock } = door({ clientLimits: { maxConnections: 2 } });
    expect(['10.0.0.1', '10.0.0.1', '10.0.0.1', '10.0.0.2'].map(knock)).toEqual([
      'admitted',
      'admitted',
      'client-connections',
      'admitted',
    ]);
    expect(heard).toEqual(['10.0.0.1 client-connections']);
    expect(vip.stats).toMatchObject({ activeConnections: 3, totalConnections: 3, rejects: 1 });
    expect({ ...vip.stats.clientLimits, addresses: vip.stats.clientLimits.addresses }).toEqual({
      connections: 1,
      rate: 0,
      addresses: 2,
    });
    sessions[0]?.leave();
    expect(knock('::ffff:10.0.0.1')).toBe('admitted');
  });

  test('refuses an address more new connections than it may make', async () => {
    const { vip, clock, heard, sessions, knock } = door({ clientLimits: { rate: 2 } });
    expect([1, 2, 3].map(() => knock('10.0.0.1'))).toEqual(['admitted', 'admitted', 'client-rate']);
    for (const session of sessions) session.leave();
    expect(knock('10.0.0.1')).toBe('client-rate');
    await clock.advance(500);
    expect([knock('10.0.0.1'), knock('10.0.0.1')]).toEqual(['admitted', 'client-rate']);
    expect(heard).toEqual(['10.0.0.1 client-rate', '10.0.0.1 client-rate', '10.0.0.1 client-rate']);
    expect(vip.stats.clientLimits.rate).toBe(3);
  });

  test('does not rate what its clients ask for', () => {
    const { sessions, knock } = door({ clientLimits: { rate: 1 } });
    knock('10.0.0.1');
    expect([1, 2, 3].map(() => sessions[0]?.requestDelay())).toEqual([0, 0, 0]);
  });

  test('counts a client that waits, and gives up its place when it leaves', () => {
    const { vip, sessions, knock } = door({ connectionLimit: 1, clientLimits: { maxConnections: 2 } });
    expect(['10.0.0.9', '10.0.0.1', '10.0.0.1', '10.0.0.1'].map(knock)).toEqual([
      'admitted',
      'admitted',
      'admitted',
      'client-connections',
    ]);
    expect(vip.stats.waitingConnections).toBe(2);
    sessions[2]?.leave();
    expect(knock('10.0.0.1')).toBe('admitted');
  });

  test('counts nobody whom it refuses for want of room', () => {
    const { knock, sessions, vip } = door({
      connectionLimit: 1,
      backlog: 0,
      clientLimits: { maxConnections: 1, rate: 1 },
    });
    expect(['10.0.0.9', '10.0.0.1', '10.0.0.1'].map(knock)).toEqual([
      'admitted',
      'connection-limit',
      'connection-limit',
    ]);
    sessions[0]?.leave();
    expect([knock('10.0.0.1'), vip.stats.clientLimits.connections]).toEqual(['admitted', 0]);
  });

  test('does not let in one that has left already, of which it cannot tell where it comes from', () => {
    const { heard, knock } = door({ clientLimits: { maxConnections: 1 } });
    expect([knock(undefined), heard]).toEqual(['client-left', ['undefined client-left']]);
    expect(door().knock(undefined)).toBe('admitted');
  });

  test('limits no client of a Unix socket', () => {
    const { knock } = door({ address: 'unix:/run/app', port: null, clientLimits: { maxConnections: 1, rate: 1 } });
    expect([1, 2, 3].map(() => knock(undefined))).toEqual(['admitted', 'admitted', 'admitted']);
  });
});

describe('an HTTP virtual IP', () => {
  test('rates requests, and says when there may be one more', async () => {
    const { vip, clock, heard, sessions, knock } = door({ protocol: 'http', clientLimits: { rate: 0.25, burst: 2 } });
    expect([1, 2, 3].map(() => knock('10.0.0.1'))).toEqual(['admitted', 'admitted', 'admitted']);
    const [first, second] = sessions as [Session, Session];
    expect([first.requestDelay(), second.requestDelay(), first.requestDelay()]).toEqual([0, 0, 4]);
    await clock.advance(500);
    // Three seconds and a half.
    expect(second.requestDelay()).toBe(4);
    await clock.advance(500);
    expect(second.requestDelay()).toBe(3);
    await clock.advance(2999);
    expect(second.requestDelay()).toBe(1);
    await clock.advance(1);
    expect([second.requestDelay(), second.requestDelay()]).toEqual([0, 4]);
    expect(heard).toEqual(Array.from({ length: 5 }, () => '10.0.0.1 client-rate'));
    expect(vip.stats).toMatchObject({ rejects: 5, clientLimits: { connections: 0, rate: 5 } });
  });

  test('knows of each address what it has left, whatever connection it uses', () => {
    const { sessions, knock } = door({ protocol: 'http', clientLimits: { rate: 1 } });
    for (const address of ['10.0.0.1', '10.0.0.2']) knock(address);
    expect(sessions.map((session) => session.requestDelay())).toEqual([0, 0]);
    sessions[0]?.leave();
    knock('10.0.0.1');
    expect(sessions[2]?.requestDelay()).toBe(1);
  });
});

describe('limits that change while clients are there', () => {
  test('count those who came before there were any', () => {
    const { vip, sessions, knock } = door();
    for (let client = 0; client < 3; client++) knock('10.0.0.1');
    vip.update({ clientLimits: { maxConnections: 3 } });
    expect([knock('10.0.0.1'), vip.stats.activeConnections]).toEqual(['client-connections', 3]);
    sessions[0]?.leave();
    expect([knock('10.0.0.1'), knock('10.0.0.1')]).toEqual(['admitted', 'client-connections']);
  });

  test('count those who wait, too', () => {
    const { vip, knock } = door({ connectionLimit: 1 });
    for (let client = 0; client < 2; client++) knock('10.0.0.1');
    vip.update({ clientLimits: { maxConnections: 2 } });
    expect(knock('10.0.0.1')).toBe('client-connections');
  });

  test('send nobody away', () => {
    const { vip, sessions, knock } = door({ clientLimits: { maxConnections: 3 } });
    for (let client = 0; client < 3; client++) knock('10.0.0.1');
    vip.update({ clientLimits: { maxConnections: 1 } });
    expect([vip.stats.activeConnections, knock('10.0.0.1')]).toEqual([3, 'client-connections']);
    for (const session of sessions.slice(0, 2)) session.leave();
    expect(knock('10.0.0.1')).toBe('client-connections');
    sessions[2]?.leave();
    expect(knock('10.0.0.1')).toBe('admitted');
  });

  test('of other blocks of addresses count all who are there, by the address that they came with', () => {
    const clock = new VirtualClock();
    const vip = createVip({ address: '127.0.0.1', port: 80, pool: {}, clientLimits: { maxConnections: 2 } }, { clock });
    // The address of a socket that has closed meanwhile is not known any more.
    const peer: { address: string | undefined; port: number } = { address: '10.0.0.1', port: 1 };
    const session = vip.admit(peer, () => {});
    peer.address = undefined;
    vip.update({ clientLimits: { maxConnections: 1, granularity: { ipv4: 24 } } });
    const knock = () => vip.admit({ address: '10.0.0.2', port: 2 }, () => {}).refused;
    expect([session.refused, knock()]).toEqual([false, true]);
    if (!session.refused) session.leave();
    expect([knock(), knock()]).toEqual([false, true]);
  });

  test('are gone at once, and leave the counts of what they have done', () => {
    const { vip, sessions, knock } = door({ clientLimits: { maxConnections: 1 } });
    for (let client = 0; client < 2; client++) knock('10.0.0.1');
    vip.update({ clientLimits: null });
    expect([knock('10.0.0.1'), vip.clientLimits]).toEqual(['admitted', undefined]);
    for (const session of sessions) session.leave();
    vip.update({ clientLimits: { maxConnections: 1 } });
    expect([knock('10.0.0.1'), knock('10.0.0.1')]).toEqual(['admitted', 'client-connections']);
    const { connections, rate, addresses } = vip.stats.clientLimits;
    expect({ connections, rate, addresses }).toEqual({ connections: 2, rate: 0, addresses: 1 });
  });

  test('that say the same as before forget nothing', () => {
    const { vip, knock } = door({ clientLimits: { rate: 0.001 } });
    knock('10.0.0.1');
    vip.update({ clientLimits: { rate: 0.001, burst: null } });
    vip.update({ retries: 1 });
    expect(knock('10.0.0.1')).toBe('client-rate');
  });

  test('are refused as a whole where a value is bad', () => {
    const { vip, knock } = door({ clientLimits: { maxConnections: 1 } });
    const change: VipSettings = { retries: 7, clientLimits: { maxConnections: 5, rate: -1 } };
    expect(refusalOf(() => vip.update(change))).toMatchObject({ path: 'clientLimits.rate' });
    expect([knock('10.0.0.1'), knock('10.0.0.1'), vip.retries]).toEqual(['admitted', 'client-connections', 3]);
  });

  test('can be set by apply, and are told in the statistics', async () => {
    const balancer = new Balancer({ clock: new VirtualClock() });
    const vips = (limits: VipSettings['clientLimits']) => [
      { name: 'web', address: '127.0.0.1', port: 80, pool: {}, clientLimits: limits ?? null },
    ];
    await balancer.apply({ vips: vips({ maxConnections: 1 }) });
    const vip = balancer.vips.get('web');
    for (let client = 0; client < 3; client++) vip?.admit({ address: '10.0.0.1', port: 1 }, () => {});
    expect(JSON.parse(JSON.stringify(balancer.stats().vips[0]?.clientLimits))).toEqual({
      connections: 2,
      rate: 0,
      addresses: 1,
    });
    await balancer.apply({ vips: vips({ maxConnections: 2 }) });
    expect(vip?.admit({ address: '10.0.0.1', port: 1 }, () => {}).refused).toBe(false);
    await balancer.apply({ vips: vips(null) });
    expect(balancer.stats().vips[0]?.clientLimits).toEqual({ connections: 2, rate: 0, addresses: 0 });
  });
});

test('counts as a plain list of clients does, through all changes', () => {
  const address = fc.nat(3).map((number) => `10.0.${number >> 1}.${number}`);
  const limits = fc.option(
    fc.record({
      maxConnections: fc.integer({ min: 1, max: 4 }),
      granularity: fc.constantFrom(null, { ipv4: 24 }),
    }),
  );
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ comes: address }) },
    { weight: 3, arbitrary: fc.record({ leaves: fc.nat(20) }) },
    { weight: 1, arbitrary: fc.record({ limits }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const { vip, knock, sessions } = door({ connectionLimit: 3 });
      const blockOf = (text: string, bits: number): string => (bits === 24 ? text.slice(0, 6) : text);
      let present: { session: Session; address: string }[] = [];
      let current: { maxConnections: number; bits: number } | undefined;
      for (const each of steps) {
        if ('comes' in each) {
          const { comes } = each;
          const mine = present.filter(({ address: other }) => {
            const bits = current?.bits ?? 32;
            return blockOf(other, bits) === blockOf(comes, bits);
          });
          const isFull = current !== undefined && mine.length >= current.maxConnections;
          expect(knock(comes)).toBe(isFull ? 'client-connections' : 'admitted');
          if (!isFull) present.push({ session: sessions.at(-1) as Session, address: comes });
        } else if ('leaves' in each) {
          const leaver = present[each.leaves % Math.max(1, present.length)];
          leaver?.session.leave();
          present = present.filter((one) => one !== leaver);
        } else {
          vip.update({ clientLimits: each.limits });
          current =
            each.limits === null
              ? undefined
              : {
                  maxConnections: each.limits.maxConnections,
                  bits: each.limits.granularity?.ipv4 ?? 32,
                };
        }
      }
      const blocks = new Set(present.map(({ address: one }) => blockOf(one, current?.bits ?? 32)));
      expect(vip.stats.clientLimits.addresses).toBe(current === undefined ? 0 : blocks.size);
    }),
    { seed: 1, numRuns: 300 },
  );
});
