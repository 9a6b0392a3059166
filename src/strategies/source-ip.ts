import { Fields } from '../core/spec.ts';
import { ConsistentRing } from './consistent-ring.ts';
import { digest } from './hash/digest.ts';
import { byKey, hashStrategy } from './hash/hash-picker.ts';
import { type HashOptions, maxLoadFactor } from './hash-key.ts';
import { murmur3 } from './murmur3.ts';
import type { PickRequest, Strategy } from './strategy.ts';

export interface SourceIpOptions extends Pick<HashOptions, 'maxLoadFactor'> {}

/**
 * The same member for the same client address, as long as that member can serve; Octavia's `SOURCE_IP`. Clients of a member
 * that goes spread over the others, and nobody else moves (`ConsistentRing` says how). A request without an address is
 * placed by its `key`, and one that has neither by chance.
 */
export function sourceIp<T = unknown>(options: SourceIpOptions = {}): Strategy<T> {
  const fields = new Fields(options, '', ['maxLoadFactor']);
  return hashStrategy({
    name: 'source-ip',
    hashClient: byKey(addressOrKey, (key) => {
      digest[0] = murmur3(key);
      digest[1] = 0;
    }),
    maxLoadFactor: fields.read('maxLoadFactor', maxLoadFactor, undefined),
    tableOf: (members) => new ConsistentRing(members),
  });
}

export function addressOrKey(request: PickRequest): string | undefined {
  return request.clientAddress ?? request.key;
}
