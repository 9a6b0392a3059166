import { aloneTable, pickTable, prepareTable, safeguardTable, tableTable } from './pick-tables.mjs';

/** Results of `benchPicks`, explained. */
export function picksText({ picks, lookups, tables, safeguards }) {
  return [
    section(
      picks,
      `#### Picks

\`pool.acquire()\` and \`lease.release()\`: the median of several rounds, each row and size in a process of its own. A lease is released
at once, or when 64 (or half as many as there are members) have been taken after it. Strategies by key are asked for 65,536 clients in
turn. \`peak-ewma\` and \`least-time\` time every lease up to 20,000 a second, and one in 16 at the pace of this benchmark; one row says
what timing all costs. Members have one connection each at most for \`first\`, so that with half as many leases half of them are full,
and have told their loads for \`utilization\`. \`round-robin\` is inside the wrappers: for \`slow-start\` all members are warm, or one in ten
is warming up; for \`zone-preference\` one in ten is near; a \`subset\` has 20; of \`priorities\` there are two, and half of the members of
the first are down. \`rendezvous\` looks at every member, by its nature.

In italics the packages that do the same or come closest, where they exist: they only pick, without limits, counters, health or a
release. The weighted one of \`loadbalance\` is not smooth; \`P2cBalancer\` counts picks as if no connection ended.`,
      pickTable,
    ),
    section(
      picks.filter(({ cells }) => cells.some(({ alone }) => alone !== undefined)),
      `Of this, the picker's \`pick()\` alone, where every member can take the client. A lease on one of 100,000 members costs more than on one of
ten, whatever picks it, since what the pool knows of that member has to come from memory.`,
      aloneTable,
    ),
    section(
      picks.filter(({ cells }) => cells.some(({ prepare }) => prepare !== undefined)),
      `From a change of one member to the first pick after it, which prepares the strategy anew; for the other packages, which know no
change, how long they take to be made:`,
      prepareTable,
    ),
    section(
      lookups,
      `#### Look-ups by key

The strategy's \`pick()\` alone, without a pool, for 65,536 keys in turn; beside the package \`hashring\`, with the cache of 5,000 answers
that it has by default, which such keys miss, and without it:`,
      pickTable,
    ),
    section(
      tables,
      `#### Tables

What a strategy prepares from nothing, beside \`Float64Array.prototype.sort\` of as many numbers by chance as its table has points, in
turns in one process:`,
      tableTable,
    ),
    section(
      safeguards,
      `#### Safeguards

The same pool of 10 members without and with safeguards, \`round-robin\`, in turns in one process; each with its defaults, and limits that
nothing reaches. Three lives of a lease: \`pick\`, acquired and released; \`connection\`, connected in between; \`request\`, connected, asked
and answered in between. An adaptive limit times 128 leases a second, whatever their number:`,
      safeguardTable,
    ),
  ]
    .filter((text) => text !== '')
    .join('\n\n');
}

function section(results, text, tableOf) {
  return results.length === 0 ? '' : `${text}\n\n${tableOf(results)}`;
}
