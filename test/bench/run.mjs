import { nodeVersion } from './contestants/versions.mjs';
import { benchLayer4 } from './layer4.mjs';
import { perNode, readOptions } from './options.mjs';
import { cpuTable } from './page/cpu-table.mjs';
import { grown, growthPart } from './page/growth-part.mjs';
import { growthPlot } from './page/growth-plot.mjs';
import { layer4Part, unknownText } from './page/layer4-part.mjs';
import { writePart, writePicture } from './page/page.mjs';
import { verdictTable } from './page/parts.mjs';
import { persistencePart, persistenceText } from './page/persistence-part.mjs';
import { picksAndTcpPart } from './page/picks-and-tcp-part.mjs';
import { picksText } from './page/picks-text.mjs';
import { tlsPart } from './page/tls-part.mjs';
import { benchPersistence } from './persistence.mjs';
import { judgePersistence } from './persistence-targets.mjs';
import { judgePicks } from './pick-targets.mjs';
import { benchPicks } from './picks.mjs';
import { profileBeside, profilePick } from './profile.mjs';
import { judgeLayer4, judgeTcp, judgeTls } from './targets.mjs';
import { benchTcp } from './tcp.mjs';
import { benchTls } from './tls.mjs';

/** `npm run bench`: measures, prints, and writes those parts of the pages of which all was measured at full length. */
const options = readOptions();
const waiting = (line) => console.error(line);
const printed = (result) => console.log(cpuTable(result));

/** What the command consists of: how each part is measured, printed where that is not done on the way, and held against its targets. */
const parts = {
  picks: {
    bench: (each) => benchPicks(each, waiting),
    print: picksText,
    judge: judgePicks,
    isWhole: !options.strategies,
  },
  tcp: { bench: (each) => benchTcp(each, printed), judge: ({ results }) => judgeTcp(results) },
  persistence: {
    bench: (each) => benchPersistence(each, waiting),
    print: persistenceText,
    judge: judgePersistence,
    isWhole: true,
  },
  layer4: {
    bench: (each) => benchLayer4(each, printed),
    print: ({ unknown }) => unknownText(unknown),
    judge: ({ results }) => judgeLayer4(results),
  },
  tls: { bench: (each) => benchTls(each, printed), judge: ({ results }) => judgeTls(results) },
};
const isWhole = (part) =>
  !options.quick && options.parts.has(part) && (parts[part].isWhole ?? (!options.only && !options.workloads));

/** One part on each Node binary, with profiles of what misses where they are to be written. */
async function runsOf(part) {
  const { bench, print = () => '', judge } = parts[part];
  const runs = [];
  for (const each of perNode(options)) {
    const node = nodeVersion(each);
    console.log(`## ${part}, ${node}\n`);
    const results = await bench(each);
    const text = print(results);
    if (text !== '') console.log(`${text}\n`);
    const verdicts = judge(results);
    if (verdicts.length > 0) console.log(`${verdictTable(verdicts)}\n`);
    runs.push({ node, results, verdicts, profiles: isWhole(part) ? await profilesOf(part, verdicts, each) : [] });
  }
  return runs;
}

/** One profile for each row or workload that misses, however many targets it misses. */
async function profilesOf(part, verdicts, each) {
  const missed = verdicts.filter(({ isMet }) => !isMet);
  const profiles = missed
    .flatMap(({ missedBy = [] }) => missedBy)
    .map(({ label, order }) => ({
      title: `${label} at ${order.members.toLocaleString('en')} members`,
      text: profilePick(order, each),
    }));
  // A profile of CPU says nothing about memory.
  const workloads = missed.map(({ workload }) => workload).filter((name) => name !== undefined && name !== 'memory');
  for (const workload of new Set(workloads)) {
    profiles.push({ title: `${part} ${workload}`, text: await profileBeside(part, workload, each) });
  }
  return profiles;
}

const runs = {};
for (const part of options.parts) runs[part] = await runsOf(part);

const commandFor = (part) => `npm run bench -- --only-${part}`;
let isWritten = false;
function write(...args) {
  writePart(...args);
  isWritten = true;
}
if (isWhole('picks')) {
  const { node, results } = runs.picks.at(-1);
  writePicture('strategies-growth.svg', growthPlot(grown(results.picks)));
  write('npm run bench', growthPart({ node, picks: results.picks }), 'strategies.md');
}
if (isWhole('picks') && isWhole('tcp')) write('npm run bench', picksAndTcpPart(runs.picks, runs.tcp));
for (const [part, text] of Object.entries({ persistence: persistencePart, layer4: layer4Part, tls: tlsPart })) {
  if (isWhole(part)) write(commandFor(part), text(commandFor(part), runs[part]));
}
if (!isWritten) console.log('the pages are left as they are: only what was measured as a whole is written');
