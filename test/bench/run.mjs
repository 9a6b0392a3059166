import { nodeVersion } from './contestants/versions.mjs';
import { perNode, readOptions } from './options.mjs';
import { grown, growthPart } from './page/growth-part.mjs';
import { growthPlot } from './page/growth-plot.mjs';
import { writePart, writePicture } from './page/page.mjs';
import { verdictTable } from './page/parts.mjs';
import { picksAndTcpPart } from './page/picks-and-tcp-part.mjs';
import { picksText } from './page/picks-text.mjs';
import { judgePicks } from './pick-targets.mjs';
import { benchPicks } from './picks.mjs';
import { profilePick, profileTcp } from './profile.mjs';
import { judgeTcp } from './targets.mjs';
import { benchTcp, tcpTable } from './tcp.mjs';

/** `npm run bench`: measures, prints, and writes its parts of the pages where all of theirs was measured at full length. */
const options = readOptions();

async function measure(each) {
  const node = nodeVersion(each);
  console.log(`## ${node}\n`);
  const picks = each.onlyTcp ? undefined : benchPicks(each, (line) => console.error(line));
  if (picks !== undefined) console.log(`${picksText(picks)}\n`);
  const tcp = each.onlyPicks
    ? { contestants: [], missing: [], results: [] }
    : await benchTcp(each, (result) => console.log(tcpTable(result)));
  const verdicts = [...(picks === undefined ? [] : judgePicks(picks)), ...judgeTcp(tcp.results)];
  if (verdicts.length > 0) console.log(`${verdictTable(verdicts)}\n`);
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

const hasAllPicks = !options.quick && !options.onlyTcp && !options.strategies;
const isWhole = hasAllPicks && !options.onlyPicks && !options.only && !options.workloads;
const runs = [];
for (const each of perNode(options)) {
  const run = await measure(each);
  runs.push({ ...run, profiles: isWhole ? await profilesOf(run.verdicts, each) : [] });
}
if (hasAllPicks) {
  const { node, picks } = runs.at(-1);
  writePicture('strategies-growth.svg', growthPlot(grown(picks.picks)));
  writePart('npm run bench', growthPart({ node, picks: picks.picks }), 'strategies.md');
}
if (isWhole) writePart('npm run bench', picksAndTcpPart(runs));
else console.log('docs/benchmarks.md is left as it is: only a whole run writes it');
