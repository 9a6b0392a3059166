import type { Outcome } from '../core/lease.ts';
import type { Member } from '../core/member.ts';
import { boolean, duration, Fields } from '../core/spec.ts';
import { LoadOrder } from './load-order.ts';
import { placesBefore } from './places-before.ts';
import { defaultFailurePenalty, RecentFailures } from './recent-failures.ts';
import { beginAt, type Standing } from './standing.ts';
import type { Picker, PickRequest, Strategy, StrategyContext } from './strategy.ts';

export interface LeastConnectionsOptions {
  /**
   * Milliseconds for which a failure counts as one more connection, so that a member that fails at once does not attract everybody;
   * 0 to 2147483647, 0: not at all. Default 10000.
   */
  readonly failurePenalty?: number | null;
  /**
   * Whether the first picks begin at a random member, so that of many balancers that start together not all send their first clients to
   * the same ones. Default false: at the first member.
   */
  readonly randomStart?: boolean | null;
}

/**
 * The member with the fewest connections for its weight. Idle members come first; among busy ones the lowest
 * (connections + 1) / weight, which is the load that the member would have with the new client (HAProxy, `src/lb_fwlc.c`).
 * Ties go round, in proportion to the weights, where HAProxy rotates regardless of weight; among those of one weight, the one that has
 * waited longest goes first. Recent failures count as connections (`RecentFailures` says how).
 *
 * Cost: a pick O(1), an acquire and a release O(log g) for g different weights, of which there can be 256 (`LoadOrder` says how);
 * preparing O(n). While failures count, each pick reads the clock. Throws `SpecError`.
 */
export function leastConnections<T = unknown>(options: LeastConnectionsOptions = {}): Strategy<T> {
  const fields = new Fields(options, '', ['failurePenalty', 'randomStart']);
  const settings = {
    failurePenalty: fields.read('failurePenalty', duration(0), defaultFailurePenalty),
    randomStart: fields.read('randomStart', boolean, false),
  };
  return {
    name: 'least-connections',
    prepare: (members, previous, context) => new LeastConnectionsPicker(members, previous, settings, context),
  };
}

class LeastConnectionsPicker<T> implements Picker<T> {
  readonly #members: readonly Member<T>[];
  readonly #failures: RecentFailures<T>;
  readonly #order: LoadOrder;
  /** Of a member's failures some count no longer. */
  readonly #drained = (place: number): void => {
    const { stats } = this.#members[place] as Member<T>;
    this.#order.move(place, stats.activeConnections, this.#extraOf(place));
  };

  constructor(
    members: readonly Member<T>[],
    previous: Picker<T> | undefined,
    { failurePenalty, randomStart }: { readonly failurePenalty: number; readonly randomStart: boolean },
    { clock, random }: StrategyContext,
  ) {
    const before = previous instanceof LeastConnectionsPicker ? (previous as LeastConnectionsPicker<T>) : undefined;
    this.#members = members;
    this.#failures = new RecentFailures(
      members,
      clock,
      failurePenalty,
      before === undefined ? before : before.#failures,
    );
    const start = randomStart && before === undefined ? Math.floor(random() * members.length) : 0;
    const standing = before === undefined ? beginAt(start, members.length) : before.#standing(members);
    this.#order = new LoadOrder(members, standing, (place) => this.#extraOf(place));
  }

  pick(request: PickRequest<T>): Member<T> | undefined {
    if (!this.#failures.areNone) this.#failures.expire(this.#drained);
    const place = this.#order.first;
    if (place < 0) return undefined;
    const member = this.#members[place] as Member<T>;
    return request.accepts(member) ? member : this.#members[this.#order.find(this.#members, request)];
  }

  acquired(member: Member<T>, place: number): void {
    this.#order.take(place, member.stats.activeConnections, this.#extraOf(place));
  }

  released(member: Member<T>, place: number, outcome: Outcome): void {
    if (outcome === 'failure') this.#failures.add(place);
    this.#order.move(place, member.stats.activeConnections, this.#extraOf(place));
  }

  #extraOf(place: number): number {
    return this.#failures.areNone ? 0 : Math.ceil(this.#failures.of(place));
  }

  /** How the members of a picker that follows this one stand. */
  #standing(members: readonly Member<T>[]): Standing {
    const { turns, sequence, now } = this.#order.standing;
    const placeNow = new Int32Array(this.#members.length).fill(-1);
    for (const [place, before] of placesBefore(members, this.#members).entries()) {
      if (before >= 0) placeNow[before] = place;
    }
    const joined = new Set<number>();
    for (const before of sequence) if ((placeNow[before] as number) >= 0) joined.add(placeNow[before] as number);
    for (const place of members.keys()) joined.add(place);
    return { turns, sequence: [...joined], now };
  }
}
