/** What decides among members that are equally loaded: `LoadOrder` says how. */
export interface Standing {
  /** By weight, of those members that have it: whose is least goes first. */
  readonly turns: ReadonlyMap<number, number>;
  /** All places, in the order in which those of one weight go first. */
  readonly sequence: readonly number[];
  /** The turn at which the round stands. */
  readonly now: number;
}

/** The pool's order, from a place on. */
export function beginAt(start: number, size: number): Standing {
  return { turns: new Map(), sequence: Array.from({ length: size }, (_, step) => (start + step) % size), now: 0 };
}
