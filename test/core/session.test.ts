import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import { createVip } from '../../src/core/create-vip.ts';
import type { MemberFields } from '../../src/core/member-spec.ts';
import type { RequestAttributes } from '../../src/core/pick-request.ts';
import type { NextStep, Session } from '../../src/core/session.ts';
import type { VipSettings } from '../../src/core/vip-spec.ts';
import type { Strategy } from '../../src/strategies/strategy.ts';
import { memberOf, spec } from '../fixtures/core.ts';

/** A virtual IP, one client that it has let in, and a note of what it tells. */
function visited(
  members: readonly MemberFields<unknown>[],
  settings: VipSettings = {},
  strategy: 'round-robin' | 'source-ip' = 'round-robin',
) {
  const vip = createVip(
    { address: '127.0.0.1', port: 80, ...settings, pool: { members, strategy } },
    { clock: new VirtualClock() },
  );
  const heard: string[] = [];
  vip.on('connect-failed', ({ memberId, reason }) => heard.push(`${memberId}: ${reason}`));
  vip.on('rejected', ({ clientAddress, reason }) => heard.push(`${clientAddress} rejected: ${reason}`));
  const admit = (address: string | undefined = '192.0.2.1'): Session => {
    const session = vip.admit({ address, port: 40_000 }, () => {});
    if (session.refused) throw new Error(`refused: ${session.reason}`);
    return session;
  };
  return { vip, heard, admit, session: admit() };
}

/** A step of a session as text: the member's id, `pause 1000`, or the reason of a refusal. */
function text(step: NextStep<unknown>): string {
  if (step.refused) return step.reason;
  if ('isWaiting' in step) return 'waits';
  return 'pause' in step ? `pause ${step.pause}` : step.member.id;
}

describe('a client', () => {
  test('gets a member', () => {
    const { session } = visited([spec('a')]);
    expect(text(session.next())).toBe('a');
  });

  test('gets another member where a connect failed, until all were tried', () => {
    const { session } = visited([spec('a'), spec('b'), spec('c')]);
    const steps = [session.next(), session.connectFailed('refused'), session.connectFailed('refused')];
    expect(steps.map(text)).toEqual(['a', 'b', 'c']);
  });

  test('waits for a second where all members were tried and tries are left', () => {
    const { session } = visited([spec('a'), spec('b')]);
    session.next();
    session.connectFailed('refused');
    expect(text(session.connectFailed('refused'))).toBe('pause 1000');
  });

  test('waits no longer than a connect may take', () => {
    const { session } = visited([spec('a')], { timeouts: { connect: 200 } });
    session.next();
    expect(text(session.connectFailed('refused'))).toBe('pause 200');
  });

  test('waits for a second where a connect may take as long as it likes', () => {
    const { session } = visited([spec('a')], { timeouts: { connect: 0 } });
    session.next();
    expect(text(session.connectFailed('refused'))).toBe('pause 1000');
  });

  test('may try every member again after the pause', () => {
    const { session } = visited([spec('a'), spec('b')]);
    session.next();
    session.connectFailed('refused');
    session.connectFailed('refused');
    expect([text(session.next()), text(session.connectFailed('refused'))].sort()).toEqual(['a', 'b']);
  });

  for (const retries of [0, 1, 3]) {
    test(`is given up after ${retries + 1} failed connects where retries is ${retries}`, () => {
      const { session } = visited([spec('a'), spec('b'), spec('c'), spec('d'), spec('e')], { retries });
      let step = text(session.next());
      let tries = 1;
      for (
        step = text(session.connectFailed('x'));
        step !== 'retries-exhausted';
        step = text(session.connectFailed('x'))
      )
        tries++;
      expect(tries).toBe(retries + 1);
    });
  }

  test('is given up where no member may serve', () => {
    const { session } = visited([spec('a', { enabled: false })]);
    expect(text(session.next())).toBe('no-eligible-member');
  });

  test('is given up where every member is full', () => {
    const { session, admit } = visited([spec('a', { maxConnections: 1 })]);
    admit().next();
    expect(text(session.next())).toBe('members-full');
  });

  test('stays on its member under source-ip, also when it comes by a dual-stack socket', () => {
    const { admit } = visited(
      Array.from({ length: 20 }, (_, index) => spec(`m${index}`)),
      {},
      'source-ip',
    );
    const [plain, mapped] = [admit('192.0.2.77'), admit('::ffff:192.0.2.77')].map((session) => text(session.next()));
    expect(mapped).toBe(plain);
  });

  test('of a Unix socket gets a member', () => {
    const { vip } = visited([spec('a')], {}, 'source-ip');
    const session = vip.admit({ address: undefined, port: undefined }, () => {});
    expect(session.refused ? session.reason : text(session.next())).toBe('a');
  });
});

describe('a failed connect', () => {
  test('counts on virtual IP, pool and member', () => {
    const { vip, session } = visited([spec('a'), spec('b')]);
    session.next();
    session.connectFailed('refused');
    const books = [vip.stats, vip.pool.stats, memberOf(vip.pool, 'a').stats, memberOf(vip.pool, 'b').stats];
    expect(books.map(({ connectFailures }) => connectFailures)).toEqual([1, 1, 1, 0]);
  });

  test('makes the next try a retry, on virtual IP, pool and the member that it comes to', () => {
    const { vip, session } = visited([spec('a'), spec('b')]);
    session.next();
    session.connectFailed('refused');
    const books = [vip.stats, vip.pool.stats, memberOf(vip.pool, 'a').stats, memberOf(vip.pool, 'b').stats];
    expect(books.map(({ retries }) => retries)).toEqual([1, 1, 0, 1]);
  });

  test('leaves nothing active on the member', () => {
    const { vip, session } = visited([spec('a'), spec('b')]);
    session.next();
    session.connectFailed('refused');
    expect(memberOf(vip.pool, 'a').stats.activeConnections).toBe(0);
  });

  test('is told with its reason', () => {
    const { heard, session } = visited([spec('a'), spec('b')]);
    session.next();
    session.connectFailed('connect ECONNREFUSED 10.0.0.1:80');
    expect(heard).toEqual(['a: connect ECONNREFUSED 10.0.0.1:80']);
  });

  test('that is the last one is told before the rejection', () => {
    const { heard, session } = visited([spec('a')], { retries: 0 });
    session.next();
    session.connectFailed('refused');
    expect(heard).toEqual(['a: refused', '192.0.2.1 rejected: retries-exhausted']);
  });
});

describe('a connect for which we lacked the means', () => {
  test('says nothing about the member', () => {
    const { vip, heard, session } = visited([spec('a')]);
    session.next();
    session.connectImpossible();
    const { connectFailures, activeConnections } = memberOf(vip.pool, 'a').stats;
    expect([connectFailures, activeConnections, heard]).toEqual([0, 0, []]);
  });

  test('is tried again after a pause, on any member', () => {
    const { session } = visited([spec('a')]);
    session.next();
    expect([text(session.connectImpossible()), text(session.next())]).toEqual(['pause 1000', 'a']);
  });

  test('uses up the tries', () => {
    const { session } = visited([spec('a')], { retries: 1 });
    session.next();
    session.connectImpossible();
    session.next();
    expect(text(session.connectImpossible())).toBe('retries-exhausted');
  });
});

describe('the books', () => {
  test('count a connection on virtual IP, pool and member', () => {
    const { vip, session } = visited([spec('a')]);
    session.next();
    session.connected();
    const books = [vip.stats, vip.pool.stats, memberOf(vip.pool, 'a').stats];
    expect(books.map(({ activeConnections, totalConnections }) => [activeConnections, totalConnections])).toEqual([
      [1, 1],
      [1, 1],
      [1, 1],
    ]);
  });

  test('count bytes on virtual IP, pool and member', () => {
    const { vip, session } = visited([spec('a')]);
    session.next();
    session.countIn(7);
    session.countOut(9);
    const books = [vip.stats, vip.pool.stats, memberOf(vip.pool, 'a').stats];
    expect(books.map(({ bytesIn, bytesOut }) => [bytesIn, bytesOut])).toEqual([
      [7, 9],
      [7, 9],
      [7, 9],
    ]);
  });

  test('are closed when the client leaves', () => {
    const { vip, session } = visited([spec('a')]);
    session.next();
    session.connected();
    session.leave();
    const books = [vip.stats, vip.pool.stats, memberOf(vip.pool, 'a').stats];
    expect(books.map(({ activeConnections }) => activeConnections)).toEqual([0, 0, 0]);
  });

  test('are closed once however often the client leaves', () => {
    const { vip, session, admit } = visited([spec('a')]);
    admit();
    session.leave();
    session.leave();
    expect(vip.stats.activeConnections).toBe(1);
  });

  test('are closed when a client leaves that never got a member', () => {
    const { vip, session } = visited([]);
    session.next();
    session.leave();
    expect(vip.stats.activeConnections).toBe(0);
  });

  test('count a rejection once', () => {
    const { vip, session } = visited([spec('a', { weight: 0 })]);
    session.next();
    session.leave();
    expect(vip.stats.rejects).toBe(1);
  });

  test('name the member while it serves', () => {
    const { session } = visited([spec('a')]);
    const before = session.member;
    session.next();
    const during = session.member?.id;
    session.leave();
    expect([before, during, session.member]).toEqual([undefined, 'a', undefined]);
  });
});

test('a client that has left takes no member any more', () => {
  const { vip, session } = visited([spec('a')]);
  session.leave();
  session.next();
  expect(memberOf(vip.pool, 'a').stats.activeConnections).toBe(0);
});

describe('what a strategy gets to know of a request', () => {
  /** A virtual IP whose strategy takes members in turn and notes what it knows, and clients of it. */
  function noting(protocol: 'http' | 'tcp', ...members: readonly string[]) {
    const known: string[] = [];
    let turn = 0;
    const strategy: Strategy = {
      name: 'noting',
      prepare: (eligible) => ({
        pick: (request) => {
          known.push(`${request.path ?? 'no path'}, ${request.header('x-tenant') ?? 'no tenant'}`);
          return eligible[turn++ % eligible.length];
        },
      }),
    };
    const vip = createVip(
      { address: '127.0.0.1', port: 80, protocol, pool: { members: members.map((id) => spec(id)), strategy } },
      { clock: new VirtualClock() },
    );
    const admit = (): Session => {
      const session = vip.admit({ address: '192.0.2.1', port: 40_000 }, () => {});
      if (session.refused) throw new Error(`refused: ${session.reason}`);
      return session;
    };
    return { known, admit };
  }

  const request = (path: string, tenant?: string): RequestAttributes => ({
    path,
    header: (name) => (name === 'x-tenant' ? tenant : undefined),
  });

  test('is its path and its fields, at the first try and at every other', () => {
    const { known, admit } = noting('http', 'a', 'b', 'c');
    const session = admit();
    session.begin(request('/x', 'one'));
    session.connectFailed('refused');
    session.requestFailed();
    // All have been tried, as the strategy's answer shows, and may be tried again after a pause.
    session.connectFailed('refused');
    session.next();
    expect(known).toEqual(Array.from({ length: 5 }, () => '/x, one'));
  });

  test('is nothing of the request before', () => {
    const { known, admit } = noting('http', 'a');
    const session = admit();
    session.begin(request('/x', 'one'));
    session.finishRequest('success');
    session.begin(request('/y'));
    session.finishRequest('aborted');
    session.next();
    expect(known).toEqual(['/x, one', '/y, no tenant', 'no path, no tenant']);
  });

  test('is nothing of another client', () => {
    const { known, admit } = noting('http', 'a');
    const [one, other] = [admit(), admit()];
    one.begin(request('/x', 'one'));
    other.next();
    expect(known).toEqual(['/x, one', 'no path, no tenant']);
  });

  test('is nothing where there is none', () => {
    const { known, admit } = noting('tcp', 'a', 'b');
    const session = admit();
    session.next();
    session.connectFailed('refused');
    expect(known).toEqual(['no path, no tenant', 'no path, no tenant']);
  });
});
