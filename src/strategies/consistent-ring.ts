import type { Member } from '../core/member.ts';
import { avalanche, murmur3 } from './murmur3.ts';
import type { PickRequest } from './strategy.ts';

/**
 * Consistent hashing with few points and several probes: a key is hashed to `probes` places on a circle of 2^32, and goes to
 * the point that lies closest behind any of them (B. Appleton and M. O'Reilly, "Multi-probe consistent hashing", 2015).
 * The mapping is a function of the members' ids and weights alone: the same in every process, whatever the order or the
 * history. A member that goes moves only its own keys, one that comes takes keys only for itself.
 *
 * Weights are honoured without repeating points: a weight is taken apart into powers of two, each power has a circle of its
 * own, and distances on the circle of power 2^p count 2^-p. So a member has `points` points for each bit set in its weight, and
 * a change of weight moves keys only to or from that member.
 *
 * With 16 points and 5 probes the shares of equal members scatter by 7.5 % (standard deviation), as with a classic ring of
 * about 180 points a member, at a tenth of the memory and of the time to prepare.
 *
 * Cost: a lookup O(1) expected (5 probes for each power of two in use, at most 9); preparing O(n log n).
 */
export class ConsistentRing<T> {
  readonly #circles: readonly Circle<T>[];

  constructor(members: readonly Member<T>[]) {
    const circles: Circle<T>[] = [];
    for (let power = 8; power >= 0; power--) {
      const peers = members.filter((member) => (member.weight & (1 << power)) !== 0);
      if (peers.length > 0) circles.push(new Circle(peers, power));
    }
    this.#circles = circles;
  }

  /** The member for a hashed key: the closest acceptable one, as if the others were not there. */
  find(hash: number, request: PickRequest<T>): Member<T> | undefined {
    let closest = Number.POSITIVE_INFINITY;
    let found: Member<T> | undefined;
    for (const circle of this.#circles) {
      for (let probe = 0; probe < probes; probe++) {
        const place = avalanche(hash + Math.imul(probe, 0x9e3779b9));
        let point = circle.after(place);
        let distance = circle.distance(place, point);
        if (distance >= closest) continue;
        let member = circle.owner(point);
        for (let step = 1; !request.accepts(member); step++) {
          point = step < circle.size ? circle.next(point) : -1;
          distance = point < 0 ? Number.POSITIVE_INFINITY : circle.distance(place, point);
          if (distance >= closest) break;
          member = circle.owner(point);
        }
        if (distance >= closest) continue;
        closest = distance;
        found = member;
      }
    }
    return found;
  }
}

const points = 16;
const probes = 5;

/** Owner and place of a point share one number, so that sorting needs no comparison function: 32 bits place, 21 bits owner. */
const owners = 2 ** 21;

class Circle<T> {
  readonly #peers: readonly Member<T>[];
  readonly #scale: number;
  /** Ascending. */
  readonly #places: Uint32Array;
  readonly #owners: Int32Array;
  /** Where in `#places` each of equally wide sectors begins: a lookup starts there instead of searching. */
  readonly #sectors: Int32Array;
  readonly #shift: number;

  constructor(peers: readonly Member<T>[], power: number) {
    if (peers.length > owners) throw new RangeError(`a consistent ring holds at most ${owners} members`);
    this.#peers = peers;
    this.#scale = 2 ** -power;
    const sorted = new Float64Array(peers.length * points);
    for (const [owner, member] of peers.entries()) {
      const seed = murmur3(member.id, power);
      for (let point = 0; point < points; point++) {
        const place = avalanche(seed + Math.imul(point, 0x9e3779b9));
        sorted[owner * points + point] = place * owners + owner;
      }
    }
    sorted.sort();
    this.#places = Uint32Array.from(sorted, (value) => Math.floor(value / owners));
    this.#owners = Int32Array.from(sorted, (value) => value % owners);
    const bits = Math.ceil(Math.log2(sorted.length));
    this.#shift = 32 - bits;
    this.#sectors = new Int32Array(2 ** bits);
    let point = 0;
    for (let sector = 0; sector < this.#sectors.length; sector++) {
      while (point < this.#places.length && (this.#places[point] as number) >>> this.#shift < sector) point++;
      this.#sectors[sector] = point;
    }
  }

  get size(): number {
    return this.#places.length;
  }

  /** The first point at or after a place. */
  after(place: number): number {
    let point = this.#sectors[place >>> this.#shift] as number;
    while (point < this.#places.length && (this.#places[point] as number) < place) point++;
    return point === this.#places.length ? 0 : point;
  }

  next(point: number): number {
    return point + 1 === this.#places.length ? 0 : point + 1;
  }

  owner(point: number): Member<T> {
    return this.#peers[this.#owners[point] as number] as Member<T>;
  }

  distance(place: number, point: number): number {
    return (((this.#places[point] as number) - place) >>> 0) * this.#scale;
  }
}
