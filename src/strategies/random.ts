import type { Member } from '../core/member.ts';
import type { Random } from '../core/random.ts';
import type { Picker, PickRequest, Strategy } from './strategy.ts';

/**
 * A member by chance, in proportion to its weight. Knows nothing and shares nothing, so any number of balancers can use it
 * side by side.
 *
 * Source: the alias method (A. J. Walker 1977), tables by M. D. Vose, "A linear algorithm for generating random numbers with
 * a given distribution" (1991).
 *
 * Cost: a pick O(1); preparing O(n). Where the draw is not acceptable it is repeated a few times, then decided among the
 * acceptable members in O(n).
 */
export function random<T = unknown>(): Strategy<T> {
  return {
    name: 'random',
    prepare: (members, _previous, context) => new RandomPicker(members, context.random),
  };
}

/** With half of the members acceptable, eight draws miss once in 256. */
const mostDraws = 8;

class RandomPicker<T> implements Picker<T> {
  readonly #members: readonly Member<T>[];
  readonly #random: Random;
  /** Column `i` of the alias table is member `i` up to `#share[i]`, and member `#alias[i]` above. */
  readonly #share: Float64Array;
  readonly #alias: Int32Array;

  constructor(members: readonly Member<T>[], random: Random) {
    this.#members = members;
    this.#random = random;
    this.#share = new Float64Array(members.length).fill(1);
    this.#alias = Int32Array.from(members, (_, index) => index);
    const total = members.reduce((sum, member) => sum + member.weight, 0);
    const scaled = Float64Array.from(members, (member) => (member.weight * members.length) / total);
    const small: number[] = [];
    const large: number[] = [];
    for (const [index, share] of scaled.entries()) (share < 1 ? small : large).push(index);
    for (let low = small.pop(); low !== undefined; low = small.pop()) {
      const high = large.pop();
      // Rounding can leave a column without a partner; its share is 1 but for that rounding.
      if (high === undefined) break;
      this.#share[low] = scaled[low] as number;
      this.#alias[low] = high;
      scaled[high] = (scaled[high] as number) + (scaled[low] as number) - 1;
      ((scaled[high] as number) < 1 ? small : large).push(high);
    }
  }

  pick(request: PickRequest<T>): Member<T> | undefined {
    for (let draw = 0; draw < mostDraws; draw++) {
      const point = this.#random() * this.#members.length;
      const column = Math.floor(point);
      const index = point - column < (this.#share[column] as number) ? column : (this.#alias[column] as number);
      const member = this.#members[index] as Member<T>;
      if (request.accepts(member)) return member;
    }
    return this.#pickAccepted(request);
  }

  /** Weighted reservoir sampling of one: each acceptable member replaces the choice with its share of the weight so far. */
  #pickAccepted(request: PickRequest<T>): Member<T> | undefined {
    let choice: Member<T> | undefined;
    let total = 0;
    for (const member of this.#members) {
      if (!request.accepts(member)) continue;
      total += member.weight;
      if (this.#random() * total < member.weight) choice = member;
    }
    return choice;
  }
}
