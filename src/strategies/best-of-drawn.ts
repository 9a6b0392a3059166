import type { Member } from '../core/member.ts';
import type { Random } from '../core/random.ts';
import { DistinctDraws } from './distinct-draws.ts';
import type { Picker, PickRequest } from './strategy.ts';

/** With half of the members acceptable, eight draws miss once in 256. */
const mostDraws = 8;

/**
 * Draws a few members by weight and picks the best of them: what `power-of-two` and `peak-ewma` share. They differ in what
 * is better.
 *
 * Cost: a pick O(1); preparing O(n). Where none that was drawn is acceptable, draws go on a few times; then the acceptable members
 * are sought in O(n).
 */
export abstract class BestOfDrawn<T> implements Picker<T> {
  readonly #members: readonly Member<T>[];
  readonly #draws: DistinctDraws;
  readonly #choices: number;
  readonly #random: Random;

  constructor(members: readonly Member<T>[], weights: Int32Array, choices: number, random: Random) {
    this.#members = members;
    this.#draws = new DistinctDraws(weights, choices, random);
    this.#choices = choices;
    this.#random = random;
  }

  /** Whether the member at one place is to be picked rather than the one at another that was drawn before it. */
  protected abstract isBetter(place: number, than: number): boolean;

  pick(request: PickRequest<T>): Member<T> | undefined {
    const best = this.#choices === 2 ? this.#betterOfTwo() : this.#bestOfMany();
    // Only the winner is asked about: members that cannot take a client are few, and asking costs more than a comparison.
    const member = this.#members[best] as Member<T>;
    return request.accepts(member) ? member : this.#pickAccepted(request);
  }

  #betterOfTwo(): number {
    const place = this.#draws.any();
    const other = this.#draws.anyBut(place);
    return other >= 0 && this.isBetter(other, place) ? other : place;
  }

  #bestOfMany(): number {
    let best = this.#draws.first();
    for (let place = this.#draws.next(); place >= 0; place = this.#draws.next()) {
      if (this.isBetter(place, best)) best = place;
    }
    return best;
  }

  #pickAccepted(request: PickRequest<T>): Member<T> | undefined {
    let best = -1;
    for (let draw = 0; draw < mostDraws; draw++) {
      const place = this.#draws.any();
      if (!request.accepts(this.#members[place] as Member<T>)) continue;
      if (best < 0) best = place;
      else if (place !== best) return this.#members[this.isBetter(place, best) ? place : best];
    }
    return best < 0 ? this.#seekAccepted(request) : this.#members[best];
  }

  /** The better of two draws among all that are acceptable, each by weighted reservoir sampling of one. */
  #seekAccepted(request: PickRequest<T>): Member<T> | undefined {
    let best = -1;
    let other = -1;
    let total = 0;
    for (let place = 0; place < this.#members.length; place++) {
      const member = this.#members[place] as Member<T>;
      if (!request.accepts(member)) continue;
      total += member.weight;
      if (this.#random() * total < member.weight) best = place;
      if (this.#random() * total < member.weight) other = place;
    }
    if (best < 0) return undefined;
    return this.#members[other !== best && this.isBetter(other, best) ? other : best];
  }
}
