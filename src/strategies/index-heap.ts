/** What the heap knows of an index, side by side: `load` and `turn`. */
const load = 0;
const turn = 1;

/**
 * A binary heap of the indexes 0 to n - 1, each with a load and a turn that may change: the least load first, and of several with the same
 * load the least turn. At first all loads are infinite.
 *
 * Cost: `first` O(1), `set` O(log n).
 */
export class IndexHeap {
  readonly #keys: Float64Array;
  readonly #heap: Int32Array;
  /** Where each index is in the heap. */
  readonly #position: Int32Array;

  constructor(size: number) {
    this.#keys = new Float64Array(2 * size);
    for (let index = 0; index < size; index++) this.#keys[2 * index + load] = Number.POSITIVE_INFINITY;
    this.#heap = Int32Array.from({ length: size }, (_, index) => index);
    this.#position = Int32Array.from(this.#heap);
  }

  get size(): number {
    return this.#heap.length;
  }

  get first(): number {
    return this.#heap[0] as number;
  }

  /** The index at a position; those at 2p + 1 and 2p + 2 come no earlier than the one at p. */
  at(position: number): number {
    return this.#heap[position] as number;
  }

  loadOf(index: number): number {
    return this.#keys[2 * index + load] as number;
  }

  turnOf(index: number): number {
    return this.#keys[2 * index + turn] as number;
  }

  set(index: number, loadNow: number, turnNow: number): void {
    const keys = this.#keys;
    const loadBefore = keys[2 * index + load] as number;
    const isEarlier = loadNow < loadBefore || (loadNow === loadBefore && turnNow < (keys[2 * index + turn] as number));
    keys[2 * index + load] = loadNow;
    keys[2 * index + turn] = turnNow;
    if (isEarlier) this.#rise(index, loadNow, turnNow);
    else this.#sink(index, loadNow, turnNow);
  }

  #rise(index: number, loadNow: number, turnNow: number): void {
    const heap = this.#heap;
    const keys = this.#keys;
    let position = this.#position[index] as number;
    while (position > 0) {
      const parent = (position - 1) >> 1;
      const above = heap[parent] as number;
      const itsLoad = keys[2 * above + load] as number;
      if (itsLoad < loadNow || (itsLoad === loadNow && (keys[2 * above + turn] as number) <= turnNow)) break;
      heap[position] = above;
      this.#position[above] = position;
      position = parent;
    }
    heap[position] = index;
    this.#position[index] = position;
  }

  #sink(index: number, loadNow: number, turnNow: number): void {
    const heap = this.#heap;
    const keys = this.#keys;
    let position = this.#position[index] as number;
    for (let child = 2 * position + 1; child < heap.length; child = 2 * position + 1) {
      let below = heap[child] as number;
      let itsLoad = keys[2 * below + load] as number;
      let itsTurn = keys[2 * below + turn] as number;
      if (child + 1 < heap.length) {
        const other = heap[child + 1] as number;
        const otherLoad = keys[2 * other + load] as number;
        const otherTurn = keys[2 * other + turn] as number;
        if (otherLoad < itsLoad || (otherLoad === itsLoad && otherTurn < itsTurn)) {
          child++;
          below = other;
          itsLoad = otherLoad;
          itsTurn = otherTurn;
        }
      }
      if (loadNow < itsLoad || (loadNow === itsLoad && turnNow <= itsTurn)) break;
      heap[position] = below;
      this.#position[below] = position;
      position = child;
    }
    heap[position] = index;
    this.#position[index] = position;
  }
}
