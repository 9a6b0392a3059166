/** A stretch of a ring of members. */
export interface Aperture {
  /** Where the first member that it covers is on the ring; the others follow, round the end to the beginning. */
  readonly start: number;
  /** How much of each of them it covers: above 0, up to 1. */
  readonly covered: readonly number[];
}

/**
 * The part of a ring of members that one of `of` equal clients looks at. Each member has an arc of the ring by its weight; the
 * client's aperture begins at index / of and is as wide as n of the clients' distances, n the least that makes it no smaller
 * than `size` members on average. So every point of the ring is covered by n clients exactly, and members whose picks are in
 * proportion to what is covered get, over all clients, exactly their weight's share.
 *
 * Source: Finagle's deterministic aperture (`DeterministicAperture.dApertureWidth`, `Ring`, `WeightedAperture`), here in integers.
 * Cost: O(n).
 *
 * @param weights of the members, in the order of the ring, each above 0
 * @param index which client, from 0 to of - 1
 */
export function aperture(weights: readonly number[], index: number, of: number, size: number): Aperture {
  const ring = weights.reduce((sum, weight) => sum + weight, 0);
  // Lengths are counted in units of which the ring has ring·of.
  const begin = index * ring;
  const end = begin + Math.min(of, Math.ceil((size * of) / weights.length)) * ring;
  let start = 0;
  let from = 0;
  while (from + arcAt(weights, start, of) <= begin) {
    from += arcAt(weights, start, of);
    start++;
  }
  const lengths: number[] = [];
  for (let step = 0; from < end; step++) {
    const arc = arcAt(weights, start + step, of);
    const length = Math.min(end, from + arc) - Math.max(begin, from);
    // Once round the ring, the last stretch is that before the first.
    if (step < weights.length) lengths.push(length);
    else (lengths[0] as number) += length;
    from += arc;
  }
  return { start, covered: lengths.map((length, step) => length / arcAt(weights, start + step, of)) };
}

function arcAt(weights: readonly number[], place: number, of: number): number {
  return (weights[place % weights.length] as number) * of;
}
