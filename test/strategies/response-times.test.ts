import { describe, expect, test } from 'vitest';
import { ResponseTimes } from '../../src/strategies/response-times.ts';

/** Of one member of weight 1, with a fail timeout of 10 seconds. */
function timesOf(failTimeout = 10_000, countsUnanswered = false): ResponseTimes {
  const times = new ResponseTimes(Int32Array.of(1), failTimeout, countsUnanswered);
  times.check(0, 0);
  return times;
}

const untilDone = (times: ResponseTimes, now = 0): number => times.untilDone(0, 0, now);

describe('times are alike', () => {
  // nginx: rt > 5000 ? 5000 : rt + 20 - rt % 20
  for (const [time, expected] of [
    [0, 20],
    [1, 20],
    [19, 20],
    [19.9, 20],
    [20, 40],
    [39, 40],
    [40, 60],
    [1234, 1240],
    [4999, 5000],
    [5000, 5020],
    [5001, 5000],
    [1_000_000, 5000],
  ] as const) {
    test(`in classes of 20 ms and beyond 5 s: ${time} counts as ${expected}`, () => {
      const times = timesOf();
      times.record(0, time);
      expect(untilDone(times)).toBe(expected);
    });
  }

  test('where nothing is known: as in the first class', () => {
    expect(untilDone(timesOf())).toBe(20);
  });
});

describe('the average', () => {
  /** What nginx's ngx_http_upstream_response_time_avg comes to, class by class. */
  test('is the first time, then 0.95 × average + 0.05 × time + 0.5 in whole milliseconds', () => {
    const times = timesOf();
    times.record(0, 1000);
    expect(untilDone(times)).toBe(1020);
    // 950 + 10 + 0.5
    times.record(0, 200);
    expect(untilDone(times)).toBe(980);
    // 912 + 10 + 0.5
    times.record(0, 200);
    expect(untilDone(times)).toBe(940);
    // 875.9 + 100 + 0.5
    times.record(0, 2000);
    expect(untilDone(times)).toBe(980);
  });

  test('ends within 10 ms of times that stay the same, as rounding has it', () => {
    const times = timesOf();
    times.record(0, 4000);
    for (let number = 0; number < 500; number++) times.record(0, 100);
    expect(untilDone(times)).toBe(120);
  });
});

describe('leases', () => {
  test('multiply the time, with one for the client that is to come', () => {
    const times = timesOf();
    times.record(0, 30);
    times.acquired(0);
    times.acquired(0);
    expect(untilDone(times)).toBe(120);
    times.released(0);
    expect(untilDone(times)).toBe(80);
  });

  test('are taken to be more by the failures', () => {
    const times = timesOf();
    times.acquired(0);
    expect(times.untilDone(0, 3, 0)).toBe(100);
  });

  test('that nobody told of can be set', () => {
    const times = timesOf();
    times.setLeases(0, 4);
    expect(untilDone(times)).toBe(100);
  });
});

describe('a member that is not picked', () => {
  // nginx, in whole seconds: now - checked > fail_timeout ? rt >> (now - checked) / (fail_timeout + 1) : rt
  for (const [seconds, expected] of [
    [10, 4020],
    [10.999, 4020],
    [11, 2020],
    [21.999, 2020],
    [22, 1020],
    [33, 520],
    [87.999, 40],
    [88, 20],
    [10_000, 20],
  ] as const) {
    test(`counts as twice as fast for each 11 seconds: after ${seconds} s 4 s are ${expected - (expected % 20 || 20)} ms`, () => {
      const times = timesOf();
      times.record(0, 4000);
      expect(untilDone(times, seconds * 1000)).toBe(expected);
    });
  }

  test('counts as slow as it was once it has been picked', () => {
    const times = timesOf();
    times.record(0, 4000);
    times.check(0, 33_000);
    expect(untilDone(times, 33_000)).toBe(4020);
    expect(untilDone(times, 44_000)).toBe(2020);
  });

  test('is let alone for the whole time, however often it is picked in it', () => {
    const times = timesOf();
    times.record(0, 4000);
    times.check(0, 9000);
    expect(untilDone(times, 11_000)).toBe(2020);
  });

  test('halves each second where the fail timeout is 0', () => {
    const times = timesOf(0);
    times.record(0, 4000);
    expect([999, 1000, 2000, 7999, 8000].map((now) => untilDone(times, now))).toEqual([4020, 2020, 1020, 40, 20]);
  });
});

describe('leases without an answer', () => {
  test('make a member no faster than they are old on average', () => {
    const times = timesOf(10_000, true);
    times.record(0, 100);
    times.acquiredAt(0, 1000);
    times.acquiredAt(0, 2000);
    // Aged 1000 and 0.
    expect(untilDone(times, 2000)).toBe(3 * 520);
    // Aged 2000 and 1000.
    expect(untilDone(times, 3000)).toBe(3 * 1520);
  });

  test('do not make it faster than its average', () => {
    const times = timesOf(10_000, true);
    times.record(0, 100);
    times.acquiredAt(0, 1000);
    expect(untilDone(times, 1010)).toBe(2 * 120);
  });

  test('no longer count when they are answered, while they still are leases', () => {
    const times = timesOf(10_000, true);
    times.acquiredAt(0, 0);
    times.acquiredAt(0, 900);
    times.answered(0, 1000, 1000);
    expect(untilDone(times, 1000)).toBe(3 * 120);
    times.answered(0, 100, 1000);
    expect(untilDone(times, 5000)).toBe(3 * 20);
  });

  test('are never more than there are leases, though an answer went unnoticed', () => {
    const times = timesOf(10_000, true);
    times.acquiredAt(0, 0);
    times.acquiredAt(0, 0);
    times.released(0);
    expect(untilDone(times, 600)).toBe(2 * 620);
    times.released(0);
    expect(untilDone(times, 600)).toBe(20);
  });

  test('count for nothing unless they are to', () => {
    const times = timesOf();
    times.acquired(0);
    expect(untilDone(times, 9000)).toBe(2 * 20);
  });
});

describe('a member with recent failures', () => {
  test('is taken to be no faster than the average of those that are measured', () => {
    const times = new ResponseTimes(Int32Array.of(1, 1, 1, 1), 10_000, false);
    for (let place = 0; place < 4; place++) times.check(place, 0);
    times.record(1, 100);
    times.record(2, 300);
    expect(times.untilDone(0, 1, 0)).toBe(2 * 220);
    expect(times.untilDone(2, 1, 0)).toBe(2 * 320);
    expect(times.untilDone(3, 0, 0)).toBe(20);
  });
});

test('what another has found out is taken over', () => {
  const before = new ResponseTimes(Int32Array.of(1, 1), 10_000, true);
  before.check(1, 5000);
  before.record(1, 800);
  before.acquiredAt(1, 5000);
  const after = new ResponseTimes(Int32Array.of(7), 10_000, true);
  after.copy(0, before, 1);
  after.setLeases(0, 1);
  expect([after.untilDone(0, 0, 5000), after.untilDone(0, 0, 7000), after.weightOf(0)]).toEqual([2 * 820, 2 * 2020, 7]);
  expect(after.untilDone(0, 1, 5000)).toBe(3 * 820);
});
