import { nodeVersion } from './contestants/versions.mjs';
import { benchHttp, httpTable } from './http.mjs';
import { perNode, readOptions } from './options.mjs';
import { httpPart } from './page/http-part.mjs';
import { writePart } from './page/page.mjs';
import { verdictTable } from './page/parts.mjs';
import { profileHttp } from './profile.mjs';
import { judgeHttp } from './targets.mjs';

/** `npm run bench:http`: measures, prints, and writes its part of the page where all was measured at full length. */
const options = readOptions();
const isWhole = !options.quick && !options.only && !options.workloads;

/** One profile for each workload that misses, however many targets it misses. */
async function profilesOf(verdicts, each) {
  const missed = verdicts.filter(({ isMet }) => !isMet).map(({ workload }) => workload);
  const profiles = [];
  for (const workload of new Set(missed)) {
    profiles.push({ title: `HTTP ${workload}`, text: await profileHttp(workload, each) });
  }
  return profiles;
}

const runs = [];
for (const each of perNode(options)) {
  const node = nodeVersion(each);
  console.log(`## ${node}\n`);
  const http = await benchHttp(each, (result) => console.log(httpTable(result)));
  const verdicts = judgeHttp(http.results);
  if (verdicts.length > 0) console.log(`${verdictTable(verdicts)}\n`);
  runs.push({ node, http, verdicts, profiles: isWhole ? await profilesOf(verdicts, each) : [] });
}
if (isWhole) writePart('npm run bench:http', httpPart(runs));
else console.log('docs/benchmarks.md is left as it is: only a whole run writes it');
