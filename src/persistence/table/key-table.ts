import type { Random } from '../../core/random.ts';
import { halfSipHash, randomKey } from './half-sip-hash.ts';

/** What an entry's cells hold: its key, its neighbours by age, and behind them whatever the table's owner keeps there. */
const keyWords = 4;
const older = 4;
const newer = 5;
/** Where an owner's own cells begin, seen from `at`. */
export const ownCells = 6;

const none = -1;
/** In `older`: nothing is here. */
const vacant = -2;
/** By the highest byte of a key's hash. */
const shardCount = 256;
const smallestShard = 8;

/**
 * Keys of 128 bits, a few integers for each, and the order in which they were last used. The table grows as it fills and never
 * shrinks; how many entries there may be is the owner's business.
 *
 * An entry lies where its key's hash says, or next to it (open addressing, linear probing): at a million entries a hit is one access
 * to memory that no cache holds, where a `Map` from text has four (measured beside it: 0.2 µs and 0.8 µs). The hash is keyed, so
 * that nobody can choose addresses that all lie in one place. The table consists of 256 small ones that grow each for itself: none
 * ever makes its owner wait for more than a 256th of all entries to be moved.
 *
 * Methods that find an entry leave it in `cells` from `at` on, up to the next call. Cost: O(1) each, amortised where it grows; for
 * an entry (6 + words) * 4 bytes divided by a load between 0.31 and 0.63.
 */
export class KeyTable {
  size = 0;
  /** Of the entry found last: the array, and where in it. */
  cells: Int32Array;
  at = 0;
  readonly #stride: number;
  readonly #key0: number;
  readonly #key1: number;
  readonly #shards: Int32Array[];
  /** Of each shard: how many slots it has, less 1. A power of two, less 1. */
  readonly #masks: Int32Array = new Int32Array(shardCount);
  readonly #sizes: Int32Array = new Int32Array(shardCount);
  /** Where the entry found last is: its slot in its shard, times 256, and the shard. */
  #place = none;
  #oldest = none;
  #newest = none;

  /** @param words how many cells an entry's owner wants for itself */
  constructor(words: number, random: Random) {
    this.#stride = ownCells + words;
    this.#key0 = randomKey(random);
    this.#key1 = randomKey(random);
    const empty = vacantCells(1, this.#stride);
    this.#shards = new Array<Int32Array>(shardCount).fill(empty);
    this.cells = empty;
  }

  /** Finds the entry of the key in the first four words. */
  find(words: Int32Array): boolean {
    const hash = halfSipHash(words, 0, 16, this.#key0, this.#key1);
    const shard = hash >>> 24;
    const cells = this.#shards[shard] as Int32Array;
    const stride = this.#stride;
    const mask = this.#masks[shard] as number;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const at = Math.imul(slot, stride);
      if (cells[at + older] === vacant) return false;
      if (!isKey(cells, at, words)) continue;
      this.cells = cells;
      this.at = at;
      this.#place = (slot << 8) | shard;
      return true;
    }
  }

  /** Adds the key in the first four words, which must not be there; its own cells are 0, and it is of no age until it is used. */
  add(words: Int32Array): void {
    const hash = halfSipHash(words, 0, 16, this.#key0, this.#key1);
    const shard = hash >>> 24;
    const count = (this.#sizes[shard] as number) + 1;
    if (8 * count > 5 * ((this.#masks[shard] as number) + 1)) this.#grow(shard);
    const cells = this.#shards[shard] as Int32Array;
    const slot = vacancyIn(cells, hash & (this.#masks[shard] as number), this.#masks[shard] as number, this.#stride);
    const at = slot * this.#stride;
    cells.fill(0, at, at + this.#stride);
    for (let word = 0; word < keyWords; word++) cells[at + word] = words[word] as number;
    cells[at + older] = cells[at + newer] = none;
    this.#sizes[shard] = count;
    this.size++;
    this.cells = cells;
    this.at = at;
    this.#place = (slot << 8) | shard;
  }

  /** The entry found last becomes the newest. */
  use(): void {
    const place = this.#place;
    if (place === this.#newest) return;
    this.#unlink();
    this.cells[this.at + older] = this.#newest;
    if (this.#newest === none) this.#oldest = place;
    else this.#link(this.#newest, newer, place);
    this.#newest = place;
  }

  /** The entry found last is of no age: it is nobody's oldest, however long it is not used. */
  pin(): void {
    this.#unlink();
    this.cells[this.at + older] = this.cells[this.at + newer] = none;
  }

  /** Finds the entry that was not used for longest; false where no entry has an age. */
  findOldest(): boolean {
    if (this.#oldest === none) return false;
    this.#place = this.#oldest;
    this.cells = this.#shards[this.#place & 255] as Int32Array;
    this.at = (this.#place >>> 8) * this.#stride;
    return true;
  }

  /** Removes the entry found last. Those behind it move up, so that a search may go on ending at the first vacancy. */
  remove(): void {
    this.#unlink();
    const { cells } = this;
    const shard = this.#place & 255;
    const stride = this.#stride;
    const mask = this.#masks[shard] as number;
    let hole = this.#place >>> 8;
    for (let slot = (hole + 1) & mask; cells[slot * stride + older] !== vacant; slot = (slot + 1) & mask) {
      const home = halfSipHash(cells, slot * stride, 16, this.#key0, this.#key1);
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      cells.copyWithin(hole * stride, slot * stride, (slot + 1) * stride);
      this.#moved((slot << 8) | shard, (hole << 8) | shard, cells, hole * stride);
      hole = slot;
    }
    cells[hole * stride + older] = vacant;
    this.#sizes[shard] = (this.#sizes[shard] as number) - 1;
    this.size--;
  }

  /** Takes the entry found last out of the order of age. */
  #unlink(): void {
    const { cells, at } = this;
    const before = cells[at + older] as number;
    const after = cells[at + newer] as number;
    if (before !== none) this.#link(before, newer, after);
    else if (this.#oldest === this.#place) this.#oldest = after;
    if (after !== none) this.#link(after, older, before);
    else if (this.#newest === this.#place) this.#newest = before;
    cells[at + newer] = none;
  }

  #link(place: number, side: number, to: number): void {
    (this.#shards[place & 255] as Int32Array)[(place >>> 8) * this.#stride + side] = to;
  }

  /** An entry is elsewhere now, in `cells` at `at`: tells its neighbours. */
  #moved(from: number, to: number, cells: Int32Array, at: number): void {
    const before = cells[at + older] as number;
    const after = cells[at + newer] as number;
    if (before !== none) this.#link(before, newer, to);
    else if (this.#oldest === from) this.#oldest = to;
    if (after !== none) this.#link(after, older, to);
    else if (this.#newest === from) this.#newest = to;
  }

  #grow(shard: number): void {
    const stride = this.#stride;
    const from = this.#shards[shard] as Int32Array;
    const slots = from.length / stride;
    const mask = Math.max(smallestShard, 2 * slots) - 1;
    const cells = vacantCells(mask + 1, stride);
    const places = new Int32Array(slots).fill(none);
    for (let slot = 0, at = 0; slot < slots; slot++, at += stride) {
      if (from[at + older] === vacant) continue;
      const home = halfSipHash(from, at, 16, this.#key0, this.#key1) & mask;
      const to = vacancyIn(cells, home, mask, stride);
      cells.set(from.subarray(at, at + stride), to * stride);
      places[slot] = (to << 8) | shard;
    }
    this.#shards[shard] = cells;
    this.#masks[shard] = mask;
    // Neighbours in this shard are elsewhere now, too; where they were and where they are looks alike.
    for (const place of places) {
      if (place === none) continue;
      const at = (place >>> 8) * stride;
      cells[at + older] = movedPlace(cells[at + older] as number, shard, places);
      cells[at + newer] = movedPlace(cells[at + newer] as number, shard, places);
    }
    this.#oldest = movedPlace(this.#oldest, shard, places);
    this.#newest = movedPlace(this.#newest, shard, places);
    for (const place of places) if (place !== none) this.#moved(place, place, cells, (place >>> 8) * stride);
  }
}

function isKey(cells: Int32Array, at: number, words: Int32Array): boolean {
  return (
    cells[at + 3] === words[3] && cells[at + 2] === words[2] && cells[at + 1] === words[1] && cells[at] === words[0]
  );
}

/** The first slot from `home` on where nothing is. */
function vacancyIn(cells: Int32Array, home: number, mask: number, stride: number): number {
  let slot = home;
  while (cells[slot * stride + older] !== vacant) slot = (slot + 1) & mask;
  return slot;
}

function vacantCells(slots: number, stride: number): Int32Array {
  const cells = new Int32Array(slots * stride);
  for (let at = older; at < cells.length; at += stride) cells[at] = vacant;
  return cells;
}

function movedPlace(place: number, shard: number, places: Int32Array): number {
  return place === none || (place & 255) !== shard ? place : (places[place >>> 8] as number);
}
