import { expect, test } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import type { Pool } from '../../src/core/pool.ts';
import { seededRandom } from '../../src/core/random.ts';
import { Slots } from '../../src/health/slots.ts';
import { equal, FakeProbe, makePool, pass, probesNobody, settled, thrownBy, untilAborted } from '../fixtures/core.ts';

interface Pools {
  readonly clock: VirtualClock;
  readonly probe: FakeProbe;
  readonly pools: readonly Pool[];
  readonly checks: readonly Disposable[];
}

/** So many pools of one member that share places for checks, started together. */
function together(count: number, slots: Slots): Pools {
  const clock = new VirtualClock();
  const probe = new FakeProbe(clock);
  probe.answer = () => pass(clock, 300);
  const healthMonitor = { type: probe, delay: 2000, timeout: 400 };
  const random = seededRandom(9);
  const pools = Array.from({ length: count }, () => makePool({ members: equal(1), healthMonitor }, { clock, random }));
  return { clock, probe, pools, checks: pools.map((pool) => pool.startChecks(probesNobody, slots)) };
}

test('a hundred pools that are started together make as many checks at a time as there are places', async () => {
  const { clock, probe } = together(100, new Slots(20));
  await clock.advance(2000);
  expect([probe.mostAtOnce, probe.checks.length >= 100]).toEqual([20, true]);
});

test('waiting for a place is no failure of a member', async () => {
  const { clock, pools } = together(20, new Slots(1));
  await clock.advance(20 * 300 + 100);
  expect(pools.map(({ status }) => status)).toEqual(pools.map(() => 'online'));
});

test('pools that end give up their places, also those that wait for one', async () => {
  const slots = new Slots(2);
  const { clock, probe, checks } = together(10, slots);
  probe.answer = ({ signal }) => untilAborted(signal);
  await clock.advance(50);
  for (const check of checks) check[Symbol.dispose]();
  await settled();
  const other = together(4, slots);
  await other.clock.advance(700);
  expect([probe.running, clock.pending, other.probe.mostAtOnce, other.probe.checks.length]).toEqual([0, 0, 2, 4]);
});

test('there is at least one place', () => {
  expect(thrownBy(() => new Slots(0))).toMatchObject({ code: 'ERR_EVENKEEL_SPEC', path: 'count' });
});
