import { describe, expect, test } from 'vitest';
import { Counters, type Stats, snapshot, sumStats } from '../../src/core/stats.ts';
import { VipCounters, vipSnapshot } from '../../src/core/vip-stats.ts';

type Count = Exclude<keyof Stats, 'timeToFirstByte'>;

/** All of them, also those that are added to the class one day. */
const countNames = Object.keys(new Counters()).filter((name): name is Count => name !== 'timeToFirstByte');

/** Counters that each have another value, and these times to first bytes. */
function counters(first: number, ...times: number[]): Counters {
  const made = new Counters();
  for (const [index, name] of countNames.entries()) made[name] = first + index;
  for (const time of times) made.countFirstByte(time);
  return made;
}

const countsOf = (stats: Stats): number[] => countNames.map((name) => stats[name]);

describe('an answer', () => {
  for (const [name, statuses] of [
    ['responses1xx', [100, 101, 103, 199]],
    ['responses2xx', [200, 204, 299]],
    ['responses3xx', [300, 304, 399]],
    ['responses4xx', [400, 404, 499]],
    ['responses5xx', [500, 503, 599, 600, 999]],
  ] as const) {
    test(`of ${statuses.join(', ')} counts in ${name} and nowhere else`, () => {
      const made = new Counters();
      for (const status of statuses) made.countResponse(status);
      expect(made).toEqual(Object.assign(new Counters(), { [name]: statuses.length }));
    });
  }
});

describe('the time to the first byte', () => {
  test('is undefined before there was one', () => {
    expect(new Counters().timeToFirstByte).toBe(undefined);
  });

  test('is a histogram from the first one on', () => {
    const { timeToFirstByte } = counters(0, 5, 7);
    expect([timeToFirstByte?.count, timeToFirstByte?.mean]).toEqual([2, 6]);
  });
});

describe('a snapshot', () => {
  test('has what the counters had', () => {
    const made = counters(1, 5);
    const { timeToFirstByte, ...counts } = snapshot(made);
    expect([countsOf({ ...counts, timeToFirstByte }), timeToFirstByte?.toJSON()]).toEqual([
      countsOf(made),
      made.timeToFirstByte?.toJSON(),
    ]);
  });

  test('does not follow the counters', () => {
    const made = counters(1, 5);
    const copy = snapshot(made);
    made.requests += 10;
    made.countFirstByte(50);
    expect([copy.requests, copy.timeToFirstByte?.count, copy.timeToFirstByte?.max]).toEqual([
      counters(1).requests,
      1,
      5,
    ]);
  });

  test('has no time to the first byte where there was none', () => {
    expect(snapshot(counters(1)).timeToFirstByte).toBe(undefined);
  });

  test('of a virtual IP does not follow its timeouts and handshakes', () => {
    const made = new VipCounters();
    made.timeouts.request = 3;
    made.waitingConnections = 2;
    const copy = vipSnapshot(made);
    made.tlsHandshakes.failed++;
    made.timeouts.request++;
    made.waitingConnections++;
    expect(copy.tlsHandshakes).toEqual({ full: 0, resumed: 0, failed: 0 });
    expect([copy.timeouts, copy.waitingConnections]).toEqual([
      { handshake: 0, request: 3, body: 0, response: 0, reader: 0, keepAlive: 0, tunnel: 0 },
      2,
    ]);
  });
});

describe('a sum', () => {
  test('of none is 0 throughout', () => {
    expect(sumStats([])).toEqual(new Counters());
  });

  test('adds up each counter', () => {
    const sum = sumStats([counters(1), counters(100), counters(10_000)]);
    expect(countsOf(sum)).toEqual(countNames.map((_, index) => 10_101 + 3 * index));
  });

  test('adds up times to the first byte, of those that have any', () => {
    const { timeToFirstByte } = sumStats([counters(0), counters(0, 1, 2), counters(0), counters(0, 9)]);
    expect([timeToFirstByte?.count, timeToFirstByte?.mean, timeToFirstByte?.max]).toEqual([3, 4, 9]);
  });

  test('has no time to the first byte where none has any', () => {
    expect(sumStats([counters(1), counters(2)]).timeToFirstByte).toBe(undefined);
  });

  test('leaves what it adds up as it is', () => {
    const [one, other] = [counters(1, 5), counters(2, 7)];
    const sum = sumStats([one, other]);
    one.countFirstByte(50);
    expect([one.timeToFirstByte?.count, other.timeToFirstByte?.count, sum.timeToFirstByte?.count]).toEqual([2, 1, 2]);
  });
});
