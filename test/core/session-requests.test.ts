import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import { createVip } from '../../src/core/create-vip.ts';
import type { Outcome } from '../../src/core/lease.ts';
import type { MemberFields } from '../../src/core/member-spec.ts';
import type { NextStep, Session } from '../../src/core/session.ts';
import type { Stats } from '../../src/core/stats.ts';
import type { VipSettings } from '../../src/core/vip-spec.ts';
import type { TimeoutCounts } from '../../src/core/vip-stats.ts';
import { memberOf, spec } from '../fixtures/core.ts';

/** An HTTP virtual IP, a client that it has let in, and a note of what it tells. */
function visited(members: readonly MemberFields<unknown>[], settings: VipSettings = {}) {
  const vip = createVip(
    { address: '127.0.0.1', port: 80, protocol: 'http', ...settings, pool: { members } },
    { clock: new VirtualClock() },
  );
  const heard: string[] = [];
  vip.on('connect-failed', ({ memberId, reason }) => heard.push(`${memberId}: ${reason}`));
  vip.on('rejected', ({ clientAddress, reason }) => heard.push(`${clientAddress} rejected: ${reason}`));
  const session = vip.admit({ address: '192.0.2.1', port: 40_000 }, () => {});
  if (session.refused) throw new Error(`refused: ${session.reason}`);
  /** What virtual IP, pool and each member say. */
  const books = <Value>(read: (stats: Stats) => Value): Value[] =>
    [vip.stats, vip.pool.stats, ...members.map(({ id }) => memberOf(vip.pool, id ?? '').stats)].map(read);
  return { vip, heard, session, books };
}

const ids = (...names: string[]): MemberFields<unknown>[] => names.map((name) => spec(name));

/** A step of a session as text: the member's id, `pause 1000`, or the reason of a refusal. */
function text(step: NextStep<unknown>): string {
  if (step.refused) return step.reason;
  if ('isWaiting' in step) return 'waits';
  return 'pause' in step ? `pause ${step.pause}` : step.member.id;
}

/** A request on its way, over a new connection to a member, whose id this gives. */
function send(session: Session): string {
  session.countRequest();
  const member = text(session.next());
  session.connected();
  session.countSentRequest();
  return member;
}

/** It is sent to another member, over a new connection. */
function sendAgain(session: Session): string {
  const step = text(session.requestFailed());
  session.connected();
  session.countSentRequest();
  return step;
}

describe('a request', () => {
  test('counts on the virtual IP when it has come in', () => {
    const { session, books } = visited(ids('a'));
    session.countRequest();
    session.next();
    expect(books(({ requests }) => requests)).toEqual([1, 0, 0]);
  });

  test('counts on pool and member when it is sent', () => {
    const { session, books } = visited(ids('a', 'b'));
    send(session);
    expect(books(({ requests }) => requests)).toEqual([1, 1, 1, 0]);
  });

  test('that is sent to nobody counts on none', () => {
    const { session, books } = visited(ids('a'));
    session.countRequest();
    session.countSentRequest();
    expect(books(({ requests }) => requests)).toEqual([1, 0, 0]);
  });

  test('that is sent again counts on both members, and once on the virtual IP', () => {
    const { session, books } = visited(ids('a', 'b'));
    send(session);
    sendAgain(session);
    expect(books(({ requests }) => requests)).toEqual([1, 2, 1, 1]);
  });

  test("that is the client's fault counts as an error on the virtual IP only", () => {
    const { session, books } = visited(ids('a'));
    send(session);
    session.countRequestError();
    expect(books(({ requestErrors }) => requestErrors)).toEqual([1, 0, 0]);
  });

  test('goes to a member of its own, on the same connection of the client', () => {
    const { vip, session } = visited(ids('a', 'b', 'c'));
    const served = [1, 2, 3, 4].map(() => {
      const member = send(session);
      session.finishRequest('success');
      return member;
    });
    expect([served, vip.stats.totalConnections]).toEqual([['a', 'b', 'c', 'a'], 1]);
  });
});

describe('an answer', () => {
  for (const [status, field] of [
    [103, 'responses1xx'],
    [200, 'responses2xx'],
    [304, 'responses3xx'],
    [404, 'responses4xx'],
    [502, 'responses5xx'],
  ] as const) {
    test(`of ${status} counts in ${field} on virtual IP, pool and member`, () => {
      const { session, books } = visited(ids('a', 'b'));
      send(session);
      session.countResponse(status);
      expect(books((stats) => stats[field])).toEqual([1, 1, 1, 0]);
    });

    test(`of ${status} that is our own counts in ${field} on the virtual IP only`, () => {
      const { session, books } = visited(ids('a', 'b'));
      send(session);
      session.countOwnResponse(status);
      expect(books((stats) => stats[field])).toEqual([1, 0, 0, 0]);
    });
  }

  test('notes the time to its first byte on virtual IP, pool and member', () => {
    const { session, books } = visited(ids('a', 'b'));
    send(session);
    session.countFirstByte(12);
    session.finishRequest('success');
    send(session);
    session.countFirstByte(30);
    expect(books(({ timeToFirstByte }) => [timeToFirstByte?.count, timeToFirstByte?.max])).toEqual([
      [2, 30],
      [2, 30],
      [1, 12],
      [1, 30],
    ]);
  });
});

test('a timeout counts by its kind on the virtual IP', () => {
  const { vip, session } = visited(ids('a'));
  const kinds: (keyof TimeoutCounts)[] = ['request', 'body', 'response', 'reader', 'keepAlive', 'tunnel', 'handshake'];
  for (const [index, kind] of kinds.entries()) for (let time = 0; time <= index; time++) session.countTimeout(kind);
  expect(vip.stats.timeouts).toEqual({
    request: 1,
    body: 2,
    response: 3,
    reader: 4,
    keepAlive: 5,
    tunnel: 6,
    handshake: 7,
  });
});

describe('a request whose member failed before it answered', () => {
  test('goes to one that has not been tried', () => {
    const { session } = visited(ids('a', 'b', 'c'));
    expect([send(session), sendAgain(session), sendAgain(session)]).toEqual(['a', 'b', 'c']);
  });

  test('waits for a second where all members were tried and tries are left, and may go to any then', () => {
    const { session } = visited(ids('a', 'b'));
    send(session);
    sendAgain(session);
    const pause = text(session.requestFailed());
    const again = [text(session.next()), sendAgain(session)].sort();
    expect([pause, again]).toEqual(['pause 1000', ['a', 'b']]);
  });

  for (const retries of [0, 1, 3]) {
    test(`is given up after ${retries + 1} tries where retries is ${retries}`, () => {
      const { session } = visited(ids('a', 'b', 'c', 'd', 'e'), { retries });
      let tries = 1;
      send(session);
      while (text(session.requestFailed()) !== 'retries-exhausted') tries++;
      expect(tries).toBe(retries + 1);
    });
  }

  test('has as many tries together with connects that failed', () => {
    const { session } = visited(ids('a', 'b', 'c', 'd'), { retries: 2 });
    send(session);
    const steps = [text(session.requestFailed()), text(session.connectFailed('x')), text(session.requestFailed())];
    expect(steps).toEqual(['b', 'c', 'retries-exhausted']);
  });

  test('that is given up counts as rejected, and is told', () => {
    const { vip, heard, session } = visited(ids('a'), { retries: 0 });
    send(session);
    session.requestFailed();
    expect([vip.stats.rejects, heard]).toEqual([1, ['192.0.2.1 rejected: retries-exhausted']]);
  });

  test('counts as an error of that member and its pool, not of the client', () => {
    const { session, books } = visited(ids('a', 'b'));
    send(session);
    sendAgain(session);
    expect(books(({ requestErrors }) => requestErrors)).toEqual([0, 1, 1, 0]);
  });

  test('is a retry on virtual IP, pool and the member that it goes to', () => {
    const { session, books } = visited(ids('a', 'b'));
    send(session);
    sendAgain(session);
    expect(books(({ retries }) => retries)).toEqual([1, 1, 0, 1]);
  });

  test('is no failed connect', () => {
    const { heard, session, books } = visited(ids('a', 'b'));
    send(session);
    sendAgain(session);
    expect([books(({ connectFailures }) => connectFailures), heard]).toEqual([[0, 0, 0, 0], []]);
  });

  test('is no failed connect either where its connection had been kept', () => {
    const { session, books } = visited(ids('a', 'b'));
    session.next();
    session.resumed();
    session.requestFailed();
    expect(books(({ connectFailures, requestErrors }) => [connectFailures, requestErrors])).toEqual([
      [0, 0],
      [0, 1],
      [0, 1],
      [0, 0],
    ]);
  });

  test('leaves nothing active on that member', () => {
    const { session, books } = visited(ids('a', 'b'));
    send(session);
    sendAgain(session);
    expect(books(({ activeConnections }) => activeConnections)).toEqual([1, 1, 0, 1]);
  });

  test('goes nowhere once its client has left', () => {
    const { session, books } = visited(ids('a', 'b'));
    send(session);
    session.leave('aborted');
    const step = text(session.requestFailed());
    expect([step, books(({ activeConnections }) => activeConnections)]).toEqual(['client-left', [0, 0, 0, 0]]);
  });
});

describe('a request that is over', () => {
  for (const [outcome, errors, aborted] of [
    ['success', [0, 0, 0], [0, 0, 0]],
    ['failure', [0, 1, 1], [0, 0, 0]],
    ['ignored', [0, 0, 0], [0, 0, 0]],
    ['aborted', [0, 0, 0], [1, 1, 1]],
  ] as const satisfies readonly (readonly [Outcome, number[], number[]])[]) {
    test(`with '${outcome}' counts ${errors.join(', ')} errors and ${aborted.join(', ')} abortions on virtual IP, pool and member`, () => {
      const { session, books } = visited(ids('a'));
      send(session);
      session.finishRequest(outcome);
      expect([books(({ requestErrors }) => requestErrors), books(({ abortedRequests }) => abortedRequests)]).toEqual([
        errors,
        aborted,
      ]);
    });

    test(`with '${outcome}' leaves its client, and nothing on pool and member`, () => {
      const { session, books } = visited(ids('a'));
      send(session);
      session.finishRequest(outcome);
      expect([books(({ activeConnections }) => activeConnections), session.member]).toEqual([[1, 0, 0], undefined]);
    });

    test(`with '${outcome}' before it had a member counts ${aborted[0]} abortions and no errors`, () => {
      const { session, books } = visited(ids('a'));
      session.countRequest();
      session.finishRequest(outcome);
      expect(books(({ abortedRequests, requestErrors }) => [abortedRequests, requestErrors])).toEqual([
        [aborted[0], 0],
        [0, 0],
        [0, 0],
      ]);
    });
  }

  test('makes room on its member', () => {
    const { session } = visited([spec('a', { maxConnections: 1 })]);
    send(session);
    session.finishRequest('success');
    expect(send(session)).toBe('a');
  });

  test('is over for good: when its client leaves, nothing more is counted', () => {
    const { session, books } = visited(ids('a'));
    send(session);
    session.finishRequest('success');
    session.leave('aborted');
    const counted = books(({ activeConnections, abortedRequests }) => [activeConnections, abortedRequests]);
    expect(counted).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
  });
});

describe('at the next request', () => {
  test('a member that failed the one before may be picked', () => {
    const { session } = visited(ids('a', 'b'));
    const served = [send(session), sendAgain(session)];
    session.finishRequest('success');
    served.push(send(session));
    expect([served, session.exclude]).toEqual([['a', 'b', 'a'], undefined]);
  });

  test('a member that failed the one before may be the second try', () => {
    const { session } = visited(ids('a', 'b', 'c'));
    const served = [send(session), sendAgain(session)];
    session.finishRequest('success');
    served.push(send(session), sendAgain(session));
    expect(served).toEqual(['a', 'b', 'c', 'a']);
  });

  test('the first try is no retry', () => {
    const { session, books } = visited(ids('a', 'b'));
    send(session);
    sendAgain(session);
    session.finishRequest('success');
    send(session);
    expect(books(({ retries }) => retries)).toEqual([1, 1, 0, 1]);
  });

  test('all tries are left', () => {
    const { session } = visited(ids('a', 'b', 'c', 'd'), { retries: 1 });
    send(session);
    sendAgain(session);
    session.finishRequest('failure');
    send(session);
    expect([sendAgain(session), sendAgain(session)]).toEqual(['d', 'retries-exhausted']);
  });

  test('a client that was given up is served again', () => {
    const { session } = visited(ids('a'), { retries: 0 });
    send(session);
    const step = text(session.requestFailed());
    session.finishRequest('ignored');
    expect([step, send(session)]).toEqual(['retries-exhausted', 'a']);
  });
});

describe('a connection to a member', () => {
  /** One that serves a second request as well. */
  const usedTwice = () => {
    const visit = visited(ids('a'));
    send(visit.session);
    visit.session.finishRequest('success');
    visit.session.next();
    visit.session.resumed();
    visit.session.countSentRequest();
    return visit;
  };

  test('that is kept counts once', () => {
    expect(usedTwice().books(({ totalConnections }) => totalConnections)).toEqual([1, 1, 1]);
  });

  test('that is kept counts once also when its request is over', () => {
    const { session, books } = usedTwice();
    session.finishRequest('success');
    expect(books(({ totalConnections, requests }) => [totalConnections, requests])).toEqual([
      [1, 1],
      [1, 2],
      [1, 2],
    ]);
  });

  test('is in use while it serves a request', () => {
    const { session, books } = usedTwice();
    const during = books(({ activeConnections }) => activeConnections);
    session.finishRequest('success');
    expect([during, books(({ activeConnections }) => activeConnections)]).toEqual([
      [1, 1, 1],
      [1, 0, 0],
    ]);
  });
});

test('a client that leaves in the middle of a request frees its member', () => {
  const { session, books } = visited(ids('a'));
  send(session);
  session.leave('aborted');
  expect(books(({ activeConnections }) => activeConnections)).toEqual([0, 0, 0]);
});
