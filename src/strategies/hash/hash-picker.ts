import type { Member } from '../../core/member.ts';
import type { Random } from '../../core/random.ts';
import type { Picker, PickRequest, Strategy } from '../strategy.ts';
import { BoundedLoad } from './bounded-load.ts';
import { digest, type HashFunction } from './digest.ts';
import type { Candidates, HashTable } from './hash-table.ts';

/** Hashes what a client is placed by into `digest`. False where there is nothing to place it by. */
export type ClientHash = (request: PickRequest) => boolean;

/** By a key; an empty one counts as none. */
export function byKey(keyOf: (request: PickRequest) => string | undefined, hash: HashFunction): ClientHash {
  return (request) => {
    const key = keyOf(request);
    if (key === undefined || key === '') return false;
    hash(key);
    return true;
  };
}

export interface HashStrategy<T> {
  readonly name: string;
  readonly hashClient: ClientHash;
  /** Percent; undefined where loads have no bound. */
  readonly maxLoadFactor: number | undefined;
  readonly tableOf: (members: readonly Member<T>[]) => HashTable<T>;
}

/** What all hash strategies have in common: only their tables and hashes differ. */
export function hashStrategy<T>({ name, hashClient, maxLoadFactor, tableOf }: HashStrategy<T>): Strategy<T> {
  return {
    name,
    prepare: (members, _previous, { random }) => {
      const table = tableOf(members);
      return maxLoadFactor === undefined
        ? new HashPicker(hashClient, table, random)
        : new BoundedHashPicker(hashClient, table, random, new BoundedLoad(members, maxLoadFactor));
    },
  };
}

/** Picks by a table. A client that has no key is placed by chance, and so by the members' shares. */
class HashPicker<T> implements Picker<T> {
  readonly #hashClient: ClientHash;
  readonly #table: HashTable<T>;
  readonly #random: Random;

  constructor(hashClient: ClientHash, table: HashTable<T>, random: Random) {
    this.#hashClient = hashClient;
    this.#table = table;
    this.#random = random;
  }

  pick(request: PickRequest<T>): Member<T> | undefined {
    return this.find(request, request);
  }

  hashOf(request: PickRequest<T>): number | undefined {
    return this.#hashClient(request) ? ((digest[0] as number) ^ (digest[1] as number)) >>> 0 : undefined;
  }

  protected find(request: PickRequest<T>, candidates: Candidates<T>): Member<T> | undefined {
    if (this.#hashClient(request)) return this.#table.find(digest[0] as number, digest[1] as number, candidates);
    return this.#table.find(this.#anyHalf(), this.#anyHalf(), candidates);
  }

  #anyHalf(): number {
    return (this.#random() * 4294967296) | 0;
  }
}

class BoundedHashPicker<T> extends HashPicker<T> {
  readonly #load: BoundedLoad<T>;

  constructor(hashClient: ClientHash, table: HashTable<T>, random: Random, load: BoundedLoad<T>) {
    super(hashClient, table, random);
    this.#load = load;
  }

  override pick(request: PickRequest<T>): Member<T> | undefined {
    return this.find(request, this.#load.limit(request)) ?? this.#load.leastLoaded();
  }

  acquired(): void {
    this.#load.acquired();
  }

  released(): void {
    this.#load.released();
  }
}
