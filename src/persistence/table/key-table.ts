import type { Random } from '../../core/random.ts';
import { tabulated, tabulation } from './tabulation.ts';

/** What an entry's cells hold: its key, its neighbours by age, and behind them whatever the table's owner keeps there. */
const keyWords = 4;
const older = 4;
const newer = 5;
/** Where an owner's own cells begin, seen from `at`. */
export const ownCells = 6;

const none = -1;
/** In `older`: nothing is here. */
const vacant = -2;
const fewestSlots = 8;
/** Slots of a shard; a place has so many bits of a slot, and above them those of a shard. */
const slotBits = 12;
const mostSlots = 1 << slotBits;
const slotMask = mostSlots - 1;

/**
 * Keys of 128 bits, a few integers for each, and the order in which they were last used. The table grows as it fills and never
 * shrinks; how many entries there may be is the owner's business.
 *
 * An entry lies where its key's hash says, or next to it (open addressing, linear probing): at a million entries a hit is one
 * access to memory that no cache holds, where a `Map` from text has four (beside each other on a busy machine: 0.28 µs and 0.95
 * µs). The hash is keyed, so that nobody can choose addresses that all lie in one place. The table consists of shards of at
 * most 4096 slots; one that is full is split (extendible hashing: Fagin et al., 1979), so that nobody ever waits for more than
 * 2560 entries to be moved.
 *
 * Methods that find an entry leave it in `cells` from `at` on, up to the next call. Cost: O(1) each, amortised where it grows;
 * for an entry (6 + words) * 4 bytes divided by a load between 0.31 and 0.63.
 */
export class KeyTable {
  size = 0;
  /** Of the entry found last: the array, and where in it. */
  cells: Int32Array;
  at = 0;
  readonly #stride: number;
  readonly #tabulation: Int32Array;
  /** By the first bits of a hash: the shard. */
  #directory: Int32Array = new Int32Array(1);
  /** How many bits those are. */
  #depth = 0;
  readonly #shards: Int32Array[];
  /** Of each shard: how many slots it has, less 1; how many entries; and how many first bits all its hashes have in common. */
  readonly #masks: number[] = [0];
  readonly #sizes: number[] = [0];
  readonly #depths: number[] = [0];
  /** Where the entry found last is. */
  #place = none;
  #oldest = none;
  #newest = none;

  /** @param words how many cells an entry's owner wants for itself */
  constructor(words: number, random: Random) {
    this.#stride = ownCells + words;
    this.#tabulation = tabulation(random);
    this.cells = vacantCells(1, this.#stride);
    this.#shards = [this.cells];
  }

  /** Finds the entry of the key in the first four words. */
  find(words: Int32Array): boolean {
    const hash = tabulated(this.#tabulation, words, 0);
    const shard = this.#shardOf(hash);
    const cells = this.#shards[shard] as Int32Array;
    const stride = this.#stride;
    const mask = this.#masks[shard] as number;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const at = Math.imul(slot, stride);
      if (cells[at + older] === vacant) return false;
      if (!isKey(cells, at, words)) continue;
      this.cells = cells;
      this.at = at;
      this.#place = (shard << slotBits) | slot;
      return true;
    }
  }

  /** Adds the key in the first four words, which must not be there; its own cells are 0, and it is of no age until it is used. */
  add(words: Int32Array): void {
    const hash = tabulated(this.#tabulation, words, 0);
    let shard = this.#shardOf(hash);
    while (isFull(this.#sizes[shard] as number, this.#masks[shard] as number)) {
      this.#grow(shard);
      shard = this.#shardOf(hash);
    }
    const cells = this.#shards[shard] as Int32Array;
    const slot = vacancyIn(cells, hash, this.#masks[shard] as number, this.#stride);
    const at = slot * this.#stride;
    cells.fill(0, at, at + this.#stride);
    for (let word = 0; word < keyWords; word++) cells[at + word] = words[word] as number;
    cells[at + older] = cells[at + newer] = none;
    this.#sizes[shard] = (this.#sizes[shard] as number) + 1;
    this.size++;
    this.cells = cells;
    this.at = at;
    this.#place = (shard << slotBits) | slot;
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
    this.cells = this.#shards[this.#place >>> slotBits] as Int32Array;
    this.at = (this.#place & slotMask) * this.#stride;
    return true;
  }

  /** Removes the entry found last. Those behind it move up, so that a search may go on ending at the first vacancy. */
  remove(): void {
    this.#unlink();
    const { cells } = this;
    const shard = this.#place >>> slotBits;
    const stride = this.#stride;
    const mask = this.#masks[shard] as number;
    let hole = this.#place & slotMask;
    for (let slot = (hole + 1) & mask; cells[slot * stride + older] !== vacant; slot = (slot + 1) & mask) {
      const home = tabulated(this.#tabulation, cells, slot * stride);
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      cells.copyWithin(hole * stride, slot * stride, (slot + 1) * stride);
      this.#moved((shard << slotBits) | slot, (shard << slotBits) | hole, cells, hole * stride);
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
    (this.#shards[place >>> slotBits] as Int32Array)[(place & slotMask) * this.#stride + side] = to;
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

  #shardOf(hash: number): number {
    // In two steps, since a shift by 32 is one by 0.
    return this.#directory[(hash >>> 1) >>> (31 - this.#depth)] as number;
  }

  /** Makes room in a full shard: doubles it, or splits it in two. */
  #grow(shard: number): void {
    const stride = this.#stride;
    const from = this.#shards[shard] as Int32Array;
    const slots = (this.#masks[shard] as number) + 1;
    if (slots === mostSlots) this.#split(shard);
    else this.#empty(shard, Math.max(fewestSlots, 2 * slots));
    const places = new Int32Array(slots).fill(none);
    for (let slot = 0, at = 0; slot < slots; slot++, at += stride) {
      if (from[at + older] === vacant) continue;
      const hash = tabulated(this.#tabulation, from, at);
      const target = this.#shardOf(hash);
      const cells = this.#shards[target] as Int32Array;
      const to = vacancyIn(cells, hash, this.#masks[target] as number, stride);
      cells.set(from.subarray(at, at + stride), to * stride);
      this.#sizes[target] = (this.#sizes[target] as number) + 1;
      places[slot] = (target << slotBits) | to;
    }
    this.#relink(shard, places);
  }

  #empty(shard: number, slots: number): void {
    this.#shards[shard] = vacantCells(slots, this.#stride);
    this.#masks[shard] = slots - 1;
    this.#sizes[shard] = 0;
  }

  /** Empties a shard, and has a new one for the half of its hashes whose next bit is 1. */
  #split(shard: number): void {
    const depth = this.#depths[shard] as number;
    if (depth === this.#depth) {
      this.#directory = Int32Array.from({ length: 2 << depth }, (_, index) => this.#directory[index >>> 1] as number);
      this.#depth++;
    }
    const other = this.#shards.length;
    this.#depths[shard] = this.#depths[other] = depth + 1;
    const nextBit = this.#depth - depth - 1;
    for (const [index, each] of this.#directory.entries()) {
      if (each === shard && ((index >>> nextBit) & 1) === 1) this.#directory[index] = other;
    }
    this.#empty(shard, mostSlots);
    this.#empty(other, mostSlots);
  }

  /** The entries of a shard are elsewhere now: `places`, by their former slots. */
  #relink(shard: number, places: Int32Array): void {
    // First those of each other; where they were and where they are may look alike.
    for (const place of places) {
      if (place === none) continue;
      const cells = this.#shards[place >>> slotBits] as Int32Array;
      const at = (place & slotMask) * this.#stride;
      cells[at + older] = movedPlace(cells[at + older] as number, shard, places);
      cells[at + newer] = movedPlace(cells[at + newer] as number, shard, places);
    }
    this.#oldest = movedPlace(this.#oldest, shard, places);
    this.#newest = movedPlace(this.#newest, shard, places);
    for (const place of places) {
      if (place === none) continue;
      this.#moved(place, place, this.#shards[place >>> slotBits] as Int32Array, (place & slotMask) * this.#stride);
    }
  }
}

function isFull(size: number, mask: number): boolean {
  return 8 * (size + 1) > 5 * (mask + 1);
}

function isKey(cells: Int32Array, at: number, words: Int32Array): boolean {
  return (
    cells[at + 3] === words[3] && cells[at + 2] === words[2] && cells[at + 1] === words[1] && cells[at] === words[0]
  );
}

/** The first slot that is vacant from where a hash belongs. */
function vacancyIn(cells: Int32Array, hash: number, mask: number, stride: number): number {
  let slot = hash & mask;
  while (cells[slot * stride + older] !== vacant) slot = (slot + 1) & mask;
  return slot;
}

function vacantCells(slots: number, stride: number): Int32Array {
  const cells = new Int32Array(slots * stride);
  for (let at = older; at < cells.length; at += stride) cells[at] = vacant;
  return cells;
}

function movedPlace(place: number, shard: number, places: Int32Array): number {
  return place === none || place >>> slotBits !== shard ? place : (places[place & slotMask] as number);
}
