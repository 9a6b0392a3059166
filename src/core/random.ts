/** A source of chance: each call gives a number in [0, 1), evenly spread. */
export type Random = () => number;

/** The runtime's generator. Good enough to spread load; nothing here is secret. */
export const systemRandom: Random = Math.random;

/**
 * A generator that repeats itself: the same seed gives the same sequence on every machine.
 * Algorithm: sfc32 of PractRand (Chris Doty-Humphrey), 128 bits of state, period at least 2^32.
 *
 * @param seed any number; its lower 32 bits count.
 */
export function seededRandom(seed: number): Random {
  let a = 0x9e3779b9;
  let b = 0x243f6a88;
  let c = seed | 0;
  let counter = 1;
  const next: Random = () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return (sum >>> 0) / 4294967296;
  };
  // The first outputs still show the seed's pattern; sfc32's author discards twelve.
  for (let warmUp = 0; warmUp < 12; warmUp++) next();
  return next;
}
