import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { AgentCheck } from '../../src/health/agent/agent-check.ts';
import { InconclusiveError } from '../../src/health/inconclusive-error.ts';
import type { BuiltInMonitor, HealthMonitorSpec } from '../../src/health/monitor-spec.ts';
import {
  deferred,
  equal,
  FakeProbe,
  makePool,
  memberOf,
  pass,
  probesNobody,
  settled,
  spec,
  untilAborted,
  visit,
} from '../fixtures/core.ts';
import { fails, never, watch } from '../fixtures/watched.ts';

describe('the schedule', () => {
  test('begins at once and goes on every delay', async () => {
    const { clock, probe } = watch([spec('a')]);
    await clock.advance(3000);
    expect(probe.timesOf('a')).toEqual([0, 1000, 2000, 3000]);
  });

  test('does not begin before somebody wants the checks', async () => {
    const clock = new VirtualClock();
    const probe = new FakeProbe(clock);
    makePool({ members: [spec('a')], healthMonitor: { type: probe } }, { clock });
    await clock.advance(10_000);
    expect(probe.checks).toEqual([]);
  });

  test('keeps its pace however long a check takes', async () => {
    const { clock, probe } = watch([spec('a')]);
    probe.answer = () => pass(clock, 399);
    await clock.advance(3000);
    expect(probe.timesOf('a')).toEqual([0, 1000, 2000, 3000]);
  });

  test('lets a check that fell due during a long one follow at once', async () => {
    const { clock, probe } = watch([spec('a')], { timeout: 5000 });
    probe.answer = () => pass(clock, 1500);
    await clock.advance(3500);
    expect(probe.timesOf('a')).toEqual([0, 1500, 3000]);
  });

  test('spreads the first checks of a thousand members: never more than two within five milliseconds', async () => {
    const { clock, probe } = watch(equal(1000), { delay: 60_000, maxConcurrentChecks: 1000 }, seededRandom(5));
    await clock.advance(60_000);
    const times = probe.checks.slice(0, 1000).map(({ at }) => at);
    const busiest = Math.max(...times.map((time) => times.filter((other) => other >= time && other < time + 5).length));
    expect(busiest).toBeLessThanOrEqual(2);
  });

  test('checks a thousand members each once within the first delay', async () => {
    const { clock, probe } = watch(equal(1000), { delay: 2000, maxConcurrentChecks: 1000 }, seededRandom(6));
    await clock.advance(1999.999);
    expect(new Set(probe.checks.map(({ id }) => id)).size).toBe(1000);
  });

  test('spreads the first checks evenly where a delay is too short to space them', async () => {
    const { clock, probe } = watch(equal(1000), { delay: 1000, maxConcurrentChecks: 1000 }, seededRandom(7));
    await clock.advance(999.999);
    const perTenth = Array.from({ length: 10 }, (_, tenth) => {
      return probe.checks.filter(({ at }) => Math.floor(at / 100) === tenth).length;
    });
    expect(Math.max(...perTenth)).toBeLessThan(200);
  });

  test('gets a small pool known within a moment', async () => {
    const { clock, probe } = watch(equal(3), { delay: 60_000 }, seededRandom(8));
    await clock.advance(30);
    expect(probe.checks.length).toBe(3);
  });

  test('checks a member that is added soon after it came', async () => {
    const { clock, probe, pool } = watch([spec('a')], { delay: 60_000 });
    await clock.advance(5000);
    pool.add(spec('b', { port: 81 }));
    await clock.advance(10);
    expect(probe.timesOf('b')).toEqual([5000]);
  });

  test('forgets a member that is removed', async () => {
    const { clock, probe, pool } = watch([spec('a')]);
    await clock.advance(1500);
    pool.remove('a');
    await clock.advance(5000);
    expect(probe.timesOf('a')).toEqual([0, 1000]);
  });

  test('leaves out a disabled member', async () => {
    const { clock, probe, pool } = watch([spec('a')]);
    await clock.advance(500);
    memberOf(pool, 'a').update({ enabled: false });
    await clock.advance(5000);
    expect(probe.timesOf('a')).toEqual([0]);
  });

  test('takes a member up again when it is enabled', async () => {
    const { clock, probe, pool } = watch([spec('a', { enabled: false })]);
    await clock.advance(1500);
    memberOf(pool, 'a').update({ enabled: true });
    await clock.advance(1000);
    expect(probe.timesOf('a')).toEqual([2000]);
  });

  test('includes draining members and those of weight 0', async () => {
    const { clock, probe, pool } = watch([spec('a', { weight: 0 }), spec('b')]);
    void pool.drain('b');
    await clock.advance(10);
    expect(probe.checks.map(({ id }) => id)).toEqual(['a', 'b']);
  });

  test('asks the probe to look at the address and port that the member has now', async () => {
    const { clock, probe, pool } = watch([spec('a')]);
    await clock.advance(500);
    memberOf(pool, 'a').update({ address: '10.0.0.9', port: 99 });
    await clock.advance(500);
    const seen = probe.checks.map(({ target }) => `${target.address}:${target.port}`);
    expect(seen).toEqual(['10.0.0.1:80', '10.0.0.9:99']);
  });
});

describe('at most', () => {
  test('maxConcurrentChecks run at once', async () => {
    const { clock, probe } = watch(equal(100), { maxConcurrentChecks: 4, timeout: 900 });
    probe.answer = () => pass(clock, 300);
    await clock.advance(5000);
    expect(probe.mostAtOnce).toBe(4);
  });

  test('one check of a member runs at a time, even if it takes longer than the delay', async () => {
    const { clock, probe } = watch([spec('a')], { timeout: 5000 });
    probe.answer = () => pass(clock, 2500);
    await clock.advance(20_000);
    expect(probe.mostOfOneMember).toBe(1);
  });

  test('one check of a member runs at a time, even if the probe ignores that it is aborted', async () => {
    const { clock, probe } = watch([spec('a')]);
    probe.answer = () => pass(clock, 3300);
    await clock.advance(20_000);
    expect(probe.mostOfOneMember).toBe(1);
  });

  test('one check of a member runs at a time, even if the monitor changes meanwhile', async () => {
    const { clock, probe, pool } = watch([spec('a')]);
    probe.answer = () => pass(clock, 3300);
    await clock.advance(100);
    pool.update({ healthMonitor: { type: probe, delay: 500, timeout: 200 } });
    await clock.advance(1000);
    expect(probe.mostOfOneMember).toBe(1);
  });

  test('one timeout long a probe that never settles keeps others waiting', async () => {
    const { clock, probe, events } = watch(equal(3), { maxConcurrentChecks: 1 });
    probe.answer = ({ member }) => (member.id === 'm0' ? never() : fails('refused')());
    await clock.advance(401);
    expect(events.map((event) => event.split(' ')[1])).toEqual(['m0', 'm1', 'm2']);
  });
});

describe('the timeout', () => {
  test('has not passed one millisecond before it', async () => {
    const { clock, probe, pool } = watch([spec('a')]);
    probe.answer = never;
    await clock.advance(399);
    expect(memberOf(pool, 'a').status).toBe('online');
  });

  test('fails a check that is unanswered when it passes', async () => {
    const { clock, probe, pool } = watch([spec('a')]);
    probe.answer = never;
    await clock.advance(400);
    expect(memberOf(pool, 'a').status).toBe('error');
  });

  test('aborts the signal that the probe was given', async () => {
    const { clock, probe } = watch([spec('a')]);
    probe.answer = ({ signal }) => untilAborted(signal);
    await clock.advance(399);
    const before = probe.checks[0]?.target.signal.aborted;
    await clock.advance(1);
    expect([before, probe.checks[0]?.target.signal.aborted]).toEqual([false, true]);
  });

  test('does not fail a check that is answered one millisecond before it', async () => {
    const { clock, probe, events } = watch([spec('a')]);
    probe.answer = () => pass(clock, 399);
    await clock.advance(10_000);
    expect(events).toEqual([]);
  });

  test('fails a check whose answer comes one millisecond after it', async () => {
    const { clock, probe, events } = watch([spec('a')]);
    probe.answer = () => pass(clock, 401);
    await clock.advance(500);
    expect(events).toEqual(['400 a online>error: no answer within 400 ms']);
  });

  test('does not count the time that a check waits for a place', async () => {
    const { clock, probe, pool } = watch(equal(10), { maxConcurrentChecks: 1, delay: 10_000, timeout: 400 });
    probe.answer = () => pass(clock, 399);
    await clock.advance(9000);
    expect([probe.checks.length, pool.status]).toEqual([10, 'online']);
  });

  test('may be longer than the delay', async () => {
    const { clock, probe, events } = watch([spec('a')], { delay: 100, timeout: 1000 });
    probe.answer = () => pass(clock, 950);
    await clock.advance(10_000);
    expect(events).toEqual([]);
  });

  test('keeps failing a member whose probe ignores that it is aborted', async () => {
    const { clock, probe, events } = watch([spec('a')], { initialHealth: 'fully-up' });
    probe.answer = never;
    await clock.advance(10_000);
    expect(events.map((event) => event.slice(0, 19))).toEqual(['2000 a online>error']);
  });
});

describe('a verdict', () => {
  test('takes a new member out at its first failed check', async () => {
    const { clock, probe, events } = watch([spec('a')]);
    probe.answer = fails('connect ECONNREFUSED 10.0.0.1:80');
    await clock.advance(0);
    expect(events).toEqual(['0 a online>error: connect ECONNREFUSED 10.0.0.1:80']);
  });

  test('takes a member that has passed out at maxRetriesDown failed checks in a row', async () => {
    const { clock, probe, events } = watch([spec('a')]);
    await clock.advance(500);
    probe.answer = fails('refused');
    await clock.advance(2499);
    expect(events).toEqual([]);
    await clock.advance(1);
    expect(events).toEqual(['3000 a online>error: refused']);
  });

  test('brings a member back at maxRetries passed checks in a row', async () => {
    const { clock, probe, events } = watch([spec('a')]);
    probe.answer = fails('refused');
    await clock.advance(500);
    probe.answer = async () => {};
    await clock.advance(5000);
    expect(events.slice(1)).toEqual(['2000 a error>online: check passed']);
  });

  test('comes from a probe that throws as from one that rejects', async () => {
    const { clock, probe, events } = watch([spec('a')]);
    probe.answer = () => {
      throw new Error('no such thing');
    };
    await clock.advance(0);
    expect(events).toEqual(['0 a online>error: no such thing']);
  });

  test('gives a reason where the error has none', async () => {
    const { clock, probe, events } = watch([spec('a')]);
    probe.answer = fails('');
    await clock.advance(0);
    expect(events).toEqual(['0 a online>error: check failed']);
  });

  test('shows what was thrown where it is no Error', async () => {
    const { clock, probe, events } = watch([spec('a')]);
    probe.answer = () => Promise.reject('plain text');
    await clock.advance(0);
    expect(events).toEqual(['0 a online>error: plain text']);
  });

  test('escapes control characters in the reason', async () => {
    const { clock, probe, pool } = watch([spec('a')]);
    probe.answer = fails('bad\r\nnews');
    await clock.advance(0);
    expect(memberOf(pool, 'a').statusReason).toBe('bad\\u000d\\u000anews');
  });

  test('is not given where the probe was inconclusive', async () => {
    const { clock, probe, events } = watch([spec('a')]);
    probe.answer = async () => {
      throw new InconclusiveError('no file descriptor left');
    };
    await clock.advance(10_000);
    expect(events).toEqual([]);
  });

  test('counts failed checks in a row across an inconclusive one', async () => {
    const { clock, probe, events } = watch([spec('a')], { initialHealth: 'fully-up', maxRetriesDown: 2 });
    const answers = [new Error('refused'), new InconclusiveError('busy'), new Error('refused')];
    probe.answer = () => Promise.reject(answers.shift());
    await clock.advance(2000);
    expect(events).toEqual(['2000 a online>error: refused']);
  });

  test('of one member leaves the others alone', async () => {
    const { clock, probe, pool } = watch(equal(3));
    probe.answer = ({ member }) => (member.id === 'm1' ? fails('refused')() : Promise.resolve());
    await clock.advance(5000);
    expect(pool.members.map(({ status }) => status)).toEqual(['online', 'error', 'online']);
  });

  test('is not taken from a check that was under way when the member moved to another address', async () => {
    const { clock, probe, pool } = watch([spec('a')]);
    const answer = deferred();
    probe.answer = () => answer.promise;
    await clock.advance(100);
    memberOf(pool, 'a').update({ address: '10.0.0.9' });
    answer.reject(new Error('connect ECONNREFUSED 10.0.0.1:80'));
    await settled();
    expect(memberOf(pool, 'a').status).toBe('online');
  });

  test('is not taken from a check that was under way when the member was disabled and enabled', async () => {
    const { clock, probe, pool } = watch([spec('a')]);
    const answer = deferred();
    probe.answer = () => answer.promise;
    await clock.advance(100);
    memberOf(pool, 'a').update({ enabled: false });
    memberOf(pool, 'a').update({ enabled: true });
    answer.reject(new Error('refused'));
    await settled();
    expect(memberOf(pool, 'a').status).toBe('online');
  });

  test('is not taken from a check of a member that was removed', async () => {
    const { clock, probe, pool, events } = watch([spec('a')]);
    const answer = deferred();
    probe.answer = () => answer.promise;
    await clock.advance(100);
    pool.remove('a');
    answer.reject(new Error('refused'));
    await settled();
    expect(events).toEqual([]);
  });
});

describe('initialHealth', () => {
  for (const [initialHealth, status] of [
    ['up', 'online'],
    ['fully-up', 'online'],
    ['down', 'error'],
    ['fully-down', 'error'],
  ] as const) {
    test(`'${initialHealth}' makes a member that nobody has checked yet '${status}'`, () => {
      expect(memberOf(watch([spec('a')], { initialHealth }).pool, 'a').status).toBe(status);
    });
  }

  test("'down' holds clients back until the first check has passed", async () => {
    const { clock, pool } = watch([spec('a')], { initialHealth: 'down' });
    const before = visit(pool);
    await clock.advance(0);
    expect([before, visit(pool)]).toEqual(['no-eligible-member', 'a']);
  });

  test("'fully-down' holds clients back until maxRetries checks have passed", async () => {
    const { clock, pool } = watch([spec('a')], { initialHealth: 'fully-down' });
    await clock.advance(999);
    const before = visit(pool);
    await clock.advance(1);
    expect([before, visit(pool)]).toEqual(['no-eligible-member', 'a']);
  });

  test('counts again for a member that is re-enabled', async () => {
    const { clock, probe, pool } = watch([spec('a')]);
    probe.answer = fails('refused');
    await clock.advance(0);
    memberOf(pool, 'a').update({ enabled: false });
    memberOf(pool, 'a').update({ enabled: true });
    expect(memberOf(pool, 'a').status).toBe('online');
  });
});

describe('a change of the monitor', () => {
  test('takes effect at once', async () => {
    const { clock, probe, pool } = watch([spec('a')]);
    await clock.advance(500);
    pool.update({ healthMonitor: { type: probe, delay: 200 } });
    await clock.advance(500);
    expect(probe.timesOf('a')).toEqual([0, 500, 700, 900]);
  });

  test('that names the same values changes nothing', async () => {
    const { clock, probe, pool } = watch([spec('a')]);
    await clock.advance(500);
    pool.update({ healthMonitor: { type: probe, delay: 1000, timeout: 400, maxRetries: 2, maxRetriesDown: 3 } });
    await clock.advance(500);
    expect(probe.timesOf('a')).toEqual([0, 1000]);
  });

  test('keeps a member down that is down', async () => {
    const { clock, probe, pool } = watch([spec('a')]);
    probe.answer = fails('refused');
    await clock.advance(500);
    pool.update({ healthMonitor: { type: probe, delay: 5000 } });
    expect(memberOf(pool, 'a').status).toBe('error');
  });

  test('to another probe uses that one', async () => {
    const { clock, probe, pool } = watch([spec('a')]);
    await clock.advance(500);
    const other = new FakeProbe(clock);
    pool.update({ healthMonitor: { type: other, delay: 1000 } });
    await clock.advance(5000);
    expect([probe.checks.length, other.checks.length]).toEqual([1, 6]);
  });

  test('to none makes members no-monitor, also one that was down', async () => {
    const { clock, probe, pool } = watch([spec('a')]);
    probe.answer = fails('refused');
    await clock.advance(500);
    pool.update({ healthMonitor: null });
    expect(memberOf(pool, 'a').status).toBe('no-monitor');
  });

  test('to none ends all checks', async () => {
    const { clock, probe, pool } = watch(equal(5));
    probe.answer = ({ signal }) => untilAborted(signal);
    await clock.advance(100);
    pool.update({ healthMonitor: null });
    await settled();
    expect([clock.pending, probe.running]).toEqual([0, 0]);
  });

  test('from none starts checks that somebody asked for before', async () => {
    const { clock, probe, pool } = watch([spec('a')]);
    await clock.advance(500);
    pool.update({ healthMonitor: null });
    pool.update({ healthMonitor: { type: probe, delay: 1000 } });
    await clock.advance(100);
    expect(probe.timesOf('a')).toEqual([0, 500]);
  });
});

describe('the end of the checks', () => {
  test('leaves no timer', async () => {
    const { clock, checks, probe } = watch(equal(20), { maxConcurrentChecks: 2 });
    probe.answer = ({ signal }) => untilAborted(signal);
    await clock.advance(1234);
    checks[Symbol.dispose]();
    await settled();
    expect(clock.pending).toBe(0);
  });

  test('aborts the checks that run', async () => {
    const { clock, checks, probe } = watch(equal(3));
    probe.answer = ({ signal }) => untilAborted(signal);
    await clock.advance(100);
    const before = probe.running;
    checks[Symbol.dispose]();
    await settled();
    expect([before, probe.running]).toEqual([3, 0]);
  });

  test('takes no member down', async () => {
    const { clock, checks, probe, events } = watch(equal(3));
    probe.answer = ({ signal }) => untilAborted(signal);
    await clock.advance(100);
    checks[Symbol.dispose]();
    await clock.advance(10_000);
    expect(events).toEqual([]);
  });

  test('starts none of the checks that waited for a place', async () => {
    const { clock, checks, probe } = watch(equal(10), { maxConcurrentChecks: 1 });
    probe.answer = ({ signal }) => untilAborted(signal);
    await clock.advance(200);
    checks[Symbol.dispose]();
    await clock.advance(10_000);
    expect(probe.checks.length).toBe(1);
  });

  test('leaves the last known health as it is', async () => {
    const { clock, checks, probe, pool } = watch([spec('a')]);
    probe.answer = fails('refused');
    await clock.advance(100);
    checks[Symbol.dispose]();
    expect(memberOf(pool, 'a').status).toBe('error');
  });
});

describe('checks that are wanted by several', () => {
  test('run once', async () => {
    const { clock, probe, pool } = watch([spec('a')]);
    await clock.advance(500);
    pool.startChecks(probesNobody);
    await clock.advance(1500);
    expect(probe.timesOf('a')).toEqual([0, 1000, 2000]);
  });

  test('run until the last one no longer wants them', async () => {
    const { clock, probe, pool, checks } = watch([spec('a')]);
    const more = pool.startChecks(probesNobody);
    await clock.advance(500);
    checks[Symbol.dispose]();
    await clock.advance(1000);
    more[Symbol.dispose]();
    await clock.advance(5000);
    expect(probe.timesOf('a')).toEqual([0, 1000]);
  });

  test('are not ended by one who says twice that it no longer wants them', async () => {
    const { clock, probe, pool, checks } = watch([spec('a')]);
    pool.startChecks(probesNobody);
    checks[Symbol.dispose]();
    checks[Symbol.dispose]();
    await clock.advance(1000);
    expect(probe.timesOf('a')).toEqual([0, 1000]);
  });

  test('can be started again after they ended', async () => {
    const { clock, probe, pool, checks } = watch([spec('a')]);
    await clock.advance(100);
    checks[Symbol.dispose]();
    await clock.advance(900);
    pool.startChecks(probesNobody);
    await clock.advance(0);
    expect(probe.timesOf('a')).toEqual([0, 1000]);
  });
});

describe('a built-in probe', () => {
  /** A pool of one member with this monitor, and every monitor that a probe was made for. */
  function watchBuiltIn(healthMonitor: HealthMonitorSpec) {
    const clock = new VirtualClock();
    const probe = new FakeProbe(clock);
    const pool = makePool({ members: [spec('a')], healthMonitor }, { clock, random: () => 0 });
    const asked: (BuiltInMonitor | AgentCheck)[] = [];
    pool.startChecks((monitor) => {
      asked.push(monitor);
      return probe;
    });
    return { clock, probe, pool, asked };
  }
  const http = {
    type: 'http',
    httpMethod: 'HEAD',
    expectedCodes: '200, 204',
    httpVersion: 1.1,
    domainName: 'a.example',
  } as const;

  test('is made from the monitor by whoever starts the checks', async () => {
    const { clock, probe, pool, asked } = watchBuiltIn(http);
    await clock.advance(0);
    expect([asked, probe.checks.length]).toEqual([[pool.healthMonitor], 1]);
    expect(asked[0]).toMatchObject({ ...http, urlPath: '/' });
  });

  test('stays where an update names the same values, written otherwise', async () => {
    const { clock, pool, asked } = watchBuiltIn(http);
    await clock.advance(500);
    pool.update({ healthMonitor: { ...http, urlPath: '/', httpVersion: '1.1', delay: 2000 } });
    expect(asked.length).toBe(1);
  });

  for (const [field, value] of [
    ['type', 'https'],
    ['httpMethod', 'GET'],
    ['urlPath', '/ready'],
    ['expectedCodes', '200'],
    ['domainName', 'b.example'],
    ['domainName', null],
  ] as const) {
    test(`is made anew where the ${field} becomes ${value}`, async () => {
      const { clock, pool, asked } = watchBuiltIn(http);
      await clock.advance(500);
      pool.update({ healthMonitor: { ...http, [field]: value } });
      expect(asked.length).toBe(2);
      expect(asked[1]).toMatchObject({ ...http, [field]: value ?? undefined });
    });
  }

  test('is made anew where the httpVersion becomes 1.0', async () => {
    const { clock, pool, asked } = watchBuiltIn({ ...http, domainName: null });
    await clock.advance(500);
    pool.update({ healthMonitor: { ...http, domainName: null, httpVersion: '1.0' } });
    expect(asked.length).toBe(2);
  });
});

test('whatever members do meanwhile, bounds hold and nothing is left at the end', async () => {
  const action = fc.record({
    do: fc.constantFrom('add', 'remove', 'disable', 'enable', 'monitor', 'wait'),
    nth: fc.nat(9),
    duration: fc.integer({ min: 1, max: 2000 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 40 }), fc.integer(), async (actions, seed) => {
      const random = seededRandom(seed);
      const { clock, probe, pool, checks } = watch(equal(3), { maxConcurrentChecks: 2 }, random);
      probe.answer = async ({ signal }) => {
        const chance = random();
        if (chance < 0.2) return untilAborted(signal);
        await pass(clock, 700 * random());
        if (chance < 0.5) throw new Error('refused');
        if (chance < 0.6) throw new InconclusiveError('busy');
      };
      let names = 3;
      for (const { do: what, nth, duration } of actions) {
        const member = pool.members[nth % Math.max(1, pool.members.length)];
        if (what === 'add') pool.add(spec(`m${names++}`));
        else if (what === 'remove') member?.remove();
        else if (what === 'disable') member?.update({ enabled: false });
        else if (what === 'enable') member?.update({ enabled: true });
        else if (what === 'monitor')
          pool.update({ healthMonitor: { type: probe, delay: 500 + duration, timeout: 400 } });
        await clock.advance(duration);
      }
      checks[Symbol.dispose]();
      await clock.advance(1000);
      expect([clock.pending, probe.running]).toEqual([0, 0]);
    }),
    { seed: 33, numRuns: 60 },
  );
});
