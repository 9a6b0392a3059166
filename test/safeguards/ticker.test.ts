import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import { Ticker } from '../../src/safeguards/ticker.ts';

interface Heard {
  readonly at: number;
  readonly periods: number;
}

/** A ticker that goes on until it has ticked so often. */
function tickerOf(clock: VirtualClock, times: number): { ticker: Ticker; heard: Heard[] } {
  const heard: Heard[] = [];
  const ticker = new Ticker(clock, 100, (periods) => {
    heard.push({ at: clock.now(), periods });
    return heard.length < times;
  });
  return { ticker, heard };
}

describe('a ticker', () => {
  test('does nothing before it is started', async () => {
    const clock = new VirtualClock();
    const { ticker, heard } = tickerOf(clock, 9);
    await clock.advance(1000);
    expect([heard, ticker.isRunning, clock.pending]).toEqual([[], false, 0]);
  });

  test('ticks each period, and stops when told to', async () => {
    const clock = new VirtualClock();
    const { ticker, heard } = tickerOf(clock, 3);
    await clock.advance(50);
    ticker.start();
    await clock.advance(1000);
    expect(heard.map(({ at }) => at)).toEqual([150, 250, 350]);
    expect([ticker.isRunning, clock.pending]).toEqual([false, 0]);
  });

  test('that runs is not started twice', async () => {
    const clock = new VirtualClock();
    const { ticker, heard } = tickerOf(clock, 2);
    ticker.start();
    await clock.advance(60);
    ticker.start();
    await clock.advance(1000);
    expect(heard.map(({ at }) => at)).toEqual([100, 200]);
  });

  test('that has stopped can be started again', async () => {
    const clock = new VirtualClock();
    const { ticker, heard } = tickerOf(clock, 1);
    ticker.start();
    await clock.advance(1000);
    ticker.start();
    await clock.advance(1000);
    expect(heard.map(({ at }) => at)).toEqual([100, 1100]);
  });
});

/** A clock whose timers come when the test says so. */
class UnpunctualClock {
  time = 0;
  delays: number[] = [];
  #callback: () => void = () => {};

  now(): number {
    return this.time;
  }

  setTimeout(callback: () => void, delay: number): void {
    this.#callback = callback;
    this.delays.push(delay);
  }

  clearTimeout(): void {}

  fireAt(time: number): void {
    this.time = time;
    this.#callback();
  }
}

describe('a tick that is late', () => {
  test('stands for all periods that have ended, and the next one keeps to the rhythm', () => {
    const clock = new UnpunctualClock();
    const heard: number[] = [];
    const ticker = new Ticker(clock, 100, (periods) => heard.push(periods) > 0);
    ticker.start();
    clock.fireAt(130);
    clock.fireAt(470);
    expect([heard, clock.delays]).toEqual([
      [1, 3],
      [100, 70, 30],
    ]);
  });
});

describe('a tick that is early', () => {
  test('is a period all the same, and the next one is longer', () => {
    const clock = new UnpunctualClock();
    const heard: number[] = [];
    const ticker = new Ticker(clock, 100, (periods) => heard.push(periods) > 0);
    ticker.start();
    clock.fireAt(99.5);
    expect([heard, clock.delays]).toEqual([[1], [100, 100.5]]);
  });
});
