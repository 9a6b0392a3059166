import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import { whenFound } from '../../src/persistence/when-found.ts';
import { settled } from '../fixtures/core.ts';

/** A promise in the test's hands, and what came of waiting for it for 1000 ms. */
function waiting() {
  const clock = new VirtualClock();
  const heard: [id: string | undefined, problem: unknown][] = [];
  let resolve: (id?: string) => void = () => {};
  let reject: (problem?: unknown) => void = () => {};
  const found = new Promise<string | undefined>((resolveIt, rejectIt) => {
    resolve = resolveIt;
    reject = rejectIt;
  });
  const callOff = whenFound(found, clock, 1000, (id, problem) => heard.push([id, problem]));
  return { clock, heard, resolve, reject, callOff };
}

describe('waiting for what a persistence has promised', () => {
  test('ends with what was found, and leaves no timer behind', async () => {
    const { clock, heard, resolve } = waiting();
    await clock.advance(999);
    expect(heard).toEqual([]);
    resolve('m1');
    await settled();
    expect([heard, clock.pending]).toEqual([[['m1', undefined]], 0]);
  });

  test('ends with nothing where nothing was found', async () => {
    const { heard, resolve } = waiting();
    resolve();
    await settled();
    expect(heard).toEqual([[undefined, undefined]]);
  });

  test('ends with the problem where there is one', async () => {
    const problem = new Error('the store is down');
    const { clock, heard, reject } = waiting();
    reject(problem);
    await settled();
    expect([heard, clock.pending]).toEqual([[[undefined, problem]], 0]);
  });

  test('ends with a problem where the promise was rejected without one', async () => {
    const { heard, reject } = waiting();
    reject();
    await settled();
    expect(heard).toEqual([[undefined, new Error('rejected without a reason')]]);
  });

  test('ends when patience does, and what comes later is of no interest', async () => {
    const { clock, heard, resolve } = waiting();
    await clock.advance(1000);
    expect(heard).toEqual([[undefined, new Error('no answer within 1000 ms')]]);
    resolve('m1');
    await settled();
    expect(heard).toHaveLength(1);
  });

  test('does not end where it was called off', async () => {
    for (const late of ['resolve', 'reject', 'patience'] as const) {
      const { clock, heard, callOff, resolve, reject } = waiting();
      callOff();
      if (late === 'resolve') resolve('m1');
      else if (late === 'reject') reject(new Error('late'));
      else await clock.advance(2000);
      await settled();
      expect([heard, clock.pending]).toEqual([[], 0]);
    }
  });

  test('ends at once where a thenable answers at once', () => {
    const clock = new VirtualClock();
    const heard: unknown[] = [];
    // biome-ignore lint/suspicious/noThenProperty: it is one
    const found = { then: (resolve: (id: string) => void) => resolve('m1') } as PromiseLike<string>;
    whenFound(found, clock, 1000, (id) => heard.push(id));
    expect([heard, clock.pending]).toEqual([['m1'], 0]);
  });
});
