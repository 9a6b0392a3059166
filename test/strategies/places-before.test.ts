import fc from 'fast-check';
import { expect, test } from 'vitest';
import { placesBefore } from '../../src/strategies/places-before.ts';
import { equal, makePool } from '../fixtures/core.ts';

const { members } = makePool({ members: equal(8) });

test('members that stay where they are keep their places', () => {
  expect([...placesBefore(members, members)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

test('whatever comes, goes and moves, each is found where it was, or not at all', () => {
  const list = fc.shuffledSubarray([...members]);
  fc.assert(
    fc.property(list, list, (now, before) => {
      expect([...placesBefore(now, before)]).toEqual(now.map((member) => before.indexOf(member)));
    }),
    { seed: 3, numRuns: 300 },
  );
});

test('most of what stays is found where several came and went in between', () => {
  const list = fc.subarray([...members]);
  fc.assert(
    fc.property(list, list, (now, before) => {
      expect([...placesBefore(now, before)]).toEqual(now.map((member) => before.indexOf(member)));
    }),
    { seed: 4, numRuns: 300 },
  );
});
