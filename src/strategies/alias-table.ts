import type { Random } from '../core/random.ts';

/**
 * Draws places by chance, in proportion to their weights.
 *
 * Source: the alias method (A. J. Walker 1977), tables by M. D. Vose, "A linear algorithm for generating random numbers with
 * a given distribution" (1991).
 *
 * Cost: a draw O(1), with one call of `random`; making a table O(n).
 */
export class AliasTable {
  readonly #random: Random;
  /** Column `i` of the table is place `i` up to `#share[i]`, and place `#alias[i]` above. */
  readonly #share: Float64Array;
  readonly #alias: Int32Array;

  /** @param weights each above 0; at least one */
  constructor(weights: Int32Array, random: Random) {
    this.#random = random;
    this.#share = new Float64Array(weights.length).fill(1);
    this.#alias = Int32Array.from(weights, (_, place) => place);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const scaled = Float64Array.from(weights, (weight) => (weight * weights.length) / total);
    const small: number[] = [];
    const large: number[] = [];
    for (const [place, share] of scaled.entries()) (share < 1 ? small : large).push(place);
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

  draw(): number {
    const point = this.#random() * this.#share.length;
    const column = Math.floor(point);
    return point - column < (this.#share[column] as number) ? column : (this.#alias[column] as number);
  }
}
