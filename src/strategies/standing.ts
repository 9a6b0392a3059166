/** What decides among members that are equally loaded: `LoadOrder` says how. */
export interface Standing {
  /** By place: whoever's is least goes first. Who is given it changes it. */
  readonly turns: Float64Array;
  /** All places, in the order in which those of one weight go first. */
  readonly sequence: readonly number[];
  /** The turn at which the round stands. */
  readonly now: number;
}

/** The pool's order, from a place on: each has its turn before anybody, whose weight is 256 at most, has another one. */
export function beginAt(start: number, size: number): Standing {
  const sequence = Array.from({ length: size }, (_, step) => (start + step) % size);
  const turns = new Float64Array(size);
  for (const [step, place] of sequence.entries()) turns[place] = step / (256 * size);
  return { turns, sequence, now: 0 };
}
