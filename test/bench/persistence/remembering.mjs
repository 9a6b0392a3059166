import { createPool, systemClock, systemRandom } from 'evenkeel';
import { LRUCache } from 'lru-cache';

/**
 * What remembers which member a client belongs to: `find` is a use of what is remembered, `keep` is for a client that is not known, and
 * beyond `maxEntries` those that were not used for longest go.
 */
export const remembering = {
  'source-ip': (maxEntries) => {
    const { table, member } = tableOf({ type: 'source-ip', maxEntries });
    const request = { clientAddress: undefined };
    return {
      find(client) {
        request.clientAddress = client;
        return table.find(request);
      },
      keep(client) {
        request.clientAddress = client;
        table.keep(request, member);
      },
      size: () => table.size,
    };
  },
  'app-cookie': (maxEntries) => {
    const { table, member } = tableOf({ type: 'app-cookie', name: 'JSESSIONID', maxEntries });
    let cookie;
    const request = { header: () => cookie };
    return {
      find(client) {
        cookie = client;
        return table.find(request);
      },
      keep: (client) => table.http.answered(client, member),
      size: () => table.size,
    };
  },
  /** A `Map` keeps its entries in the order they came in, and does not say when: none is too old. */
  Map: (maxEntries) => {
    const members = new Map();
    return {
      find(client) {
        const id = members.get(client);
        if (id === undefined) return undefined;
        members.delete(client);
        members.set(client, id);
        return id;
      },
      keep(client) {
        if (members.size >= maxEntries) members.delete(members.keys().next().value);
        members.set(client, memberId);
      },
      size: () => members.size,
    };
  },
  /** With the timeout that `source-ip` has by default. */
  'lru-cache': (maxEntries) => {
    const members = new LRUCache({ max: maxEntries, ttl: 1_800_000, updateAgeOnGet: true });
    return {
      find: (client) => members.get(client),
      keep: (client) => members.set(client, memberId),
      size: () => members.size,
    };
  },
};

const memberId = '10.0.0.1:80';

function tableOf(persistence) {
  const pool = createPool({ name: 'bench', members: [memberId], persistence });
  const [member] = pool.members;
  const table = pool.persistence.start({ clock: systemClock, random: systemRandom });
  table.joined?.(member);
  return { table, member };
}
