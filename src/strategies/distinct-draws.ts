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

  /** Begins anew: any place. */
  first(): number {
    const place = this.#any();
    this.#drawn[0] = place;
    this.#count = 1;
    return place;
  }

  /** A place that was not drawn since `first()`; -1 where none was found. */
  next(): number {
    if (this.#count >= this.#places || this.#count === this.#drawn.length) return -1;
    if (this.#count === 1 && this.#table === undefined) return this.#note(this.#anyOther());
    for (let attempt = 0; attempt < mostTries; attempt++) {
      const place = this.#any();
      if (!this.#isDrawn(place)) return this.#note(place);
    }
    // One member outweighs all others by far: then any of them will do.
    return this.#count === 1 ? this.#note(this.#anyOther()) : -1;
  }

  /** Draws as many as fit into a list. Returns how many different places were found. */
  drawAll(into: Int32Array): number {
    let count = 0;
    for (let place = this.first(); place >= 0 && count < into.length; place = this.next()) into[count++] = place;
    return count;
  }

  #any(): number {
    return this.#table === undefined ? Math.floor(this.#random() * this.#places) : this.#table.draw();
  }

  /** Any but the first, regardless of weight. */
  #anyOther(): number {
    const place = Math.floor(this.#random() * (this.#places - 1));
    return place < (this.#drawn[0] as number) ? place : place + 1;
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
