import { Fields } from '../core/spec.ts';
import { ConsistentRing } from './consistent-ring.ts';
import { digest } from './hash/digest.ts';
import { hashStrategy } from './hash/hash-picker.ts';
import { maxLoadFactor } from './hash-key.ts';
import { murmur3 } from './murmur3.ts';
import { addressOrKey, type SourceIpOptions } from './source-ip.ts';
import type { Strategy } from './strategy.ts';

/**
 * The same member for the same client address and port, as long as that member can serve; Octavia's `SOURCE_IP_PORT`. As
 * `source-ip`, but the connections of one client spread.
 */
export function sourceIpPort<T = unknown>(options: SourceIpOptions = {}): Strategy<T> {
  const fields = new Fields(options, '', ['maxLoadFactor']);
  return hashStrategy({
    name: 'source-ip-port',
    hashClient: (request) => {
      const address = addressOrKey(request);
      if (address === undefined || address === '') return false;
      digest[0] = murmur3(address) ^ Math.imul((request.clientPort ?? 0) + 1, 0x9e3779b1);
      digest[1] = 0;
      return true;
    },
    maxLoadFactor: fields.read('maxLoadFactor', maxLoadFactor, undefined),
    tableOf: (members) => new ConsistentRing(members),
  });
}
