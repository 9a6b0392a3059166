import { SpecError } from '../core/errors.ts';
import { Fields, integer, oneOf } from '../core/spec.ts';
import { crc32 } from './hash/crc32.ts';
import { digest } from './hash/digest.ts';
import { envoyPoints } from './hash/envoy-points.ts';
import { byKey, hashStrategy } from './hash/hash-picker.ts';
import { HashRing } from './hash/hash-ring.ts';
import { ketamaPoints } from './hash/ketama-points.ts';
import { xxHash64 } from './hash/xx-hash.ts';
import { type HashOptions, keyOrAddress, maxLoadFactor, readHashKey } from './hash-key.ts';
import type { Strategy } from './strategy.ts';

export interface RingHashOptions extends HashOptions {
  /**
   * Whose ring it is: Envoy's and gRPC's, or that of nginx's `hash … consistent`, of Pingora and of ketama. Default
   * `'envoy'`.
   */
  readonly placement?: 'envoy' | 'ketama' | null;
  /**
   * Of Envoy's placement: what members are hashed with; `'murmur-2'` is Envoy's `MURMUR_HASH_2`. Keys are always hashed with
   * xxHash64, as Envoy does. Default `'xx-hash'`.
   */
  readonly hash?: 'xx-hash' | 'murmur-2' | null;
  /** Of Envoy's placement: how many points the ring has at least, 1 to 8388608. Default 1024. */
  readonly minRingSize?: number | null;
  /**
   * How many it has at most, 1 to 8388608; of ketama's placement, where 160 for each unit of weight are not more. Default
   * 8388608.
   */
  readonly maxRingSize?: number | null;
}

const largestRing = 8_388_608;
const ringSize = integer(1, largestRing);

/**
 * The same member for the same key, by a ring of points: a member that goes leaves its keys to the members whose points
 * follow its own, and one that comes takes some from each. As long as there are fewer members than `minRingSize`, Envoy's
 * placement gives each more points where others go, and so moves some more keys (with ten members 7 of 100); ketama's moves
 * only those that it must.
 *
 * Sources: Envoy, `ring_hash_lb.cc` (the default), or nginx, `ngx_http_upstream_hash_module.c`. A member is known to the ring
 * by its id, which by default is `address:port` as in both; so the same pool has the same mapping here and there.
 *
 * Cost: a pick O(1) expected, and what hashing the key takes; preparing O(points).
 */
export function ringHash<T = unknown>(options: RingHashOptions = {}): Strategy<T> {
  const fields = new Fields(options, '', ['placement', 'hash', 'minRingSize', 'maxRingSize', 'key', 'maxLoadFactor']);
  const isKetama = fields.read('placement', oneOf(['envoy', 'ketama']), 'envoy') === 'ketama';
  const onlyEnvoys = <Value>(check: (value: unknown, path: string) => Value) => {
    return (value: unknown, path: string): Value => {
      if (isKetama) throw new SpecError(path, value, "nothing: placement 'ketama' has no such choice");
      return check(value, path);
    };
  };
  const maxRingSize = fields.read('maxRingSize', ringSize, largestRing);
  const minRingSize = fields.read('minRingSize', onlyEnvoys(ringSize), Math.min(1024, maxRingSize));
  if (minRingSize > maxRingSize) throw new SpecError('minRingSize', minRingSize, `at most maxRingSize, ${maxRingSize}`);
  const hash = fields.read('hash', onlyEnvoys(oneOf<'xx-hash' | 'murmur-2'>(['xx-hash', 'murmur-2'])), 'xx-hash');
  return hashStrategy({
    name: 'ring-hash',
    hashClient: byKey(fields.read('key', readHashKey, keyOrAddress), isKetama ? crc32OfKey : xxHash64),
    maxLoadFactor: fields.read('maxLoadFactor', maxLoadFactor, undefined),
    tableOf: (members) => {
      const points = isKetama
        ? ketamaPoints(members, maxRingSize)
        : envoyPoints(members, { hash, minRingSize, maxRingSize });
      return new HashRing(members, points);
    },
  });
}

/** nginx's places have 32 bits: the upper half of ours. */
function crc32OfKey(key: string): void {
  digest[0] = crc32(key);
  digest[1] = 0;
}
