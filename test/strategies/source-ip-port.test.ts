import { expect, test } from 'vitest';
import { equal, makePool, tally, visits } from '../fixtures/core.ts';

// What it has in common with source-ip is tested there.

test('the connections of one address spread over all members by their port', () => {
  const pool = makePool({ strategy: 'source-ip-port', members: equal(5) });
  const ids = visits(pool, 10_000, (number) => ({ clientAddress: '192.0.2.7', clientPort: 1024 + number }));
  expect(Object.values(tally(ids)).filter((count) => count < 1340 || count > 2660)).toEqual([]);
});

test('one address and port stay on one member', () => {
  const pool = makePool({ strategy: 'source-ip-port', members: equal(10) });
  const ids = visits(pool, 50, () => ({ clientAddress: '192.0.2.7', clientPort: 5000 }));
  expect(new Set(ids).size).toBe(1);
});

test('neighbouring addresses on the same port spread over all members', () => {
  const pool = makePool({ strategy: 'source-ip-port', members: equal(5) });
  const ids = visits(pool, 250, (number) => ({ clientAddress: `192.0.2.${number}`, clientPort: 5000 }));
  expect(new Set(ids).size).toBe(5);
});
