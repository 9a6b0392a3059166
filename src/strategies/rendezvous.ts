import { Fields } from '../core/spec.ts';
import { byKey, hashStrategy } from './hash/hash-picker.ts';
import { HighestRandomWeight } from './hash/highest-random-weight.ts';
import { xxHash64 } from './hash/xx-hash.ts';
import { type HashOptions, keyOrAddress, maxLoadFactor, readHashKey } from './hash-key.ts';
import type { Strategy } from './strategy.ts';

export interface RendezvousOptions extends HashOptions {}

/**
 * The same member for the same key, by highest random weight: shares are exactly by weight on average, whatever goes or comes
 * moves only its own keys, and those of a member that goes are spread evenly over all others. For pools of up to some hundred
 * members.
 *
 * Sources: `HighestRandomWeight` names them. Envoy's `rendezvous_hash` has the same mapping for the same ids.
 *
 * Cost: a pick O(n), some 6 ns a member; preparing O(n), a hash of each id.
 */
export function rendezvous<T = unknown>(options: RendezvousOptions = {}): Strategy<T> {
  const fields = new Fields(options, '', ['key', 'maxLoadFactor']);
  return hashStrategy({
    name: 'rendezvous',
    hashClient: byKey(fields.read('key', readHashKey, keyOrAddress), xxHash64),
    maxLoadFactor: fields.read('maxLoadFactor', maxLoadFactor, undefined),
    tableOf: (members) => new HighestRandomWeight(members),
  });
}
