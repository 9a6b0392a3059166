import type { Random } from '../core/random.ts';
import { AliasTable } from './alias-table.ts';

/** With half of the weight drawn already, eight tries miss once in 256. */
const mostTries = 8;

/**
 * Draws a few different places by chance, each in proportion to its weight: to compare a member with itself would waste a choice.
 *
 * Cost: a draw O(1), mostly with one call of `random`; making it O(n).
 */
export class DistinctDraws {
  readonly #random: Random;
  readonly #places: number;
  /** Undefined where all weigh the same. */
  readonly #table: AliasTable | undefined;
  /** The places drawn since `first()`, `#count` of them. */
  readonly #drawn: Int32Array;
  #count = 0;

  /**
   * @param weights of each place, 1 and up
   * @param most how many draws there are from one `first()` to the next, 1 and up
   */
  constructor(weights: Int32Array, most: number, random: Random) {
    this.#random = random;
    this.#places = weights.length;
    const isEven = weights.every((weight) => weight === weights[0]);
    this.#table = isEven ? undefined : new AliasTable(weights, random);
    this.#drawn = new Int32Array(most);
  }

  /** Any place. */
  any(): number {
    return this.#table === undefined ? Math.floor(this.#random() * this.#places) : this.#table.draw();
  }

  /** Any place but one; -1 where there is none. */
  anyBut(place: number): number {
    if (this.#table !== undefined) {
      for (let attempt = 0; attempt < mostTries; attempt++) {
        const other = this.#table.draw();
        if (other !== place) return other;
      }
    }
    // All weigh the same, or one member outweighs all others by far, and then any of them will do.
    if (this.#places === 1) return -1;
    const other = Math.floor(this.#random() * (this.#places - 1));
    return other < place ? other : other + 1;
  }

  /** Begins anew: any place. */
  first(): number {
    const place = this.any();
    this.#drawn[0] = place;
    this.#count = 1;
    return place;
  }

  /** A place that was not drawn since `first()`; -1 where all were, or as many as were wanted. */
  next(): number {
    if (this.#count >= this.#places || this.#count === this.#drawn.length) return -1;
    if (this.#count === 1) return this.#note(this.anyBut(this.#drawn[0] as number));
    let place = this.any();
    for (let attempt = 1; attempt < mostTries && this.#isDrawn(place); attempt++) place = this.any();
    // Where few are left the next one will do.
    while (this.#isDrawn(place)) place = place + 1 === this.#places ? 0 : place + 1;
    return this.#note(place);
  }

  /** Draws as many as fit into a list. Returns how many different places were found. */
  drawAll(into: Int32Array): number {
    let count = 0;
    for (let place = this.first(); place >= 0 && count < into.length; place = this.next()) into[count++] = place;
    return count;
  }

  #isDrawn(place: number): boolean {
    for (let draw = 0; draw < this.#count; draw++) if (this.#drawn[draw] === place) return true;
    return false;
  }

  #note(place: number): number {
    this.#drawn[this.#count++] = place;
    return place;
  }
}
