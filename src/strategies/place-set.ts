/**
 * A set of places, integers from 0 to below a size, that finds the next one at or after any place: a bit for each, and above each level of
 * words one bit for each word that is not empty, up to a single word.
 *
 * Cost: O(log n) to the base of 32, and mostly one word: four levels for 100,000 places, in 13 kB.
 */
export class PlaceSet {
  readonly #capacity: number;
  /** All levels, one after the other, the places themselves first. */
  readonly #words: Int32Array;
  /** Where each level begins. */
  readonly #starts: Int32Array;
  #size = 0;

  /** @param capacity places are below this one; 1 and up */
  constructor(capacity: number) {
    const starts = [0];
    let length = words(capacity);
    for (let level = length; level > 1; level = words(level)) {
      starts.push(length);
      length += words(level);
    }
    this.#capacity = capacity;
    this.#words = new Int32Array(length);
    this.#starts = Int32Array.from(starts);
  }

  /** How many places are in the set. */
  get size(): number {
    return this.#size;
  }

  has(place: number): boolean {
    return ((this.#words[place >>> 5] as number) & (1 << (place & 31))) !== 0;
  }

  add(place: number): void {
    if (this.has(place)) return;
    this.#size++;
    let index = place;
    for (let level = 0; level < this.#starts.length; level++) {
      const word = (this.#starts[level] as number) + (index >>> 5);
      const before = this.#words[word] as number;
      this.#words[word] = before | (1 << (index & 31));
      if (before !== 0) return;
      index >>>= 5;
    }
  }

  delete(place: number): void {
    if (!this.has(place)) return;
    this.#size--;
    let index = place;
    for (let level = 0; level < this.#starts.length; level++) {
      const word = (this.#starts[level] as number) + (index >>> 5);
      const after = (this.#words[word] as number) & ~(1 << (index & 31));
      this.#words[word] = after;
      if (after !== 0) return;
      index >>>= 5;
    }
  }

  /** The first place of the set at or after `from`; -1 where there is none. */
  next(from: number): number {
    if (from >= this.#capacity) return -1;
    const bits = (this.#words[from >>> 5] as number) & (-1 << (from & 31));
    return bits === 0 ? this.#nextBeyond(from >>> 5) : (from & ~31) + lowest(bits);
  }

  /** The first place of the set in a word after this one. */
  #nextBeyond(word: number): number {
    let index = word;
    for (let level = 1; level < this.#starts.length; level++) {
      const from = index + 1;
      index = from >>> 5;
      if (from >= this.#lengthOf(level - 1)) return -1;
      const bits = (this.#words[(this.#starts[level] as number) + index] as number) & (-1 << (from & 31));
      if (bits !== 0) return this.#descend(level, (from & ~31) + lowest(bits));
    }
    return -1;
  }

  #lengthOf(level: number): number {
    return (this.#starts[level + 1] as number) - (this.#starts[level] as number);
  }

  /** The first place below an index of a level, which is not empty. */
  #descend(from: number, start: number): number {
    let index = start;
    for (let level = from - 1; level >= 0; level--) {
      index = (index << 5) + lowest(this.#words[(this.#starts[level] as number) + index] as number);
    }
    return index;
  }
}

function words(bits: number): number {
  return Math.ceil(bits / 32);
}

/** Which is the lowest bit that is set. */
function lowest(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}
