import { sizes } from '../picks/cases/picks.mjs';
import { machine } from './machine.mjs';
import { pickTable } from './pick-tables.mjs';

/** The part of `docs/strategies.md` that `npm run bench` writes. */
export function growthPart({ node, picks }) {
  const [processor, , commit] = machine();
  return `![ns of CPU for acquire and release, from 10 to 100,000 members; the table below has the figures](strategies-growth.svg)

Nanoseconds of CPU for \`pool.acquire()\` and \`lease.release()\` by number of members; of a strategy that the table has several rows of,
the dearest. Dashed: the target, 1 µs. [benchmarks.md](benchmarks.md) says how it is measured, and has the rest.

${node}; ${processor}; ${commit}.

${pickTable(grown(picks))}`;
}

/** Those of evenkeel's rows that were measured at every size. */
export function grown(picks) {
  return picks.filter((row) => !row.isPeer && row.sizes.length === sizes.length);
}
