import { ConsistentRing } from './consistent-ring.ts';
import { murmur3 } from './murmur3.ts';
import type { Strategy } from './strategy.ts';

/**
 * The same member for the same client address, as long as that member can serve; Octavia's `SOURCE_IP`. Clients of a member
 * that goes spread over the others, and nobody else moves (`ConsistentRing` says how). A request without an address is
 * placed by its `key`.
 */
export function sourceIp<T = unknown>(): Strategy<T> {
  return {
    name: 'source-ip',
    prepare: (members) => {
      const ring = new ConsistentRing(members);
      return { pick: (request) => ring.find(murmur3(request.clientAddress ?? request.key ?? ''), request) };
    },
  };
}
