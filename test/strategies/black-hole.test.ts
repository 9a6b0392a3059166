import { describe, expect, test } from 'vitest';
import { leastTime } from '../../src/strategies/least-time.ts';
import { peakEwma } from '../../src/strategies/peak-ewma.ts';
import { powerOfTwo } from '../../src/strategies/power-of-two.ts';
import { type Behaviour, exponential, send, shareOf, type Taken } from './traffic.ts';

/**
 * Ten members of which each takes 50 ms. From 20 to 60 seconds the first one fails everything in less than 1 ms; then it is well
 * again. Its fair share is 10 %.
 */
const begin = 20_000;
const end = 60_000;
const healthy: Behaviour = { takes: exponential(50) };
const isBroken = (at: number): boolean => at >= begin && at < end;
const broken: Behaviour = {
  takes: (at, chance) => (isBroken(at) ? chance : healthy.takes(at, chance)),
  fails: isBroken,
};
const members = Object.fromEntries(
  Array.from({ length: 10 }, (_, number) => [`m${number}`, number === 0 ? broken : healthy]),
);

const strategies = { 'power-of-two': powerOfTwo, 'peak-ewma': peakEwma, 'least-time': leastTime };

/** What each gives a member that fails everything, at most, without counting failures at least, and when it is well again at last. */
const bounds = {
  'power-of-two': { broken: 0.002, without: 0.18, isWellBy: 10_000 },
  'peak-ewma': { broken: 0.001, without: 0.18, isWellBy: 40_000 },
  'least-time': { broken: 0.002, without: 0.65, isWellBy: 10_000 },
} as const;

for (const [name, { broken: mostBroken, without, isWellBy }] of Object.entries(bounds)) {
  describe(`${name} at 1000 clients in a second`, () => {
    const run = (failurePenalty: number): Taken[] =>
      send({
        strategy: strategies[name as keyof typeof bounds]({ failurePenalty }),
        members,
        arrivals: { perSecond: 1000 },
        seconds: 115,
      });
    const counted = run(10_000);
    const share = (from: number, to: number): number => shareOf('m0', counted, from, to);

    test('gives all members the same before one breaks', () => {
      expect(share(5000, begin)).toBeGreaterThan(0.08);
      expect(share(5000, begin)).toBeLessThan(0.12);
    });

    test(`gives a member that fails at once less than ${mostBroken * 100} % of the clients`, () => {
      expect(share(begin, end)).toBeLessThan(mostBroken);
    });

    test('tries it again now and then', () => {
      expect(share(begin + 10_000, end)).toBeGreaterThan(0);
    });

    test(`would give it more than ${without * 100} % if failures did not count`, () => {
      expect(shareOf('m0', run(0), begin, end)).toBeGreaterThan(without);
    });

    test('gives one that is well again no herd: never more than 15 % in any second', () => {
      for (let from = end; from < 115_000; from += 1000) expect(share(from, from + 1000)).toBeLessThan(0.15);
      expect(share(end, end + 1000)).toBeLessThan(0.02);
    });

    test(`gives it its share again within ${isWellBy / 1000} seconds`, () => {
      expect(share(end + isWellBy, end + isWellBy + 10_000)).toBeGreaterThan(0.085);
    });
  });

  test(`${name} does not give one client after the other to a member that fails, where there is hardly any traffic`, () => {
    const strategy = strategies[name as keyof typeof bounds]();
    const taken = send({ strategy, members, arrivals: { atOnce: 1 }, seconds: 60 });
    const tries = taken.filter(({ id, at }) => id === 'm0' && isBroken(at)).length;
    expect(tries).toBeLessThanOrEqual(8);
  });

  test(`${name} gives a member that fails one client in five less than half of its share`, () => {
    const strategy = strategies[name as keyof typeof bounds]();
    const flaky: Behaviour = { ...healthy, fails: (_at, chance) => chance < 0.2 };
    const taken = send({ strategy, members: { ...members, m0: flaky }, arrivals: { perSecond: 1000 }, seconds: 30 });
    expect(shareOf('m0', taken, 10_000)).toBeLessThan(0.05);
  });

  test(`${name} shares evenly where one client in a hundred fails everywhere`, () => {
    const strategy = strategies[name as keyof typeof bounds]();
    const usual: Behaviour = { ...healthy, fails: (_at, chance) => chance < 0.01 };
    const all = Object.fromEntries(Object.keys(members).map((id) => [id, usual]));
    const taken = send({ strategy, members: all, arrivals: { perSecond: 1000 }, seconds: 60 });
    for (const id of Object.keys(all)) {
      expect(shareOf(id, taken, 10_000)).toBeGreaterThan(0.07);
      expect(shareOf(id, taken, 10_000)).toBeLessThan(0.13);
    }
  });
}
