import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import { pass } from '../fixtures/core.ts';

/** A clock whose timers note when they fired. */
function noted() {
  const clock = new VirtualClock();
  const fired: string[] = [];
  const set = (name: string, delay: number) => clock.setTimeout(() => fired.push(`${name}@${clock.now()}`), delay);
  return { clock, fired, set };
}

describe('virtual time', () => {
  test('begins at 0 and stands still by itself', () => {
    expect(new VirtualClock().now()).toBe(0);
  });

  test('moves on by what it is told', async () => {
    const clock = new VirtualClock();
    await clock.advance(5);
    await clock.advance(7.5);
    expect(clock.now()).toBe(12.5);
  });

  test('does not fire a timer one millisecond early', async () => {
    const { clock, fired, set } = noted();
    set('a', 100);
    await clock.advance(99);
    expect(fired).toEqual([]);
  });

  test('fires a timer at the very moment it is due', async () => {
    const { clock, fired, set } = noted();
    set('a', 100);
    await clock.advance(100);
    expect(fired).toEqual(['a@100']);
  });

  test('fires timers in the order in which they fall due', async () => {
    const { clock, fired, set } = noted();
    set('late', 30);
    set('early', 10);
    set('middle', 20);
    await clock.advance(100);
    expect(fired).toEqual(['early@10', 'middle@20', 'late@30']);
  });

  test('fires timers of one moment in the order in which they were set', async () => {
    const { clock, fired, set } = noted();
    for (const name of ['a', 'b', 'c']) set(name, 10);
    await clock.advance(10);
    expect(fired).toEqual(['a@10', 'b@10', 'c@10']);
  });

  test('fires timers that fired ones have set', async () => {
    const { clock, fired, set } = noted();
    clock.setTimeout(() => set('inner', 10), 10);
    await clock.advance(20);
    expect(fired).toEqual(['inner@20']);
  });

  test('does not fire a timer that was cleared', async () => {
    const { clock, fired, set } = noted();
    clock.clearTimeout(set('a', 10));
    await clock.advance(100);
    expect(fired).toEqual([]);
  });

  test('takes no offence at a timer that has fired, or at none', async () => {
    const { clock, set } = noted();
    const timer = set('a', 10);
    await clock.advance(10);
    clock.clearTimeout(timer);
    clock.clearTimeout(undefined);
    expect(clock.pending).toBe(0);
  });

  test('fires each timer once', async () => {
    const { clock, fired, set } = noted();
    set('a', 10);
    await clock.advance(10);
    await clock.advance(10);
    expect(fired).toEqual(['a@10']);
  });

  test('takes a negative delay for none', async () => {
    const { clock, fired, set } = noted();
    set('a', -5);
    await clock.advance(0);
    expect(fired).toEqual(['a@0']);
  });

  test('knows how many timers are set', async () => {
    const { clock, set } = noted();
    set('a', 10);
    set('b', 20);
    await clock.advance(10);
    expect(clock.pending).toBe(1);
  });

  test('lets promises settle between two timers', async () => {
    const { clock, fired, set } = noted();
    void pass(clock, 10).then(() => fired.push('promise'));
    set('timer', 20);
    await clock.advance(20);
    expect(fired).toEqual(['promise', 'timer@20']);
  });
});
