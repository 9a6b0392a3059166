/**
 * A strategy of one's own: the cheapest member first, the next one only when that is full. Members are anything that can be
 * balanced, here API keys with a price; no socket is involved.
 */
import { createPool, type Lease, type Strategy } from 'evenkeel';

interface Key {
  readonly centsPerCall: number;
}

/** Prepared anew whenever members or weights change, so sorting costs nothing when a member is picked. */
function cheapestFirst(): Strategy<Key> {
  return {
    name: 'cheapest-first',
    prepare(members) {
      const byPrice = members.toSorted((a, b) => (a.data?.centsPerCall ?? 0) - (b.data?.centsPerCall ?? 0));
      return { pick: (request) => byPrice.find((member) => request.accepts(member)) };
    },
  };
}

const pool = createPool<Key>({
  name: 'keys',
  strategy: cheapestFirst(),
  members: [
    { id: 'spare-key', address: 'api.example.com', port: 443, data: { centsPerCall: 9 } },
    { id: 'cheap-key', address: 'api.example.com', port: 443, data: { centsPerCall: 2 }, maxConnections: 2 },
  ],
});

const calls: Lease<Key>[] = [];
for (let call = 1; call <= 4; call++) {
  const lease = pool.acquire();
  if (lease.refused) throw new Error(`no key is free: ${lease.reason}`);
  calls.push(lease);
  console.log(`call ${call} uses ${lease.member.id} at ${lease.member.data?.centsPerCall} cents`);
}

calls[0]?.release();
const next = pool.acquire();
if (!next.refused) console.log(`after one has ended, the next uses ${next.member.id}`);
