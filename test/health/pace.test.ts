import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../src/core/random.ts';
import type { ProbeTarget } from '../../src/health/probe.ts';
import { equal, memberOf, pass, settled, spec } from '../fixtures/core.ts';
import { fails, watch } from '../fixtures/watched.ts';

/** A probe's answers one after the other: `+` passes, `-` fails; then the last one again and again. */
function answers(checks: string): (target: ProbeTarget) => Promise<void> {
  let turn = 0;
  return async () => {
    const check = checks[Math.min(turn++, checks.length - 1)];
    if (check === '-') throw new Error('refused');
  };
}

const paces = { delay: 1000, fastDelay: 100, downDelay: 5000 };

describe('a member is checked', () => {
  test('every delay while it is up and nothing speaks against it', async () => {
    const { clock, probe } = watch([spec('a')], paces);
    await clock.advance(3000);
    expect(probe.timesOf('a')).toEqual([0, 1000, 2000, 3000]);
  });

  test('every fastDelay from its first failed check on until it is down, then every downDelay', async () => {
    const { clock, probe, events } = watch([spec('a')], paces);
    probe.answer = answers('+-');
    await clock.advance(6199);
    expect(probe.timesOf('a')).toEqual([0, 1000, 1100, 1200]);
    expect(events).toEqual(['1200 a online>error: refused']);
    await clock.advance(1);
    expect(probe.timesOf('a').at(-1)).toBe(6200);
  });

  test('every fastDelay from its first passed check on until it is up, then every delay', async () => {
    const { clock, probe, events } = watch([spec('a')], { ...paces, maxRetries: 3 });
    probe.answer = answers('-+');
    await clock.advance(6200);
    expect(probe.timesOf('a')).toEqual([0, 5000, 5100, 5200, 6200]);
    expect(events.at(-1)).toBe('5200 a error>online: check passed');
  });

  test('at its usual pace again when the change is off', async () => {
    const { clock, probe, events } = watch([spec('a')], paces);
    probe.answer = answers('+-+');
    await clock.advance(3100);
    expect(probe.timesOf('a')).toEqual([0, 1000, 1100, 2100, 3100]);
    expect(events).toEqual([]);
  });

  test('every delay where the monitor names no other', async () => {
    const { clock, probe } = watch([spec('a')]);
    probe.answer = answers('+---++');
    await clock.advance(5000);
    expect(probe.timesOf('a')).toEqual([0, 1000, 2000, 3000, 4000, 5000]);
  });

  test('every fastDelay while it starts fully down and its checks pass', async () => {
    const { clock, probe } = watch([spec('a')], { ...paces, initialHealth: 'fully-down', maxRetries: 3 });
    await clock.advance(1200);
    expect(probe.timesOf('a')).toEqual([0, 100, 200, 1200]);
  });

  test('at the pace of its new state from the verdict on, counted from when the check was due', async () => {
    const { clock, probe } = watch([spec('a')], { ...paces, initialHealth: 'fully-up', timeout: 400 });
    probe.answer = async () => {
      await pass(clock, 60);
      throw new Error('refused');
    };
    await clock.advance(260);
    expect(probe.timesOf('a')).toEqual([0, 100, 200]);
  });

  test('at once where its new state would have had it checked before the verdict came', async () => {
    const { clock, probe } = watch([spec('a')], {
      ...paces,
      initialHealth: 'fully-down',
      maxRetries: 3,
      timeout: 2000,
    });
    probe.answer = () => pass(clock, 300);
    await clock.advance(650);
    expect(probe.timesOf('a')).toEqual([0, 300, 600]);
  });

  test('never twice at a time, however short the fastDelay', async () => {
    const { clock, probe } = watch([spec('a')], { delay: 1000, fastDelay: 1, timeout: 400 });
    probe.answer = async () => {
      await pass(clock, 33);
      throw new Error('refused');
    };
    await clock.advance(3000);
    expect(probe.mostOfOneMember).toBe(1);
  });

  test('soon after it is enabled, though it was down and its downDelay is long', async () => {
    const { clock, probe, pool } = watch([spec('a')], { ...paces, downDelay: 60_000 });
    probe.answer = fails('refused');
    await clock.advance(2000);
    memberOf(pool, 'a').update({ enabled: false });
    await clock.advance(2000);
    memberOf(pool, 'a').update({ enabled: true });
    await clock.advance(100);
    expect(probe.checks.length).toBe(2);
  });

  test('as the state says that a checker elsewhere has reported', async () => {
    const { clock, probe, pool } = watch([spec('a')], { ...paces, downDelay: 60_000 });
    await clock.advance(500);
    for (let turn = 0; turn < 3; turn++) pool.recordCheck(memberOf(pool, 'a'), false, 'seen from elsewhere');
    await clock.advance(10_000);
    expect(probe.timesOf('a')).toEqual([0]);
  });

  test('at a pace of its own, whatever another member goes through', async () => {
    const { clock, probe } = watch(equal(2), paces);
    probe.answer = ({ member }) => (member.id === 'm1' && clock.now() > 0 ? fails('refused')() : Promise.resolve());
    await clock.advance(2000);
    expect(probe.timesOf('m0')).toEqual([0, 1000, 2000]);
  });
});

describe('the jitter', () => {
  test('is none, unless the monitor says so', async () => {
    const { clock, probe } = watch([spec('a')], {}, seededRandom(1));
    await clock.advance(5000);
    const [first = 0, ...others] = probe.timesOf('a');
    expect(others.map((time) => Math.round(time - first))).toEqual([1000, 2000, 3000, 4000]);
  });

  test('makes intervals longer and shorter by so many percent at most, and no others on average', async () => {
    const { clock, probe } = watch([spec('a')], { jitter: 20 }, seededRandom(2));
    await clock.advance(1_000_000);
    const times = probe.timesOf('a');
    const waits = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(800);
    expect(Math.min(...waits)).toBeLessThan(810);
    expect(Math.max(...waits)).toBeLessThanOrEqual(1200);
    expect(Math.max(...waits)).toBeGreaterThan(1190);
    expect(waits.length).toBeGreaterThan(980);
    expect(waits.length).toBeLessThan(1020);
  });

  test('takes balancers apart that were started together', async () => {
    const watched = [1, 2, 3, 4].map((seed) => watch([spec('a')], { jitter: 50 }, seededRandom(seed)));
    for (const { clock } of watched) await clock.advance(20_000);
    const phases = watched.map(({ probe }) => Math.floor((probe.timesOf('a').at(-1) ?? 0) % 1000));
    expect(new Set(phases).size).toBe(4);
  });
});

test('a monitor that paces by state leaves no timer when it stops', async () => {
  const { clock, probe, checks } = watch(equal(20), { ...paces, jitter: 10 }, seededRandom(3));
  probe.answer = fails('refused');
  await clock.advance(777);
  checks[Symbol.dispose]();
  await settled();
  expect(clock.pending).toBe(0);
});
