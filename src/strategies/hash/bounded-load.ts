import type { Member } from '../../core/member.ts';
import type { Candidates } from './hash-table.ts';

/**
 * Consistent hashing with bounded loads: a member that holds its share of all leases, times a factor, is no candidate, so
 * that a popular key cannot drown it. With this client, and weight w of all members' W, it may hold
 * max(1, ceil(total · w / W)) of total = ceil((active + 1) · factor / 100).
 *
 * Sources: V. Mirrokni, M. Thorup and M. Zadimoghaddam, "Consistent hashing with bounded loads" (2016); the rounding is
 * Envoy's (`thread_aware_lb_impl.cc`), but the bound is kept, as in the paper and in HAProxy, where Envoy lets a member have
 * one more. The leases counted are those of the very members that the weights are summed over (Envoy counts a cluster's
 * against a subset's, issue 37965).
 *
 * A client whose member is at its bound goes on to the table's next candidate, which is where it would go if that member were
 * away; so its other keys stay, and whoever moves finds the same place each time. Envoy shuffles all members instead, O(n)
 * for each such client, lest one neighbour inherit a whole overload; here each point, slot or key has another neighbour.
 *
 * Cost: O(1) a lease and a candidate.
 */
export class BoundedLoad<T> implements Candidates<T> {
  readonly #members: readonly Member<T>[];
  readonly #factor: number;
  readonly #weights: number;
  /** Leases on all members. */
  #active: number;
  /** Of the pick that goes on: who may be picked at all, and the slots of all members together. */
  #candidates: Candidates<T> = { accepts: () => false };
  #slots = 0;

  /** @param factor percent of a member's fair share, 100 and up */
  constructor(members: readonly Member<T>[], factor: number) {
    this.#members = members;
    this.#factor = factor;
    this.#weights = members.reduce((sum, { weight }) => sum + weight, 0);
    this.#active = members.reduce((sum, { stats }) => sum + stats.activeConnections, 0);
  }

  /** Of these, from now on only those below their bound. */
  limit(candidates: Candidates<T>): this {
    this.#candidates = candidates;
    this.#slots = Math.ceil(((this.#active + 1) * this.#factor) / 100);
    return this;
  }

  accepts(member: Member<T>): boolean {
    return this.#candidates.accepts(member) && this.#isBelowBound(member);
  }

  /** The candidate with the least load for its weight, for the client whom the bounds leave nobody. */
  leastLoaded(): Member<T> | undefined {
    let least = Number.POSITIVE_INFINITY;
    let found: Member<T> | undefined;
    for (const member of this.#members) {
      const load = member.stats.activeConnections / member.weight;
      if (load >= least || !this.#candidates.accepts(member)) continue;
      least = load;
      found = member;
    }
    return found;
  }

  acquired(): void {
    this.#active++;
  }

  released(): void {
    this.#active--;
  }

  /** Whether it holds less than max(1, ceil(slots · weight / weights)); as whole numbers, so without a division. */
  #isBelowBound(member: Member<T>): boolean {
    const { activeConnections } = member.stats;
    return activeConnections === 0 || activeConnections * this.#weights < this.#slots * member.weight;
  }
}
