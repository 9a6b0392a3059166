import type { Member } from '../../core/member.ts';
import { digest } from './digest.ts';
import { Points } from './hash-ring.ts';
import { murmur2OfWords, standardSeed } from './murmur2.ts';
import { appendNumber, loadText, wordsFor } from './text-words.ts';
import { xxHash64OfWords } from './xx-hash.ts';

export interface EnvoyPlacement {
  /** What a member's points are hashed with. */
  readonly hash: 'xx-hash' | 'murmur-2';
  readonly minRingSize: number;
  readonly maxRingSize: number;
}

/**
 * The points of a ring as Envoy places them (`ring_hash_lb.cc`): member `id` has the hashes of `id_0`, `id_1`, …, as many as
 * its share of the ring. The lightest member gets a whole number, so that the ring has `minRingSize` points or somewhat more,
 * at most `maxRingSize`. Where shares are no whole numbers a running sum decides who gets one more; it runs in the order of
 * the ids, not of the list, so that any order gives the same ring. Where there are more members than `maxRingSize`, some get
 * no point.
 */
export function envoyPoints<T>(
  members: readonly Member<T>[],
  { hash, minRingSize, maxRingSize }: EnvoyPlacement,
): Points {
  const isMurmur = hash === 'murmur-2';
  const { order, ends } = shareOut(members, minRingSize, maxRingSize);
  const points = new Points(ends.at(-1) ?? 0);
  let at = 0;
  for (const [turn, index] of order.entries()) {
    const end = ends[turn] as number;
    const text = `${(members[index] as Member<T>).id}_`;
    const words = wordsFor(text);
    const prefix = loadText(text, words);
    for (let number = 0; at < end; number++, at++) {
      const length = appendNumber(prefix, number, words);
      if (isMurmur) murmur2OfWords(length, standardSeed, words);
      else xxHash64OfWords(length, 0, words);
      points.high[at] = digest[0] as number;
      points.low[at] = digest[1] as number;
      points.owner[at] = index;
    }
  }
  return points;
}

/** In which order the members are placed, and how many points there are once each of them is. */
function shareOut<T>(
  members: readonly Member<T>[],
  minRingSize: number,
  maxRingSize: number,
): { order: Uint32Array; ends: Uint32Array } {
  // The arithmetic is Envoy's down to the order of the operations: another rounding would be another ring.
  const total = members.reduce((sum, { weight }) => sum + weight, 0);
  const least = members.reduce((lightest, { weight }) => Math.min(lightest, weight / total), 1);
  const scale = Math.min(Math.ceil(least * minRingSize) / least, maxRingSize);
  const shares = Float64Array.from(members, ({ weight }) => scale * (weight / total));
  const order = Uint32Array.from(members, (_, index) => index);
  // Whole shares need no running sum, and no order, which spares equal members the sorting of their ids. (Envoy's sum then is
  // off by one point for one number of members in two hundred, by rounding.)
  const areWhole = shares.every((share) => Math.abs(share - Math.round(share)) < 1e-6);
  if (areWhole) shares.set(shares.map(Math.round));
  else order.sort((a, b) => ((members[a] as Member<T>).id < (members[b] as Member<T>).id ? -1 : 1));
  const ends = new Uint32Array(members.length);
  let target = 0;
  let end = 0;
  for (const [turn, index] of order.entries()) {
    target += shares[index] as number;
    end = Math.max(end, Math.ceil(target));
    ends[turn] = end;
  }
  return { order, ends };
}
