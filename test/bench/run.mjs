import { writeFileSync } from 'node:fs';
import { perNode, readOptions } from './options.mjs';
import { benchPicks, pickTable, prepareTable } from './picks.mjs';
import { profilePick, profileTcp } from './profile.mjs';
import { benchmarksPage, verdictTable } from './report.mjs';
import { judgePicks, judgeTcp } from './targets.mjs';
import { nodeVersion } from './tcp/contestants.mjs';
import { benchTcp, tcpTable } from './tcp.mjs';

/** `npm run bench`: measures, prints, and writes the page where all was measured at full length. */
const page = new URL('../../docs/benchmarks.md', import.meta.url);
const options = readOptions();

async function measure(each) {
  const node = nodeVersion(each);
  console.log(`## ${node}\n`);
  const picks = each.onlyTcp ? [] : benchPicks(each, (line) => console.error(line));
  if (!each.onlyTcp) console.log(`${pickTable(picks)}\n\n${prepareTable(picks)}\n`);
  const tcp = each.onlyPicks
    ? { contestants: [], missing: [], results: [] }
    : await benchTcp(each, (result) => console.log(tcpTable(result)));
  const verdicts = [...(each.onlyTcp ? [] : judgePicks(picks)), ...judgeTcp(tcp.results)];
  console.log(`${verdictTable(verdicts)}\n`);
  return { node, picks, tcp, verdicts };
}

/** One profile for each row or workload that misses, however many targets it misses. */
async function profilesOf(verdicts, each) {
  const missed = verdicts.filter(({ isMet }) => !isMet);
  const profiles = [];
  for (const { label, order } of missed.flatMap(({ missedBy = [] }) => missedBy)) {
    profiles.push({
      title: `${label} at ${order.members.toLocaleString('en')} members`,
      text: profilePick(order, each),
    });
  }
  // A profile of CPU says nothing about memory.
  const workloads = missed.map(({ workload }) => workload).filter((name) => name !== undefined && name !== 'memory');
  for (const workload of new Set(workloads)) {
    profiles.push({ title: `TCP ${workload}`, text: await profileTcp(workload, each) });
  }
  return profiles;
}

const isWhole = !options.quick && !options.onlyPicks && !options.onlyTcp && !options.only && !options.workloads;
const runs = [];
for (const each of perNode(options)) {
  const run = await measure(each);
  runs.push({ ...run, profiles: isWhole ? await profilesOf(run.verdicts, each) : [] });
}
if (isWhole) {
  writeFileSync(page, benchmarksPage(runs));
  console.log('written to docs/benchmarks.md');
} else {
  console.log('docs/benchmarks.md is left as it is: only a whole run writes it');
}
