import type { Member } from '../../core/member.ts';
import { digest } from './digest.ts';
import type { Candidates, HashTable } from './hash-table.ts';
import { HighestRandomWeight } from './highest-random-weight.ts';
import { xxHash64 } from './xx-hash.ts';

/**
 * Maglev hashing: a table of a prime number of slots, which the members fill in turns, each in an order of its own, so that
 * they hold equal shares to within a slot and a change of members moves little more than it must.
 *
 * Sources: D. E. Eisenbud et al., "Maglev: a fast and reliable software network load balancer" (NSDI 2016); weights, hashes
 * and where a client goes whose member cannot take it: Envoy, `maglev_lb.cc`, whose table this is for the same ids.
 *
 * Cost: a lookup O(1), one slot. Preparing O(slots · log slots) expected, and what it takes to sort the ids. Where 64 + n / 4
 * slots in a row hold members that are no candidates, the key is placed among the candidates by highest random weight, O(n).
 */
export class MaglevTable<T> implements HashTable<T> {
  readonly #members: readonly Member<T>[];
  /** Which member holds each slot. */
  readonly #slots: Int32Array;
  readonly #inverse: number;
  readonly #mostTries: number;
  #rest: HighestRandomWeight<T> | undefined;

  /** @param size how many slots; a prime number */
  constructor(members: readonly Member<T>[], size: number) {
    this.#members = members;
    this.#slots = new Int32Array(size).fill(-1);
    this.#inverse = 1 / size;
    this.#mostTries = 64 + (members.length >>> 2);
    this.#fill();
  }

  find(high: number, low: number, candidates: Candidates<T>): Member<T> | undefined {
    const first = this.#members[this.#slots[this.#slotOf(high, low)] as number] as Member<T>;
    return candidates.accepts(first) ? first : this.#findOther(high, low, candidates);
  }

  /** Which member holds each slot, by its index. */
  get slots(): Readonly<Int32Array> {
    return this.#slots;
  }

  /** Attempt k looks where the hash exclusive-or 2^64 - k leads. */
  #findOther(high: number, low: number, candidates: Candidates<T>): Member<T> | undefined {
    for (let attempt = 1; attempt < this.#mostTries; attempt++) {
      const member = this.#members[this.#slots[this.#slotOf(~high, low ^ -attempt)] as number] as Member<T>;
      if (candidates.accepts(member)) return member;
    }
    this.#rest ??= new HighestRandomWeight(this.#members);
    return this.#rest.find(high, low, candidates);
  }

  /** The hash modulo the number of slots. */
  #slotOf(high: number, low: number): number {
    const upper = this.#modulo(high >>> 0);
    // As many bits at a time as leave every step exact.
    if (this.#slots.length < 2 ** 21) return this.#modulo(upper * 2 ** 32 + (low >>> 0));
    return this.#modulo(this.#modulo(upper * 2 ** 16 + (low >>> 16)) * 2 ** 16 + (low & 0xffff));
  }

  /** @param value an integer below 2^53 */
  #modulo(value: number): number {
    const size = this.#slots.length;
    // A product rather than a division, which takes V8 a call of `fmod`; it can be off by one multiple.
    const rest = value - Math.floor(value * this.#inverse) * size;
    return rest < 0 ? rest + size : rest >= size ? rest - size : rest;
  }

  /** Listing 1 of the paper, with Envoy's turns by weight. */
  #fill(): void {
    const slots = this.#slots;
    const size = slots.length;
    const count = this.#members.length;
    const order = Int32Array.from(this.#members, (_, index) => index);
    order.sort((a, b) => ((this.#members[a] as Member<T>).id < (this.#members[b] as Member<T>).id ? -1 : 1));
    // The arithmetic is Envoy's down to the order of the operations: another rounding would be another table.
    const total = this.#members.reduce((sum, { weight }) => sum + weight, 0);
    const weights = Float64Array.from(order, (index) => (this.#members[index] as Member<T>).weight / total);
    const heaviest = weights.reduce((most, weight) => Math.max(most, weight), 0);
    /** By turn: the slot that the member asks for next, how far it then steps, and what it has had, in weight. */
    const next = new Int32Array(count);
    const skip = new Int32Array(count);
    const target = new Float64Array(count);
    for (const [turn, index] of order.entries()) {
      const { id } = this.#members[index] as Member<T>;
      xxHash64(id);
      next[turn] = this.#slotOf(digest[0] as number, digest[1] as number);
      xxHash64(id, 1);
      skip[turn] = 1 + remainder(digest[0] as number, digest[1] as number, size - 1);
    }
    for (let round = 1, filled = 0; filled < size; round++) {
      for (let turn = 0; turn < count && filled < size; turn++) {
        if (round * (weights[turn] as number) < (target[turn] as number)) continue;
        (target[turn] as number) += heaviest;
        const step = skip[turn] as number;
        let slot = next[turn] as number;
        while (slots[slot] !== -1) {
          slot += step;
          if (slot >= size) slot -= size;
        }
        slots[slot] = order[turn] as number;
        slot += step;
        next[turn] = slot >= size ? slot - size : slot;
        filled++;
      }
    }
  }
}

/** A 64-bit hash modulo an integer below 2^23: 16 bits at a time, so that each step is exact. */
function remainder(high: number, low: number, modulus: number): number {
  const upper = ((high >>> 0) % modulus) * 2 ** 16 + (low >>> 16);
  return ((upper % modulus) * 2 ** 16 + (low & 0xffff)) % modulus;
}
