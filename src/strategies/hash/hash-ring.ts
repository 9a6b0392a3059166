import type { Member } from '../../core/member.ts';
import type { Candidates, HashTable } from './hash-table.ts';
import { HighestRandomWeight } from './highest-random-weight.ts';
import { Sectors } from './sectors.ts';

/** Points on a circle of 2^64 places, in no order: the upper and the lower half of each place, and the index of its member. */
export class Points {
  readonly high: Uint32Array;
  readonly low: Uint32Array;
  readonly owner: Uint32Array;

  constructor(count: number) {
    this.high = new Uint32Array(count);
    this.low = new Uint32Array(count);
    this.owner = new Uint32Array(count);
  }
}

/**
 * Consistent hashing as D. Karger et al. defined it in 1997: a key goes to the first point at its place or after it, around the
 * circle. Where that point's member is not a candidate, to the first point after it whose member is.
 *
 * Cost: a lookup O(1) expected, since a table of sectors says where to begin; preparing O(n) expected, by bucket sort. So many
 * points in a row may belong to members that are no candidates that the walk is given up after 1024 + 2n of them, and the key is
 * placed among the candidates by highest random weight, O(n).
 */
export class HashRing<T> implements HashTable<T> {
  readonly #members: readonly Member<T>[];
  /**
   * The points, ascending, two numbers each: the upper half of the place, and the member's index. Side by side, since a
   * lookup in a large ring costs what it misses in the cache.
   */
  readonly #points: Uint32Array;
  /** The lower halves: only looked at where the upper half is that of the key. */
  readonly #low: Uint32Array;
  readonly #sectors: Sectors;
  readonly #mostSteps: number;
  #rest: HighestRandomWeight<T> | undefined;

  constructor(members: readonly Member<T>[], points: Points) {
    const size = points.high.length;
    this.#members = members;
    this.#points = new Uint32Array(2 * size);
    this.#low = new Uint32Array(size);
    this.#sectors = new Sectors(size);
    this.#mostSteps = Math.min(size, 1024 + 2 * members.length);
    this.#spread(points);
    this.#settle();
  }

  find(high: number, low: number, candidates: Candidates<T>): Member<T> | undefined {
    const ring = this.#points;
    let point = this.#first(high >>> 0, low >>> 0);
    for (let steps = this.#mostSteps; steps > 0; steps--) {
      const member = this.#members[ring[point + 1] as number] as Member<T>;
      if (candidates.accepts(member)) return member;
      point = point + 2 === ring.length ? 0 : point + 2;
    }
    this.#rest ??= new HighestRandomWeight(this.#members);
    return this.#rest.find(high, low, candidates);
  }

  /** Where the first point at or after a place is. */
  #first(high: number, low: number): number {
    const ring = this.#points;
    let point = 2 * this.#sectors.near(high);
    while (point > 0 && (ring[point - 2] as number) >= high) point -= 2;
    while (point < ring.length && (ring[point] as number) < high) point += 2;
    while (point < ring.length && ring[point] === high && (this.#low[point >>> 1] as number) < low) point += 2;
    return point === ring.length ? 0 : point;
  }

  /** Puts each point into its sector. */
  #spread({ high, low, owner }: Points): void {
    const sectors = this.#sectors;
    for (let at = 0; at < high.length; at++) sectors.count(high[at] as number);
    sectors.layOut();
    for (let at = high.length - 1; at >= 0; at--) {
      const point = sectors.take(high[at] as number);
      this.#points[2 * point] = high[at] as number;
      this.#points[2 * point + 1] = owner[at] as number;
      this.#low[point] = low[at] as number;
    }
    sectors.coarsen();
  }

  /** Orders the points within their sectors; few are out of place, and by little. */
  #settle(): void {
    const ring = this.#points;
    const lows = this.#low;
    for (let at = 1; at < lows.length; at++) {
      const high = ring[2 * at] as number;
      const owner = ring[2 * at + 1] as number;
      const low = lows[at] as number;
      let point = at;
      for (; point > 0 && this.#isAfter(point - 1, high, low, owner); point--) {
        ring[2 * point] = ring[2 * point - 2] as number;
        ring[2 * point + 1] = ring[2 * point - 1] as number;
        lows[point] = lows[point - 1] as number;
      }
      ring[2 * point] = high;
      ring[2 * point + 1] = owner;
      lows[point] = low;
    }
  }

  /**
   * Whether a point comes after a place. Of two members at one place the lesser id comes first, so that their order is no
   * matter.
   */
  #isAfter(point: number, high: number, low: number, owner: number): boolean {
    const otherHigh = this.#points[2 * point] as number;
    if (otherHigh !== high) return otherHigh > high;
    const otherLow = this.#low[point] as number;
    if (otherLow !== low) return otherLow > low;
    const other = this.#members[this.#points[2 * point + 1] as number] as Member<T>;
    return other.id > (this.#members[owner] as Member<T>).id;
  }
}
