/** Traffic on a pool in virtual time, fast enough for hundreds of thousands of leases: what decides is how members behave. */
import type { Clock } from '../../src/core/clock.ts';
import { createPool } from '../../src/core/create-pool.ts';
import type { Lease } from '../../src/core/lease.ts';
import type { MemberSpec } from '../../src/core/member-spec.ts';
import type { Pool } from '../../src/core/pool.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { StrategyName } from '../../src/strategies/built-in.ts';
import type { Strategy } from '../../src/strategies/strategy.ts';
import { spec, take } from '../fixtures/core.ts';

export interface Behaviour {
  readonly weight?: number;
  /** How many milliseconds a lease that begins at this time will take. */
  readonly takes: (at: number, chance: number) => number;
  /** Whether it will fail. Default: never. */
  readonly fails?: (at: number, chance: number) => boolean;
}

export interface Load {
  readonly strategy: StrategyName | Strategy;
  readonly members: Readonly<Record<string, Behaviour>>;
  /** New clients in a second, at random times; or a number of clients that each begin anew when they are done. */
  readonly arrivals: { readonly perSecond: number } | { readonly atOnce: number };
  /** Seconds of traffic. */
  readonly seconds: number;
  readonly seed?: number;
}

/** A lease that was taken, and when. */
export interface Taken {
  readonly id: string;
  readonly at: number;
}

/** Sends the traffic and tells who got it, in order. */
export function send({ strategy, members, arrivals, seconds, seed = 1 }: Load): Taken[] {
  const clock = new HandClock();
  const random = seededRandom(seed);
  const specs = Object.entries(members).map(([id, { weight = 1 }]) => spec(id, { weight }));
  const pool = poolIn(clock, strategy, specs, seed + 1000);
  const taken: Taken[] = [];
  const events = new Agenda<() => void>();
  const end = seconds * 1000;

  const begin = (then: () => void): void => {
    const lease = take(pool);
    const { id } = lease.member;
    taken.push({ id, at: clock.time });
    const { takes, fails } = members[id] as Behaviour;
    const hasFailed = fails?.(clock.time, random()) ?? false;
    events.add(clock.time + takes(clock.time, random()), () => {
      finish(lease, hasFailed);
      then();
    });
  };
  if ('atOnce' in arrivals) {
    const again = (): void => begin(again);
    // Clients do not all begin at the same moment.
    for (let number = 0; number < arrivals.atOnce; number++) events.add(random(), again);
  } else {
    const arrive = (): void => {
      begin(() => {});
      events.add(clock.time - (Math.log(1 - random()) * 1000) / arrivals.perSecond, arrive);
    };
    events.add(0, arrive);
  }
  for (let next = events.next(); next !== undefined && next.at < end; next = events.next()) {
    clock.time = next.at;
    next.what();
  }
  return taken;
}

/** A pool in time that is set by hand. */
export function poolIn(clock: HandClock, strategy: Load['strategy'], members: readonly MemberSpec[], seed = 1): Pool {
  return createPool({ name: 'pool', strategy, members }, { clock, random: seededRandom(seed) });
}

function finish(lease: Lease, hasFailed: boolean): void {
  if (!hasFailed) return lease.release();
  lease.connectedForRequest();
  lease.release('failure');
}

/** The share of a member among the leases of a span of time, in milliseconds. */
export function shareOf(id: string, taken: readonly Taken[], from = 0, to = Number.POSITIVE_INFINITY): number {
  const within = taken.filter(({ at }) => at >= from && at < to);
  return within.filter((lease) => lease.id === id).length / within.length;
}

/** A random duration of this mean, exponentially distributed. */
export function exponential(mean: number): (at: number, chance: number) => number {
  return (_at, chance) => -Math.log(1 - chance) * mean;
}

/** A clock that is set by hand, for what needs no timers. */
export class HandClock implements Clock {
  time = 0;

  now(): number {
    return this.time;
  }

  setTimeout(): never {
    throw new Error('nobody fires timers here');
  }

  clearTimeout(): void {}
}

/** Events by time, those of the same time in the order in which they were added: a binary heap. */
class Agenda<What> {
  readonly #heap: { readonly at: number; readonly order: number; readonly what: What }[] = [];
  #order = 0;

  add(at: number, what: What): void {
    const heap = this.#heap;
    const entry = { at, order: this.#order++, what };
    let place = heap.length;
    heap.push(entry);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = heap[parent] as typeof entry;
      if (above.at < at || (above.at === at && above.order < entry.order)) break;
      heap[place] = above;
      place = parent;
    }
    heap[place] = entry;
  }

  next(): { readonly at: number; readonly what: What } | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const entry = heap.pop();
    if (first === undefined || entry === undefined || heap.length === 0) return first;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      const [left, right] = [heap[child], heap[child + 1]] as [typeof entry, typeof entry | undefined];
      if (right !== undefined && isEarlier(right, left)) child++;
      const below = heap[child] as typeof entry;
      if (!isEarlier(below, entry)) break;
      heap[place] = below;
      place = child;
    }
    heap[place] = entry;
    return first;
  }
}

function isEarlier(a: { at: number; order: number }, b: { at: number; order: number }): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
