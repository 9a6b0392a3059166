import { fewest } from '../persistence/cases.mjs';
import { measuredOn, verdictTable } from './parts.mjs';
import { count, short } from './pick-tables.mjs';
import { table } from './table.mjs';

/** The part of `docs/benchmarks.md` about persistence. */
export function persistencePart(command, runs) {
  return `## Persistence

${measuredOn(runs.map(({ node }) => ({ contestants: [{ version: node }], missing: [] })))}

\`${command}\` measures all of this again.

${runs.map(section).join('\n\n')}`;
}

function section({ node, results, verdicts }) {
  return `### Persistence on ${node}

${verdictTable(verdicts)}

${persistenceText(results)}`;
}

/** Results of `benchPersistence`, explained. */
export function persistenceText({ tables, pools }) {
  return `A table by itself, each in a process of its own: filled with as many clients as it may have, then asked for them by chance (a hit), and
for others (a miss). A new client is looked for and then remembered: while the table fills, and when it is full and somebody has to go.
The text of a client's address or cookie is new each time, as it is for each connection; making it does not count. Bytes are what the heap
holds more, and what it holds outside of itself, after a collection. The last column is what a hit costs beside one in a table of
${count(fewest)} entries: nobody looks at more than one entry (O(1)), but a large table lies in memory that no cache holds.

In italics what users of Node take for it: a \`Map\` as LRU, whose entries never grow too old, and the package \`lru-cache\` with a timeout
that each use renews.

${tableTable(tables)}

\`pool.acquire()\` and \`lease.release()\` of a pool of 10 members, round robin, without and with \`persistence: { type: 'source-ip' }\` whose table
is full, in turns in one process; clients that it knows, and new ones, for each of which an old one has to go:

${poolTable(pools)}`;
}

function tableTable(rows) {
  const head = ['ns of CPU', 'entries', 'bytes an entry', 'hit', 'miss', 'new, filling', 'new, full', 'hit, ratio'];
  return table(
    head,
    rows.flatMap(({ label, cells }) => {
      const base = cells.find(({ entries }) => entries === fewest);
      return cells.map((cell) => [
        label,
        count(cell.entries),
        ...(cell.failed ? failure(cell, head) : figures(cell, base)),
      ]);
    }),
  );
}

/** Of a small table, most of the memory is not the entries', and it is full before the clock has moved. */
function figures({ entries, bytes, hit, miss, insert, evict }, base) {
  const isSmall = entries === fewest;
  return [
    isSmall ? '' : short(bytes),
    short(hit),
    short(miss),
    isSmall ? '' : short(insert),
    short(evict),
    base.failed ? '' : (hit / base.hit).toFixed(2),
  ];
}

function poolTable(rows) {
  const head = ['ns of CPU', 'entries', 'without', 'known', 'more', 'new, full'];
  return table(
    head,
    rows.flatMap(({ label, cells }) =>
      cells.map((cell) => [
        label,
        count(cell.entries),
        ...(cell.failed ? failure(cell, head) : [cell.without, cell.known, cell.more, cell.unknown].map(short)),
      ]),
    ),
  );
}

const failure = ({ failed }, head) => [failed, ...head.slice(3).map(() => '')];
