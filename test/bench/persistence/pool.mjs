import { createPool } from 'evenkeel';
import { median } from '../median.mjs';
import { memberAddresses } from '../picks/fixtures.mjs';
import { batches, known, pass, unknown } from './passes.mjs';

/**
 * `pool.acquire()` and `lease.release()` of a pool with `source-ip` persistence that is full, beside one without, in turns in one process:
 * for clients that it knows, and for new ones.
 *
 * @param clients `ipv4` or `ipv6`
 */
export function measure({ clients, entries, rounds }) {
  const members = memberAddresses(10).map((address) => ({ address, port: 80 }));
  const pool = createPool({ name: 'bench', members });
  const keeping = createPool({ name: 'bench', members, persistence: { type: 'source-ip', maxEntries: entries } });
  for (const batch of batches(clients, 0, entries)) pass(batch, served(keeping), Number.POSITIVE_INFINITY);
  const { size, evicted } = keeping.persistenceStats;
  if (size !== entries) throw new Error(`the table has ${size} of ${entries} entries`);
  const figures = { without: [], known: [], unknown: [] };
  for (let round = 0; round <= rounds; round++) {
    figures.without.push(measured(known(clients, entries, round), pool));
    figures.known.push(measured(known(clients, entries, round), keeping));
  }
  if (keeping.persistenceStats.evicted !== evicted) throw new Error('clients that were known had been forgotten');
  for (let round = 0; round <= rounds; round++) {
    figures.unknown.push(measured(unknown(clients, entries, round), keeping));
  }
  // The first of each does not count.
  const [without, kept, fresh] = Object.values(figures).map((all) => all.slice(1));
  return {
    without: median(without),
    known: median(kept),
    more: median(kept.map((figure, round) => figure - without[round])),
    unknown: median(fresh),
  };
}

function measured(batch, pool) {
  globalThis.gc();
  return pass(batch, served(pool));
}

function served(pool) {
  const request = { clientAddress: undefined };
  return (client) => {
    request.clientAddress = client;
    pool.acquire(request).release();
  };
}
