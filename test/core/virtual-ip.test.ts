import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import { createVip } from '../../src/core/create-vip.ts';
import type { Session } from '../../src/core/session.ts';
import type { VipSettings } from '../../src/core/vip-spec.ts';
import type { VirtualIP } from '../../src/core/virtual-ip.ts';
import { FakeProbe, memberOf, spec } from '../fixtures/core.ts';

/** A virtual IP and the order in which clients, called by a number, had their turn. */
function door(settings: VipSettings = {}) {
  const type = new FakeProbe(new VirtualClock());
  const pool = { members: [spec('a'), spec('b')], healthMonitor: { type, maxRetries: 1, maxRetriesDown: 1 } };
  const vip = createVip({ address: '127.0.0.1', port: 80, ...settings, pool }, { clock: new VirtualClock() });
  const entered: number[] = [];
  const heard: string[] = [];
  vip.on('status', ({ from, to }) => heard.push(`${from}>${to}`));
  vip.on('rejected', ({ clientAddress, reason }) => heard.push(`${clientAddress} ${reason}`));
  const knock = (number: number, address: string | undefined = `192.0.2.${number}`) =>
    vip.admit({ address, port: 40_000 }, () => entered.push(number));
  const enter = (number: number): Session => {
    const session = knock(number);
    if (session.refused) throw new Error(`refused: ${session.reason}`);
    return session;
  };
  return { vip, entered, heard, knock, enter };
}

const reasonOf = (answer: ReturnType<VirtualIP['admit']>): string => (answer.refused ? answer.reason : 'admitted');

describe('a client', () => {
  test('comes in at once where there is room', () => {
    const { entered, enter } = door();
    enter(1);
    expect(entered).toEqual([1]);
  });

  test('waits beyond the connection limit', () => {
    const { vip, entered, enter } = door({ connectionLimit: 2 });
    for (const number of [1, 2, 3]) enter(number);
    expect([entered, vip.stats.activeConnections, vip.stats.waitingConnections]).toEqual([[1, 2], 2, 1]);
  });

  test('that waits counts as a connection only when its turn comes', () => {
    const { vip, enter } = door({ connectionLimit: 1 });
    const first = enter(1);
    enter(2);
    const before = vip.stats.totalConnections;
    first.leave();
    expect([before, vip.stats.totalConnections]).toEqual([1, 2]);
  });

  test('is served in the order of arrival', () => {
    const { entered, enter } = door({ connectionLimit: 1 });
    const sessions = [1, 2, 3, 4].map(enter);
    for (const session of sessions) session.leave();
    expect(entered).toEqual([1, 2, 3, 4]);
  });

  test('that arrives does not overtake those that wait', () => {
    const { entered, enter } = door({ connectionLimit: 2 });
    const sessions = [1, 2, 3].map(enter);
    sessions[0]?.leave();
    enter(4);
    expect(entered).toEqual([1, 2, 3]);
  });

  test('that arrives while others are let in does not overtake those that still wait', () => {
    const { vip, entered, enter } = door({ connectionLimit: 1 });
    enter(1);
    vip.admit({ address: '192.0.2.2', port: 40_000 }, () => {
      entered.push(2);
      enter(4);
    });
    enter(3);
    vip.update({ connectionLimit: 3 });
    expect(entered).toEqual([1, 2, 3]);
  });

  test('may leave while it waits', () => {
    const { vip, entered, enter } = door({ connectionLimit: 1 });
    const first = enter(1);
    const second = enter(2);
    enter(3);
    second.leave();
    first.leave();
    expect([entered, vip.stats.waitingConnections]).toEqual([[1, 3], 0]);
  });

  test('is refused where as many wait as the backlog holds', () => {
    const { knock } = door({ connectionLimit: 1, backlog: 1 });
    expect([1, 2, 3].map((number) => reasonOf(knock(number)))).toEqual(['admitted', 'admitted', 'connection-limit']);
  });

  test('is refused at the limit where nobody may wait', () => {
    const { knock } = door({ connectionLimit: 1, backlog: 0 });
    expect([1, 2].map((number) => reasonOf(knock(number)))).toEqual(['admitted', 'connection-limit']);
  });

  test('is refused where the virtual IP is disabled', () => {
    expect(reasonOf(door({ enabled: false }).knock(1))).toBe('disabled');
  });

  test('that is refused is counted and told', () => {
    const { vip, heard, knock } = door({ allowedCidrs: ['10.0.0.0/8'] });
    knock(1);
    expect([vip.stats.rejects, vip.stats.activeConnections, heard]).toEqual([1, 0, ['192.0.2.1 not-allowed']]);
  });
});

describe('allowed addresses', () => {
  for (const [cidrs, address, expected] of [
    [['192.0.2.0/24'], '192.0.2.9', 'admitted'],
    [['192.0.2.0/24'], '192.0.3.9', 'not-allowed'],
    [['192.0.2.0/24'], '::ffff:192.0.2.9', 'admitted'],
    [['192.0.2.0/24'], '::ffff:192.0.3.9', 'not-allowed'],
    [['2001:db8::/32'], '2001:db8::5', 'admitted'],
    [['2001:db8::/32'], '2001:db9::5', 'not-allowed'],
    [['2001:db8::/32', '10.0.0.0/8'], '10.1.1.1', 'admitted'],
    [['0.0.0.0/0'], '203.0.113.1', 'admitted'],
    [['0.0.0.0/0'], '2001:db8::5', 'not-allowed'],
    [['::/0'], '203.0.113.1', 'not-allowed'],
    [[], '127.0.0.1', 'not-allowed'],
  ] as const) {
    test(`of [${cidrs.join(', ')}]: ${address} is ${expected}`, () => {
      expect(reasonOf(door({ allowedCidrs: cidrs }).knock(1, address))).toBe(expected);
    });
  }

  test('let no client of a Unix socket in', () => {
    const { vip } = door({ allowedCidrs: ['0.0.0.0/0', '::/0'] });
    expect(reasonOf(vip.admit({ address: undefined, port: undefined }, () => {}))).toBe('not-allowed');
  });

  test('can be changed while it serves', () => {
    const { vip, knock } = door();
    vip.update({ allowedCidrs: ['10.0.0.0/8'] });
    expect(reasonOf(knock(1))).toBe('not-allowed');
  });
});

describe('a new connection limit', () => {
  test('that is higher lets in those that wait', () => {
    const { vip, entered, enter } = door({ connectionLimit: 1 });
    for (const number of [1, 2, 3, 4]) enter(number);
    vip.update({ connectionLimit: 3 });
    expect(entered).toEqual([1, 2, 3]);
  });

  test('of none lets all in', () => {
    const { vip, entered, enter } = door({ connectionLimit: 1 });
    for (const number of [1, 2, 3, 4]) enter(number);
    vip.update({ connectionLimit: null });
    expect([entered, vip.stats.waitingConnections]).toEqual([[1, 2, 3, 4], 0]);
  });

  test('that is lower ends no connection', () => {
    const { vip, enter } = door();
    for (const number of [1, 2, 3]) enter(number);
    vip.update({ connectionLimit: 1 });
    expect(vip.stats.activeConnections).toBe(3);
  });

  test('that is lower lets nobody in before enough have left', () => {
    const { vip, entered, enter } = door();
    const sessions = [1, 2, 3].map(enter);
    vip.update({ connectionLimit: 1 });
    enter(4);
    sessions[0]?.leave();
    sessions[1]?.leave();
    const before = [...entered];
    sessions[2]?.leave();
    expect([before, entered]).toEqual([
      [1, 2, 3],
      [1, 2, 3, 4],
    ]);
  });
});

describe("a virtual IP's status", () => {
  test("is 'online' while its pool is", () => {
    expect(door().vip.status).toBe('online');
  });

  test('follows its pool', () => {
    const { vip, heard } = door();
    for (const id of ['a', 'b']) vip.pool.recordCheck(memberOf(vip.pool, id), false, 'refused');
    for (const id of ['a', 'b']) vip.pool.recordCheck(memberOf(vip.pool, id), true, 'fine');
    expect(heard).toEqual(['online>degraded', 'degraded>error', 'error>degraded', 'degraded>online']);
  });

  test("is 'offline' where its pool is disabled", () => {
    const { vip } = door();
    vip.pool.update({ enabled: false });
    expect(vip.status).toBe('offline');
  });

  test("is 'offline' where it is disabled, whatever its pool is", () => {
    const { vip } = door();
    vip.update({ enabled: false });
    for (const id of ['a', 'b']) vip.pool.recordCheck(memberOf(vip.pool, id), false, 'refused');
    expect(vip.status).toBe('offline');
  });

  test("is 'degraded' at the connection limit, and 'online' one below it", () => {
    const { heard, enter } = door({ connectionLimit: 2 });
    enter(1);
    const before = [...heard];
    const second = enter(2);
    second.leave();
    expect([before, heard]).toEqual([[], ['online>degraded', 'degraded>online']]);
  });

  test("stays 'degraded' where the next client takes the place at once", () => {
    const { heard, enter } = door({ connectionLimit: 1 });
    const first = enter(1);
    enter(2);
    first.leave();
    expect(heard).toEqual(['online>degraded']);
  });

  test("is 'degraded' where the limit is lowered to what is served", () => {
    const { vip, enter } = door();
    enter(1);
    vip.update({ connectionLimit: 1 });
    expect(vip.status).toBe('degraded');
  });

  test("is 'error' at the connection limit where its pool is", () => {
    const { vip, enter } = door({ connectionLimit: 1 });
    enter(1);
    for (const id of ['a', 'b']) vip.pool.recordCheck(memberOf(vip.pool, id), false, 'refused');
    expect(vip.status).toBe('error');
  });
});

test('in any coming and going the limit holds, nobody is forgotten and all counts return to zero', () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('knock' as const), nth: fc.constant(0) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('leave' as const), nth: fc.nat(20) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('limit' as const), nth: fc.integer({ min: 1, max: 5 }) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const { vip, entered, knock } = door({ connectionLimit: 3, backlog: 4 });
      const present = new Map<number, Session>();
      let number = 0;
      for (const { do: what, nth } of steps) {
        if (what === 'knock') {
          number++;
          const answer = knock(number);
          if (!answer.refused) present.set(number, answer);
        } else if (what === 'leave') {
          const entry = [...present][nth % Math.max(1, present.size)];
          if (entry === undefined) continue;
          present.delete(entry[0]);
          entry[1].leave('aborted');
        } else {
          vip.update({ connectionLimit: nth });
        }
        const served = [...present.keys()].filter((each) => entered.includes(each)).length;
        const { activeConnections, waitingConnections } = vip.stats;
        const limit = vip.connectionLimit ?? 0;
        expect([activeConnections, waitingConnections]).toEqual([served, present.size - served]);
        expect(waitingConnections > 0 && activeConnections < limit).toBe(false);
        expect(vip.status).toBe(activeConnections >= limit ? 'degraded' : 'online');
      }
      expect(entered).toEqual([...entered].sort((a, b) => a - b));
      // From the back, so that nobody who waits is let in first.
      for (const session of [...present.values()].reverse()) session.leave();
      expect([vip.stats.activeConnections, vip.stats.waitingConnections]).toEqual([0, 0]);
    }),
    { seed: 61, numRuns: 200 },
  );
});
