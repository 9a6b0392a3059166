import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import { RecentFailures } from '../../src/strategies/recent-failures.ts';
import { equal, makePool } from '../fixtures/core.ts';
import { HandClock } from './traffic.ts';

const penalty = 3200;
const sweep = penalty / 32;

function setUp(count = 3) {
  const clock = new VirtualClock();
  const { members } = makePool({ members: equal(count) });
  return { clock, members, failures: new RecentFailures(members, clock, penalty) };
}

describe('a failure', () => {
  test('counts as one more lease at once', () => {
    const { failures } = setUp();
    failures.add(1);
    expect([failures.of(0), failures.of(1), failures.of(2)]).toEqual([0, 1, 0]);
  });

  test('adds to those before', () => {
    const { failures } = setUp();
    for (let number = 0; number < 1000; number++) failures.add(2);
    expect(failures.of(2)).toBe(1000);
  });

  test('counts for less as time passes', async () => {
    const { clock, failures } = setUp();
    for (let number = 0; number < 8; number++) failures.add(0);
    await clock.advance(penalty / 4);
    failures.expire();
    expect(failures.of(0)).toBe(6);
    await clock.advance(penalty / 2);
    failures.expire();
    expect(failures.of(0)).toBe(2);
  });

  test('counts until its time is over, and not longer', async () => {
    const { clock, failures } = setUp();
    failures.add(0);
    await clock.advance(penalty - 1);
    failures.expire();
    expect(failures.of(0)).toBe(1);
    await clock.advance(sweep);
    failures.expire();
    expect([failures.of(0), failures.areNone]).toEqual([0, true]);
  });

  test('starts the time of what is left of those before anew', async () => {
    const { clock, failures } = setUp();
    for (let number = 0; number < 6; number++) failures.add(0);
    await clock.advance(penalty / 2);
    failures.add(0);
    expect(failures.of(0)).toBe(4);
    await clock.advance(penalty / 2);
    failures.expire();
    expect(failures.of(0)).toBe(2);
  });

  test('counts as a whole one as long as it counts', async () => {
    const { clock, failures } = setUp();
    failures.add(0);
    await clock.advance(0.9 * penalty);
    failures.expire();
    expect(failures.of(0)).toBe(1);
  });

  test('counts for nothing where the penalty is 0', () => {
    const { clock, members } = setUp();
    const failures = new RecentFailures(members, clock, 0);
    failures.add(0);
    expect([failures.areNone, failures.of(0)]).toEqual([true, 0]);
  });
});

test('failures at a steady rate count as if each took the penalty: 10 in a second, each for 3.2 seconds, are 32', async () => {
  const { clock, failures } = setUp();
  for (let number = 0; number < 300; number++) {
    failures.add(0);
    await clock.advance(100);
  }
  expect(failures.of(0)).toBeGreaterThan(31);
  expect(failures.of(0)).toBeLessThan(33);
});

describe('time', () => {
  test('is not asked for while nobody has failed', () => {
    const { members } = makePool({ members: equal(2) });
    const sullen = new HandClock();
    sullen.now = () => expect.fail('the clock was read');
    const failures = new RecentFailures(members, sullen, penalty, new RecentFailures(members, sullen, penalty));
    failures.expire();
    expect([failures.areNone, failures.of(1)]).toEqual([true, 0]);
  });

  test('changes loads 32 times in the penalty, however often it is looked at', async () => {
    const { clock, failures } = setUp();
    for (let number = 0; number < 1000; number++) failures.add(0);
    let changes = 0;
    for (let step = 0; step < penalty; step += 10) {
      await clock.advance(10);
      failures.expire(() => changes++);
    }
    expect(changes).toBe(32);
  });

  test('tells of each member whose load has become another, and what it is', async () => {
    const { clock, failures } = setUp(5);
    for (const place of [1, 1, 3, 3, 4, 4, 4, 4]) failures.add(place);
    failures.add(2);
    await clock.advance(penalty / 2);
    failures.add(3);
    const told: number[][] = [];
    failures.expire((place) => told.push([place, failures.of(place)]));
    expect(told.sort()).toEqual([
      [1, 1],
      [4, 2],
    ]);
  });

  test('tells of a member for the last time when its failures count no more', async () => {
    const { clock, failures } = setUp();
    failures.add(2);
    failures.add(0);
    await clock.advance(penalty / 2);
    failures.add(0);
    await clock.advance(penalty / 2);
    const told: number[][] = [];
    failures.expire((place) => told.push([place, failures.of(place)]));
    expect(told.sort()).toEqual([
      [0, 1],
      [2, 0],
    ]);
    await clock.advance(penalty);
    told.length = 0;
    failures.expire((place) => told.push([place, failures.of(place)]));
    expect(told).toEqual([[0, 0]]);
  });

  test('leaves a member that fails again after its pardon as if for the first time', async () => {
    const { clock, failures } = setUp();
    failures.add(1);
    await clock.advance(2 * penalty);
    failures.expire();
    failures.add(1);
    expect(failures.of(1)).toBe(1);
  });

  test('that nobody has looked at does not make old failures count with new ones', async () => {
    const { clock, failures } = setUp();
    failures.add(1);
    await clock.advance(2 * penalty);
    failures.add(1);
    expect(failures.of(1)).toBe(1);
    await clock.advance(penalty);
    failures.expire();
    expect(failures.areNone).toBe(true);
  });
});

describe('after a change of membership', () => {
  test('the failures of the members that stay count on, for the time that was left', async () => {
    const { clock, members, failures } = setUp(4);
    for (const place of [0, 0, 1, 3, 3, 3, 3]) failures.add(place);
    await clock.advance(penalty / 2);
    const after = new RecentFailures([...members.slice(2), ...members.slice(0, 1)], clock, penalty, failures);
    expect([after.of(0), after.of(1), after.of(2)]).toEqual([0, 2, 1]);
    await clock.advance(penalty / 4);
    after.expire();
    expect([after.of(0), after.of(1), after.of(2)]).toEqual([0, 1, 1]);
    await clock.advance(penalty / 4);
    after.expire();
    expect(after.areNone).toBe(true);
  });

  test('those of a member that has left are forgotten', () => {
    const { clock, members, failures } = setUp(2);
    failures.add(0);
    expect(new RecentFailures(members.slice(1), clock, penalty, failures).areNone).toBe(true);
  });

  test('those that are over by then are not taken along', async () => {
    const { clock, members, failures } = setUp(2);
    failures.add(0);
    await clock.advance(penalty);
    expect(new RecentFailures(members, clock, penalty, failures).areNone).toBe(true);
  });

  test('a shorter penalty holds for the failures before it, too', async () => {
    const { clock, members, failures } = setUp(2);
    for (let number = 0; number < 4; number++) failures.add(0);
    await clock.advance(penalty / 4);
    const after = new RecentFailures(members, clock, penalty / 2, failures);
    expect(after.of(0)).toBe(2);
  });
});
