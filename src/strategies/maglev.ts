import { SpecError } from '../core/errors.ts';
import { Fields, integer } from '../core/spec.ts';
import { byKey, hashStrategy } from './hash/hash-picker.ts';
import { MaglevTable } from './hash/maglev-table.ts';
import { xxHash64 } from './hash/xx-hash.ts';
import { type HashOptions, keyOrAddress, maxLoadFactor, readHashKey } from './hash-key.ts';
import type { Strategy } from './strategy.ts';

export interface MaglevOptions extends HashOptions {
  /**
   * How many slots the table has: a prime number from 2 to 5000011. A hundred or more for each member keep shares even within
   * 1 %. Default: 65537; above 6553 members, 1048583; above 104858 members, 5000011. So each member has ten slots or more.
   */
  readonly tableSize?: number | null;
}

/** Primes. The first is that of the paper and of Envoy, the last the largest that Envoy allows. */
const tableSizes = [65_537, 1_048_583, 5_000_011] as const;
const fewestSlots = 10;

/**
 * The same member for the same key, by a table that members share evenly, each to within a slot of its weight: evener than a
 * ring, and a change of members moves hardly more keys than it must (of the others, fewer than one in a hundred).
 *
 * Sources: D. E. Eisenbud et al., "Maglev" (NSDI 2016), and Envoy, `maglev_lb.cc`, which has the same table for the same ids
 * and size. A member is known to the table by its id, by default `address:port`.
 *
 * Cost: a pick O(1), and what hashing the key takes; preparing O(slots · log slots).
 */
export function maglev<T = unknown>(options: MaglevOptions = {}): Strategy<T> {
  const fields = new Fields(options, '', ['tableSize', 'key', 'maxLoadFactor']);
  const tableSize = fields.read('tableSize', primeSize, undefined);
  return hashStrategy({
    name: 'maglev',
    hashClient: byKey(fields.read('key', readHashKey, keyOrAddress), xxHash64),
    maxLoadFactor: fields.read('maxLoadFactor', maxLoadFactor, undefined),
    tableOf: (members) => new MaglevTable(members, tableSize ?? sizeFor(members.length)),
  });
}

/** Coarse steps, since another size is another mapping: nearly every key moves. */
function sizeFor(members: number): number {
  return tableSizes.find((size) => size >= fewestSlots * members) ?? tableSizes[2];
}

const size = integer(2, tableSizes[2]);

function primeSize(value: unknown, path: string): number {
  const number = size(value, path);
  if (!isPrime(number)) throw new SpecError(path, value, 'a prime number');
  return number;
}

function isPrime(number: number): boolean {
  for (let divisor = 2; divisor * divisor <= number; divisor++) if (number % divisor === 0) return false;
  return true;
}
