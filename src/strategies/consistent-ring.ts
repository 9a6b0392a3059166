import type { Member } from '../core/member.ts';
import type { Candidates, HashTable } from './hash/hash-table.ts';
import { Sectors } from './hash/sectors.ts';
import { avalanche, murmur3 } from './murmur3.ts';

/**
 * Consistent hashing with few points and several probes: a key is hashed to two places on a circle of 2^32, and goes to the
 * point that lies closest behind either of them (B. Appleton and M. O'Reilly, "Multi-probe consistent hashing", 2015).
 * The mapping is a function of the members' ids and weights alone: the same in every process, whatever the order or the
 * history. A member that goes moves only its own keys, one that comes takes keys only for itself.
 *
 * Weights are honoured without repeating points by their number: a weight is taken apart into powers of two, a member has
 * `points` points for each, and the distance to a point of power 2^p counts 2^-p of what it is. So a change of weight, too, moves
 * keys only to or from that member.
 *
 * With 40 points and 2 probes the shares of a thousand equal members scatter by 9 % (standard deviation, measured), as with a
 * classic ring of 120 points a member, at a third of the memory and of the time to prepare. (More probes and fewer points would do
 * as well; each probe costs a miss in the cache once the ring has outgrown it.)
 *
 * Cost: a lookup O(1) expected: each probe walks as far as the heaviest power could still win, which is one or two points for
 * equal weights and 85 at the worst mix of 1 and 256. Preparing O(n) expected.
 */
export class ConsistentRing<T> implements HashTable<T> {
  readonly #members: readonly Member<T>[];
  /**
   * The points, ascending by place, two numbers each: the place, and whose point it is and for which power (the member's index
   * times 16, plus the power). Side by side, since a lookup in a large ring costs what it misses in the cache. Behind the last one
   * stands the first again, a lap further on.
   */
  readonly #points: Uint32Array;
  readonly #sectors: Sectors;
  /** What a unit of distance counts at the least: that of the heaviest power in use. */
  readonly #leastScale: number;

  constructor(members: readonly Member<T>[]) {
    const size = members.reduce((sum, { weight }) => sum + bitsOf(weight) * points, 0);
    this.#members = members;
    this.#points = new Uint32Array(2 * size + 2);
    this.#sectors = new Sectors(size);
    const heaviest = members.reduce((most, { weight }) => Math.max(most, weight), 1);
    this.#leastScale = scales[31 - Math.clz32(heaviest)] as number;
    this.#fill();
  }

  /** The member for a hashed key of 32 bits: the closest candidate, as if the others were not there. */
  find(hash: number, _low: number, candidates: Candidates<T>): Member<T> | undefined {
    const closest = this.#closest(hash, undefined);
    return closest === undefined || candidates.accepts(closest) ? closest : this.#closest(hash, candidates);
  }

  /** @param candidates where given, only these are considered */
  #closest(hash: number, candidates: Candidates<T> | undefined): Member<T> | undefined {
    const ring = this.#points;
    const last = ring.length - 2;
    let place = avalanche(hash);
    let point = 2 * this.#sectors.near(place);
    let at = ring[point] as number;
    // Read before the first probe is through, so that both wait for memory at once: a third less time in a large ring.
    const nextPlace = avalanche((hash + stride) | 0);
    const nextPoint = 2 * this.#sectors.near(nextPlace);
    const nextAt = ring[nextPoint] as number;
    let closest = Number.POSITIVE_INFINITY;
    let found = -1;
    for (let isSecond = false; ; isSecond = true) {
      for (; point > 0 && (ring[point - 2] as number) >= place; point -= 2) at = ring[point - 2] as number;
      for (; point < last && at < place; point += 2) at = ring[point + 2] as number;
      for (let steps = last; steps > 0; steps -= 2) {
        const distance = (at - place) >>> 0;
        if (distance * this.#leastScale >= closest) break;
        const tag = ring[point + 1] as number;
        const scaled = distance * (scales[tag & 15] as number);
        if (
          scaled < closest &&
          (candidates === undefined || candidates.accepts(this.#members[tag >>> 4] as Member<T>))
        ) {
          closest = scaled;
          found = tag >>> 4;
        }
        point = point === last ? 2 : point + 2;
        at = ring[point] as number;
      }
      if (isSecond) return found < 0 ? undefined : this.#members[found];
      place = nextPlace;
      point = nextPoint;
      at = nextAt;
    }
  }

  /** Hashed places fall evenly into the sectors, so all of it is O(n). */
  #fill(): void {
    const ring = this.#points;
    const sectors = this.#sectors;
    const last = ring.length - 2;
    const unsorted = this.#hash();
    for (let i = 0; i < last; i += 2) sectors.count(unsorted[i] as number);
    sectors.layOut();
    for (let i = last - 2; i >= 0; i -= 2) {
      const place = unsorted[i] as number;
      const point = 2 * sectors.take(place);
      ring[point] = place;
      ring[point + 1] = unsorted[i + 1] as number;
    }
    sectors.coarsen();
    for (let i = 2; i < last; i += 2) {
      const place = ring[i] as number;
      const tag = ring[i + 1] as number;
      let point = i;
      for (; point > 0 && (ring[point - 2] as number) > place; point -= 2) {
        ring[point] = ring[point - 2] as number;
        ring[point + 1] = ring[point - 1] as number;
      }
      ring[point] = place;
      ring[point + 1] = tag;
    }
    ring[last] = ring[0] as number;
    ring[last + 1] = ring[1] as number;
  }

  /** The points of all members, hashed from their ids, in no order. */
  #hash(): Uint32Array {
    const unsorted = new Uint32Array(this.#points.length - 2);
    let next = 0;
    for (const [index, { id, weight }] of this.#members.entries()) {
      for (let power = 0; power <= 8; power++) {
        if ((weight & (1 << power)) === 0) continue;
        const seed = murmur3(id, power);
        for (let point = 0; point < points; point++) {
          unsorted[next++] = avalanche(seed + Math.imul(point, stride));
          unsorted[next++] = index * 16 + power;
        }
      }
    }
    return unsorted;
  }
}

const points = 40;

/** How far apart the inputs of hashes are that should have nothing in common: 2^32 by the golden ratio. */
const stride = 0x9e3779b9 | 0;

/** What a unit of distance counts for each power of two; weights go up to 256. */
const scales: Float64Array = Float64Array.from({ length: 9 }, (_, power) => 2 ** -power);

function bitsOf(weight: number): number {
  let bits = 0;
  for (let rest = weight; rest > 0; rest &= rest - 1) bits++;
  return bits;
}
