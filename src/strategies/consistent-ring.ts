import type { Member } from '../core/member.ts';
import { avalanche, murmur3 } from './murmur3.ts';
import type { PickRequest } from './strategy.ts';

/**
 * Consistent hashing with few points and several probes: a key is hashed to `probes` places on a circle of 2^32, and goes to
 * the point that lies closest behind any of them (B. Appleton and M. O'Reilly, "Multi-probe consistent hashing", 2015).
 * The mapping is a function of the members' ids and weights alone: the same in every process, whatever the order or the
 * history. A member that goes moves only its own keys, one that comes takes keys only for itself.
 *
 * Weights are honoured without repeating points by their number: a weight is taken apart into powers of two, a member has
 * `points` points for each, and the distance to a point of power 2^p counts 2^-p of what it is. So a change of weight, too, moves
 * keys only to or from that member.
 *
 * With 24 points and 3 probes the shares of a thousand equal members scatter by 9 % (standard deviation, measured), as with a
 * classic ring of about 120 points a member, at a fifth of the memory and of the time to prepare.
 *
 * Cost: a lookup O(1) expected: each probe walks as far as the heaviest power could still win, which is one or two points for
 * equal weights and 85 at the worst mix of 1 and 256. Preparing O(n) expected.
 */
export class ConsistentRing<T> {
  readonly #members: readonly Member<T>[];
  /** The points, ascending by place. */
  readonly #places: Uint32Array;
  /** Whose point it is and for which power: the member's index times 16, plus the power. */
  readonly #tags: Int32Array;
  /** The circle is cut into about as many equal sectors as there are points: where each sector's points begin. */
  readonly #sectors: Int32Array;
  readonly #shift: number;
  /** What a unit of distance counts at the least: that of the heaviest power in use. */
  readonly #leastScale: number;

  constructor(members: readonly Member<T>[]) {
    const size = members.reduce((sum, { weight }) => sum + bitsOf(weight) * points, 0);
    const sectorBits = Math.ceil(Math.log2(size));
    this.#members = members;
    this.#places = new Uint32Array(size);
    this.#tags = new Int32Array(size);
    this.#sectors = new Int32Array(2 ** sectorBits);
    this.#shift = 32 - sectorBits;
    const heaviest = members.reduce((most, { weight }) => Math.max(most, weight), 1);
    this.#leastScale = scales[31 - Math.clz32(heaviest)] as number;
    this.#fill();
  }

  /** The member for a hashed key: the closest acceptable one, as if the others were not there. */
  find(hash: number, request: PickRequest<T>): Member<T> | undefined {
    const places = this.#places;
    let closest = Number.POSITIVE_INFINITY;
    let found: Member<T> | undefined;
    for (let probe = 0; probe < probes; probe++) {
      const place = avalanche(hash + Math.imul(probe, 0x9e3779b9));
      let point = this.#after(place);
      for (let steps = places.length; steps > 0; steps--) {
        const distance = ((places[point] as number) - place) >>> 0;
        if (distance * this.#leastScale >= closest) break;
        const tag = this.#tags[point] as number;
        const scaled = distance * (scales[tag & 15] as number);
        if (scaled < closest) {
          const member = this.#members[tag >>> 4] as Member<T>;
          if (request.accepts(member)) {
            closest = scaled;
            found = member;
          }
        }
        point = point + 1 === places.length ? 0 : point + 1;
      }
    }
    return found;
  }

  /** The first point at or after a place. */
  #after(place: number): number {
    const places = this.#places;
    let point = this.#sectors[place >>> this.#shift] as number;
    while (point < places.length && (places[point] as number) < place) point++;
    return point === places.length ? 0 : point;
  }

  /** Bucket sort: hashed places fall evenly into the sectors, so each gets one or two and all of it is O(n). */
  #fill(): void {
    const places = this.#places;
    const tags = this.#tags;
    const sectors = this.#sectors;
    const shift = this.#shift;
    const unsorted = this.#hash();
    for (let i = 0; i < unsorted.places.length; i++) (sectors[(unsorted.places[i] as number) >>> shift] as number)++;
    for (let sector = 1; sector < sectors.length; sector++)
      (sectors[sector] as number) += sectors[sector - 1] as number;
    // A sector's entry is its end so far; filling it from behind leaves the entry at its beginning.
    for (let i = unsorted.places.length - 1; i >= 0; i--) {
      const place = unsorted.places[i] as number;
      const point = --(sectors[place >>> shift] as number);
      places[point] = place;
      tags[point] = unsorted.tags[i] as number;
    }
    for (let i = 1; i < places.length; i++) {
      const place = places[i] as number;
      const tag = tags[i] as number;
      let point = i;
      for (; point > 0 && (places[point - 1] as number) > place; point--) {
        places[point] = places[point - 1] as number;
        tags[point] = tags[point - 1] as number;
      }
      places[point] = place;
      tags[point] = tag;
    }
  }

  /** The points of all members, hashed from their ids, in no order. */
  #hash(): { places: Uint32Array; tags: Int32Array } {
    const places = new Uint32Array(this.#places.length);
    const tags = new Int32Array(places.length);
    let next = 0;
    for (const [index, { id, weight }] of this.#members.entries()) {
      for (let power = 0; power <= 8; power++) {
        if ((weight & (1 << power)) === 0) continue;
        const seed = murmur3(id, power);
        for (let point = 0; point < points; point++) {
          places[next] = avalanche(seed + Math.imul(point, 0x9e3779b9));
          tags[next++] = index * 16 + power;
        }
      }
    }
    return { places, tags };
  }
}

const points = 24;
const probes = 3;

/** What a unit of distance counts for each power of two; weights go up to 256. */
const scales: Float64Array = Float64Array.from({ length: 9 }, (_, power) => 2 ** -power);

function bitsOf(weight: number): number {
  let bits = 0;
  for (let rest = weight; rest > 0; rest &= rest - 1) bits++;
  return bits;
}
