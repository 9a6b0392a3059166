import type { Member } from '../../core/member.ts';
import * as digests from './digest.ts';
import type { Candidates, HashTable } from './hash-table.ts';
import { xxHash64 } from './xx-hash.ts';

// Constants of this module, see `xxHash64`.
const { digest, multiplyHigh } = digests;
const { imul } = Math;

const factorHigh = 0x2545f491;
const factorLow = 0x4f6cdd1d;

/**
 * Highest random weight, or rendezvous, hashing: key and member together give a number by chance, and the highest one wins.
 * What a member that goes had is spread evenly over all others, by weight; nothing else moves. Weights are honoured exactly.
 *
 * Sources: D. G. Thaler and C. V. Ravishankar, "Using name-based mappings to increase hit rates" (1998); weights by the
 * logarithmic method of C. Schindelhauer and G. Schomaker (2005). The number is that of Envoy's `rendezvous_hash_lb.cc`:
 * xxHash64 of the member's id, exclusive-or the key's hash, through xorshift64*, of which the lower 53 bits count as
 * u in [0, 1); the score is -weight / ln(u). (Envoy approximates the logarithm.)
 *
 * Cost: a lookup O(n), some nanoseconds a member; nothing is prepared but a hash of each id.
 */
export class HighestRandomWeight<T> implements HashTable<T> {
  readonly #members: readonly Member<T>[];
  /** By member, two numbers each: the upper and lower half of the hashed id. */
  readonly #hashes: Int32Array;
  readonly #weights: Float64Array;
  readonly #isEven: boolean;

  constructor(members: readonly Member<T>[]) {
    this.#members = members;
    this.#hashes = new Int32Array(2 * members.length);
    this.#weights = Float64Array.from(members, ({ weight }) => weight);
    this.#isEven = this.#weights.every((weight) => weight === this.#weights[0]);
    for (const [index, { id }] of members.entries()) {
      xxHash64(id);
      this.#hashes.set(digest, 2 * index);
    }
  }

  find(high: number, low: number, candidates: Candidates<T>): Member<T> | undefined {
    return this.#isEven ? this.#findEven(high, low, candidates) : this.#findByWeight(high, low, candidates);
  }

  /** Equal weights: the score grows with u. */
  #findEven(high: number, low: number, candidates: Candidates<T>): Member<T> | undefined {
    const hashes = this.#hashes;
    let best = -1;
    let found: Member<T> | undefined;
    for (let at = 0; at < hashes.length; at += 2) {
      const u = chance(high ^ (hashes[at] as number), low ^ (hashes[at + 1] as number));
      if (u <= best) continue;
      const member = this.#members[at >>> 1] as Member<T>;
      if (!candidates.accepts(member)) continue;
      best = u;
      found = member;
    }
    return found;
  }

  /** The lowest -ln(u) / weight, which is what has the highest score. */
  #findByWeight(high: number, low: number, candidates: Candidates<T>): Member<T> | undefined {
    const hashes = this.#hashes;
    const weights = this.#weights;
    let least = Number.POSITIVE_INFINITY;
    let found: Member<T> | undefined;
    for (let at = 0; at < hashes.length; at += 2) {
      const u = chance(high ^ (hashes[at] as number), low ^ (hashes[at + 1] as number));
      const weight = weights[at >>> 1] as number;
      // -ln(u) is never less than 1 - u, which spares nearly all members the logarithm.
      if (1 - u >= least * weight) continue;
      const cost = -Math.log(u) / weight;
      if (cost >= least && found !== undefined) continue;
      const member = this.#members[at >>> 1] as Member<T>;
      if (!candidates.accepts(member)) continue;
      least = cost;
      found = member;
    }
    return found;
  }
}

/** The lower 53 bits of xorshift64* (S. Vigna, "An experimental exploration of Marsaglia's xorshift generators") as [0, 1). */
function chance(high: number, low: number): number {
  let l = low ^ ((low >>> 12) | (high << 20));
  let h = high ^ (high >>> 12);
  h ^= (h << 25) | (l >>> 7);
  l ^= l << 25;
  l ^= (l >>> 27) | (h << 5);
  h ^= h >>> 27;
  const upper = multiplyHigh(l, factorLow) + imul(l, factorHigh) + imul(h, factorLow);
  return ((upper & 0x1fffff) * 4294967296 + (imul(l, factorLow) >>> 0)) / 9007199254740992;
}
