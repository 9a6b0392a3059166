import type { Clock } from '../core/clock.ts';
import type { Outcome } from '../core/lease.ts';
import type { Member } from '../core/member.ts';
import type { Random } from '../core/random.ts';
import { duration, Fields, integer } from '../core/spec.ts';
import { BestOfDrawn } from './best-of-drawn.ts';
import { defaultFailurePenalty, RecentFailures } from './recent-failures.ts';
import type { Picker, PickRequest, Strategy } from './strategy.ts';

export interface PowerOfTwoOptions {
  /** How many members are drawn and compared for each client, 2 to 16. Default 2. */
  readonly choices?: number | null;
  /** For how many milliseconds a lease that failed counts as if it went on, 0 and up. Default 10,000; 0 does without. */
  readonly failurePenalty?: number | null;
}

/**
 * The less loaded of two members that are drawn by chance, in proportion to their weights. Nearly as even as
 * `least-connections`, at a cost that does not grow with the pool; and many balancers side by side do not all run to the same
 * idle member.
 *
 * A member's load is the leases that it holds and its recent failures (`RecentFailures` says how those count), for its weight. The
 * member that is drawn first stands, unless a later one is clearly less loaded: (load + ½) / weight of the one is at most
 * (load - ½) / weight of the other. For equal weights that is the plain comparison, where a tie goes to the first. For unequal
 * ones it keeps the shares true at any load, since where members do not differ it is the first draw that decides: by
 * (load + 1) / weight a heavy member would get all clients of an idle pool, and by load / weight a light one would get a client
 * as soon as the heavy one held one.
 *
 * Source: M. Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing" (1996); distinct draws as Finagle's
 * (`P2CPick.scala`). That plain comparison cannot honour steep weights is tower-rs/tower#696.
 *
 * Cost: a pick O(1); preparing O(n).
 *
 * Throws `SpecError`.
 */
export function powerOfTwo<T = unknown>(options: PowerOfTwoOptions = {}): Strategy<T> {
  const fields = new Fields(options, '', ['choices', 'failurePenalty']);
  const choices = fields.read('choices', integer(2, 16), 2);
  const failurePenalty = fields.read('failurePenalty', duration(0), defaultFailurePenalty);
  return {
    name: 'power-of-two',
    prepare: (members, previous, { random, clock }) =>
      new PowerOfTwoPicker(members, previous, choices, failurePenalty, random, clock),
  };
}

class PowerOfTwoPicker<T> extends BestOfDrawn<T> {
  readonly #members: readonly Member<T>[];
  readonly #weights: Int32Array;
  readonly #failures: RecentFailures<T>;

  constructor(
    members: readonly Member<T>[],
    previous: Picker<T> | undefined,
    choices: number,
    failurePenalty: number,
    random: Random,
    clock: Clock,
  ) {
    const weights = Int32Array.from(members, (member) => member.weight);
    super(members, weights, choices, random);
    this.#members = members;
    this.#weights = weights;
    const before = previous instanceof PowerOfTwoPicker ? previous.#failures : undefined;
    this.#failures = new RecentFailures(members, clock, failurePenalty, before);
  }

  override pick(request: PickRequest<T>): Member<T> | undefined {
    if (!this.#failures.areNone) this.#failures.expire();
    return super.pick(request);
  }

  released(_member: Member<T>, place: number, outcome: Outcome): void {
    if (outcome === 'failure') this.#failures.add(place);
  }

  protected isBetter(place: number, than: number): boolean {
    const load = 2 * this.#loadOf(place) + 1;
    return load * (this.#weights[than] as number) <= (2 * this.#loadOf(than) - 1) * (this.#weights[place] as number);
  }

  #loadOf(place: number): number {
    return (this.#members[place] as Member<T>).stats.activeConnections + this.#failures.of(place);
  }
}
