import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import type { MemberFields } from '../../src/core/member-spec.ts';
import type { Pool } from '../../src/core/pool.ts';
import type { PoolUpdate } from '../../src/core/pool-spec.ts';
import type { Probe } from '../../src/health/probe.ts';
import { makePool, memberOf, refusalOf, settled, spec, take, tally, visit, visits } from '../fixtures/core.ts';
import { down, monitoredPool, up } from '../fixtures/monitored.ts';

/** Two members, of which the agent of `a` is heard. */
function pair(a: Partial<MemberFields<unknown>> = {}, settings: PoolUpdate = {}): Pool {
  return makePool({ members: [spec('a', { weight: 100, ...a }), spec('b', { port: 81, weight: 100 })], ...settings });
}

const statusOf = (pool: Pool): string => {
  const { status, statusReason } = memberOf(pool, 'a');
  return `${status}: ${statusReason}`;
};

describe('a member whose agent says', () => {
  test('75% gets three for four of a member of the same weight', () => {
    const pool = pair();
    memberOf(pool, 'a').reportAgent('75%');
    expect(memberOf(pool, 'a').weight).toBe(75);
    expect(tally(visits(pool, 700))).toEqual({ a: 300, b: 400 });
  });

  test('0% drains, and serves again at 100%', () => {
    const pool = pair();
    memberOf(pool, 'a').reportAgent('0%');
    expect([statusOf(pool), tally(visits(pool, 10))]).toEqual(['draining: agent: 0%', { b: 10 }]);
    memberOf(pool, 'a').reportAgent('100%');
    expect(tally(visits(pool, 10))).toEqual({ a: 5, b: 5 });
  });

  test('maxconn:1 holds one connection at a time', () => {
    const pool = pair();
    memberOf(pool, 'a').reportAgent('maxconn:1');
    const leases = Array.from({ length: 6 }, () => take(pool));
    expect(tally(leases.map(({ member }) => member.id))).toEqual({ a: 1, b: 5 });
    memberOf(pool, 'a').reportAgent('maxconn:0');
    const more = Array.from({ length: 6 }, () => take(pool));
    expect(tally(more.map(({ member }) => member.id))).toEqual({ a: 3, b: 3 });
  });

  test('maxconn:1 while it holds more takes no new ones until it holds none', () => {
    const pool = pair();
    const leases = Array.from({ length: 4 }, () => take(pool)).filter(({ member }) => member.id === 'a');
    memberOf(pool, 'a').reportAgent('maxconn:1');
    expect(tally(visits(pool, 4))).toEqual({ b: 4 });
    for (const lease of leases) lease.release();
    expect(tally(visits(pool, 4))).toEqual({ a: 2, b: 2 });
  });

  for (const [line, status] of [
    ['drain', 'draining: agent: drain'],
    ['maint', 'offline: agent: maint'],
    ['down', 'error: agent: down'],
    ['fail # disk full', 'error: agent: fail (disk full)'],
    ['stopped', 'error: agent: stopped'],
    ['75%,maxconn:30,maint,down', 'offline: agent: maint'],
  ] as const) {
    test(`'${line}' is ${status}, takes no new client, and keeps those that it has`, () => {
      const pool = pair();
      const lease = [take(pool), take(pool)].find(({ member }) => member.id === 'a');
      memberOf(pool, 'a').reportAgent(line);
      expect([statusOf(pool), tally(visits(pool, 4))]).toEqual([status, { b: 4 }]);
      expect(memberOf(pool, 'a').stats.activeConnections).toBe(1);
      lease?.release();
    });
  }

  test('what is in HAProxy’s reg-test has 75 of 100 and holds 30', () => {
    const pool = pair();
    const member = memberOf(pool, 'a');
    member.reportAgent('75%,maxconn:30,maint,down');
    expect([member.weight, member.maxConnections]).toEqual([75, 30]);
    expect(member.agent).toMatchObject({ weightPercent: 75, maxConnections: 30, mode: 'maint', health: 'down' });
  });

  test('what nobody understands goes on as it was, and that can be seen', () => {
    const pool = pair();
    memberOf(pool, 'a').reportAgent('drain');
    memberOf(pool, 'a').reportAgent('certainly');
    expect(statusOf(pool)).toBe('draining: agent: drain');
    expect(memberOf(pool, 'a').agent?.failure).toBe("the agent says 'certainly'");
  });

  test('the same again is told nobody', () => {
    const pool = pair();
    const events: string[] = [];
    pool.on('member-status', ({ member, to, reason }) => events.push(`${member.id} ${to} ${reason}`));
    for (let turn = 0; turn < 3; turn++) memberOf(pool, 'a').reportAgent('down');
    memberOf(pool, 'a').reportAgent('up');
    expect(events).toEqual(['a error agent: down', 'a no-monitor no health monitor']);
  });

  test('nothing yet has no agent', () => {
    expect(memberOf(pair(), 'a').agent).toBeUndefined();
  });
});

describe('what an agent says and what others want', () => {
  test("'ready' does not end its owner's drain", () => {
    const pool = pair();
    void pool.drain('a');
    memberOf(pool, 'a').reportAgent('drain');
    memberOf(pool, 'a').reportAgent('ready up 100%');
    expect(statusOf(pool)).toBe('draining: drain requested');
  });

  test("'ready' does not enable what its owner has disabled", () => {
    const pool = pair({ enabled: false });
    memberOf(pool, 'a').reportAgent('ready up');
    expect(statusOf(pool)).toBe('offline: disabled');
  });

  test("an agent's drain outlives that its owner enables it", () => {
    const pool = pair();
    memberOf(pool, 'a').reportAgent('drain');
    memberOf(pool, 'a').update({ enabled: true });
    expect(statusOf(pool)).toBe('draining: agent: drain');
  });

  test('a percentage is of the weight that its owner gives it, also later', () => {
    const pool = pair();
    const member = memberOf(pool, 'a');
    member.reportAgent('50%');
    member.update({ weight: 40 });
    expect(member.weight).toBe(20);
    expect(tally(visits(pool, 120))).toEqual({ a: 20, b: 100 });
    member.reportAgent('100%');
    expect(member.weight).toBe(40);
  });

  test('a weight of 0 stays 0', () => {
    const pool = pair({ weight: 0 });
    memberOf(pool, 'a').reportAgent('100%');
    expect(statusOf(pool)).toBe('draining: weight is 0');
  });

  test("its owner's limit is not for the agent to lift", () => {
    const member = memberOf(pair({ maxConnections: 5 }), 'a');
    member.reportAgent('maxconn:30');
    expect(member.maxConnections).toBe(5);
    member.reportAgent('maxconn:3');
    expect(member.maxConnections).toBe(3);
    member.update({ maxConnections: 2 });
    expect(member.maxConnections).toBe(2);
  });

  test("'up' brings nobody back whose checks fail, and a passed check nobody whose agent says 'down'", () => {
    const pool = monitoredPool({ members: [spec('a')] });
    down(pool, 'a');
    memberOf(pool, 'a').reportAgent('up');
    expect(statusOf(pool)).toBe('error: refused');
    memberOf(pool, 'a').reportAgent('down');
    up(pool, 'a');
    expect(statusOf(pool)).toBe('error: agent: down');
    memberOf(pool, 'a').reportAgent('up');
    expect(statusOf(pool)).toBe('online: check passed');
  });

  test('a pool none of whose agents wants clients refuses them', () => {
    const pool = makePool({ members: [spec('a')] });
    memberOf(pool, 'a').reportAgent('maint');
    expect([visit(pool), pool.status]).toEqual(['no-eligible-member', 'error']);
  });

  test('a member that moves, or gets another agent, starts without what the one before said', () => {
    for (const change of [{ address: '10.0.0.9' }, { port: 99 }, { agentPort: 7777 }]) {
      const pool = pair();
      memberOf(pool, 'a').reportAgent('drain 50% maxconn:3');
      memberOf(pool, 'a').update(change);
      expect([statusOf(pool), memberOf(pool, 'a').weight, memberOf(pool, 'a').maxConnections]).toEqual([
        'no-monitor: no health monitor',
        100,
        undefined,
      ]);
    }
  });

  test('a member that is gone is not heard', () => {
    const pool = pair();
    const member = memberOf(pool, 'a');
    pool.remove('a');
    member.reportAgent('down');
    expect(pool.status).toBe('online');
  });
});

describe("a pool's agent check", () => {
  /** An agent that says these things one after the other, then the last one again and again. */
  function watch(lines: readonly string[], agentCheck: PoolUpdate['agentCheck'] = { port: 7777, delay: 1000 }) {
    const clock = new VirtualClock();
    const asked: string[] = [];
    const probe: Probe = {
      name: 'agent',
      check: async ({ member }) => {
        asked.push(`${clock.now()} ${member.id}`);
        const line = lines[Math.min(asked.length, lines.length) - 1] ?? '';
        if (line === 'refused') throw new Error('connect ECONNREFUSED');
        member.reportAgent(line);
      },
    };
    const pool = makePool(
      { members: [spec('a', { weight: 100 })], agentCheck: agentCheck ?? null },
      { clock, random: () => 0 },
    );
    const checks = pool.startChecks(<T>() => probe as Probe<T>);
    return { clock, pool, asked, checks };
  }

  test('asks each member at once and every delay, and applies what it says', async () => {
    const { clock, pool, asked } = watch(['50%', 'drain', 'ready 100%']);
    const seen: string[] = [];
    for (let turn = 0; turn < 3; turn++) {
      await clock.advance(turn === 0 ? 0 : 1000);
      seen.push(`${memberOf(pool, 'a').weight} ${memberOf(pool, 'a').status}`);
    }
    expect(asked).toEqual(['0 a', '1000 a', '2000 a']);
    expect(seen).toEqual(['50 no-monitor', '50 draining', '100 no-monitor']);
  });

  test('changes nothing where the agent does not answer, and shows why', async () => {
    const { clock, pool } = watch(['drain', 'refused', 'ready']);
    await clock.advance(1500);
    expect(statusOf(pool)).toBe('draining: agent: drain');
    expect(memberOf(pool, 'a').agent?.failure).toBe('connect ECONNREFUSED');
    await clock.advance(1000);
    expect([memberOf(pool, 'a').status, memberOf(pool, 'a').agent?.failure]).toEqual(['no-monitor', undefined]);
  });

  test('asks nobody who is disabled', async () => {
    const { clock, pool, asked } = watch(['up']);
    memberOf(pool, 'a').update({ enabled: false });
    await clock.advance(5000);
    expect(asked).toEqual([]);
  });

  test('ends with the last who wanted the checks, and leaves no timer', async () => {
    const { clock, asked, checks } = watch(['up']);
    await clock.advance(1500);
    checks[Symbol.dispose]();
    await settled();
    await clock.advance(5000);
    expect([asked.length, clock.pending]).toEqual([2, 0]);
  });

  test('takes along what agents have said when it goes', async () => {
    const { clock, pool, asked } = watch(['drain 50% maxconn:3']);
    await clock.advance(100);
    pool.update({ agentCheck: null });
    await clock.advance(5000);
    expect([memberOf(pool, 'a').status, memberOf(pool, 'a').weight, asked.length]).toEqual(['no-monitor', 100, 1]);
  });

  test('that says the same is the same', async () => {
    const { clock, pool, asked } = watch(['up']);
    await clock.advance(500);
    pool.update({ agentCheck: { port: 7777, delay: 1000 } });
    await clock.advance(500);
    expect(asked).toEqual(['0 a', '1000 a']);
  });

  for (const [agentCheck, path] of [
    [{ port: 0 }, 'agentCheck.port'],
    [{ delay: 0 }, 'agentCheck.delay'],
    [{ timeout: 'x' }, 'agentCheck.timeout'],
    [{ send: '' }, 'agentCheck.send'],
    [{ send: 'x'.repeat(1025) }, 'agentCheck.send'],
    [{ interval: 5 }, 'agentCheck.interval'],
    ['yes', 'agentCheck'],
  ] as const) {
    test(`refuses ${JSON.stringify(agentCheck).slice(0, 40)}`, () => {
      expect(refusalOf(() => makePool({ agentCheck: agentCheck as object })).path).toBe(path);
    });
  }

  test('refuses an agentPort that is none', () => {
    expect(refusalOf(() => pair({ agentPort: 70_000 })).path).toBe('members[0].agentPort');
  });
});
