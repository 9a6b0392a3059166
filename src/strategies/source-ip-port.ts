import { ConsistentRing } from './consistent-ring.ts';
import { murmur3 } from './murmur3.ts';
import type { Strategy } from './strategy.ts';

/**
 * The same member for the same client address and port, as long as that member can serve; Octavia's `SOURCE_IP_PORT`. As
 * `source-ip`, but the connections of one client spread. A request without an address is placed by its `key`.
 */
export function sourceIpPort<T = unknown>(): Strategy<T> {
  return {
    name: 'source-ip-port',
    prepare: (members) => {
      const ring = new ConsistentRing(members);
      return {
        pick: (request) => {
          const address = murmur3(request.clientAddress ?? request.key ?? '');
          return ring.find(address ^ Math.imul((request.clientPort ?? 0) + 1, 0x9e3779b1), request);
        },
      };
    },
  };
}
